//! `[notify]`: who is told of what happens to factors, and how.

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use super::{
    kinds::{boolean, duration, names, path},
    reader::{Found, Reader, Section},
    template::{Allowed, Fact, Template, template},
    tree::{Node, Place, Value},
};

/// The longest text, in bytes.
const MAX_TEXT: usize = 4096;
/// The longest subject, in bytes.
const MAX_SUBJECT: usize = 200;
/// The most addresses of administrators.
const MAX_ADMINS: usize = 8;
/// The longest mail address (RFC 5321 §4.5.3.1.3, less the angle brackets), and the part before the `@`.
const MAX_ADDRESS: usize = 254;
const MAX_LOCAL: usize = 64;

const DEFAULT_SUBJECT: &str = "{host}: {event} ({user})";
const DEFAULT_TEXT: &str = "{event}\n\nUser:    {user}\nHost:    {host}\nFactor:  {factor}\nThrough: {service}\nFrom:    {source}\nWhen:    {time}\nMore:    {detail}\n\nIf that was not you, tell an administrator of {host}.\n";

/// What may stand in what people are told.
const IN_NOTICES: Allowed = Allowed {
    facts: &[
        Fact::Event,
        Fact::User,
        Fact::Host,
        Fact::Service,
        Fact::Source,
        Fact::Time,
        Fact::Factor,
        Fact::Detail,
    ],
    credentials: false,
};

/// What can be told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NotifyEvent {
    /// A factor was added and counts, or a new set of recovery codes was made.
    Enroll,
    /// A factor was removed or switched off.
    Remove,
    /// A recovery code was used.
    Recovery,
    /// Wrong codes locked a factor or an account.
    Lock,
    /// A code came again that had been used.
    Reuse,
    /// A break-glass code was made or used.
    BreakGlass,
    /// An invitation was made.
    Invite,
}

impl NotifyEvent {
    /// All there are.
    pub const ALL: [Self; 7] =
        [Self::Enroll, Self::Remove, Self::Recovery, Self::Lock, Self::Reuse, Self::BreakGlass, Self::Invite];

    /// What it is called in the configuration.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Enroll => "enroll",
            Self::Remove => "remove",
            Self::Recovery => "recovery",
            Self::Lock => "lock",
            Self::Reuse => "reuse",
            Self::BreakGlass => "breakglass",
            Self::Invite => "invite",
        }
    }
}

/// A word that names nothing that can be told.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct NoEvent;

impl fmt::Display for NoEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = NotifyEvent::ALL.map(|event| format!("\"{}\"", event.word()));
        write!(f, "use {}", words.join(", "))
    }
}

impl FromStr for NotifyEvent {
    type Err = NoEvent;

    fn from_str(word: &str) -> Result<Self, NoEvent> {
        Self::ALL.into_iter().find(|event| event.word() == word).ok_or(NoEvent)
    }
}

/// Who is told of what happens to factors, and how.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Notify {
    /// What is told.
    pub events: Vec<NotifyEvent>,
    /// The user is told by mail, at the address of their own mail factor.
    pub mail_user: bool,
    /// Mail addresses that are told of all users.
    pub mail_admin: Vec<String>,
    /// What the subject says.
    pub subject: Template,
    /// What the mail says.
    pub text: Template,
    /// The program that is told of all users.
    pub hook: Option<PathBuf>,
    /// How long it may run.
    pub hook_timeout: Duration,
}

impl Notify {
    /// Whether anybody is told of anything.
    pub fn is_on(&self) -> bool {
        self.sends_mail() || self.hook.is_some()
    }

    /// Whether anybody is told by mail.
    pub fn sends_mail(&self) -> bool {
        self.mail_user || !self.mail_admin.is_empty()
    }

    /// Whether this is told.
    pub fn tells(&self, event: NotifyEvent) -> bool {
        self.is_on() && self.events.contains(&event)
    }

    /// `mail` says whether there is a server that takes mail.
    pub(super) fn read(reader: &mut Reader, root: &mut Section, mail: bool) -> Self {
        let mut section = reader.section(root, "notify");
        let s = &mut section;
        let all = NotifyEvent::ALL.to_vec();
        let events = reader.value(s, "events", all, names::<NotifyEvent>("lock"));
        let mail_user = reader.value(s, "mail_user", false, boolean);
        let mail_admin = reader.value(s, "mail_admin", Vec::new(), addresses);
        let subject = reader.optional(s, "subject", template(MAX_SUBJECT, false, IN_NOTICES));
        let text = reader.optional(s, "text", template(MAX_TEXT, true, IN_NOTICES));
        let hook = reader.optional(s, "hook", path);
        let seconds = duration(Duration::from_secs(1)..=Duration::from_secs(60));
        let hook_timeout = reader.value(s, "hook_timeout", Duration::from_secs(10), seconds);
        reader.close(section);
        let or = |found: Found<Option<Template>>, default| {
            found.value.or_else(|| Template::parse(default, IN_NOTICES).ok()).unwrap_or_default()
        };
        let read = Self {
            events: events.value,
            mail_user: mail_user.value,
            mail_admin: mail_admin.value,
            subject: or(subject, DEFAULT_SUBJECT),
            text: or(text, DEFAULT_TEXT),
            hook: hook.value,
            hook_timeout: hook_timeout.value,
        };
        for (key, wanted) in [("mail_user", mail_user.place), ("mail_admin", mail_admin.place)] {
            if !mail && read.sends_mail() {
                reader.fault(
                    wanted,
                    format!("`notify.{key}` needs a server that takes mail: add [mail] server"),
                );
            }
        }
        read
    }
}

