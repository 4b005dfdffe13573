//! Longer help: exit codes, JSON fields, examples. Stands in `--help` and in the man pages.
//!
//! A paragraph is one line, which is wrapped where it is shown; lines that begin with two spaces stay as
//! they are.

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

pub(super) const PIN: &str = "\
A PIN is typed directly before each code, in one answer: 1234 and 755224 make 1234755224. It has 4 to 32 printable ASCII \
characters without spaces. It is asked for on a terminal, else read from standard input, behind the line of --code-stdin. Owners need a current code, with \
the PIN before where there is one; only root takes a PIN away, or sets one that was forgotten.

Examples:
  mfactl pin set
  mfactl pin set jane --label phone </run/pin
  mfactl pin set --serial TOKEN42
  mfactl pin clear jane

JSON: {user, realm, verb, factors}";

pub(super) const DEVICES: &str = "\
A serial number has 1 to 64 characters and is one factor's alone; large and small letters are the same. A device that \
nobody has is kept under its serial number in the realm unassigned, and lets nobody in. Who is given a device gets no PIN \
with it, and codes that were used stay used.

Examples:
  mfactl enroll hotp TOKEN42 --realm unassigned --serial TOKEN42 --no-confirm --secret-stdin </run/key
  mfactl assign TOKEN42 jane
  mfactl find TOKEN42
  mfactl unassign TOKEN42
  mfactl describe jane --label hotp --text \"blue key\"

JSON: find: {user, realm, factor}; the others: {user, realm, verb, factors}";

pub(super) const ENROLL: &str = "\
On a terminal, mfactl then asks for a code that the new factor shows: this proves that it works, and \
makes it active. Until then it counts for nothing. Ctrl-C leaves it to be confirmed later by `mfactl \
confirm`. When the daemon wants a current code of a factor that is active already, it is asked for, \
or read with --code-stdin.

The key is shown once and cannot be shown again. It is never taken from the command line, where \
others could see it: --secret-stdin reads it from standard input.

A first factor may need an invitation (`mfactl invite`, by root): it is asked for on a terminal, or read \
with --invitation-stdin, and is used up when the factor becomes active. Whoever gives up before that may \
enroll again with the same invitation.

A current code is one that any active factor shows now, or a recovery code. An empty answer where one is \
asked for has one sent, when a number or address is enrolled.

JSON fields: user, realm, factor (id), kind, label, state (pending|active), secret (base32), uri \
(otpauth link), signing_secret and sent_to; the last four are null where they do not apply, and where \
the key was brought along. With --json no code is asked for to confirm.

Examples:
  mfactl enroll totp                            for yourself
  mfactl enroll totp alice --label phone        for alice, as root
  mfactl enroll totp alice --no-confirm --json  for a script: active at once
  mfactl enroll hotp alice --secret-stdin --counter 17 <key.txt";

pub(super) const ENROLL_SENT: &str = "\
The number (with country code: +49 151 23456789) or address is asked for on a terminal, or read with \
--address-stdin. It is never taken from the command line, where others could see it. A code is sent \
to it at once, and mfactl asks for that code, which makes the factor active: until then it counts for \
nothing. An empty answer has another code sent. Ctrl-C leaves it to be confirmed later: `mfactl send`, \
then `mfactl confirm`.

JSON fields: user, realm, factor (id), kind (sms|mail), label, state (pending), sent_to (masked); \
secret, uri and signing_secret are null.

Examples:
  mfactl enroll sms                                    for yourself
  mfactl enroll mail alice --address-stdin <address    for alice, as root";

pub(super) const ENROLL_REST: &str = "\
The service is asked to judge one answer, which makes the factor active when it says yes; root can do \
without by --no-confirm.

JSON fields: user, realm, factor (id), kind (rest), label, state (pending|active); secret, uri, \
signing_secret and sent_to are null.

Examples:
  mfactl enroll rest alice --service corp --remote-user a.smith --no-confirm";

pub(super) const ENROLL_TOKEN: &str = "\
Without --domain, a seed and a signing secret are made for this factor and shown once: whoever has both \
can make tokens for this user. `mfactl token issue` makes them from what the daemon keeps. With \
--domain, the application that holds the two secrets of the domain makes them.

When root adds it, it is active at once; else it counts from the first valid token on (`mfactl \
confirm`, or a login).

JSON fields: user, realm, factor (id), kind (token), label, state, secret (base32, the seed) and \
signing_secret; the last two are null with --domain, and where they were brought along; uri and \
sent_to are null.

