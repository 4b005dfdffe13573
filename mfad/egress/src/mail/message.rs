//! The bytes of one message: plain UTF-8 text, marked as sent by a machine. Refuses control characters in the
//! subject and, but for line ends, in the text.

use std::error::Error;

use lettre::{
    Address, Message,
    message::{
        Mailbox,
        header::{ContentType, Header, HeaderName, HeaderValue, MIME_VERSION_1_0},
    },
};
use zeroize::Zeroizing;

use super::Letter;

/// Makes the message. The bytes are wiped; lettre's own buffers, on the way here, are not.
pub(super) fn compose(from: &Mailbox, to: &Address, letter: &Letter<'_>) -> Option<Zeroizing<Vec<u8>>> {
    let fit = !letter.subject.chars().any(char::is_control)
        && !letter.text.chars().any(|c| c.is_control() && c != '\n' && c != '\t');
    if !fit {
        return None;
    }
    // What ends the message on the wire ends its last line, too.
    let text = letter.text.strip_suffix('\n').unwrap_or(letter.text);
    let message = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to.clone()))
        .subject(letter.subject)
        .date_now()
        .message_id(Some(message_id(from.email.domain())?))
        .header(AutoSubmitted)
        .header(MIME_VERSION_1_0)
        .header(ContentType::TEXT_PLAIN)
        .body(text.to_owned())
        .ok()?;
    Some(Zeroizing::new(message.formatted()))
}

/// Random, so that it tells nothing of the message; the sender's domain makes it unique (RFC 5322 3.6.4).
fn message_id(domain: &str) -> Option<String> {
    let random = getrandom::u64().ok()?;
    let more = getrandom::u64().ok()?;
    Some(format!("<{random:016x}{more:016x}@{domain}>"))
}

/// `Auto-Submitted: auto-generated` (RFC 3834 5): absence notices stay away.
#[derive(Clone, Debug)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Err("this header is only written".into())
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use mfa_proto::secret::SecretText;

    use super::*;
    use crate::mail::address;

    fn made(subject: &str, text: &str) -> Option<String> {
        let from = address::sender("Zugänge <mfa@example.org>").unwrap();
        let to = SecretText::new("jane@example.org".into()).unwrap();
        let letter = Letter { to: &to, subject, text };
        let bytes = compose(&from, &address::recipient(&to).unwrap(), &letter)?;
        Some(String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[test]
    fn lines_cannot_be_added_by_subject_or_text() {
        for subject in ["a\r\nBcc: x@example.org", "a\nb", "a\rb", "a\0"] {
            assert!(made(subject, "text").is_none(), "{subject:?}");
        }
        for text in ["a\r\nb", "a\rb", "\u{1b}[2J", "\0"] {
            assert!(made("subject", text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn every_line_is_short_and_ascii_whatever_the_text() {
        let message =
            made(&"ü".repeat(300), &format!("{}\n.\nÄ {}", "x".repeat(2000), "字".repeat(500))).unwrap();
        assert!(message.is_ascii());
        assert!(message.split("\r\n").all(|line| line.len() <= 998 && !line.contains(['\r', '\n'])));
    }

    #[test]
    fn two_messages_have_two_names() {
        let id = |message: String| message.lines().find(|l| l.starts_with("Message-ID")).unwrap().to_owned();
        assert_ne!(id(made("s", "t").unwrap()), id(made("s", "t").unwrap()));
    }
}
