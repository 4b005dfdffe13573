//! Codes by text message: gateways in their order, the next one when one fails.
//!
//! Refuses numbers that are none, so that nothing typed by a person becomes a part of a call. A gateway
//! that failed may have sent the message all the same: a code that comes twice is still one code.

mod call;
mod file;

use std::time::Duration;

use mfa_proto::{
    egress::Delivery,
    secret::{MAX_SECRET, SecretText},
};
use mfa_role::config::{self, Config, Fact, Gateway, GatewayKind, Template};
use tokio::time::Instant;
use tracing::{info, warn};
use zeroize::Zeroizing;

use self::{call::HttpSender, file::Folder};
use crate::{
    SetupFault,
    fill::{self, Escape, Facts, Missing},
    http::{CallError, Trust},
    modem::{Modem, ModemChoice, ModemError, ModemOptions, SYSTEM_BUS, TextMessage},
    secrets::Secrets,
};

/// Why a gateway has not taken a message. Shows nothing of message, number or answer.
#[derive(Debug, thiserror::Error)]
pub enum Undelivered {
    /// It was not reached, or its answer broke off.
    #[error(transparent)]
    Call(#[from] CallError),
    /// It answered with a status that means no.
    #[error("answers with status {0}")]
    Status(u16),
    /// Its answer does not say what success is.
    #[error("answers with status {0}, but not what means that it took the message")]
    NotTaken(u16),
    /// The call names something that is not known.
    #[error("is not called: {0}")]
    Missing(#[from] Missing),
    /// The file cannot be written.
    #[error("{0}")]
    File(String),
    /// The text is longer than a modem is given, with all that the template puts in.
    #[error("is not given the message: it is longer than {MAX_SECRET} bytes; shorten [sms] text")]
    TooLong,
    /// The modem has not sent it.
    #[error(transparent)]
    Modem(#[from] ModemError),
}

/// Sends text messages.
#[derive(Debug)]
pub struct Sender {
    text: Template,
    gateways: Vec<Way>,
    timeout: Duration,
}

#[derive(Debug)]
struct Way {
    name: String,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Http(Box<HttpSender>),
    File(Folder),
    Modem(Modem),
}

impl Sender {
    /// Prepares all gateways; what is wrong with any of them is told.
    pub fn new(
        sms: &config::Sms,
        timeout: Duration,
        with: (&Trust, &Secrets),
    ) -> Result<Self, Vec<SetupFault>> {
        let mut gateways = Vec::new();
        let mut faults = Vec::new();
        for gateway in &sms.gateways {
            match way(gateway, timeout, with) {
                Ok(way) => gateways.push(way),
                Err(fault) => {
                    faults.push(SetupFault { section: format!("[sms.gateway.{}]", gateway.name), fault });
                }
            }
        }
        if faults.is_empty() { Ok(Self { text: sms.text.clone(), gateways, timeout }) } else { Err(faults) }
    }

    /// Sends one code. Gives the gateway that took it, or all that failed and why.
    pub async fn send(&self, delivery: &Delivery, host: &str) -> Result<&str, String> {
        let number = delivery.to.expose();
        let Some(msisdn) = msisdn(number) else {
            return Err("the number is no telephone number: enroll it again, as +491701234567".to_owned());
        };
        let facts = Facts::of_delivery(delivery, host);
        let text = fill::fill(&self.text, &facts, &Secrets::none(), Escape::Plain);
        let text = text.map_err(|error| format!("the text cannot be made: {error}"))?;
        let facts = facts
            .with(Fact::Number, Zeroizing::new(number.to_owned()))
            .with(Fact::Msisdn, Zeroizing::new(msisdn.to_owned()))
            .with(Fact::Text, text);
        let mut failed = Vec::new();
        for Way { name, kind } in &self.gateways {
            let begun = Instant::now();
            let done = kind.deliver(&facts, begun + self.timeout).await;
            let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            match done {
                Ok(status) => {
                    info!(gateway = name, user = %delivery.user, status, ms, "text message handed over");
                    return Ok(name);
                }
                Err(error) => {
                    warn!(gateway = name, user = %delivery.user, ms, "text message not handed over: {error}");
                    failed.push(format!("{name} {error}"));
                }
            }
        }
        Err(failed.join("; "))
    }
}

impl Kind {
    /// Hands one message over. Gives the status of a gateway that has one.
    async fn deliver(&self, facts: &Facts, deadline: Instant) -> Result<Option<u16>, Undelivered> {
        match self {
            Self::Http(sender) => sender.deliver(facts, deadline).await.map(Some),
            Self::File(folder) => folder.deliver(facts).await.map(|()| None),
            Self::Modem(modem) => by_modem(modem, facts, deadline).await.map(|()| None),
        }
    }
}

async fn by_modem(modem: &Modem, facts: &Facts, deadline: Instant) -> Result<(), Undelivered> {
    let secret = |fact| SecretText::new(facts.get(fact).unwrap_or_default().to_owned());
    let (Ok(number), Ok(text)) = (secret(Fact::Number), secret(Fact::Text)) else {
        return Err(Undelivered::TooLong);
    };
    Ok(modem.deliver(&TextMessage { number: &number, text: &text }, deadline).await?)
}

fn way(gateway: &Gateway, timeout: Duration, with: (&Trust, &Secrets)) -> Result<Way, String> {
    let kind = match &gateway.kind {
        GatewayKind::Http(http) => Kind::Http(Box::new(HttpSender::new(http, timeout, with)?)),
        GatewayKind::File { directory } => Kind::File(Folder::new(directory)),
        GatewayKind::Modem { modem } => {
            let choice = ModemChoice::new(modem.as_deref());
            Kind::Modem(Modem::new(ModemOptions { bus: SYSTEM_BUS.to_owned(), choice }))
        }
    };
    Ok(Way { name: gateway.name.clone(), kind })
}

/// Makes the directories of messages that are kept as files: once there is a sandbox, only what is there is reached.
pub(crate) fn make_folders(config: &Config) {
    for gateway in &config.sms().gateways {
        match &gateway.kind {
            GatewayKind::File { directory } => Folder::make(directory),
            GatewayKind::Http(_) | GatewayKind::Modem { .. } => {}
        }
    }
}

/// The digits of a telephone number in international form (E.164).
fn msisdn(number: &str) -> Option<&str> {
    let digits = number.strip_prefix('+')?;
    let sound = (7..=15).contains(&digits.len())
        && !digits.starts_with('0')
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    sound.then_some(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_international_and_nothing_else() {
        assert_eq!(msisdn("+491701234567"), Some("491701234567"));
        for bad in [
            "",
            "+",
            "01701234567",
            "+0491701",
            "+49 170 1234567",
            "+49170123456x",
            "+491701234567890123",
            "+1\n",
        ] {
            assert_eq!(msisdn(bad), None, "{bad:?}");
        }
    }
}
