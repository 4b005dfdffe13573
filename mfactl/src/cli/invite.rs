//! `invite`: for whom, and for how long.

use clap::Args;

use super::user::NamedUser;

/// Whom to invite.
#[derive(Args, Debug)]
pub(crate) struct InviteArgs {
    /// Whom.
    #[command(flatten)]
    pub(crate) user: NamedUser,
    /// How long it counts: 30m, 24h, 7d [default: what the configuration says]
    #[arg(long = "for", value_name = "TIME", value_parser = seconds)]
    pub(crate) lifetime: Option<u32>,
    /// Take the invitation back instead
    #[arg(long, conflicts_with = "lifetime")]
    pub(crate) withdraw: bool,
}

fn seconds(text: &str) -> Result<u32, String> {
    let wrong = || "a number and a unit are needed, as in 30m, 24h or 7d: at most 30d".to_owned();
    let unit = match text.as_bytes().last() {
        Some(b's') => 1,
        Some(b'm') => 60,
        Some(b'h') => 3_600,
        Some(b'd') => 86_400,
        Some(_) | None => return Err(wrong()),
    };
    let digits = text.get(..text.len().saturating_sub(1)).unwrap_or_default();
    let number = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<u32>().ok()).flatten();
    let seconds = number.and_then(|number| number.checked_mul(unit));
    seconds.filter(|seconds| (1..=30 * 86_400).contains(seconds)).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn a_time_has_a_number_and_a_unit() {
        for (text, expected) in [("90s", 90), ("30m", 1800), ("72h", 259_200), ("30d", 2_592_000)] {
            assert_eq!(seconds(text), Ok(expected), "{text}");
        }
        for text in ["", "h", "24", "0h", "31d", "-1h", "+1h", "1.5h", "99999999999d", "1w", "é"] {
            assert!(seconds(text).is_err(), "{text:?}");
        }
    }
}