Examples:
  mfactl enroll token backup --label rsync
  mfactl token issue backup
  mfactl enroll token alice --domain example.org";

pub(super) const TOKEN: &str = "\
A token is valid for about a minute, and once. Without a label or id, the user needs to have one such \
factor only. Only root gets one: a token is as good as a code, and whoever runs as the user must not get \
the second factor for the first. Standard output has the token and nothing else, so that a script can hand it to ssh \
(SSH_ASKPASS).

JSON fields: user, realm, token.";

pub(super) const RECOVERY: &str = "\
Recovery codes are for the day on which the phone is lost: each lets its owner in once, in place of any \
other code. A new set voids the one before.

The codes are shown on a terminal and nowhere else: --output writes them to a new file with mode 0600, \
--stdout prints them into a pipe or file. This holds for --json as well. They cannot be shown again.

JSON fields of new: user, realm, factor (id), count, output (the file, or null), codes (a list; null with \
--output). Fields of count: user, realm, factor (id), left, state, created.

Examples:
  mfactl recovery new                                for yourself
  mfactl recovery new alice --output alice-codes     into a file, to be printed
  mfactl recovery new alice --json --stdout          for a script
  mfactl recovery count";

pub(super) const LDAP_SEAL: &str = "\
Nothing is enrolled here: the secret counts once the value is in the attribute [ldap] secret_attribute of the \
user's entry, and a login or `mfactl ldap pull` has looked it up. The value opens only for this user, with these \
parameters, and with the key [ldap] secret_key. To take a secret back, delete its value from the directory and \
switch the factor off (`mfactl disable`): who keeps a copy of the value could put it back.

A secret that is made is shown once, with its QR code. One that is brought along is read from standard input, and \
only the value is printed.

JSON fields: user, realm, value, secret, uri (null for a secret that was brought along).

Examples:
  mfactl ldap seal alice
  mfactl ldap seal alice --secret-stdin <secret      prints the value alone";

pub(super) const LDAP_PULL: &str = "\
Numbers and addresses count at once, because the configuration says that the directory is trusted with them; TOTP \
secrets from their next code on. What is the same again changes nothing. What the directory has no more is \
switched off, and comes on again when it is back; what `mfactl disable` switched off stays off. The labels are \
directory, directory-sms, directory-mail.

Exits with 1 when a value cannot be used, or there is no room for one; all else is taken over.

JSON fields: dry_run, users: user, realm, found, changes (change, kind, label), unusable (kind, why).

Examples:
  mfactl ldap pull alice --dry-run
  mfactl ldap pull --all";

pub(super) const BREAKGLASS: &str = "\
For the day on which nothing else works: the code lets its user in once, in place of any other, though all \
factors are lost, locked, disabled or exhausted, or though there is none. It is void when it was used, when \
its time is over, when another one is made, and after a restore. It has the form of a recovery code, and \
proves nothing but one login: to change factors it is no code.

The reason is asked for because it stands in the audit trail and goes to those who are told. Tell the code \
to nobody before you know that it is the user who asks.

JSON fields: user, realm, factor (id), code (null with --output), output (the file, or null), until.

Examples:
  mfactl breakglass alice --reason \"phone stolen, called back at her desk\"
  mfactl breakglass alice --for 30m --reason \"on call, token broken\"
  mfactl remove alice --label breakglass             takes it back";

pub(super) const LOST: &str = "\
What disable, `remembered revoke` and breakglass (or remove and invite) do, in one go. It says first what is lost and what is left, and \
asks. Without FACTOR, all active totp, hotp and sms factors count as lost: recovery codes are on paper, mail is elsewhere. On a \
terminal, where nothing that counts is left, a code for the day is offered, and an invitation to enroll anew; a \
script says --emergency or --invite. Then it says what to do next.

Be sure that it is the user who asks: call back at a number you know. Switching off too much can be mended by \
`mfactl enable`.

JSON fields: user, realm, verb, lost and left: lists of {factor, kind, label}, removed (deleted, not switched off), forgotten \
(successes), emergency ({user, realm, factor, output, code, until} or null), invitation ({user, realm, invitation, until, withdrawn} \
or null).

Examples:
  mfactl lost alice                               the phone, whatever it holds
  mfactl lost alice phone                         by label, or by id
  mfactl lost alice --emergency --for 8h --yes    with a code for the day
  mfactl lost alice --invite                      everything is lost";

