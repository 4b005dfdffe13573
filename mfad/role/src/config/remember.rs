//! `[remember]`: what successes that are remembered are bound to, and what has them forgotten.
//!
//! For how long is said by the rules: `remember = "8h"`.

use super::{
    kinds::{Checked, number, text},
    reader::{Reader, Section},
    suggest::unknown_choice,
    tree::Value,
};

/// What successes that are remembered are bound to, and what has them forgotten before they expire.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Remembering {
    /// Leading bits of an IPv4 address that have to be the same.
    pub ipv4_prefix: u8,
    /// Leading bits of an IPv6 address that have to be the same.
    pub ipv6_prefix: u8,
    /// What has them forgotten.
    pub forget_on: ForgetOn,
}

/// What has successes forgotten before they expire.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ForgetOn {
    /// A factor of the user is added, removed, switched or set back.
    pub factor_change: bool,
    /// The user's attempts are used up for a while.
    pub lock: bool,
    /// The machine is started anew.
    pub boot: bool,
}

impl ForgetOn {
    const ALL: Self = Self { factor_change: true, lock: true, boot: true };
    const WORDS: [&'static str; 3] = ["factor_change", "lock", "boot"];

    fn with(self, word: &str) -> Option<Self> {
        match word {
            "factor_change" => Some(Self { factor_change: true, ..self }),
            "lock" => Some(Self { lock: true, ..self }),
            "boot" => Some(Self { boot: true, ..self }),
            _ => None,
        }
    }

    fn parse(value: &Value) -> Checked<Self> {
        let wanted = "write a list, as in [\"factor_change\", \"lock\", \"boot\"], or [] for none of it";
        let Value::Array(list) = value else { return Err(format!("is {}: {wanted}", value.kind())) };
        list.iter().try_fold(Self::default(), |all, node| {
            let word = text(&node.value).map_err(|_| format!("holds {}: {wanted}", node.value.kind()))?;
            all.with(word).ok_or_else(|| unknown_choice(word, Self::WORDS.into_iter()))
        })
    }
}

impl Remembering {
    pub(super) fn read(reader: &mut Reader, root: &mut Section) -> Self {
        let mut section = reader.section(root, "remember");
        let s = &mut section;
        let read = Self {
            ipv4_prefix: reader.value(s, "ipv4_prefix", 32, number(8..=32)).value,
            ipv6_prefix: reader.value(s, "ipv6_prefix", 64, number(32..=128)).value,
            forget_on: reader.value(s, "forget_on", ForgetOn::ALL, ForgetOn::parse).value,
        };
        reader.close(section);
        read
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Config, ConfigErrors, Source},
        *,
    };

    fn read(text: &str) -> Result<Remembering, ConfigErrors> {
        let source = Source { path: "m.toml".into(), text: format!("[remember]\n{text}") };
        Config::from_sources(&[source]).map(|config| config.remember().clone())
    }

    #[test]
    fn everything_has_it_forgotten_unless_said_otherwise() {
        let usual = read("").unwrap();
        assert_eq!((usual.ipv4_prefix, usual.ipv6_prefix, usual.forget_on), (32, 64, ForgetOn::ALL));
        let none = read("forget_on = []\nipv4_prefix = 24").unwrap();
        assert_eq!((none.ipv4_prefix, none.forget_on), (24, ForgetOn::default()));
        let lock = read("forget_on = [\"lock\", \"lock\"]").unwrap().forget_on;
        assert_eq!(lock, ForgetOn { lock: true, ..ForgetOn::default() });
    }

    #[test]
    fn what_cannot_be_is_told() {
        for (text, part) in [
            ("forget_on = \"lock\"", "write a list"),
            ("forget_on = [1]", "write a list"),
            ("forget_on = [\"locks\"]", "\"lock\""),
            ("ipv4_prefix = 0", "from 8 to 32"),
            ("ipv6_prefix = 129", "from 32 to 128"),
            ("ipv4 = 24", "`ipv4` is not a key of [remember]"),
        ] {
            let told: Vec<String> = read(text).unwrap_err().iter().map(ToString::to_string).collect();
            assert!(told.len() == 1 && told[0].contains(part), "{text}: {told:?}");
        }
    }
}
