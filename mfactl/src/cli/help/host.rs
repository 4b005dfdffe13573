//! Longer help for verbs about the daemon and this host: copies, the trail, PAM. Refuses single factors and people.

pub(in crate::cli) const BACKUP: &str = "\
The daemon goes on while it makes the copy. FILE gets mode 0600. It is sealed: without the keys named, \
nothing in it can be used; do not keep them in the same place.

JSON fields: file, users, bytes, keys (a list of ids).";

pub(in crate::cli) const RESTORE: &str = "\
The copy is checked whole before anything is changed: each row, with the keys of this host. Then all \
users, factors and the audit trail are as they were when it was made, but for this: what was used since \
stays used, and locks and failure counts stay.

Of factors that the database knew, the used codes are taken over. Where it did not know them (they were \
removed since, or the host is a new one), time-based codes of this minute do not count, counter-based \
factors are disabled until `mfactl resync`, and recovery codes are void until `mfactl recovery new`.

The database before is kept beside it, as replaced.db. `mfad restore FILE` does the same where the daemon \
does not start.

JSON fields: users, carried_over, need_resync, recovery_void (how many factors each).";

pub(in crate::cli) const STATUS: &str = "\
Exits with 1 when the store takes no writes: every login is denied then.

JSON fields: version, uptime (seconds), users, active_factors, audit_rows, connections, accepted, \
denied, skipped (without a factor), locked (users), store_errors, waiting (jobs for the store), notices (to be \
sent), egress_ok and egress_problem (null where egress is not needed), directory_ok, \
directory_problem and directory_since (Unix seconds; null where no directory was asked), store_ok, store_problem, database (its path), key, rows_with_old_key, profile.

With --metrics: all figures as OpenMetrics text. [metrics] in mfad.toml gives them to monitoring without root.";

pub(in crate::cli) const AUDIT: &str = "\
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

pub(in crate::cli) const AUDIT_VERIFY: &str = "\
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

pub(in crate::cli) const TEST: &str = "\
Talks to the daemon as the PAM module does, shows its prompts and says what became of it. A right \
code is used up, a wrong one counts. Without a terminal each prompt takes one line of standard \
input.

JSON fields: user, service, verdict (accept|deny|locked|not_applicable|unavailable), meaning.";

pub(in crate::cli) const EXPLAIN: &str = "\
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

pub(in crate::cli) const DOCTOR: &str = "\
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

pub(in crate::cli) const CONFIG: &str = "\
Exits with 1 when the configuration is not valid. `mfad check-config` does the same without a \
running daemon. Notes are about what is valid but deserves a second look.

JSON fields: valid, problems, notes (lists of texts with file, line and column).";

pub(in crate::cli) const PAM_ENABLE: &str = "\
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

pub(in crate::cli) const PAM_DISABLE: &str = "\
Takes the line out of the service's file, the drop-in of sshd that mfactl wrote, and the rule of --optional. Lines that \
were written by hand go as well; where the code was all that such a stack asked for, a line that denies takes its place, so \
that nobody gets in by less than before.

JSON fields: services (service, changed, file, diff, notes), dry_run.

Examples:
  mfactl pam disable sshd
  mfactl pam disable --all        before the package is removed";

pub(in crate::cli) const PAM_STATUS: &str = "\
Says of each service whose stack holds pam_mfa.so how it is judged (`mfactl doctor` says more), who put it there, and what \
waits to be confirmed. Exit code 1 when there is a way around it.

JSON fields: services (service, asks, by, since, since_rfc3339, until, until_rfc3339, optional, drop_in, findings), \
sshd (findings).";

pub(in crate::cli) const PAM_REVERT: &str = "\
A file that somebody edited since is not written over: only the lines of mfactl are taken out of it.

JSON fields: services (service, reverted, notes).";

pub(in crate::cli) const SETUP: &str = "\
Asks at each step, and runs the command that it names: looks at the daemon and the module, enrolls an app for you, tries a \
code, makes recovery codes, and has the services ask that you choose (mfactl pam enable), each of which is taken back by \
itself until you say that a login in a second terminal works. Any step can be skipped, and all of it run again.";