pub(super) const SEND: &str = "\
A code goes to a factor that waits to be confirmed, or, as the current code that its owner needs for a \
change, to one that is active. It is not for logins: those send their own. A new code voids the one \
before, and counts against the same limits as all others.

JSON fields: user, realm, to (masked), digits, until.";

pub(super) const RESYNC: &str = "\
Two codes that the device shows one after the other are asked for on a terminal, or read from standard \
input, one in a line. They may lie at most 100 presses ahead (RFC 4226, section 7.4). Both wrong count \
as one wrong code. By root, it also makes a factor active again that was disabled when a backup was \
restored.

JSON fields: user, realm, verb, factors.";

pub(super) const REMEMBERED: &str = "\
A rule with `remember = \"8h\"` has the daemon remember a success: logins of the same account through the \
same service, from the same network, with the same key and by the same rule are not asked again until it \
expires. It is also forgotten when a factor changes, after a lock and at the next boot, as [remember] \
says. Nobody needs a code to have their own forgotten.

JSON fields of list: remembered: a list of {row, user, realm, service, source, key, rule, created, expires}. \
Fields of revoke: user, realm (both null for all users), verb, revoked (how many).

Examples:
  mfactl remembered list                  all of them, as root
  mfactl remembered revoke alice          alice is asked again
  mfactl remembered revoke --row 17       one of them
  mfactl remembered revoke --all          everybody is asked again";

pub(super) const BACKUP: &str = "\
The daemon goes on while it makes the copy. FILE gets mode 0600. It is sealed: without the keys named, \
nothing in it can be used; do not keep them in the same place.

JSON fields: file, users, bytes, keys (a list of ids).";

pub(super) const RESTORE: &str = "\
The copy is checked whole before anything is changed: each row, with the keys of this host. Then all \
users, factors and the audit trail are as they were when it was made, but for this: what was used since \
stays used, and locks and failure counts stay.

Of factors that the database knew, the used codes are taken over. Where it did not know them (they were \
removed since, or the host is a new one), time-based codes of this minute do not count, counter-based \
factors are disabled until `mfactl resync`, and recovery codes are void until `mfactl recovery new`.

The database before is kept beside it, as replaced.db. `mfad restore FILE` does the same where the daemon \
does not start.

JSON fields: users, carried_over, need_resync, recovery_void (how many factors each).";

pub(super) const CONFIRM: &str = "\
CODE on the command line can be seen by other users of this host while mfactl runs. It is the code \
of a factor that does not count yet, and is used up when it is right, so that little can be done \
with it; typed at the prompt or given on standard input it is not seen at all. An empty answer at the \
prompt has a code sent, where the factor is one that codes are sent to.

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
Orphaned are users whose account is gone, or has another uid than when its factors were enrolled. \
Whoever cannot be looked up is not called so: that is told on standard error.

JSON fields: users: a list of {user, realm, factors: [{kind, state}], last_used, lock, tampered}; with \
--orphaned also left_alone: a list of {user, realm, why}.";

pub(super) const REASSIGN: &str = "\
Factors belong to a name and the uid that the account had when they were enrolled; with another uid they \
deny, because the name may be another person's by now. Where it is the same person, this makes them the \
account's again: codes that were used stay used, failures stay counted, remembered logins are void. With \
--to they move to another account, which must exist and hold no factor. The factors of an account that is \
there with its old uid stay, unless --to is another name of that uid.

JSON fields: user (whose they are now), realm, verb, factors (how many).

Examples:
  mfactl reassign alice
  mfactl reassign alice --to alice.smith";

pub(super) const PRUNE: &str = "\
Shows whom it concerns and asks. Each account is looked up once more just before; one that cannot be looked \
up, or is back, is left alone, and the exit code is 1 then. Before the first time on a host with a directory \
server, look at --dry-run: accounts that the server does not show look as if they were gone.

JSON fields: dry_run, users: a list as of list (those removed, or to be removed), left_alone: a list of \
{user, realm, why}.

Examples:
  mfactl prune --orphaned --dry-run
  mfactl prune --orphaned --yes";

