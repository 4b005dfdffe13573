//! A token as a row of `show`, with the names that LinOTP has for its properties.
//!
//! Refuses to show what it does not know: a field of LinOTP's that has nothing here is empty.

use jiff::{Timestamp, fmt::rfc2822::DateTimePrinter};
use mfa_proto::admin::{Algorithm, FactorDetail, FactorKind, FactorState};
use serde_json::{Map, Value, json};

use super::token::Token;

/// Counters ahead that are looked at for a code.
pub(in super::super) const COUNT_WINDOW: u32 = 10;
/// Counters ahead that are looked at for two codes in a row.
pub(in super::super) const SYNC_WINDOW: u32 = 100;
/// Stands for the owner of a token whose account is gone.
pub(super) const GONE: &str = "/:no user info:/";

/// Who has a token, as far as that is known of an account.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Holder {
    pub(super) uid: Option<u32>,
    /// The account is gone, or is another's.
    pub(super) orphaned: bool,
}

/// The row of a token.
pub(super) fn row(token: &Token, holder: Holder) -> Map<String, Value> {
    let Token { owner, factor, device } = token;
    let nobodys = token.is_nobodys();
    let of_somebody = |text: String| if nobodys { String::new() } else { text };
    let realm = owner.realm.as_str();
    let uid = holder.uid.map_or_else(|| owner.name.to_string(), |uid| uid.to_string());
    let named = |name: &str| if holder.orphaned { GONE.to_owned() } else { name.to_owned() };
    let fields = [
        ("LinOtp.TokenId", json!(factor.factor.0)),
        ("LinOtp.TokenDesc", json!(device.description.as_ref().map_or("", |text| text.as_str()))),
        ("LinOtp.TokenSerialnumber", json!(token.serial())),
        ("LinOtp.TokenType", json!(kind(factor.kind))),
        ("LinOtp.TokenInfo", json!(info(factor))),
        ("LinOtp.IdResolver", json!(of_somebody(realm.to_owned()))),
        ("LinOtp.IdResClass", json!(of_somebody(resolver(realm)))),
        ("LinOtp.Userid", json!(of_somebody(uid.clone()))),
        ("LinOtp.OtpLen", json!(factor.digits.unwrap_or_default())),
        ("LinOtp.MaxFail", json!(device.locks_at)),
        ("LinOtp.Isactive", json!(factor.state == FactorState::Active)),
        ("LinOtp.FailCount", json!(factor.failures)),
        // Nothing was used yet of a token whose position is before all.
        ("LinOtp.Count", json!(device.position.unwrap_or_default().max(0))),
        ("LinOtp.CountWindow", json!(COUNT_WINDOW)),
        ("LinOtp.SyncWindow", json!(SYNC_WINDOW)),
        ("LinOtp.CreationDate", json!(date(factor.created))),
        ("LinOtp.LastAuthSuccess", json!(factor.last_used.map(date).unwrap_or_default())),
        ("LinOtp.LastAuthMatch", json!("")),
        ("LinOtp.RealmNames", if nobodys { json!([]) } else { json!([realm]) }),
        ("User.description", json!("")),
        ("User.userid", json!(of_somebody(named(&uid)))),
        ("User.username", json!(of_somebody(named(owner.name.as_str())))),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// What LinOTP calls a kind.
pub(super) const fn kind(kind: FactorKind) -> &'static str {
    match kind {
        FactorKind::Totp => "TOTP",
        FactorKind::Hotp => "HMAC",
        FactorKind::Mail => "email",
        FactorKind::Rest => "remote",
        FactorKind::Sms | FactorKind::Recovery | FactorKind::Token | FactorKind::BreakGlass => kind.word(),
    }
}

/// The resolver of a realm, which is named after it.
pub(in super::super) fn resolver(realm: &str) -> String {
    format!("useridresolver.PasswdIdResolver.IdResolver.{realm}")
}

/// What LinOTP calls the hash inside the code.
pub(super) const fn hash(factor: &FactorDetail) -> &'static str {
    match factor.algorithm {
        Some(Algorithm::Sha1) => "sha1",
        Some(Algorithm::Sha256) => "sha256",
        Some(Algorithm::Sha512) => "sha512",
        None => "",
    }
}

/// Seconds before and after now in which time-based codes are looked for: a step, at most.
pub(super) fn time_window(factor: &FactorDetail) -> u16 {
    factor.period.unwrap_or_default()
}

/// Seconds by which a token's clock is known to be off.
pub(super) fn time_shift(factor: &FactorDetail) -> i32 {
    factor.drift.saturating_mul(i32::from(factor.period.unwrap_or_default()))
}

/// A text that is JSON, one property a line.
fn info(factor: &FactorDetail) -> String {
    let mut lines = Vec::new();
    if factor.algorithm.is_some() {
        lines.push(format!("\"hashlib\": \"{}\"", hash(factor)));
    }
    if let Some(period) = factor.period {
        lines.push(format!("\"timeWindow\": \"{}\"", time_window(factor)));
        lines.push(format!("\"timeShift\": {}.0", time_shift(factor)));
        lines.push(format!("\"timeStep\": \"{period}\""));
    }
    if lines.is_empty() { String::new() } else { format!("{{\n{}\n}}", lines.join(",\n")) }
}

/// A moment as LinOTP writes it; empty for one that no calendar has.
fn date(unix: i64) -> String {
    let moment = Timestamp::from_second(unix).ok();
    moment
        .and_then(|moment| DateTimePrinter::new().timestamp_to_rfc9110_string(&moment).ok())
        .unwrap_or_default()
}
