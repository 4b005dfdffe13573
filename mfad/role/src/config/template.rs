//! Texts with `{name}` in them that are filled in later: what may stand there is checked here.
//!
//! Refuses names that stand for nothing, so that no message goes out with `{cod}` in it. Does not fill
//! anything in: how a value has to be escaped depends on where it goes.

use super::{
    kinds::{Checked, credential_name, text},
    suggest::printable,
    tree::Value,
};

/// Something that is known when a message is sent or a service is called.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Fact {
    /// The telephone number, as `+491701234567` (E.164).
    Number,
    /// The telephone number without `+` (MSISDN).
    Msisdn,
    /// The one-time code.
    Code,
    /// The whole text of the message.
    Text,
    /// The name of this host.
    Host,
    /// Who logs in.
    User,
    /// What an outside service calls the user.
    RemoteUser,
    /// The PAM service.
    Service,
    /// Where the login comes from, as claimed.
    Source,
    /// How many minutes the code counts.
    Minutes,
    /// What happened.
    Event,
    /// When.
    Time,
    /// Kind and label of the factor it happened to.
    Factor,
    /// More, in one sentence.
    Detail,
}

impl Fact {
    /// All there are.
    const ALL: [Self; 14] = [
        Self::Number,
        Self::Msisdn,
        Self::Code,
        Self::Text,
        Self::Host,
        Self::User,
        Self::RemoteUser,
        Self::Service,
        Self::Source,
        Self::Minutes,
        Self::Event,
        Self::Time,
        Self::Factor,
        Self::Detail,
    ];

    /// What it is called between braces.
    pub fn name(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Msisdn => "msisdn",
            Self::Code => "code",
            Self::Text => "text",
            Self::Host => "host",
            Self::User => "user",
            Self::RemoteUser => "remote_user",
            Self::Service => "service",
            Self::Source => "source",
            Self::Minutes => "minutes",
            Self::Event => "event",
            Self::Time => "time",
            Self::Factor => "factor",
            Self::Detail => "detail",
        }
    }

    pub(super) fn of(name: &str, allowed: &[Self]) -> Option<Self> {
        Self::ALL.into_iter().find(|fact| fact.name() == name && allowed.contains(fact))
    }

    /// The names of some, for a message.
    pub(super) fn list(facts: &[Self], show: impl Fn(&'static str) -> String) -> String {
        facts.iter().map(|fact| show(fact.name())).collect::<Vec<_>>().join(", ")
    }
}

/// One part of a [`Template`].
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Piece {
    /// Goes out as it stands.
    Text(String),
    /// Is replaced by what it is at that time.
    Fact(Fact),
    /// Is replaced by the credential of this name.
    Credential(String),
}

/// A text to be filled in.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Template {
    pieces: Vec<Piece>,
}

/// What may stand between the braces of a template.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowed {
    pub(super) facts: &'static [Fact],
    pub(super) credentials: bool,
}

impl Template {
    /// The parts, in order; no two texts follow each other.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Whether `fact` stands in it.
    pub fn has(&self, fact: Fact) -> bool {
        self.pieces.contains(&Piece::Fact(fact))
    }

    /// The names of the credentials in it.
    pub fn credentials(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Credential(name) => Some(name.as_str()),
            Piece::Text(_) | Piece::Fact(_) => None,
        })
    }

    /// Takes a text apart. `{{` and `}}` stand for braces.
    pub(super) fn parse(text: &str, allowed: Allowed) -> Checked<Self> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
            plain.push_str(before);
            if let Some((brace, after)) = doubled(from) {
                plain.push(brace);
                rest = after;
                continue;
            }
            let (name, after) = from
                .strip_prefix('{')
                .and_then(|inner| inner.split_once('}'))
                .ok_or("has a brace without its other half: write `{{` or `}}` for a brace itself")?;
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(piece(name, allowed)?);
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Self { pieces })
    }
}

fn doubled(text: &str) -> Option<(char, &str)> {
    ["{{", "}}"].into_iter().find_map(|pair| Some((pair.chars().next()?, text.strip_prefix(pair)?)))
}

fn piece(name: &str, allowed: Allowed) -> Checked<Piece> {
    if let Some(credential) = name.strip_prefix("credential:").filter(|_| allowed.credentials) {
        return Ok(Piece::Credential(credential_name(credential)?));
    }
    let unknown = || {
        let more = if allowed.credentials { ", {credential:NAME}" } else { "" };
        let list = Fact::list(allowed.facts, |name| format!("{{{name}}}"));
        format!("holds {{{}}}, which stands for nothing here: use {list}{more}", printable(name))
    };
    Fact::of(name, allowed.facts).map(Piece::Fact).ok_or_else(unknown)
}

/// A template of at most `most` bytes. More than one line only where `lines` says so.
pub(super) fn template(most: usize, lines: bool, allowed: Allowed) -> impl Fn(&Value) -> Checked<Template> {
    move |value| {
        let text = text(value)?;
        if text.trim().is_empty() {
            return Err("is empty: write what is to be sent".into());
        }
        if text.len() > most {
            return Err(format!("has {} bytes: write at most {most}", text.len()));
        }
        let shown = if lines { text.replace('\n', "") } else { text.to_owned() };
        if mfa_proto::text::escape_for_log(&shown) != shown {
            return Err("has control characters in it: write plain text".into());
        }
        Template::parse(text, allowed)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALLOWED: Allowed = Allowed { facts: &[Fact::Code, Fact::Host], credentials: true };

    #[test]
    fn a_template_is_taken_apart() {
        let template = Template::parse("{code} at {{{host}}} {credential:a-b}", ALLOWED).unwrap();
        let text = |text: &str| Piece::Text(text.to_owned());
        assert_eq!(
            template.pieces(),
            [
                Piece::Fact(Fact::Code),
                text(" at {"),
                Piece::Fact(Fact::Host),
                text("} "),
                Piece::Credential("a-b".into())
            ]
        );
        assert!(template.has(Fact::Host) && !template.has(Fact::User));
        assert_eq!(template.credentials().collect::<Vec<_>>(), ["a-b"]);
    }

    #[test]
    fn what_stands_for_nothing_is_told() {
        for (text, part) in [
            ("{cod}", "use {code}, {host}, {credential:NAME}"),
            ("{user}", "stands for nothing here"),
            ("{", "a brace without its other half"),
            ("a}", "a brace without its other half"),
            ("{}", "holds {}"),
            ("{credential:../x}", "no name of a credential"),
        ] {
            let told = Template::parse(text, ALLOWED).unwrap_err();
            assert!(told.contains(part), "{text:?} gave {told:?}");
        }
        let plain = Allowed { credentials: false, ..ALLOWED };
        assert!(Template::parse("{credential:a}", plain).unwrap_err().contains("stands for nothing"));
    }

    #[test]
    fn every_fact_has_a_name_of_its_own() {
        for fact in Fact::ALL {
            assert_eq!(Fact::of(fact.name(), &Fact::ALL), Some(fact));
        }
    }

    proptest! {
        #[test]
        fn no_text_upsets_it_and_texts_never_follow_each_other(text in "([{}]|[a-z:]|\\PC)*") {
            let Ok(template) = Template::parse(&text, ALLOWED) else { return Ok(()) };
            let both = |pair: &[Piece]| pair.iter().all(|piece| matches!(piece, Piece::Text(_)));
            prop_assert!(!template.pieces().windows(2).any(both));
        }
    }
}