pub(super) const SHOW: &str = "\
JSON fields: user, realm, uid, orphaned, failures_30_days, lock, unproven_lock, remembered (how many successes are), factors: a list of \
{factor, kind, label, state (pending|active|disabled|exhausted), algorithm (sha1|sha256|sha512), \
digits, period, left (recovery codes), target (masked, or the service), created, last_used, failures, \
locks_at (failures that lock it), last_failed, lock, position (the next counter, or the last step used), used_up_to (when the code of that step was shown), drift, until, \
serial, description, pin}, invited_until, invited_until_rfc3339, graced (logins without a factor, or null). What does not \
apply to a kind is null. A user without a factor is shown when there is an invitation or was a login of \
grace; uid is null then.";

pub(super) const INVITE: &str = "\
The invitation is shown once, on standard output; give it to the user by a way that is safe: with the \
password it is all that is needed to enroll the second factor. The one before it is void. It counts until \
the first factor is active, until its time is over, or until it was typed wrong five times.

JSON fields: user, realm, invitation (null with --withdraw), until, withdrawn.

Examples:
  mfactl invite alice              for as long as [enrollment] invite_lifetime says
  mfactl invite alice --for 24h
  mfactl invite --withdraw alice";

pub(super) const SWITCH: &str = "\
JSON fields: user, realm, verb, factors (how many it concerned).";

pub(super) const STATUS: &str = "\
Exits with 1 when the store takes no writes: every login is denied then.

JSON fields: version, uptime (seconds), users, active_factors, audit_rows, connections, accepted, \
denied, skipped (without a factor), locked (users), store_errors, waiting (jobs for the store), notices (to be \
sent), egress_ok and egress_problem (null where egress is not needed), directory_ok, \
directory_problem and directory_since (Unix seconds; null where no directory was asked), store_ok, store_problem, database (its path), key, rows_with_old_key, profile.

With --metrics: all figures as OpenMetrics text. [metrics] in mfad.toml gives them to monitoring without root.";

pub(super) const AUDIT: &str = "\
With --follow, mfactl waits for a daemon that is restarted and then goes on behind the last row it has \
shown, so that none is missed.

