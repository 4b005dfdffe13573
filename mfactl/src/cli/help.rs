//! Longer help: exit codes, JSON fields, examples. Stands in `--help` and in the man pages.
//!
//! A paragraph is one line, which is wrapped where it is shown; lines that begin with two spaces stay as
//! they are.

/// What each exit code means.
pub(crate) const EXIT_CODES: &[(&str, &str)] = &[
    ("0", "done; test: accepted"),
    (
        "1",
        "refused or failed; import: something was skipped; status: the store takes no writes; config check, reload: not \
         valid",
    ),
    ("2", "the command line, or what was read from standard input, is not valid"),
    ("3", "mfad cannot be reached or cannot answer at present"),
    ("4", "the code was wrong, used before, or missing; test: denied"),
    ("5", "locked after too many wrong codes"),
    ("6", "not allowed for the account this runs as"),
    ("7", "no such user or factor"),
    ("8", "test: policy asks no second factor of this login"),
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
tampered, unavailable, unreachable, untrusted_daemon, protocol, usage, interrupted, declined, output, local. A command line that \
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

pub(super) const ENROLL: &str = "\
On a terminal, mfactl then asks for a code that the new factor shows: this proves that it works, and \
makes it active. Until then it counts for nothing. Ctrl-C leaves it to be confirmed later by `mfactl \
confirm`. When the daemon wants a current code of a factor that is active already, it is asked for, \
or read with --code-stdin.

The key is shown once and cannot be shown again. It is never taken from the command line, where \
others could see it: --secret-stdin reads it from standard input.

JSON fields: user, realm, factor (id), kind (totp|hotp), label, state (pending|active), secret \
(base32) and uri (otpauth link); the last two are null when the key was brought along. With --json \
no code is asked for to confirm.

Examples:
  mfactl enroll totp                            for yourself
  mfactl enroll totp alice --label phone        for alice, as root
  mfactl enroll totp alice --no-confirm --json  for a script: active at once
  mfactl enroll hotp alice --secret-stdin --counter 17 <key.txt";

pub(super) const CONFIRM: &str = "\
CODE on the command line can be seen by other users of this host while mfactl runs. It is the code \
of a factor that does not count yet, and is used up when it is right, so that little can be done \
with it; typed at the prompt or given on standard input it is not seen at all.

JSON fields: user, realm, verb, factors (how many became active).";

pub(super) const IMPORT: &str = "\
Reads all, asks the daemon to take one user after the other, and reports. All factors of a user are \
imported, or none. They are active at once: people have used them already. Exits with 1 when anything \
was skipped; what was imported stays imported, and the same command can be given again.

In a directory it reads the .google_authenticator of each home in it, for the file's owner. A file \
that is not root's speaks for its owner alone. What names no account needs --user or --map.

Formats, all of them told by their look: google-authenticator (~/.google_authenticator), oath (users.oath \
of libpam-oath), otpauth (otpauth:// links), migration (otpauth-migration:// links of Google Authenticator), \
pskc (RFC 6030), csv (a header line, and a token on each line). Columns of csv are serial, key (hex), key \
(base32), type (totp or hotp), counter, period, counter/period, digits, algorithm, user, and manufacturer, \
model, issuer, description, ignore, which are passed over.

JSON fields: dry_run, imported: a list of {user, realm, factors: [{kind, label, algorithm, digits, period, \
counter, file, line}], recovery (how many), notes: [{note, text, file, line}]}, skipped: a list of {user, file, \
line, reason, hint, present}, left_out (how many, of other users), untried (users), in_doubt (user), \
stopped ({code, message, hint, exit} or null).

Examples:
  mfactl import --dry-run /home                  what would happen
  mfactl import --user alice /home               one user first
  mfactl import /home /root
  mfactl import /etc/users.oath
  mfactl import --map owners.txt tokens.csv      owners.txt: 2308154 alice
  mfactl import --user alice - <link.txt";

pub(super) const LIST: &str = "\
JSON fields: users: a list of {user, realm, factors: [{kind, state}], last_used, lock, tampered}.";

pub(super) const SHOW: &str = "\
JSON fields: user, realm, uid, orphaned, failures_30_days, lock, unproven_lock, factors: a list of \
{factor, kind, label, state (pending|active|disabled|exhausted), algorithm (sha1|sha256|sha512), \
digits, period, created, last_used, failures, lock, drift}.";

pub(super) const SWITCH: &str = "\
JSON fields: user, realm, verb, factors (how many it concerned).";

pub(super) const STATUS: &str = "\
Exits with 1 when the store takes no writes: every login is denied then.

JSON fields: version, uptime (seconds), users, active_factors, audit_rows, connections, accepted, \
denied, store_ok, store_problem, key, rows_with_old_key, profile.";

pub(super) const AUDIT: &str = "\
JSON fields, one object per line: seq, time, event, user, realm, service, source, factor, rule, \
verdict, reason, session, actor (uid).

Examples:
  mfactl audit --user alice --since 2h
  mfactl audit --service sshd --since 2026-03-01 --until 2026-03-02
  mfactl audit --follow --json | jq -r .source";

pub(super) const TEST: &str = "\
Talks to the daemon as the PAM module does, shows its prompts and says what became of it. A right \
code is used up, a wrong one counts. Without a terminal each prompt takes one line of standard \
input.

JSON fields: user, service, verdict (accept|deny|locked|not_applicable|unavailable), meaning.";

pub(super) const CONFIG: &str = "\
Exits with 1 when the configuration is not valid. `mfad check-config` does the same without a \
running daemon.

JSON fields: valid, problems (a list of texts with file, line and column).";
