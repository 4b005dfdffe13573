//! `detail`: what an answer says beside yes and no, where the call or the configuration wants that.
//!
//! Refuses to tell of a person's factors to clients without the right to read them, and of anybody before a yes.

use mfa_proto::{
    admin::{FactorId, FactorKind, Reply, Request},
    name::UserId,
    tag::Serial,
};
use mfa_role::config::Right;
use serde_json::{Map, Value, json};
use tracing::warn;

use super::{Visit, judge::Judged};
use crate::{
    transactions::Waiting,
    verify::{Challenge, Verified},
};

/// The text of a no, whatever the reason.
const WRONG: &str = "wrong otp value";

/// A factor that was proven.
struct Proven {
    user: UserId,
    kind: &'static str,
    serial: String,
    digits: Option<u8>,
}

impl Visit<'_> {
    /// What `check`, `check_s` and `simplecheck` say; `None` when nothing is.
    pub(super) async fn detail(&self, judged: &Judged) -> Option<Value> {
        match &judged.verified {
            Verified::Challenge(challenge) => Some(asking(challenge)),
            Verified::Accept(accepted) => {
                let wants_lengths = self.asked.is_true("auth_info");
                if !wants_lengths && !self.terms.detail.on_success {
                    return None;
                }
                let proven = self.proven(judged, accepted.factor).await;
                let mut detail = Map::new();
                if let Some(lengths) = proven.as_ref().and_then(|proven| self.lengths(proven)) {
                    detail.extend(wants_lengths.then(|| ("auth_info".to_owned(), lengths)));
                }
                if self.terms.detail.on_success {
                    detail.extend(self.told(judged.user.as_ref(), proven));
                }
                (!detail.is_empty()).then_some(Value::Object(detail))
            }
            Verified::Reject { .. }
            | Verified::Locked { .. }
            | Verified::TooSoon { .. }
            | Verified::Unavailable => self.terms.detail.on_fail.then(|| json!({ "error": WRONG })),
        }
    }

    /// What `check_t` says of a challenge that was there.
    pub(super) async fn transaction_detail(&self, judged: &Judged) -> Value {
        let proven = match &judged.verified {
            Verified::Accept(accepted) => self.proven(judged, accepted.factor).await,
            Verified::Challenge(challenge) => return asking(challenge),
            Verified::Reject { .. }
            | Verified::Locked { .. }
            | Verified::TooSoon { .. }
            | Verified::Unavailable => None,
        };
        let value = matches!(judged.verified, Verified::Accept(_));
        let (kind, serial) = proven.map_or(("", String::new()), |proven| (proven.kind, proven.serial));
        json!({ "value": value, "failcount": 0, "token_type": kind, "serial": serial })
    }

    /// How long PIN and code were of what was typed in one text.
    fn lengths(&self, proven: &Proven) -> Option<Value> {
        let (typed, digits) = (self.asked.raw("pass")?.trim(), proven.digits?);
        let pin = typed.chars().count().checked_sub(usize::from(digits))?;
        Some(json!([["pin_length", pin], ["otp_length", digits]]))
    }

    /// Who was verified by what, as this version of LinOTP has it.
    fn told(&self, user: Option<&UserId>, proven: Option<Proven>) -> Map<String, Value> {
        let (user, kind, serial) = match proven {
            Some(Proven { user, kind, serial, .. }) => (Some(user), kind, serial),
            None => (user.cloned(), "", String::new()),
        };
        let (name, realm) = user.map_or_else(Default::default, |user| {
            (user.name.as_str().to_owned(), user.realm.as_str().to_owned())
        });
        let mut told = Map::new();
        if self.terms.numbers_version() {
            told.insert("user".to_owned(), json!({ "username": name }));
            told.insert("is_linotp_admin".to_owned(), Value::Bool(false));
        } else {
            told.insert("user".to_owned(), Value::String(name));
        }
        told.insert("realm".to_owned(), Value::String(realm));
        told.insert("tokentype".to_owned(), Value::String(kind.to_owned()));
        told.insert("serial".to_owned(), Value::String(serial));
        told
    }

    /// What is known of the factor that was proven, where the client may read that.
    async fn proven(&self, judged: &Judged, factor: Option<FactorId>) -> Option<Proven> {
        let factor = factor?;
        if !self.desk.client().rights.include(Right::FactorsRead) {
            return None;
        }
        let user = match (&judged.user, &judged.serial) {
            (Some(user), _) => user.clone(),
            (None, Some(serial)) => self.holder(serial).await?,
            (None, None) => return None,
        };
        let shown = self.desk.admin(Request::Show { user: user.clone() }).await;
        let devices = self.desk.admin(Request::Devices { user: user.clone() }).await;
        let (Ok(Reply::User(shown)), Ok(Reply::Devices(devices))) = (shown, devices) else {
            warn!("the factors of {user} cannot be read: the yes goes without its detail");
            return None;
        };
        let proven = shown.factors.iter().find(|known| known.factor == factor)?;
        let device = devices.into_iter().find(|device| device.factor == factor);
        let serial = device.and_then(|device| device.serial);
        Some(Proven {
            user,
            kind: token_type(proven.kind),
            serial: serial.map(String::from).unwrap_or_default(),
            digits: proven.digits,
        })
    }

    async fn holder(&self, serial: &Serial) -> Option<UserId> {
        match self.desk.admin(Request::Find { serial: serial.clone() }).await {
            Ok(Reply::Found { user, .. }) => user,
            Ok(_) | Err(_) => None,
        }
    }
}

/// A challenge, before anything is proven: which device is asked for is not told.
fn asking(challenge: &Challenge) -> Value {
    json!({
        "transactionid": challenge.transaction,
        "message": challenge.prompt,
        "linotp_tokenserial": "",
        "linotp_tokentype": "",
        "linotp_tokendescription": "",
    })
}

/// A challenge that waits for its answer.
pub(super) fn open(number: &str, waiting: &Waiting) -> Value {
    let waiting = json!({
        "received_count": waiting.wrong,
        "received_tan": waiting.wrong > 0,
        "valid_tan": false,
        "message": waiting.prompt,
        "status": "open",
        "token": { "serial": "", "type": "" },
    });
    json!({ "transactions": Map::from_iter([(number.to_owned(), waiting)]) })
}

/// What LinOTP calls a kind of factor.
pub(in crate::linotp) const fn token_type(kind: FactorKind) -> &'static str {
    match kind {
        FactorKind::Hotp => "HMAC",
        FactorKind::Totp => "TOTP",
        FactorKind::Sms => "sms",
        FactorKind::Mail => "email",
        FactorKind::Rest => "remote",
        FactorKind::Recovery | FactorKind::BreakGlass => "pw",
        FactorKind::Token => "token",
    }
}
