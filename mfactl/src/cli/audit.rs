//! `audit`: which rows, and whether the trail is whole.

use clap::{Args, Subcommand};
use mfa_proto::admin::VERDICTS;
use mfa_proto::name::{Claim, ServiceName, UserName};

use super::help;

/// `audit`.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct AuditArgs {
    /// What else than showing rows
    #[command(subcommand)]
    pub(crate) verb: Option<AuditVerb>,
    /// Which rows
    #[command(flatten)]
    pub(crate) rows: AuditRows,
}

/// Which rows of the trail.
#[derive(Args, Debug)]
pub(crate) struct AuditRows {
    /// Only what concerns this user
    #[arg(long)]
    pub(crate) user: Option<UserName>,
    /// Only what came through this PAM service
    #[arg(long)]
    pub(crate) service: Option<ServiceName>,
    /// Only what came from this address, as it stands in the column SOURCE
    #[arg(long, value_name = "ADDRESS", value_parser = claim)]
    pub(crate) source: Option<Claim>,
    /// Only with this verdict
    #[arg(long, value_name = "WORD", value_parser = VERDICTS)]
    pub(crate) verdict: Option<String>,
    /// Only of this kind: login, enroll, remove, unlock, …
    #[arg(long, value_name = "WORD")]
    pub(crate) event: Option<String>,
    /// Only at or after: 2026-03-01, "2026-03-01 14:30", RFC 3339, @UNIX, or 2h, 30min, 7d ago
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only before; same forms
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// Only the last N rows of what fits [default: 50 without --since and --until, else all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) last: Option<u32>,
    /// Go on showing rows as they come, until Ctrl-C; also when mfad is restarted meanwhile
    #[arg(long, short, conflicts_with = "until")]
    pub(crate) follow: bool,
}

/// `audit VERB`.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditVerb {
    /// Check that no row was changed, removed, added or moved (root)
    #[command(after_long_help = help::AUDIT_VERIFY)]
    Verify(VerifyArgs),
}

/// `audit verify`.
#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    /// Also check that row SEQ is still there with this link, as an earlier run or export said
    #[arg(long, value_name = "SEQ:LINK", value_parser = link)]
    pub(crate) expect: Vec<Link>,
}

/// A row's number and its link.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Link {
    /// The number.
    pub(crate) seq: i64,
    /// The link.
    pub(crate) chain: [u8; 32],
}

fn claim(text: &str) -> Result<Claim, &'static str> {
    let claim = Claim::clean(text);
    if claim.as_str() == text { Ok(claim) } else { Err("a source is one line of text") }
}

fn link(text: &str) -> Result<Link, &'static str> {
    let wrong = "write the number of a row and its link: 1234:5f0c… (64 hexadecimal digits)";
    let (seq, hex) = text.split_once(':').ok_or(wrong)?;
    let seq = seq.parse().ok().filter(|seq| *seq > 0).ok_or(wrong)?;
    let digits: Vec<u8> = hex.chars().filter_map(|c| u8::try_from(c.to_digit(16)?).ok()).collect();
    if (hex.len(), digits.len()) != (64, 64) {
        return Err(wrong);
    }
    let mut chain = [0; 32];
    for (byte, pair) in chain.iter_mut().zip(digits.chunks(2)) {
        *byte = pair.iter().fold(0, |byte, digit| byte << 4 | digit);
    }
    Ok(Link { seq, chain })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_a_number_and_64_digits() {
        let hex = "0f".repeat(32);
        assert_eq!(link(&format!("7:{hex}")), Ok(Link { seq: 7, chain: [15; 32] }));
        for bad in
            [hex.clone(), format!("0:{hex}"), format!("x:{hex}"), format!("7:{hex}00"), "7:".to_owned()]
        {
            assert!(link(&bad).is_err(), "{bad}");
        }
    }
}
