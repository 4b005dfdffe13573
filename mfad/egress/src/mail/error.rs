//! Why mail could not be handed over, in words for the log. Refuses to repeat what the server said in words:
//! servers echo addresses, and what they were sent.

use std::fmt;

/// Options with which no mail can be sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MailOptionsError {
    /// The server is neither a name nor an address.
    #[error("the mail server is neither a host name nor an address")]
    Server,
    /// The name for EHLO is none.
    #[error("the name that this host gives itself to the mail server is not a host name")]
    Hello,
    /// The sender is no address.
    #[error("the sender is not a mail address: write mfa@example.org or \"Example <mfa@example.org>\"")]
    From,
    /// The certificates cannot be read.
    #[error("the certificates to trust are not PEM, or hold none")]
    Certificates,
}

/// A message that the server has not taken, as far as is known.
#[derive(Debug, thiserror::Error)]
#[error("mail server {server}:{port}: {trouble}")]
pub struct MailError {
    /// Where.
    pub server: String,
    /// Its port.
    pub port: u16,
    /// What happened.
    pub trouble: MailTrouble,
}

/// What happened instead of a delivery.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MailTrouble {
    /// Not an address that mail is sent to.
    #[error("the person's mail address cannot be used; enroll it again: ASCII, like jane@example.org")]
    BadRecipient,
    /// Subject or text cannot be put into a message.
    #[error("the message cannot be made: control characters in its subject or text; look at the templates")]
    BadMessage,
    /// No connection.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// The certificate, or the handshake.
    #[error("TLS failed: {0}; see the certificate, and which ones are trusted")]
    Tls(String),
    /// The server, or somebody on the way, does not offer it.
    #[error("STARTTLS is not offered; nothing was sent. Use the port for submission, or implicit TLS")]
    NoStartTls,
    /// TLS is off, and the server is elsewhere.
    #[error("it is not on this host, and TLS is off; nothing was sent")]
    NotLocal,
    /// There is a login, and no common way to tell it.
    #[error("no login by PLAIN or LOGIN is offered; take the credential out, or use another port")]
    NoLogin,
    /// The server said no.
    #[error("refused {stage}: {reply}")]
    Refused {
        /// What.
        stage: Stage,
        /// With which codes.
        reply: Reply,
    },
    /// The connection ended, or the answer was none of SMTP.
    #[error("no proper answer to {0}; the connection may have been cut")]
    Broken(Stage),
    /// The deadline.
    #[error("no answer to {0} in time")]
    Late(Stage),
}

/// The part of the conversation.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stage {
    /// Looking the name up, connecting, greeting.
    Connect,
    /// STARTTLS and handshake.
    StartTls,
    /// The login.
    Login,
    /// `MAIL FROM`.
    Sender,
    /// `RCPT TO`.
    Recipient,
    /// `DATA`.
    Data,
    /// The message itself: it may have arrived all the same.
    Message,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connect => "the connection",
            Self::StartTls => "STARTTLS",
            Self::Login => "the login",
            Self::Sender => "the sender",
            Self::Recipient => "the recipient",
            Self::Data => "to take a message",
            Self::Message => "the message",
        })
    }
}

/// What a server said in numbers (RFC 5321 4.2, RFC 3463).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Reply {
    /// `550`.
    pub code: u16,
    /// `5.1.1`.
    pub enhanced: Option<[u16; 3]>,
}

impl Reply {
    /// Whether the server asks to be tried later (4xx).
    pub fn is_transient(&self) -> bool {
        (400..500).contains(&self.code)
    }

    /// Finds the enhanced code at the start of the text.
    pub(super) fn new(code: u16, text: &str) -> Self {
        Self { code, enhanced: enhanced(text.split_whitespace().next().unwrap_or_default()) }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some([class, subject, detail]) = self.enhanced {
            write!(f, " {class}.{subject}.{detail}")?;
        }
        f.write_str(if self.is_transient() { " (for now)" } else { "" })
    }
}

/// Class 2, 4 or 5, then two numbers of at most three digits.
fn enhanced(word: &str) -> Option<[u16; 3]> {
    let number = |part: &str| {
        let plain = (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| part.parse().ok()).flatten()
    };
    let mut parts = word.split('.');
    let found = [number(parts.next()?)?, number(parts.next()?)?, number(parts.next()?)?];
    (parts.next().is_none() && matches!(found, [2 | 4 | 5, ..])).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_told_in_numbers_alone() {
        let told = |code, text| Reply::new(code, text).to_string();
        assert_eq!(told(550, "5.1.1 <jane@example.org>: no such user"), "550 5.1.1");
        assert_eq!(told(451, "4.7.1 greylisted"), "451 4.7.1 (for now)");
        assert_eq!(told(550, "jane@example.org unknown"), "550");
        assert_eq!(told(550, "5.755224.1 no"), "550");
        assert_eq!(told(550, "7.1.1 no"), "550");
        assert_eq!(told(550, "5.1.1.1 no"), "550");
        assert_eq!(told(550, ""), "550");
    }
}
