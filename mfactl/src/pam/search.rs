//! Whether a stack can end in a certain way, and how: a search through all outcomes of its modules.

use std::collections::{HashSet, VecDeque};

use super::control::Code;
use super::stack::{Entry, Run, Stack};
use super::walk::Machine;

/// What became of one line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// The module returned this.
    Code(Code),
    /// As if the line said nothing.
    Absent,
}

/// What is looked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Goal {
    /// The application is told to let in.
    Grant,
    /// This line is reached.
    Reach(usize),
}

/// One step on the way there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Step {
    /// The line.
    pub entry: usize,
    /// Its outcome.
    pub outcome: Outcome,
}

/// The shortest way to `goal` when each line may have any of the outcomes that `choices` gives for it;
/// `None` when there is none.
pub fn find(stack: &Stack, choices: &dyn Fn(usize, &Entry) -> Vec<Outcome>, goal: Goal) -> Option<Vec<Step>> {
    let start = Machine::start(stack);
    let mut seen = HashSet::from([start.clone()]);
    let mut open: VecDeque<(Machine, Vec<Step>)> = VecDeque::from([(start, Vec::new())]);
    while let Some((machine, way)) = open.pop_front() {
        let Some(at) = machine.at(stack) else {
            if goal == Goal::Grant && machine.verdict(stack).is_some_and(super::Verdict::grants) {
                return Some(way);
            }
            continue;
        };
        if goal == Goal::Reach(at) {
            return Some(way);
        }
        let Some(entry) = stack.entries.get(at) else { continue };
        let outcomes = match entry.run {
            Run::MustFail(_) => vec![Outcome::Code(Code::PERM_DENIED)],
            Run::Module(_) | Run::Substack(_) => choices(at, entry),
        };
        for outcome in different(entry, outcomes) {
            let next = machine.after(stack, outcome);
            if seen.insert(next.clone()) {
                let step = Step { entry: at, outcome };
                open.push_back((next, way.iter().copied().chain([step]).collect()));
            }
        }
    }
    None
}

/// One of all outcomes that the control field treats alike.
fn different(entry: &Entry, outcomes: Vec<Outcome>) -> Vec<Outcome> {
    let mut kinds = Vec::new();
    let mut kept = Vec::new();
    for outcome in outcomes {
        let kind = match outcome {
            Outcome::Absent => None,
            Outcome::Code(code) => Some((entry.control.action(code), code == Code::SUCCESS)),
        };
        if !kinds.contains(&kind) {
            kinds.push(kind);
            kept.push(outcome);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::super::{Kind, Source, walk};
    use super::*;
    use proptest::prelude::*;

    fn stack(lines: &[&str]) -> Stack {
        let text = lines.join("\n");
        Stack::read("x", Kind::Auth, &|name| {
            let text = if name == "x" {
                text.clone()
            } else {
                "auth [default=ignore success=done] pam_in.so\nauth required pam_in2.so".to_owned()
            };
            Some(Source { path: name.to_owned(), text })
        })
        .unwrap()
    }

    fn all(_: usize, _: &Entry) -> Vec<Outcome> {
        Code::all().into_iter().map(Outcome::Code).collect()
    }

    fn mfa_fails(_: usize, entry: &Entry) -> Vec<Outcome> {
        let ours = entry.module() == "pam_mfa.so";
        let fits = |code: &Code| !ours || ![Code::SUCCESS, Code::IGNORE].contains(code);
        Code::all().into_iter().filter(fits).map(Outcome::Code).collect()
    }

    #[test]
    fn a_way_around_is_found_where_there_is_one() {
        for (lines, around) in [
            (&["auth required pam_unix.so", "auth required pam_mfa.so"][..], false),
            (&["auth sufficient pam_unix.so", "auth required pam_mfa.so"], true),
            (
                &[
                    "auth [success=1 default=ignore] pam_unix.so",
                    "auth requisite pam_deny.so",
                    "auth required pam_mfa.so",
                ],
                false,
            ),
            (
                &[
                    "auth [success=2 default=ignore] pam_unix.so",
                    "auth requisite pam_deny.so",
                    "auth required pam_mfa.so",
                    "auth required pam_permit.so",
                ],
                true,
            ),
            (&["auth required pam_unix.so", "auth optional pam_mfa.so"], true),
            (&["auth required pam_unix.so", "auth [success=ok default=ignore] pam_mfa.so"], true),
            (
                &[
                    "auth required pam_mfa.so",
                    "auth [success=reset default=ignore] pam_x.so",
                    "auth required pam_y.so",
                ],
                true,
            ),
            (&["auth include in", "auth required pam_mfa.so"], true),
            (&["auth substack in", "auth required pam_mfa.so"], false),
            (&["auth requisite pam_mfa.so", "auth sufficient pam_unix.so"], false),
        ] {
            let found = find(&stack(lines), &mfa_fails, Goal::Grant);
            assert_eq!(found.is_some(), around, "{lines:?}: {found:?}");
        }
    }

    #[test]
    fn a_line_behind_a_sure_end_is_not_reached() {
        let deny = |_: usize, _: &Entry| vec![Outcome::Code(Code::AUTH_ERR)];
        let lines = ["auth requisite pam_deny.so", "auth required pam_mfa.so"];
        assert_eq!(find(&stack(&lines), &deny, Goal::Reach(1)), None);
        assert!(find(&stack(&lines), &all, Goal::Reach(1)).is_some());
    }

    fn control() -> impl Strategy<Value = String> {
        let action = prop_oneof![
            Just("ok"),
            Just("done"),
            Just("bad"),
            Just("die"),
            Just("ignore"),
            Just("reset"),
            Just("1"),
            Just("2"),
            Just("3")
        ];
        let listed = (action.clone(), action.clone(), action)
            .prop_map(|(a, b, c)| format!("[success={a} ignore={b} default={c}]"));
        let word = prop_oneof![Just("required"), Just("requisite"), Just("sufficient"), Just("optional")];
        prop_oneof![word.prop_map(str::to_owned), listed]
    }

    proptest! {
        /// What the search finds, a walk confirms; what it does not find, no walk does.
        #[test]
        fn search_and_walk_agree(controls in prop::collection::vec(control(), 1..5), subs in any::<u8>(), codes in prop::collection::vec(0_usize..3, 16)) {
            let lines: Vec<String> = controls
                .iter()
                .enumerate()
                .map(|(n, control)| if subs & (1 << n) == 0 { format!("auth {control} pam_{n}.so") } else { "auth substack in".to_owned() })
                .collect();
            let stack = stack(&lines.iter().map(String::as_str).collect::<Vec<_>>());
            let three = [Code::SUCCESS, Code::AUTH_ERR, Code::IGNORE];
            let of = |n: usize| codes.get(n).and_then(|c| three.get(*c)).copied().unwrap_or(Code::AUTH_ERR);
            let fixed = |n: usize, _: &Entry| vec![Outcome::Code(of(n))];
            let walked = walk(&stack, of).grants();
            prop_assert_eq!(find(&stack, &fixed, Goal::Grant).is_some(), walked);
            if walked {
                prop_assert!(find(&stack, &all, Goal::Grant).is_some());
            }
        }
    }
}
