//! Rows of the trail that people are told of: which they are, and those that say by themselves what a verdict
//! would only show to whoever counts.
//!
//! Written in the transaction that causes them. Refuses to tell anybody: [`crate::notices`] has that done.

use mfa_proto::admin::FactorId;

use super::{
    StoreError,
    audit_rows::{self, Event},
    tx::Tx,
};
use crate::{
    audit::Context,
    clock::UnixTime,
    config::NotifyEvent,
    limits::{Counter, Gate, Profile},
};

/// An account, or a factor of it, was locked.
pub(super) const LOCKED: &str = "locked";
/// A code came again that had been used.
pub(super) const CODE_REUSED: &str = "code_reused";
/// A recovery code was used.
pub(super) const RECOVERY_USED: &str = "recovery_used";

/// Rows that people may be told of, with what the configuration calls them.
const NOTABLE: [(&str, NotifyEvent); 17] = [
    ("enroll", NotifyEvent::Enroll),
    ("enroll_replace", NotifyEvent::Enroll),
    ("confirm", NotifyEvent::Enroll),
    ("directory_adopt", NotifyEvent::Enroll),
    ("directory_change", NotifyEvent::Enroll),
    ("directory_back", NotifyEvent::Enroll),
    ("recovery_new", NotifyEvent::Enroll),
    ("remove", NotifyEvent::Remove),
    ("remove_tampered", NotifyEvent::Remove),
    ("disable", NotifyEvent::Remove),
    ("directory_gone", NotifyEvent::Remove),
    (RECOVERY_USED, NotifyEvent::Recovery),
    (LOCKED, NotifyEvent::Lock),
    (CODE_REUSED, NotifyEvent::Reuse),
    ("breakglass", NotifyEvent::BreakGlass),
    ("breakglass_used", NotifyEvent::BreakGlass),
    ("invite", NotifyEvent::Invite),
];

/// A factor is there, and counts only once it is proven: what the verdict of its row says.
pub(super) const BEGUN: &str = "begun";

/// What the configuration calls such a row; `None` for what nobody is told of.
pub(super) fn kind_of(event: &str, verdict: &str) -> Option<NotifyEvent> {
    // Refusals, and factors that are pending, change nothing for anybody.
    let happened = matches!(verdict, "done" | "noticed" | "accept");
    NOTABLE.iter().find(|(word, _)| *word == event && happened).map(|(_, kind)| *kind)
}

/// How the limits of something stand after a failure, if that locked it: waits of seconds before are none.
pub(super) fn lock(gate: Gate, counter: Counter, profile: &Profile, now: UnixTime) -> Option<String> {
    match gate {
        Gate::Open => None,
        Gate::Wait { .. } if counter.failures < profile.burst => None,
        Gate::Wait { until } => Some(format!("{} s", until.since(now))),
        Gate::UntilAdmin => Some("until_admin".to_owned()),
        Gate::Exhausted => Some("exhausted".to_owned()),
    }
}

/// Writes a row that says what was noticed.
pub(super) fn note(
    tx: &mut Tx<'_>,
    (what, context): (&'static str, &Context),
    factor: Option<FactorId>,
    reason: &str,
) -> Result<(), StoreError> {
    let event = Event { what, context: Some(context), factor, rule: None, verdict: "noticed", reason };
    audit_rows::append(tx, &event)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::ProfileName;

    #[test]
    fn only_what_has_happened_is_told() {
        assert_eq!(kind_of("enroll", "done"), Some(NotifyEvent::Enroll));
        assert_eq!(kind_of("enroll", BEGUN), None);
        assert_eq!(kind_of("locked", "noticed"), Some(NotifyEvent::Lock));
        assert_eq!(kind_of("remove", "deny"), None);
        assert_eq!(kind_of("login", "accept"), None);
    }

    #[test]
    fn a_wait_of_seconds_is_no_lock() {
        let (profile, now) = (Profile::named(ProfileName::Default), UnixTime(1_800_000_000));
        let mut counter = Counter::default();
        let mut fail = || {
            let gate = counter.fail(&profile, now);
            lock(gate, counter, &profile, now)
        };
        let told: Vec<_> = (1..=6).map(|_| fail()).collect();
        let locks = [Some("900 s".to_owned()), Some("1800 s".to_owned())];
        assert_eq!(told, [[None, None], [None, None], locks].concat());
        assert_eq!((7..=100).map(|_| fail()).last(), Some(Some("exhausted".to_owned())));
    }
}
