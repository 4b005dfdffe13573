//! `breakglass`: a code for an emergency.

use std::time::Duration;

use clap::Args;

use super::{parse, recovery::CodesTo, user::NamedUser};

/// The most characters of a reason, as the daemon has it.
const MAX_REASON: usize = 200;

/// `breakglass`.
#[derive(Args, Debug)]
pub(crate) struct BreakGlassArgs {
    /// For whom.
    #[command(flatten)]
    pub(crate) user: NamedUser,
    /// How long it counts: 5m to 24h
    #[arg(long = "for", value_name = "TIME", default_value = "2h", value_parser = span)]
    pub(crate) span: Duration,
    /// Why: for the audit trail, and for those who are told
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub(crate) reason: String,
    /// Where it goes.
    #[command(flatten)]
    pub(crate) to: CodesTo,
}

/// How long a code for an emergency may count.
pub(super) fn span(text: &str) -> Result<Duration, String> {
    let bounds = Duration::from_secs(5 * 60)..=Duration::from_secs(24 * 3_600);
    let span = parse::span(text)?;
    if bounds.contains(&span) { Ok(span) } else { Err("it can count for 5m to 24h".to_owned()) }
}

/// Why one is made.
pub(super) fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    let fits = (1..=MAX_REASON).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    if fits {
        Ok(text.to_owned())
    } else {
        Err(format!("one line of 1 to {MAX_REASON} characters is needed"))
    }
}