JSON fields, one object per line: seq, time, event, user, realm, service, source, factor, rule, \
verdict, reason, session, actor (uid), client (of a front end), chain (the row's link, hexadecimal).

Examples:
  mfactl audit --user alice --since 2h
  mfactl audit --service sshd --since 2026-03-01 --until 2026-03-02
  mfactl audit --source 203.0.113.7 --verdict deny
  mfactl audit --follow --json | jq -r .source
  mfactl audit --since @0 --json >trail.jsonl       all of it, before old rows are pruned
  mfactl audit verify";

pub(super) const AUDIT_VERIFY: &str = "\
Each row has a link: a hash, with a key that only the daemon has, over the row and the link before. The last \
link is sealed in the head of the database, and so is the one before the first row that is left. A row \
that was changed, removed, added or moved breaks the chain there, and a trail cut short does not reach \
its head. Logins go on meanwhile. Exits with 1 when the trail is broken, and says where.

What the database cannot know is that all of it was replaced by an older copy of itself. Keep the end that \
this prints on another host, and hand it back with --expect: a trail that was put back has another row \
there, or none. A row that was pruned since is not contradicted; for the last of them the link is still known.

JSON fields: whole, rows (that are sound), first, cut_chain (the link before the first), last, chain (the \
link of the last), broken_at (a row, or null), problem (text, or null), unlike: a list of {seq, chain} that \
were expected and are not there.

Examples:
  mfactl audit verify                                       for cron and monitoring
  mfactl audit verify --json | jq -r '\"\\(.last):\\(.chain)\"'   what to keep
  mfactl audit verify --expect \"$kept\"";

pub(super) const TEST: &str = "\
Talks to the daemon as the PAM module does, shows its prompts and says what became of it. A right \
code is used up, a wrong one counts. Without a terminal each prompt takes one line of standard \
input.

JSON fields: user, service, verdict (accept|deny|locked|not_applicable|unavailable), meaning.";

pub(super) const EXPLAIN: &str = "\
Nothing is charged, sent or changed, and no code is used up. With --client it is a login that this client of mfad-web \
has verified, with its service and what holds for it; else it is one through PAM. Without --source the login is one at the host itself; with a \
--key-type it is one for which sshd has accepted such a key already (AuthenticationMethods publickey,keyboard-interactive).

Exits with 0 when a second factor is asked for (or a first one enrolled on the way), 4 when the login is denied whatever \
is answered, 8 when none is asked for.

JSON fields: user, realm, service, client (one of both is null), source, key_type, key_fingerprint, at, outcome (asked|skipped|denied|enrolled), rule, why \
(a list of texts), needed (factors), factors: a list of {factor, kind, label, counts, lock}, remember (seconds, or \
null), lock, sees (the first text, or null).

Examples:
  mfactl explain alice --service sshd --source 203.0.113.7
  mfactl explain alice --service sshd --source 203.0.113.7 --key-type ssh-ed25519
  mfactl explain alice --service sudo
  mfactl explain alice --client vpn --source 203.0.113.7
  mfactl explain alice --service sshd --source 203.0.113.7 --at '2026-03-01 03:00'";

pub(super) const DOCTOR: &str = "\
Looks, and changes nothing. Each finding says what is wrong, where, and what to do. It works without the daemon and \
without root, and then says what it could not look at. sshd is run as `sshd -T`, to have its settings.

PAM stacks are walked as libpam walks them, with every outcome that a module may have: what is reported as a way around \
pam_mfa.so is one, and the finding names the outcomes that lead there. Modules that decide by a condition \
(pam_succeed_if, pam_access and the like) are taken to be meant.

Exits with 0 when there is nothing but notes, 1 with warnings, 2 with problems, 3 when something could not be looked at and \
nothing worse was found.

JSON fields: ok, notes, warnings, problems, unchecked (how many each), findings: a list of {check, severity \
(ok|note|warning|problem|unchecked), what, where (file:line, or null), remedy (or null)}.

Examples:
  mfactl doctor
  mfactl doctor --deep --json
  mfactl doctor --root /mnt --pam-dir /mnt/etc/pam.d";

pub(super) const CONFIG: &str = "\
Exits with 1 when the configuration is not valid. `mfad check-config` does the same without a \
running daemon. Notes are about what is valid but deserves a second look.

JSON fields: valid, problems, notes (lists of texts with file, line and column).";

pub(super) const PAM_ENABLE: &str = "\
Shows what changes, asks, and changes it: one line in the service's file in /etc/pam.d, at a place where every way to a \
yes passes it after the password. With sshd, also a drop-in that has sshd ask, where it cannot as it is configured; that \
is checked by `sshd -t`, and sshd reads it again. Log in from a second terminal, then `mfactl pam confirm`. Without that, \
the change is taken back after --confirm-within, also across a reboot, by mfad-pam-revert.timer; where systemd does not \
run, nothing can be taken back by itself, and --no-revert says that this is known.

It is refused when it would lock people out: mfad does not answer, the module cannot be loaded, no administrator (root, \
or a member of sudo or wheel; where there are none, any account) could log in, or not the account that you are logged in \
as, or sshd could not ask. --despite names what to pass over. A file that is a symbolic link, or that others could write \
to, is left alone.

What was there before is kept in /var/lib/mfad-pam.

JSON fields: service, changed, dry_run, file, diff, drop_in, sshd_diff, rule, until, until_rfc3339, notes.

Examples:
  mfactl pam enable sshd                        asks what it needs to know
  mfactl pam enable sshd --sshd key --yes       key and code, without asking
  mfactl pam enable sudo --dry-run
  mfactl pam enable sshd --optional             who has no factor gets in without one";

pub(super) const PAM_DISABLE: &str = "\
Takes the line out of the service's file, the drop-in of sshd that mfactl wrote, and the rule of --optional. Lines that \
were written by hand go as well; where the code was all that such a stack asked for, a line that denies takes its place, so \
that nobody gets in by less than before.

JSON fields: services (service, changed, file, diff, notes), dry_run.

Examples:
  mfactl pam disable sshd
  mfactl pam disable --all        before the package is removed";

pub(super) const PAM_STATUS: &str = "\
Says of each service whose stack holds pam_mfa.so how it is judged (`mfactl doctor` says more), who put it there, and what \
waits to be confirmed. Exit code 1 when there is a way around it.

JSON fields: services (service, asks, by, since, since_rfc3339, until, until_rfc3339, optional, drop_in, findings), \
sshd (findings).";

pub(super) const PAM_REVERT: &str = "\
A file that somebody edited since is not written over: only the lines of mfactl are taken out of it.

JSON fields: services (service, reverted, notes).";

pub(super) const SETUP: &str = "\
Asks at each step, and runs the command that it names: looks at the daemon and the module, enrolls an app for you, tries a \
code, makes recovery codes, and has the services ask that you choose (mfactl pam enable), each of which is taken back by \
itself until you say that a login in a second terminal works. Any step can be skipped, and all of it run again.";
