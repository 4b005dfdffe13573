//! `init`: a new token, with a key that is brought along or made by core.
//!
//! Refuses serial numbers that are taken (in the original the token before was overwritten), keys that are too short
//! for their hash, hashes that nobody knows, and kinds that nothing here stands for. A key that was brought along is not
//! repeated in the answer.

use std::fmt::Write as _;

use base64ct::{Base64, Encoding as _};
use mfa_proto::{
    admin::{
        Algorithm, Enrolled, HotpParams, NewFactor, NewParams, NewTag, RefusalCode, Reply, Request,
        SentParams, TotpParams,
    },
    name::{FactorLabel, RealmName, UserId},
    secret::SecretText,
    tag::{Description, Serial},
};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::{
    super::envelope::Fault,
    Order,
    said::{Done, asked, refused, senseless, unusable},
    seed,
    set::new_pin,
    token::{by_serial, keeper},
};

/// There is no such kind.
const NO_KIND: i32 = 1610;
/// A key and none.
const BOTH: i32 = 344;

/// The kinds that there are.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Kind {
    Hmac,
    Totp,
    Sms,
    Mail,
}

impl Kind {
    fn of(given: &str) -> Result<Self, Fault> {
        match given.to_lowercase().as_str() {
            "hmac" | "hotp" => Ok(Self::Hmac),
            "totp" => Ok(Self::Totp),
            "sms" => Ok(Self::Sms),
            "email" => Ok(Self::Mail),
            _ => Err(Fault::new(NO_KIND, format_args!("admin/init failed: unknown token type '{given}'"))),
        }
    }

    /// What LinOTP's serial numbers of the kind begin with.
    const fn prefix(self) -> &'static str {
        match self {
            Self::Hmac => "OATH",
            Self::Totp => "TOTP",
            Self::Sms => "LSSM",
            Self::Mail => "LSEM",
        }
    }

    /// Whether it has a key; else codes are sent.
    const fn has_key(self) -> bool {
        matches!(self, Self::Hmac | Self::Totp)
    }
}

/// Answers `init`.
pub(super) async fn init(order: Order<'_>) -> Result<Done, Fault> {
    let kind = Kind::of(order.asked.get("type").unwrap_or("hmac"))?;
    let secret = key(order, kind)?;
    let params = params(order, kind)?;
    let pin = order.asked.get("pin").map(new_pin).transpose()?;
    let description = order.asked.get("description").map(Description::new).transpose();
    let description = description.map_err(|error| unusable("description", &error.to_string()))?;
    let serial = match order.asked.get("serial") {
        Some(serial) => Serial::new(serial).map_err(|error| unusable("serial", &error.to_string()))?,
        None => fresh_serial(kind)?,
    };
    let user = match order.user()? {
        Some(user) => user,
        None => UserId { realm: RealmName::unassigned(), name: keeper(&serial)? },
    };
    let new = NewFactor {
        user: user.clone(),
        label: FactorLabel::new(serial.as_str()).ok(),
        params,
        secret,
        // Numbers and addresses count when a code has come back.
        activate: kind.has_key(),
        replace: false,
        current_code: None,
        invitation: None,
        tag: NewTag { serial: Some(serial.clone()), description, pin },
    };
    match asked(order.desk, Request::Enroll(Box::new(new))).await? {
        Ok(Reply::Enrolled(enrolled)) => {
            Ok(Done { value: json!(true), detail: Some(detail(&serial, &enrolled)) })
        }
        Ok(reply) => Err(senseless(&reply)),
        Err(refusal) if refusal.code == RefusalCode::WrongState => {
            let taken = by_serial(order.desk, serial.as_str()).await?.is_some();
            let told = format!("the serial {serial} is taken: remove that token first, or choose another");
            Err(if taken { Fault::other(told) } else { refused(&refusal, &user) })
        }
        Err(refusal) => Err(refused(&refusal, &user)),
    }
}

