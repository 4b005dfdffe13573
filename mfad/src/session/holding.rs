//! What a person may answer with: one holding for each active factor, and the words that choose one.
//!
//! Refuses to know secrets, rows and services: the driver says of each factor what a prompt has to know.

use mfa_proto::{
    admin::{FactorId, FactorKind},
    answer::AnswerShape,
    name::FactorLabel,
    text::ShownText,
};

use crate::policy::Kinds;

/// An active factor, as far as a prompt is concerned.
#[derive(Clone, Debug)]
pub struct Holding {
    /// Which.
    pub factor: FactorId,
    /// Of what kind.
    pub kind: FactorKind,
    /// What its owner calls it.
    pub label: FactorLabel,
    /// What its answers look like.
    pub form: AnswerShape,
    /// Where its answers come from, and who judges them.
    pub way: Way,
    /// Where its codes are sent, masked.
    pub target: Option<ShownText>,
    /// The outside service, which chooses it like its label.
    pub service: Option<FactorLabel>,
    /// A PIN is to be typed before each code.
    pub pin: bool,
}

/// Where answers come from, and who judges them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Way {
    /// From what the person has in hand; the store judges.
    Own,
    /// A code is sent when the factor is chosen; the store judges.
    Sent,
    /// An outside service judges.
    Outside {
        /// It has to be told that a login begins, and then sends or shows the person something.
        begins: bool,
    },
}

/// What a word chooses.
#[derive(Debug)]
pub(super) enum Choosing<'a> {
    /// This one.
    One(&'a Holding),
    /// Several fit it.
    Many(Vec<&'a Holding>),
    /// Nothing is called so.
    Nothing,
}

impl Holding {
    /// What an outside service that judges may be answered with: any word of its own, or the code of a
    /// device with or without space in it.
    pub const OUTSIDE: AnswerShape = AnswerShape::SIX_DIGITS.or(AnswerShape::TEXT);

    /// A time-based code of six digits that is held by nobody: what names without a factor are asked for.
    pub fn of_nobody() -> Option<Self> {
        Some(Self {
            factor: FactorId(0),
            kind: FactorKind::Totp,
            label: FactorLabel::new(FactorKind::Totp.word()).ok()?,
            form: AnswerShape::SIX_DIGITS,
            way: Way::Own,
            target: None,
            service: None,
            pin: false,
        })
    }

    /// Whether a PIN could be asked for before its codes.
    pub fn may_have_pin(&self) -> bool {
        match self.kind {
            FactorKind::Totp | FactorKind::Hotp | FactorKind::Sms | FactorKind::Mail => true,
            FactorKind::Recovery | FactorKind::Rest | FactorKind::Token | FactorKind::BreakGlass => false,
        }
    }

    /// Whether something has to be sent or begun before it can be answered.
    pub(super) fn must_be_chosen(&self) -> bool {
        match self.way {
            Way::Own => false,
            Way::Sent => true,
            Way::Outside { begins } => begins,
        }
    }

    /// What a word that chooses it may be, for a prompt: short where that is enough.
    pub(super) fn word<'a>(&'a self, all: &[&'a Self]) -> &'a str {
        let alone = all.iter().filter(|other| other.kind == self.kind).count() == 1;
        let plain = alone && matches!(self.kind, FactorKind::Sms | FactorKind::Mail);
        let taken = all.iter().any(|other| other.factor != self.factor && other.is_called(self.kind.word()));
        if plain && !taken { self.kind.word() } else { self.label.as_str() }
    }

    /// One entry of the list that `?` shows.
    pub(super) fn entry(&self) -> String {
        let target = || self.target.as_ref().map_or_else(String::new, |target| format!(" to {target}"));
        let what = match self.kind {
            FactorKind::Totp => "app".to_owned(),
            FactorKind::Hotp => "key".to_owned(),
            FactorKind::Recovery => "recovery codes".to_owned(),
            FactorKind::Sms => format!("SMS{}", target()),
            FactorKind::Mail => format!("mail{}", target()),
            FactorKind::Rest => self.service.as_ref().map_or("service".to_owned(), |s| format!("asks {s}")),
            FactorKind::BreakGlass => "emergency code".to_owned(),
            FactorKind::Token => "signed token".to_owned(),
        };
        format!("{} ({what})", self.label)
    }

    fn is_called(&self, word: &str) -> bool {
        alike(self.label.as_str(), word)
    }
}

/// What `word` chooses of `all`: a label as it is written, then in any case, then a service, then a kind.
pub(super) fn choose<'a>(all: &[&'a Holding], word: &str) -> Choosing<'a> {
    let fits: [&dyn Fn(&Holding) -> bool; 4] = [
        &|holding| holding.label.as_str() == word,
        &|holding| holding.is_called(word),
        &|holding| holding.service.as_ref().is_some_and(|service| alike(service.as_str(), word)),
        &|holding| alike(holding.kind.word(), word),
    ];
    for fit in fits {
        let found: Vec<&'a Holding> = all.iter().copied().filter(|holding| fit(holding)).collect();
        match found.as_slice() {
            [] => {}
            [one] => return Choosing::One(one),
            _ => return Choosing::Many(found),
        }
    }
    Choosing::Nothing
}

