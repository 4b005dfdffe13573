//! `getSerialByOtp`: which device shows a code. Core looks for it, and uses the code up.
//!
//! Refuses to tell a code that was used from one that nobody has, and to search once more than was asked for.

use mfa_proto::{
    admin::{FactorKind, Identify, Refusal, RefusalCode, Reply, Request},
    answer::OtpCode,
    name::RealmName,
    secret::SecretText,
};
use serde_json::{Value, json};

use super::{
    super::envelope::Fault,
    Order,
    rows::resolver,
    said::{Done, asked, refused, senseless, unusable},
};

/// The most characters of a pattern for serial numbers.
const MOST: usize = 128;

/// Answers `getSerialByOtp`.
pub(super) async fn by_code(order: Order<'_>) -> Result<Done, Fault> {
    match asked(order.desk, Request::Identify(Box::new(wanted(order)?))).await? {
        Ok(Reply::Found { user, device, .. }) => {
            let serial = device.serial.as_ref().map_or("", |serial| serial.as_str());
            Ok(match user {
                Some(user) => told(serial, user.name.as_str(), &resolver(user.realm.as_str())),
                None => told(serial, "", ""),
            }
            .into())
        }
        Ok(reply) => Err(senseless(&reply)),
        Err(Refusal { code: RefusalCode::NoSuchFactor, .. }) => Ok(told("", "", "").into()),
        Err(refusal) => Err(refused(&refusal, "")),
    }
}

fn told(serial: &str, login: &str, resolver: &str) -> Value {
    json!({ "success": true, "serial": serial, "user_login": login, "user_resolver": resolver })
}

/// What is looked for. Empty is as good as absent, and a star alone is no filter.
fn wanted(order: Order<'_>) -> Result<Identify, Fault> {
    let code = order.needed("otp")?.trim();
    if OtpCode::parse(code).is_none() {
        return Err(unusable("otp", "a code has 6 to 8 digits"));
    }
    let code = SecretText::new(code.to_owned()).map_err(|_| unusable("otp", "it is too long"))?;
    let filter = |name| order.asked.get(name).filter(|given| *given != "*");
    let kind = match filter("type").map(str::to_lowercase).as_deref() {
        None => None,
        Some("totp") => Some(FactorKind::Totp),
        Some("hmac" | "hotp") => Some(FactorKind::Hotp),
        Some(_) => return Err(unusable("type", "it is hmac or totp")),
    };
    let assigned = match filter("assigned").map(str::to_lowercase).as_deref() {
        None => None,
        Some("1" | "true") => Some(true),
        Some("0" | "false") => Some(false),
        Some(_) => return Err(unusable("assigned", "it is 0 or 1")),
    };
    let realm = filter("realm").map(|realm| RealmName::new(realm.to_lowercase())).transpose();
    let realm = realm.map_err(|error| unusable("realm", &error.to_string()))?;
    let serial = filter("serial").map(str::to_owned);
    if serial.as_ref().is_some_and(|serial| serial.len() > MOST) {
        return Err(unusable("serial", "it is too long"));
    }
    Ok(Identify { code, kind, assigned, realm, serial })
}
