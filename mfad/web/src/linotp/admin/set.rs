//! `set`: the PIN of a token, and properties that tokens have elsewhere.
//!
//! Refuses to change limits, windows and the form of codes: they are the host's, for all tokens alike. What is asked
//! for as it is already is taken for done.

use mfa_proto::{admin::Request, answer::Pin, secret::SecretText};
use serde_json::{Map, Value, json};

use super::{
    super::envelope::Fault,
    Order,
    meant::Meant,
    rows,
    said::{Done, changed},
    token::Token,
};

/// No use of `set`.
const USAGE: i32 = 77;
/// What can be asked for beside the PIN.
const FIXED: [&str; 8] = [
    "MaxFailCount",
    "SyncWindow",
    "CounterWindow",
    "OtpLen",
    "hashlib",
    "timeWindow",
    "timeStep",
    "timeShift",
];

/// A PIN that core will take.
pub(super) fn new_pin(typed: &str) -> Result<SecretText, Fault> {
    Pin::new(typed).map_err(|error| Fault::other(error.to_string()))?;
    SecretText::new(typed.to_owned()).map_err(|error| Fault::other(error.to_string()))
}

/// Sets what is given, or nothing at all.
pub(super) async fn set(order: Order<'_>) -> Result<Done, Fault> {
    let pin = order.asked.raw("pin");
    let fixed: Vec<_> = FIXED.iter().filter_map(|name| Some((*name, order.asked.get(name)?))).collect();
    if pin.is_none() && fixed.is_empty() {
        let names = FIXED.join(", ");
        return Err(Fault::new(USAGE, format_args!("Usage: set: user or serial, and pin, {names}")));
    }
    // An empty PIN is none.
    let pin = pin.map(|pin| if pin.is_empty() { Ok(None) } else { new_pin(pin).map(Some) }).transpose()?;
    let tokens = match order.meant().await? {
        Meant::One(token) => vec![*token],
        Meant::All(_, tokens) => tokens,
    };
    for token in &tokens {
        for (name, value) in &fixed {
            stays(token, name, value)?;
        }
        if pin.is_some() && token.is_nobodys() {
            return Err(Fault::other(format!(
                "nobody has {}: its PIN is set for who gets it",
                token.serial()
            )));
        }
    }
    let mut value = Map::new();
    if let Some(pin) = &pin {
        for token in &tokens {
            let pin = pin.as_ref().map(SecretText::again);
            let request = Request::SetPin { target: token.target(), pin, code: None };
            changed(order.desk, &token.owner, request).await?;
        }
        value.insert("set pin".to_owned(), json!(tokens.len()));
    }
    value.extend(fixed.iter().map(|(name, _)| (format!("set {name}"), json!(tokens.len()))));
    Ok(Value::Object(value).into())
}

/// `tokenrealm`: a token is of the realm of whoever has it, and of no other.
pub(super) async fn tokenrealm(order: Order<'_>) -> Result<Done, Fault> {
    let token = order.with_serial().await?;
    let wanted = order.asked.raw("realms").ok_or_else(|| Fault::missing("realms"))?;
    let wanted: Vec<_> = wanted.split(',').map(str::trim).filter(|realm| !realm.is_empty()).collect();
    let present = token.owner.realm.as_str();
    let stays = match wanted.as_slice() {
        [] => token.is_nobodys(),
        [one] => !token.is_nobodys() && one.eq_ignore_ascii_case(present),
        _ => false,
    };
    if stays {
        return Ok(json!(1).into());
    }
    Err(Fault::other(format!(
        "{} is of the realm of whoever has it: unassign it, and assign it to a user there. Nothing was changed",
        token.serial()
    )))
}

/// Whether a property has the value already that it is to have.
fn stays(token: &Token, name: &str, wanted: &str) -> Result<(), Fault> {
    let present = match name {
        "MaxFailCount" => token.device.locks_at.to_string(),
        "SyncWindow" => rows::SYNC_WINDOW.to_string(),
        "CounterWindow" => rows::COUNT_WINDOW.to_string(),
        "OtpLen" => token.factor.digits.unwrap_or_default().to_string(),
        "hashlib" => rows::hash(&token.factor).to_owned(),
        "timeStep" => token.factor.period.unwrap_or_default().to_string(),
        "timeWindow" => rows::time_window(&token.factor).to_string(),
        _ => rows::time_shift(&token.factor).to_string(),
    };
    if present.eq_ignore_ascii_case(wanted.trim()) {
        return Ok(());
    }
    Err(Fault::other(format!(
        "{name} of {} is {present} and stays so: limits are the host's ([limits] in mfad.toml), and how codes are made is settled at enrollment. Nothing was changed",
        token.serial()
    )))
}
