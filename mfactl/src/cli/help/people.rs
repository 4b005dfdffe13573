//! Longer help for verbs about a person: what somebody holds, and what to do when it is gone. Refuses how a factor is made.

pub(in crate::cli) const BREAKGLASS: &str = "\
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

pub(in crate::cli) const LOST: &str = "\
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

pub(in crate::cli) const REMEMBERED: &str = "\
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

pub(in crate::cli) const LIST: &str = "\
Orphaned are users whose account is gone, or has another uid than when its factors were enrolled. \
Whoever cannot be looked up is not called so: that is told on standard error.

JSON fields: users: a list of {user, realm, factors: [{kind, state}], last_used, lock, tampered}; with \
--orphaned also left_alone: a list of {user, realm, why}.";

pub(in crate::cli) const REASSIGN: &str = "\
Factors belong to a name and the uid that the account had when they were enrolled; with another uid they \
deny, because the name may be another person's by now. Where it is the same person, this makes them the \
account's again: codes that were used stay used, failures stay counted, remembered logins are void. With \
--to they move to another account, which must exist and hold no factor. The factors of an account that is \
there with its old uid stay, unless --to is another name of that uid.

JSON fields: user (whose they are now), realm, verb, factors (how many).

Examples:
  mfactl reassign alice
  mfactl reassign alice --to alice.smith";

pub(in crate::cli) const PRUNE: &str = "\
Shows whom it concerns and asks. Each account is looked up once more just before; one that cannot be looked \
up, or is back, is left alone, and the exit code is 1 then. Before the first time on a host with a directory \
server, look at --dry-run: accounts that the server does not show look as if they were gone.

JSON fields: dry_run, users: a list as of list (those removed, or to be removed), left_alone: a list of \
{user, realm, why}.

Examples:
  mfactl prune --orphaned --dry-run
  mfactl prune --orphaned --yes";

pub(in crate::cli) const SHOW: &str = "\
JSON fields: user, realm, uid, orphaned, failures_30_days, lock, unproven_lock, remembered (how many successes are), factors: a list of \
{factor, kind, label, state (pending|active|disabled|exhausted), algorithm (sha1|sha256|sha512), \
digits, period, left (recovery codes), target (masked, or the service), created, last_used, failures, \
locks_at (failures that lock it), last_failed, lock, position (the next counter, or the last step used), used_up_to (when the code of that step was shown), drift, until, \
serial, description, pin}, invited_until, invited_until_rfc3339, graced (logins without a factor, or null). What does not \
apply to a kind is null. A user without a factor is shown when there is an invitation or was a login of \
grace; uid is null then.";

pub(in crate::cli) const INVITE: &str = "\
The invitation is shown once, on standard output; give it to the user by a way that is safe: with the \
password it is all that is needed to enroll the second factor. The one before it is void. It counts until \
the first factor is active, until its time is over, or until it was typed wrong five times.

JSON fields: user, realm, invitation (null with --withdraw), until, withdrawn.

Examples:
  mfactl invite alice              for as long as [enrollment] invite_lifetime says
  mfactl invite alice --for 24h
  mfactl invite --withdraw alice";

pub(in crate::cli) const SWITCH: &str = "\
JSON fields: user, realm, verb, factors (how many it concerned).";
