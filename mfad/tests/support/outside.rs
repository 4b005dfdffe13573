//! Factors whose codes are sent or judged elsewhere, and logins whose answers depend on what was sent.

use mfa_proto::{
    admin::FactorId,
    answer::Answer,
    egress::Medium,
    hello::Protocol,
    login::{ClientMessage, ServerMessage, Start, Verdict},
    name::{Claim, FactorLabel, ServiceName},
};
use mfad::{
    audit::{Context, SessionId},
    factor::{Address, Moving, Outside, Params, Secret},
    store::{Authority, Issued, NewFactor, Order, RecoveryNew, Target},
};

use super::{Client, Daemon, secret, start, user_id};

/// Configuration with a gateway and services of every kind, by way of an egress in the same directory.
pub const OUTSIDE: &str = r#"
[egress]
socket = "{dir}/egress.sock"
[sms]
gateways = ["file"]
[sms.gateway.file]
type = "file"
directory = "/nowhere/sms"
[rest.corp]
verify_url = "https://otp.example.org/verify"
[rest.push]
init_url = "https://otp.example.org/init"
verify_url = "https://otp.example.org/verify"
[rest.llng]
init_url = "https://otp.example.org/init"
code_regex = "[A-Z]{3}[0-9]{5}"
"#;

pub const NUMBER: &str = "+4917012345321";

fn order(user: &str) -> Order {
    Order {
        context: Context {
            session: SessionId::fresh(),
            user: user_id(user),
            service: ServiceName::administration(),
            source: None,
            actor: 0,
            client: None,
        },
        uid: None,
        authority: Authority::Admin,
    }
}

impl Daemon {
    /// Gives `user` a factor, active where that needs no code.
    async fn hold(&self, user: &str, label: &str, (params, secret): (Params, Secret)) -> FactorId {
        let new = NewFactor {
            order: order(user),
            label: FactorLabel::new(label).unwrap(),
            params,
            start: Moving::default(),
            secret,
            activate: matches!(params, Params::Rest),
            replace: false,
        };
        self.core.store().enroll(new).await.unwrap().factor
    }

    /// Gives `user` an active factor whose codes go to [`NUMBER`]. One code has been sent there by then.
    pub async fn hold_sms(&self, user: &str) -> FactorId {
        let address = Address::of(Medium::Sms, &secret(NUMBER)).unwrap();
        let factor = self.hold(user, "sms", (Params::Sms { digits: 6 }, address.into())).await;
        self.confirm(user, factor).await
    }

    pub async fn hold_mail(&self, user: &str) -> FactorId {
        let address = Address::of(Medium::Mail, &secret("jane@example.org")).unwrap();
        let factor = self.hold(user, "mail", (Params::Mail { digits: 8 }, address.into())).await;
        self.confirm(user, factor).await
    }

    async fn confirm(&self, user: &str, factor: FactorId) -> FactorId {
        let target = Target { factor: Some(factor), label: None };
        let issued = self.core.store().send_code(order(user), target, None).await.unwrap();
        let Issued::Code(sent) = issued else { panic!("{issued:?}") };
        let answer = Answer::Code(sent.code);
        self.core.store().confirm(order(user), Some(factor), answer).await.unwrap()
    }

    /// A factor of `[rest.SERVICE]`, called so.
    pub async fn hold_rest(&self, user: &str, service: &str) -> FactorId {
        let outside = Outside {
            service: FactorLabel::new(service).unwrap(),
            remote_user: Claim::clean(&format!("{user}@corp")),
        };
        self.hold(user, service, (Params::Rest, Secret::Outside(outside))).await
    }

    /// Gives `user` recovery codes.
    pub async fn hold_recovery(&self, user: &str, count: u8) -> Vec<String> {
        let new = RecoveryNew { order: order(user), count };
        let made = self.core.store().recovery_new(new).await.unwrap();
        made.codes.iter().map(|code| code.expose().to_owned()).collect()
    }

    /// Failures of a factor since its last success, as they are stored.
    pub async fn failures(&self, user: &str, factor: FactorId) -> u32 {
        let shown = self.core.store().show(user_id(user)).await.unwrap();
        shown.factors.iter().find(|held| held.factor == factor).unwrap().failures
    }

    /// Begins a login, to be talked to step by step.
    pub async fn begin(&self, user: &str) -> Talk {
        self.begin_as(start(user)).await
    }

    pub async fn begin_as(&self, start: Start) -> Talk {
        let mut client = Client::greet(&self.socket(), Protocol::Login).await;
        client.send(&ClientMessage::Start(start)).await;
        Talk { client }
    }
}

/// A login under way.
pub struct Talk {
    pub client: Client,
}

impl Talk {
    /// The next prompt.
    pub async fn prompt(&mut self) -> String {
        match self.client.receive::<ServerMessage>().await {
            ServerMessage::Prompt { text, .. } => text.to_string(),
            other @ (ServerMessage::Info(_) | ServerMessage::Settled(_)) => panic!("no prompt: {other:?}"),
        }
    }

    pub async fn answer(&mut self, answer: &str) {
        self.client.send(&ClientMessage::Answer(secret(answer))).await;
    }

    /// Answers, and gives the next prompt.
    pub async fn says(&mut self, answer: &str) -> String {
        self.answer(answer).await;
        self.prompt().await
    }

    /// Texts that want no answer, and the end.
    pub async fn end(&mut self) -> (Vec<String>, Verdict) {
        let mut told = Vec::new();
        loop {
            match self.client.receive::<ServerMessage>().await {
                ServerMessage::Settled(verdict) => return (told, verdict),
                ServerMessage::Info(text) => told.push(text.to_string()),
                ServerMessage::Prompt { text, .. } => panic!("no end, but {text:?}"),
            }
        }
    }

    /// Answers, and gives the verdict.
    pub async fn ends(&mut self, answer: &str) -> Verdict {
        self.answer(answer).await;
        self.end().await.1
    }
}
