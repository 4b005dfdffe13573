//! Longer help for verbs that add, prove or hand out a factor. Refuses what is about a person as a whole.

pub(in crate::cli) const PIN: &str = "\
A PIN is typed directly before each code, in one answer: 1234 and 755224 make 1234755224. It has 4 to 32 printable ASCII \
characters without spaces. It is asked for on a terminal, else read from standard input, behind the line of --code-stdin. Owners need a current code, with \
the PIN before where there is one; only root takes a PIN away, or sets one that was forgotten.

Examples:
  mfactl pin set
  mfactl pin set jane --label phone </run/pin
  mfactl pin set --serial TOKEN42
  mfactl pin clear jane

JSON: {user, realm, verb, factors}";

pub(in crate::cli) const DEVICES: &str = "\
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

pub(in crate::cli) const ENROLL: &str = "\
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

pub(in crate::cli) const ENROLL_SENT: &str = "\
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

pub(in crate::cli) const ENROLL_REST: &str = "\
The service is asked to judge one answer, which makes the factor active when it says yes; root can do \
without by --no-confirm.

JSON fields: user, realm, factor (id), kind (rest), label, state (pending|active); secret, uri, \
signing_secret and sent_to are null.

Examples:
  mfactl enroll rest alice --service corp --remote-user a.smith --no-confirm";

pub(in crate::cli) const ENROLL_TOKEN: &str = "\
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

pub(in crate::cli) const TOKEN: &str = "\
A token is valid for about a minute, and once. Without a label or id, the user needs to have one such \
factor only. Only root gets one: a token is as good as a code, and whoever runs as the user must not get \
the second factor for the first. Standard output has the token and nothing else, so that a script can hand it to ssh \
(SSH_ASKPASS).

JSON fields: user, realm, token.";

pub(in crate::cli) const RECOVERY: &str = "\
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

pub(in crate::cli) const LDAP_SEAL: &str = "\
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

pub(in crate::cli) const LDAP_PULL: &str = "\
Numbers and addresses count at once, because the configuration says that the directory is trusted with them; TOTP \
secrets from their next code on. What is the same again changes nothing. What the directory has no more is \
switched off, and comes on again when it is back; what `mfactl disable` switched off stays off. The labels are \
directory, directory-sms, directory-mail.

Exits with 1 when a value cannot be used, or there is no room for one; all else is taken over.

JSON fields: dry_run, users: user, realm, found, changes (change, kind, label), unusable (kind, why).

Examples:
  mfactl ldap pull alice --dry-run
  mfactl ldap pull --all";

pub(in crate::cli) const SEND: &str = "\
A code goes to a factor that waits to be confirmed, or, as the current code that its owner needs for a \
change, to one that is active. It is not for logins: those send their own. A new code voids the one \
before, and counts against the same limits as all others.

JSON fields: user, realm, to (masked), digits, until.";

pub(in crate::cli) const RESYNC: &str = "\
Two codes that the device shows one after the other are asked for on a terminal, or read from standard \
input, one in a line. They may lie at most 100 presses ahead (RFC 4226, section 7.4). Both wrong count \
as one wrong code. By root, it also makes a factor active again that was disabled when a backup was \
restored.

JSON fields: user, realm, verb, factors.";

pub(in crate::cli) const CONFIRM: &str = "\
CODE on the command line can be seen by other users of this host while mfactl runs. It is the code \
of a factor that does not count yet, and is used up when it is right, so that little can be done \
with it; typed at the prompt or given on standard input it is not seen at all. An empty answer at the \
prompt has a code sent, where the factor is one that codes are sent to.

JSON fields: user, realm, verb, factors (how many became active).";

pub(in crate::cli) const IMPORT: &str = "\
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
