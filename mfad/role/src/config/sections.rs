//! The sections that are lists of plain settings: what each setting is, and how it is read.
//!
//! Policy and limits, which are rules rather than settings, have files of their own.

use std::{path::PathBuf, time::Duration};

use mfa_proto::name::FactorLabel;

use super::{
    kinds::{
        boolean, choice, credential, duration, label, line, number, path, show_duration, socket,
        socket_or_none,
    },
    reader::{Reader, Section},
};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);
/// The most bytes of the prompt: leaves room in one PAM message for why the last answer was refused.
const MAX_PROMPT: usize = 128;

/// Where the daemon works, and how much it takes on.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Core {
    /// The socket for root: logins and administration. Mode 0600.
    pub socket: PathBuf,
    /// The socket for everyone, where a peer may ask only for its own account. Mode 0666.
    pub user_socket: Option<PathBuf>,
    /// The directory of the database.
    pub state_dir: PathBuf,
    /// Where the key comes from.
    pub key: KeySource,
    /// The most connections at a time.
    pub max_connections: u32,
    /// The most connections of one uid at a time; at most `max_connections`.
    pub per_uid_connections: u32,
    /// How long one login may take. The PAM module's own `timeout=` should be no longer.
    pub login_timeout: Duration,
    /// How long looking up an account may take; shorter than `login_timeout`.
    pub name_lookup_timeout: Duration,
}

/// Where the key comes from that seals the secrets at rest.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KeySource {
    /// A file that only root (or the daemon's user) can read.
    File(PathBuf),
    /// A systemd credential: a file of this name in `$CREDENTIALS_DIRECTORY`.
    Credential(String),
}

impl Core {
    pub(super) fn read(reader: &mut Reader, root: &mut Section) -> Self {
        let mut section = reader.section(root, "core");
        let s = &mut section;
        let main = reader.value(s, "socket", "/run/mfad/mfad.sock".into(), socket);
        let user = reader.value(s, "user_socket", None, socket_or_none);
        if user.value.as_ref() == Some(&main.value) {
            let message =
                "`core.user_socket` is the same as `core.socket`: write another path, or \"\" for none";
            reader.fault(user.place, message);
        }
        let state_dir = reader.value(s, "state_dir", "/var/lib/mfad".into(), path).value;
        let key = read_key(reader, s);
        let total = reader.value(s, "max_connections", 512, number(1..=10_000));
        let per_uid_default = total.value.min(64);
        let per_uid = reader.value(s, "per_uid_connections", per_uid_default, number(1..=10_000));
        if per_uid.value > total.value && !total.faulty {
            let most = total.value;
            let message =
                format!("`core.per_uid_connections` is above `core.max_connections`: write at most {most}");
            reader.fault(per_uid.place, message);
        }
        let minutes = duration(SECOND * 5..=SECOND * 600);
        let login = reader.value(s, "login_timeout", SECOND * 60, minutes);
        let lookup = reader.value(s, "name_lookup_timeout", SECOND * 5, duration(SECOND..=SECOND * 30));
        if lookup.value >= login.value && !login.faulty {
            let message = format!(
                "`core.name_lookup_timeout` is not below `core.login_timeout` ({}): a login would never end in time",
                show_duration(login.value)
            );
            reader.fault(lookup.place.or(login.place), message);
        }
        reader.close(section);
        Self {
            socket: main.value,
            user_socket: user.value,
            state_dir,
            key,
            max_connections: total.value,
            per_uid_connections: per_uid.value,
            login_timeout: login.value,
            name_lookup_timeout: lookup.value,
        }
    }
}

fn read_key(reader: &mut Reader, section: &mut Section) -> KeySource {
    let file = reader.optional(section, "key_file", path);
    let named = reader.optional(section, "credential", credential);
    if file.place.is_some() && named.place.is_some() {
        let message = "`core.credential` and `core.key_file` are both set: keep the one the key is in";
        reader.fault(named.place, message);
    }
    match (named.value, file.value) {
        (Some(name), _) => KeySource::Credential(name),
        (None, Some(path)) => KeySource::File(path),
        (None, None) => KeySource::File("/etc/mfad/key".into()),
    }
}

/// Which names are users.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Identity {
    /// Which names are users.
    pub accounts: Accounts,
}

/// Which names are users.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Accounts {
    /// The accounts that this host knows (NSS).
    Nss,
    /// Every valid name: for front ends whose users have no account here.
    Any,
}

