//! Does the password come first, and end the stack when it is wrong? Else whoever knows a name is asked for its
//! codes, and uses up its attempts; with `unenrolled = "enroll"`, adds a factor to it.

use mfa_proto::module::Arguments;
use mfactl::pam::{Entry, Goal, Outcome, Stack, find};

use super::{CHECK, known};
use crate::doctor::{Finding, Severity};

/// Looks at what stands before our module, the `ours`th line.
pub(super) fn check(
    service: &str,
    stack: &Stack,
    ours: usize,
    arguments: &Arguments,
    found: &mut Vec<Finding>,
) {
    let Some(place) = stack.entries.get(ours).map(|entry| &entry.place) else { return };
    let first = |entries: Option<&[Entry]>| entries.is_some_and(|all| all.iter().any(known::is_first_factor));
    let before = first(stack.entries.get(..ours));
    let after = first(stack.entries.get(ours..));
    let warning = |what: &str| Finding::new(CHECK, Severity::Warning, what).at(place);
    match (before, after, arguments.combined) {
        (true, _, true) => found.push(
            warning("`combined` stands after the password, which has taken the whole field by then")
                .remedy("put pam_mfa.so combined before pam_unix.so use_first_pass; see /usr/share/doc/mfad/examples/pam.d/openvpn"),
        ),
        (false, true, false) => found.push(
            warning("codes are asked for before the password: whoever knows a name uses up its attempts")
                .remedy("put pam_mfa.so after the password; for clients with a single field: `combined`"),
        ),
        (true, _, false) if reached_without(service, stack, ours) => found.push(
            warning(
                "who types a wrong password is asked for a code all the same, and uses up attempts; with `unenrolled = \
                 \"enroll\"` strangers could enroll a factor",
            )
            .remedy(
                "have a wrong password end the stack: `requisite`, or [success=1 default=ignore] with requisite pam_deny.so \
                 after it (a substack's end does not end the stack around it)",
            ),
        ),
        (false, false, false) if service != "sshd" => found.push(
            Finding::new(CHECK, Severity::Note, "no other module here is known to prove who it is: the code may be all that is asked")
                .at(place)
                .remedy("right where the program checks a key or certificate itself"),
        ),
        _ => {}
    }
}

/// Whether our module is asked after every first factor said no.
fn reached_without(service: &str, stack: &Stack, ours: usize) -> bool {
    let choices = |_: usize, entry: &Entry| {
        if known::is_first_factor(entry) {
            return known::refusals();
        }
        if known::is_condition(entry) {
            return vec![Outcome::Absent];
        }
        known::outcomes(service, entry)
    };
    find(stack, &choices, Goal::Reach(ours)).is_some()
}
