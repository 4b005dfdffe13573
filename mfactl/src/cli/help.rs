//! Longer help: exit codes, files, the rules of JSON; below it, fields and examples of each verb. Stands in `--help` and in the man pages.
//!
//! A paragraph is one line, which is wrapped where it is shown; lines that begin with two spaces stay as
//! they are.

mod factors;
mod host;
mod people;

pub(super) use self::{factors::*, host::*, people::*};

/// What each exit code means.
pub(crate) const EXIT_CODES: &[(&str, &str)] = &[
    ("0", "done; test: accepted; explain: a factor is asked for"),
    (
        "1",
        "refused or failed; import: something was skipped; status: the store takes no writes; audit verify: the trail is broken; config check, reload: not \
         valid; doctor: warnings",
    ),
    ("2", "the command line, or what was read from standard input, is not valid; doctor: problems"),
    (
        "3",
        "mfad cannot be reached or cannot answer at present; the code could not be sent; doctor: something could not be looked at",
    ),
    ("4", "the code was wrong, used before, or missing; test, explain: denied"),
    ("5", "locked after too many wrong codes; send: a code was sent a moment ago, or too many were"),
    ("6", "not allowed for the account this runs as"),
    ("7", "no such user or factor"),
    ("8", "test, explain: policy asks no second factor of this login"),
    ("130", "given up at a prompt (Ctrl-C)"),
];

/// What files there are.
pub(crate) const FILES: &[(&str, &str)] = &[
    ("/run/mfad/mfad.sock", "the socket of the daemon, for root"),
    (
        "/run/mfad/user.sock",
        "the socket for other accounts; used when the first one may not be opened and --socket is not given",
    ),
];

/// The rules of JSON output that hold for every command.
pub(crate) const JSON: &str = "With --json standard output holds one line with one JSON object (audit: one line per row) \
and nothing else; messages for people go to standard error. Field names stay. A time is given twice: NAME in Unix \
seconds and NAME_rfc3339; both are null when there is none. A lock is {state: open|until|until_admin, until, \
until_rfc3339, reason: failures|long_window|null}. A failure is {error: {code, message, hint, exit}}, where code is one \
of not_allowed, unknown_user, no_such_factor, ambiguous, wrong_code, locked, wrong_state, invalid, too_many, \
tampered, unavailable, too_soon, not_sent, invitation, unreachable, untrusted_daemon, protocol, usage, interrupted, declined, withheld, output, local. A command line that \
cannot be parsed is reported on standard error alone.";

pub(super) const AFTER: &str = "\
Exit codes: 0 done, 1 refused or failed, 2 usage, 3 daemon unreachable, 4 wrong code, 5 locked, 6 \
not allowed, 7 not found, 8 no second factor needed (test), 130 given up at a prompt. --help says \
more.";

/// What stands below the long help: the exit codes.
pub(super) fn after_long() -> String {
    let codes: Vec<String> =
        EXIT_CODES.iter().map(|(code, meaning)| format!("  {code:>3}  {meaning}")).collect();
    format!(
        "Exit codes:\n{}\n\nColors are used on terminals only, and not when NO_COLOR is set.",
        codes.join("\n")
    )
}