impl Identity {
    pub(super) fn read(reader: &mut Reader, root: &mut Section) -> Self {
        let mut section = reader.section(root, "identity");
        let words = choice(&[("nss", Accounts::Nss), ("any", Accounts::Any)]);
        let accounts = reader.value(&mut section, "accounts", Accounts::Nss, words).value;
        reader.close(section);
        Self { accounts }
    }
}

/// How time-based codes are judged.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Totp {
    /// Steps accepted before and after the current one: 0 or 1 (RFC 6238 §5.2).
    pub window: u8,
    /// Whether the drift of a device's clock is learned from the codes it makes.
    pub learn_drift: bool,
}

impl Totp {
    pub(super) fn read(reader: &mut Reader, root: &mut Section) -> Self {
        let mut section = reader.section(root, "totp");
        let window = reader.value(&mut section, "window", 1, number(0..=1));
        let learn = reader.value(&mut section, "learn_drift", false, boolean);
        if learn.value && window.value == 0 && !window.faulty {
            let message = "`totp.learn_drift` needs `totp.window = 1`: with 0 no drift is ever seen";
            reader.fault(learn.place, message);
        }
        reader.close(section);
        Self { window: window.value, learn_drift: learn.value }
    }
}

/// What a person sees.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Prompt {
    /// What asks for a code: one line of at most 128 bytes.
    pub text: String,
    /// Whether what is typed may be seen.
    pub echo: bool,
    /// Whether all refusals look alike: no word of waits or used codes.
    pub conceal: bool,
    /// How many answers of one login may be wrong, the last included: 1 to 5.
    pub attempts: u8,
    /// The factor that is sent or begun without being asked for: a label, an outside service, or a kind.
    pub default: Option<FactorLabel>,
}

impl Prompt {
    pub(super) fn read(reader: &mut Reader, root: &mut Section) -> Self {
        let mut section = reader.section(root, "prompt");
        let s = &mut section;
        let read = Self {
            text: reader.value(s, "text", "Verification code: ".into(), line(MAX_PROMPT)).value,
            echo: reader.value(s, "echo", true, boolean).value,
            conceal: reader.value(s, "conceal", false, boolean).value,
            attempts: reader.value(s, "attempts", 3, number(1..=5)).value,
            default: reader.optional(s, "default", label).value,
        };
        reader.close(section);
        read
    }
}

/// How long the audit trail is kept: until either bound is reached.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Audit {
    /// How long a row is kept.
    pub keep: Duration,
    /// How many rows are kept.
    pub max_rows: u64,
}

impl Audit {
    pub(super) fn read(reader: &mut Reader, root: &mut Section) -> Self {
        let mut section = reader.section(root, "audit");
        let s = &mut section;
        let keep = reader.value(s, "keep", DAY * 400, duration(DAY..=DAY * 3650)).value;
        let max_rows = reader.value(s, "max_rows", 1_000_000, number(1000..=1_000_000_000)).value;
        reader.close(section);
        Self { keep, max_rows }
    }
}

/// What is logged, and where.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Log {
    /// How much.
    pub level: LogLevel,
    /// Where.
    pub target: LogTarget,
}

impl Default for Log {
    /// What holds where nothing is configured.
    fn default() -> Self {
        Self { level: LogLevel::Info, target: LogTarget::Auto }
    }
}

/// How much is logged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LogLevel {
    /// What keeps the daemon from working.
    Error,
    /// And what somebody should look at.
    Warn,
    /// And every decision.
    Info,
    /// And how it came about.
    Debug,
}

/// Where the log goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LogTarget {
    /// The journal when there is one, else syslog, else standard error.
    Auto,
    /// systemd's journal, with fields.
    Journal,
    /// syslog, facility `authpriv`.
    Syslog,
    /// Standard error, for development.
    Stderr,
}

impl Log {
    pub(super) fn read(reader: &mut Reader, root: &mut Section) -> Self {
        let mut section = reader.section(root, "log");
        let levels = choice(&[
            ("error", LogLevel::Error),
            ("warn", LogLevel::Warn),
            ("info", LogLevel::Info),
            ("debug", LogLevel::Debug),
        ]);
        let targets = choice(&[
            ("auto", LogTarget::Auto),
            ("journal", LogTarget::Journal),
            ("syslog", LogTarget::Syslog),
            ("stderr", LogTarget::Stderr),
        ]);
        let level = reader.value(&mut section, "level", LogLevel::Info, levels).value;
        let target = reader.value(&mut section, "target", LogTarget::Auto, targets).value;
        reader.close(section);
        Self { level, target }
    }
}
