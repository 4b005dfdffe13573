//! Fills templates in: what is known of an errand goes where the configuration says, escaped for the place.
//!
//! What is filled in is a secret as a whole: it may hold the code, the number, a credential. Refuses to
//! guess: a fact that an errand does not have is an error, not an empty text.

use std::fmt;

use mfa_proto::egress::{Consultation, Delivery};
use mfa_role::config::{Fact, Piece, Template};
use zeroize::Zeroizing;

use crate::secrets::Secrets;

/// A fact or a credential that a template asks for, and there is none.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{{{0}}}` is not known here")]
pub struct Missing(pub String);

/// How what is filled in is escaped.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Escape {
    /// Not at all.
    Plain,
    /// As a part of an address or a form (RFC 3986 §2.1).
    Percent,
}

/// What is known of an errand.
pub struct Facts {
    known: Vec<(Fact, Zeroizing<String>)>,
}

impl fmt::Debug for Facts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Facts(redacted)")
    }
}

impl Facts {
    /// Of a code to deliver.
    pub fn of_delivery(delivery: &Delivery, host: &str) -> Self {
        let text = |text: &str| Zeroizing::new(text.to_owned());
        Self {
            known: vec![
                (Fact::Code, text(delivery.code.expose())),
                (Fact::Host, text(host)),
                (Fact::User, text(&delivery.user.to_string())),
                (Fact::Service, text(delivery.service.as_str())),
                (Fact::Minutes, text(&delivery.minutes.to_string())),
            ],
        }
    }

    /// Of a call of an outside service.
    pub fn of_consultation(consultation: &Consultation, host: &str) -> Self {
        let text = |text: &str| Zeroizing::new(text.to_owned());
        let mut known = vec![
            (Fact::Host, text(host)),
            (Fact::User, text(&consultation.user.to_string())),
            (Fact::RemoteUser, text(consultation.remote_user.as_str())),
            (Fact::Service, text(consultation.service.as_str())),
        ];
        known.extend(consultation.source.as_ref().map(|source| (Fact::Source, text(source.as_str()))));
        Self { known }
    }

    /// Of an event to tell, each in one line.
    pub(crate) fn of_lines(lines: Vec<(Fact, String)>) -> Self {
        Self { known: lines.into_iter().map(|(fact, text)| (fact, Zeroizing::new(text))).collect() }
    }

    /// One more.
    #[must_use]
    pub fn with(mut self, fact: Fact, text: Zeroizing<String>) -> Self {
        self.known.push((fact, text));
        self
    }

    /// What is known of `fact`.
    pub fn get(&self, fact: Fact) -> Option<&str> {
        self.known.iter().find(|(known, _)| *known == fact).map(|(_, text)| text.as_str())
    }
}

/// Fills a template in. `escape` is for what is filled in; the template's own text stays as it is, which in
/// an address is percent-encoded already.
pub fn fill(
    template: &Template,
    facts: &Facts,
    credentials: &Secrets,
    escape: Escape,
) -> Result<Zeroizing<String>, Missing> {
    put(template, facts, credentials, (Escape::Plain, escape))
}

/// As [`fill`], with the template's own text percent-encoded too: a value of a query or a form.
pub fn fill_field(
    template: &Template,
    facts: &Facts,
    credentials: &Secrets,
) -> Result<Zeroizing<String>, Missing> {
    put(template, facts, credentials, (Escape::Percent, Escape::Percent))
}

fn put(
    template: &Template,
    facts: &Facts,
    credentials: &Secrets,
    (of_text, of_facts): (Escape, Escape),
) -> Result<Zeroizing<String>, Missing> {
    let mut parts = Vec::with_capacity(template.pieces().len());
    for piece in template.pieces() {
        parts.push(match piece {
            Piece::Text(text) => (text.as_str(), of_text),
            Piece::Fact(fact) => (facts.get(*fact).ok_or_else(|| Missing(fact.name().to_owned()))?, of_facts),
            Piece::Credential(name) => {
                let missing = || Missing(format!("credential:{name}"));
                (credentials.get(name).ok_or_else(missing)?.expose(), of_facts)
            }
        });
    }
    // Room for all of it, percent-encoded: a text that grows leaves copies of itself behind.
    let room = parts.iter().map(|(text, _)| text.len().saturating_mul(3)).sum();
    let mut filled = Zeroizing::new(String::with_capacity(room));
    for (text, escape) in parts {
        match escape {
            Escape::Plain => filled.push_str(text),
            Escape::Percent => percent_encode(text, &mut filled),
        }
    }
    Ok(filled)
}

/// Everything but what RFC 3986 §2.3 calls unreserved, as `%XX`.
pub fn percent_encode(text: &str, into: &mut String) {
    const HEX: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or('0');
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            into.push(char::from(byte));
        } else {
            into.extend(['%', digit(byte >> 4), digit(byte & 0xf)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use mfa_proto::{
        egress::Medium,
        name::{ServiceName, UserId, UserName},
        secret::SecretText,
    };
    use mfa_role::config::{Config, Source};
    use proptest::prelude::*;

    use super::*;

    /// The text of a configuration's message.
    fn template(text: &str) -> Template {
        let text = format!("[sms]\ntext = '''{text}'''");
        let source = Source { path: "m.toml".into(), text };
        Config::from_sources(&[source]).unwrap().sms().text.clone()
    }

    fn facts() -> Facts {
        let secret = |text: &str| SecretText::new(text.into()).unwrap();
        let delivery = Delivery {
            medium: Medium::Sms,
            to: secret("+491701234567"),
            code: secret("755224"),
            user: UserId::local(UserName::new("jane&co").unwrap()),
            service: ServiceName::new("sshd").unwrap(),
            source: None,
            minutes: 5,
        };
        Facts::of_delivery(&delivery, "host.example.org")
    }

    #[test]
    fn facts_go_where_they_are_named_escaped_for_the_place() {
        let fill = |text: &str, escape| fill(&template(text), &facts(), &Secrets::none(), escape);
        assert_eq!(
            fill("{code} for {user} at {host}, {minutes} min {{x}}", Escape::Plain).unwrap().as_str(),
            "755224 for jane&co at host.example.org, 5 min {x}"
        );
        assert_eq!(
            fill("/a?u={user}&c={code}", Escape::Percent).unwrap().as_str(),
            "/a?u=jane%26co&c=755224"
        );
        let field = fill_field(&template("a&b {code}"), &facts(), &Secrets::none()).unwrap();
        assert_eq!(field.as_str(), "a%26b%20755224");
        assert_eq!(format!("{:?}", facts()), "Facts(redacted)");
    }

    #[test]
    fn what_is_not_known_is_an_error() {
        let facts = Facts { known: Vec::new() };
        let told = fill(&template("{code}"), &facts, &Secrets::none(), Escape::Plain).unwrap_err();
        assert_eq!(told.to_string(), "`{code}` is not known here");
    }

    proptest! {
        #[test]
        fn percent_encoding_leaves_nothing_that_means_something(text in ".*") {
            let mut encoded = String::new();
            percent_encode(&text, &mut encoded);
            prop_assert!(encoded.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b)));
            let url = format!("http://a/?v={encoded}").parse::<reqwest::Url>().unwrap();
            let (_, back) = url.query_pairs().next().unwrap();
            prop_assert_eq!(back.as_ref(), text);
        }
    }
}