/// One mail address, or a list of them.
fn addresses(value: &Value) -> Result<Vec<String>, String> {
    let parse = names::<Address>("root@example.org");
    if matches!(value, Value::Array(list) if list.len() > MAX_ADMINS) {
        return Err(format!("has more than {MAX_ADMINS} entries: write to a list of theirs"));
    }
    let several = if matches!(value, Value::Array(_)) {
        parse(value)?
    } else {
        let alone = Node { place: Place { file: 0, offset: 0 }, value: value.clone() };
        parse(&Value::Array(vec![alone]))?
    };
    Ok(several.into_iter().map(|Address(text)| text).collect())
}

/// A mail address as egress takes them: ASCII, `atom.atom@host`.
#[derive(PartialEq)]
struct Address(String);

impl FromStr for Address {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let atext = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
        let atom = |part: &str| !part.is_empty() && part.bytes().all(atext);
        let label = |part: &str| {
            !part.is_empty()
                && part.len() <= 63
                && !part.starts_with('-')
                && !part.ends_with('-')
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        let sound = text.len() <= MAX_ADDRESS
            && text.rsplit_once('@').is_some_and(|(local, host)| {
                local.len() <= MAX_LOCAL && local.split('.').all(atom) && host.split('.').all(label)
            });
        if sound { Ok(Self(text.to_owned())) } else { Err("write an address, as \"root@example.org\"") }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Config, Source};
    use super::*;

    const MAIL: &str = "[mail]\nserver = \"localhost\"\ntls = \"none\"\nfrom = \"mfad@example.org\"\n";

    fn read(text: &str) -> Result<Notify, String> {
        let source = Source { path: "m.toml".into(), text: text.to_owned() };
        Config::from_sources(&[source]).map(|config| config.notify().clone()).map_err(|e| e.to_string())
    }

    #[test]
    fn nobody_is_told_unless_somebody_is_named() {
        let off = read("").unwrap();
        assert!(!off.is_on() && !off.tells(NotifyEvent::Lock));
        assert!(!Config::default().needs_egress());
        let hook = read("[notify]\nhook = \"/usr/local/libexec/mfad-hook\"").unwrap();
        assert!(NotifyEvent::ALL.into_iter().all(|event| hook.tells(event)));
        let some = read(&format!("{MAIL}[notify]\nevents = [\"lock\"]\nmail_user = true")).unwrap();
        assert!(some.tells(NotifyEvent::Lock) && !some.tells(NotifyEvent::Enroll));
        let source = Source { path: "m.toml".into(), text: "[notify]\nhook = \"/x\"".to_owned() };
        assert!(Config::from_sources(&[source]).unwrap().needs_egress());
    }

    #[test]
    fn one_administrator_or_several() {
        let admins = |list: &str| read(&format!("{MAIL}[notify]\nmail_admin = {list}"));
        assert_eq!(admins("\"root@example.org\"").unwrap().mail_admin, ["root@example.org"]);
        assert_eq!(admins("[\"a@b\", \"c@d\"]").unwrap().mail_admin, ["a@b", "c@d"]);
        for wrong in
            ["\"root\"", "\"a@b\\nBcc: c@d\"", "\"A <a@b>\"", "\"a@b,c@d\"", "[]", "7", "[\"a b@c\"]"]
        {
            assert!(admins(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_cannot_work_is_told() {
        for (text, part) in [
            ("[notify]\nmail_user = true", "`notify.mail_user` needs a server that takes mail"),
            ("[notify]\nmail_admin = \"a@b\"", "`notify.mail_admin` needs a server that takes mail"),
            ("[notify]\nhook = \"hook\"", "`notify.hook`"),
            ("[notify]\nhook = \"/x\"\nhook_timeout = \"0s\"", "`notify.hook_timeout`"),
            ("[notify]\nhook = \"/x\"\nevents = [\"login\"]", "use \"enroll\", \"remove\""),
            ("[notify]\nhook = \"/x\"\ntext = \"{code}\"", "stands for nothing here"),
        ] {
            let told = read(text).unwrap_err();
            assert!(told.contains(part), "{text:?} gave {told:?}");
        }
    }
}
