//! Delivers codes by a modem of this host: one text message, through `ModemManager` over D-Bus, until a deadline.
//!
//! Delivered means that the network has taken the message. Nothing is kept between two deliveries, neither
//! connection nor modem: each finds its own, so that a bus or a modem that was restarted is met as it is now.
//! Refuses to enable or unlock a modem, and to leave a message of its own on it.

mod bus;
mod error;
mod find;
mod text_message;

use std::fmt;

use mfa_proto::secret::SecretText;
use tokio::{sync::oneshot, time::Instant};

use bus::Bus;
use text_message::Outgoing;

pub use crate::bus::SYSTEM_BUS;
pub use error::{ModemError, Step};

/// Which modem sends.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum ModemChoice {
    /// The first that is enabled and sends messages; one that is registered with a network goes first.
    #[default]
    Any,
    /// The one with this D-Bus path, which changes when it is plugged in again.
    Path(String),
    /// The one with this equipment identifier (IMEI), or with this device: its main port without `/dev/`, or
    /// its place in `/sys`. Both stay when it is plugged in again.
    Named(String),
}

impl ModemChoice {
    /// As an administrator writes it: nothing, an object path, an IMEI, or a device such as `/dev/cdc-wdm0`.
    pub fn new(written: Option<&str>) -> Self {
        match written {
            None => Self::Any,
            Some(path) if path.starts_with("/org/") => Self::Path(path.to_owned()),
            Some(name) => Self::Named(name.strip_prefix("/dev/").unwrap_or(name).to_owned()),
        }
    }
}

impl fmt::Display for ModemChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::Path(text) | Self::Named(text) => f.write_str(text),
        }
    }
}

/// What a modem is reached by.
#[derive(Clone, Debug)]
pub struct ModemOptions {
    /// The D-Bus address; [`SYSTEM_BUS`] but for tests.
    pub bus: String,
    /// Which modem.
    pub choice: ModemChoice,
}

/// One text message, its text made.
#[derive(Debug)]
pub struct TextMessage<'a> {
    /// The number: digits, and a `+` before them.
    pub number: &'a SecretText,
    /// The text.
    pub text: &'a SecretText,
}

/// What delivers text messages by a modem. Holds nothing but its options.
#[derive(Clone, Debug)]
pub struct Modem {
    options: ModemOptions,
}

impl Modem {
    /// Nothing is looked for yet: the modem may come later.
    pub fn new(options: ModemOptions) -> Self {
        Self { options }
    }

    /// Sends the message: all of it, from connecting to the bus up to the modem's word that it is sent, until
    /// `deadline`. The message is deleted from the modem afterwards, by a task that outlives the deadline,
    /// and this call if it is dropped, by a bounded time.
    pub async fn deliver(&self, message: &TextMessage<'_>, deadline: Instant) -> Result<(), ModemError> {
        if !is_number(message.number.expose()) {
            return Err(ModemError::BadNumber);
        }
        let outgoing = Outgoing { number: message.number.again(), text: message.text.again(), deadline };
        let (tell, told) = oneshot::channel();
        tokio::spawn(deliver(self.options.clone(), outgoing, tell));
        told.await.unwrap_or(Err(ModemError::Lost(Step::Connect)))
    }
}

/// The whole of one delivery, in a task of its own.
async fn deliver(options: ModemOptions, outgoing: Outgoing, tell: oneshot::Sender<Result<(), ModemError>>) {
    let found = async {
        let bus = Bus::open(&options.bus, outgoing.deadline).await?;
        let modem = find::modem(&bus, &options.choice, outgoing.deadline).await?;
        Ok((bus, modem))
    };
    match found.await {
        Ok((bus, modem)) => outgoing.send(&bus, &modem, tell).await,
        // The receiver is gone when the delivery was dropped: nobody is left to tell.
        Err(error) => drop(tell.send(Err(error))),
    }
}

/// E.164 has at most 15 digits; short codes have three.
fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or(text);
    (3..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_read_as_they_are_written() {
        let named = |text: &str| ModemChoice::Named(text.to_owned());
        assert_eq!(ModemChoice::new(None), ModemChoice::Any);
        assert_eq!(ModemChoice::new(Some("/dev/cdc-wdm0")), named("cdc-wdm0"));
        assert_eq!(ModemChoice::new(Some("123456789012347")), named("123456789012347"));
        let path = "/org/freedesktop/ModemManager1/Modem/0";
        assert_eq!(ModemChoice::new(Some(path)), ModemChoice::Path(path.into()));
    }

    #[test]
    fn numbers_are_digits_alone() {
        for number in ["+491701234321", "017012345", "112", "+123456789012345"] {
            assert!(is_number(number), "{number}");
        }
        for number in [
            "",
            "+",
            "12",
            "+1234567890123456",
            "+49 170",
            "++49170",
            "49170+",
            "tel:123",
            "12\n34",
            "１２３",
        ] {
            assert!(!is_number(number), "{number:?}");
        }
    }

    #[test]
    fn printing_shows_neither_number_nor_text() {
        let secret = |text: &str| SecretText::new(text.into()).unwrap();
        let (number, text) = (secret("+491701234321"), secret("755224"));
        let printed = format!("{:?}", TextMessage { number: &number, text: &text });
        assert!(!printed.contains("4321") && !printed.contains("755224"), "{printed}");
    }
}