/// By which factor a code goes that is only carried to a person: by the address that is named; else by the one that
/// is preferred; else by the only one there is. `None` when that is none, or not one alone.
pub fn carried_by(
    held: &[Holding],
    kinds: Kinds,
    (named, preferred): (Option<&str>, Option<&str>),
) -> Option<FactorId> {
    let sent = |kind: FactorKind| matches!(kind, FactorKind::Sms | FactorKind::Mail) && kinds.contains(kind);
    let all: Vec<&Holding> = held.iter().filter(|holding| sent(holding.kind)).collect();
    let called = |word: &str| match choose(&all, word) {
        Choosing::One(one) => Some(one.factor),
        Choosing::Many(_) | Choosing::Nothing => None,
    };
    if let Some(word) = named {
        return called(word);
    }
    let only = all.first().filter(|_| all.len() == 1).map(|only| only.factor);
    preferred.and_then(called).or(only)
}

/// The same but for case. Makes no copy: the word may be a mistyped password.
fn alike(one: &str, other: &str) -> bool {
    one.chars().flat_map(char::to_lowercase).eq(other.chars().flat_map(char::to_lowercase))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holding(id: i64, kind: FactorKind, label: &str) -> Holding {
        Holding {
            factor: FactorId(id),
            kind,
            label: FactorLabel::new(label).unwrap(),
            form: AnswerShape::SIX_DIGITS,
            way: Way::Own,
            target: None,
            service: (kind == FactorKind::Rest).then(|| FactorLabel::new("corp").unwrap()),
            pin: false,
        }
    }

    #[test]
    fn a_word_chooses_by_label_then_service_then_kind() {
        let held = [
            holding(1, FactorKind::Totp, "Phone"),
            holding(2, FactorKind::Sms, "work"),
            holding(3, FactorKind::Sms, "home"),
            holding(4, FactorKind::Rest, "badge"),
            holding(5, FactorKind::Hotp, "mail"),
            holding(6, FactorKind::Mail, "letters"),
        ];
        let all: Vec<&Holding> = held.iter().collect();
        let chosen = |word: &str| match choose(&all, word) {
            Choosing::One(one) => vec![one.factor.0],
            Choosing::Many(many) => many.iter().map(|one| one.factor.0).collect(),
            Choosing::Nothing => vec![],
        };
        for (word, expected) in [
            ("Phone", vec![1]),
            ("PHONE", vec![1]),
            ("totp", vec![1]),
            ("sms", vec![2, 3]),
            ("home", vec![3]),
            ("Corp", vec![4]),
            ("rest", vec![4]),
            ("mail", vec![5]),
            ("letters", vec![6]),
            ("hunter2", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(chosen(word), expected, "{word}");
        }
    }

    #[test]
    fn a_code_that_is_carried_goes_to_one_address_or_to_none() {
        let held = [
            holding(1, FactorKind::Totp, "app"),
            holding(2, FactorKind::Sms, "work"),
            holding(3, FactorKind::Sms, "home"),
            holding(4, FactorKind::Mail, "letters"),
            holding(5, FactorKind::Rest, "corp"),
        ];
        let to = |named, preferred| carried_by(&held, Kinds::ALL, (named, preferred)).map(|FactorId(id)| id);
        for (named, preferred, expected) in [
            (Some("home"), None, Some(3)),
            (Some("mail"), Some("work"), Some(4)),
            (Some("sms"), Some("work"), None),
            (Some("app"), None, None),
            (Some("corp"), None, None),
            (Some("totp"), Some("work"), None),
            (Some(""), None, None),
            (None, Some("work"), Some(2)),
            (None, Some("mail"), Some(4)),
            (None, Some("totp"), None),
            (None, None, None),
        ] {
            assert_eq!(to(named, preferred), expected, "{named:?} {preferred:?}");
        }
        let few = |kinds| carried_by(&held, kinds, (None, Some("totp"))).map(|FactorId(id)| id);
        assert_eq!(few(Kinds::of([FactorKind::Mail])), Some(4), "the only one that counts");
        assert_eq!(few(Kinds::of([FactorKind::Totp])), None);
        assert_eq!(carried_by(&held, Kinds::of([FactorKind::Mail]), (Some("home"), None)), None);
        assert_eq!(carried_by(&held[..2], Kinds::ALL, (None, Some("totp"))), Some(FactorId(2)));
        assert_eq!(carried_by(&[], Kinds::ALL, (None, None)), None);
    }

    #[test]
    fn a_prompt_offers_words_that_choose_what_they_say() {
        let held = [
            holding(1, FactorKind::Sms, "work"),
            holding(2, FactorKind::Sms, "home"),
            holding(3, FactorKind::Mail, "letters"),
        ];
        let all: Vec<&Holding> = held.iter().collect();
        let words: Vec<&str> = all.iter().map(|holding| holding.word(&all)).collect();
        assert_eq!(words, ["work", "home", "mail"]);
        let hidden = [holding(1, FactorKind::Totp, "sms"), holding(2, FactorKind::Sms, "work")];
        let all: Vec<&Holding> = hidden.iter().collect();
        assert_eq!(all[1].word(&all), "work", "\"sms\" is the name of another one");
    }
}
