//! `losttoken`: a token is switched off, and its owner gets a code that lets in once.
//!
//! Refuses tokens that nobody has, and codes that count for longer than core makes them; whether this client may have
//! one made is core's to judge. The code stands in the answer and nowhere else.

use jiff::Timestamp;
use mfa_proto::{
    admin::{Reply, Request},
    text::ShownText,
};
use serde_json::json;

use super::{
    super::envelope::Fault,
    Order,
    said::{Done, asked, refused, senseless, unusable},
};

/// Seconds that a code counts where nothing else is said.
const USUAL: u32 = 2 * HOUR;
const HOUR: u32 = 3600;
/// Seconds that a code may count: as many as core makes it count.
const BOUNDS: std::ops::RangeInclusive<u32> = 300..=24 * HOUR;

/// Answers `losttoken`.
pub(super) async fn lost(order: Order<'_>) -> Result<Done, Fault> {
    let seconds = order.asked.get("validity").map_or(Ok(USUAL), span)?;
    let token = order.with_serial().await?;
    if token.is_nobodys() {
        return Err(Fault::other("You can only define a lost token for an assigned token."));
    }
    let reason = ShownText::clean(&format!("token {} lost", token.serial()));
    let request = Request::Lost { target: token.target(), seconds, reason };
    match asked(order.desk, request).await? {
        Ok(Reply::BreakGlass { factor, code, until }) => Ok(json!({
            "serial": format!("{}:{}", token.owner, factor.0),
            "init": true,
            "user": 1,
            // It is typed by itself.
            "pin": 0,
            "valid_to": moment(until, "%Y-%m-%dT%H:%M:%SZ"),
            "password": code.expose(),
            "end_date": moment(until, "%d/%m/%y %H:%M"),
            "token_typ": "pw",
            "disable": 1,
        })
        .into()),
        Ok(reply) => Err(senseless(&reply)),
        Err(refusal) => Err(refused(&refusal, &token.owner)),
    }
}

/// Days as LinOTP's policy has them, or a number with its unit: `1`, `12h`, `90m`.
fn span(given: &str) -> Result<u32, Fault> {
    let (number, unit) = match given.char_indices().last() {
        Some((at, 'd')) => (given.get(..at), 24 * HOUR),
        Some((at, 'h')) => (given.get(..at), HOUR),
        Some((at, 'm')) => (given.get(..at), 60),
        Some(_) | None => (Some(given), 24 * HOUR),
    };
    let digits = number.filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
    let number = digits.and_then(|digits| digits.parse::<u32>().ok());
    let seconds = number.and_then(|number| number.checked_mul(unit)).filter(|span| BOUNDS.contains(span));
    seconds.ok_or_else(|| unusable("validity", "a code counts for 5m to 24h, or 1 day"))
}

/// A moment as it is written here; empty for one that no calendar has.
fn moment(unix: i64, form: &str) -> String {
    Timestamp::from_second(unix).map(|time| time.strftime(form).to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_has_a_unit_and_is_within_a_day() {
        for (given, seconds) in
            [("1", 86_400), ("1d", 86_400), ("24h", 86_400), ("12h", 43_200), ("90m", 5_400), ("5m", 300)]
        {
            assert_eq!(span(given), Ok(seconds), "{given}");
        }
        for given in [
            "",
            "0",
            "2",
            "10",
            "25h",
            "4m",
            "1441m",
            "h",
            "-1",
            "+1",
            "1.5h",
            "1 d",
            "60s",
            "4294967295d",
            "1é",
        ] {
            assert!(span(given).is_err(), "{given}");
        }
    }
}