/// The key that is brought along, as core takes it; `None` for one that core makes, and for kinds without.
fn key(order: Order<'_>, kind: Kind) -> Result<Option<SecretText>, Fault> {
    if !kind.has_key() {
        return Ok(None);
    }
    match (order.asked.get("otpkey"), order.asked.is_true("genkey")) {
        (Some(_), true) => {
            Err(Fault::new(BOTH, "[ParameterError] You may either specifygenkey or otpkey, but not both!"))
        }
        (None, true) => Ok(None),
        (None, false) => Err(Fault::missing("otpkey")),
        (Some(hex), false) => seed::base32_of_hex(hex)
            .map(Some)
            .ok_or_else(|| Fault::other("'The provided token seed contains non-hexadecimal characters'")),
    }
}

fn params(order: Order<'_>, kind: Kind) -> Result<NewParams, Fault> {
    let given = order.asked;
    let algorithm = match given.get("hashlib").map(str::to_lowercase).as_deref() {
        None | Some("sha1") => Algorithm::Sha1,
        Some("sha256") => Algorithm::Sha256,
        Some("sha512") => Algorithm::Sha512,
        Some(_) => return Err(unusable("hashlib", "it is sha1, sha256 or sha512")),
    };
    let digits = match given.get("otplen") {
        None | Some("6") => 6,
        Some("8") => 8,
        Some(_) => return Err(unusable("otplen", "it is 6 or 8")),
    };
    let address = |name| {
        let address = SecretText::new(order.needed(name)?.to_owned());
        address.map_err(|_| unusable(name, "it is too long"))
    };
    Ok(match kind {
        Kind::Hmac => NewParams::Hotp(HotpParams { algorithm, digits, counter: 0 }),
        Kind::Totp => {
            let step = given.get("timeStep").unwrap_or("30").parse::<u16>().ok();
            let period = step.filter(|step| (15..=120).contains(step));
            let period = period.ok_or_else(|| unusable("timeStep", "it is 15 to 120 seconds"))?;
            NewParams::Totp(TotpParams { algorithm, digits, period })
        }
        Kind::Sms => NewParams::Sms(SentParams { address: address("phone")?, digits: None }),
        Kind::Mail => NewParams::Mail(SentParams { address: address("email_address")?, digits: None }),
    })
}

/// A serial number in LinOTP's form. Core refuses the one of many that is taken.
fn fresh_serial(kind: Kind) -> Result<Serial, Fault> {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).map_err(|_| Fault::other("no randomness for a serial: try again"))?;
    let number = bytes.iter().fold(String::new(), |mut hex, byte| {
        let _infallible = write!(hex, "{byte:02X}");
        hex
    });
    Serial::new(format!("{}{number}", kind.prefix())).map_err(|error| Fault::other(error.to_string()))
}

/// What is shown of a new token: the key that core made, once.
fn detail(serial: &Serial, enrolled: &Enrolled) -> Value {
    let mut detail = Map::from_iter([("serial".to_owned(), json!(serial))]);
    if let Some(hex) = enrolled.secret.as_ref().and_then(seed::hex_of_base32) {
        detail.insert("otpkey".to_owned(), shown("1", "OTP seed", &format!("seed://{}", &*hex), 200));
    }
    if let Some(link) = &enrolled.uri {
        let link = shown("0", "OTPAuth Url", link.expose(), 250);
        detail.insert("enrollment_url".to_owned(), link.clone());
        detail.insert("googleurl".to_owned(), link);
    }
    Value::Object(detail)
}

fn shown(order: &str, description: &str, value: &str, width: u16) -> Value {
    let image = crate::image::png(value).map(|png| Zeroizing::new(Base64::encode_string(&png)));
    let image = image.map_or_else(String::new, |png| {
        format!("<img id=\"challenge_qrcode\"   width={width}  src=\"data:image/png;base64,{}\"/>", &*png)
    });
    json!({ "order": order, "description": description, "value": value, "img": image })
}
