//! Whether the directory that core looks people up in could be asked the last time.
//!
//! Refuses to ask it: that takes a person to ask about, which is what `mfactl ldap pull` is for.

use mfa_proto::admin::DirectoryState;

use super::{Finding, Report, Severity};
use crate::render::time::Now;

const CHECK: &str = "directory";

/// Judges what the daemon tells of it.
pub(super) fn check(state: &DirectoryState, now: &Now, report: &mut Report) {
    match state {
        DirectoryState::NotAsked => {}
        DirectoryState::Answers { .. } => report.ok(CHECK, "the directory answered the last time"),
        DirectoryState::Fails { since, why } => {
            let (since, why) = (now.full(Some(*since)), why.as_str());
            let what = format!(
                "the directory cannot be asked since {since}, so that whoever holds nothing yet may be denied: {why}"
            );
            report.add(Finding::new(CHECK, Severity::Warning, what).remedy(
                "journalctl -t mfad-egress; whether it works again: mfactl ldap pull USER --dry-run",
            ));
        }
    }
}
