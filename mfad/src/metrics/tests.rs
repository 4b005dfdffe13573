use std::sync::atomic::Ordering;

use mfa_proto::name::{UserId, UserName};

use super::*;
use crate::{clock::UnixTime, session::Reason, store::Proof};

#[test]
fn logins_count_by_how_they_ended_and_why() {
    let metrics = Metrics::default();
    metrics.login(&Settled::denied(Reason::WrongCode));
    metrics.login(&Settled::denied(Reason::WrongCode));
    metrics.login(&Settled::unavailable(Reason::Store));
    metrics.login(&Settled::locked(Gate::UntilAdmin));
    let jane = UserId::local(UserName::new("jane").unwrap());
    metrics.login(&Settled::accepted(vec![Proof::of_nothing(jane)], 1));
    let counts =
        [Verdict::Accept, Verdict::Deny, Verdict::Locked, Verdict::NotApplicable, Verdict::Unavailable];
    assert_eq!(counts.map(|verdict| metrics.logins(verdict)), [1, 2, 1, 0, 1]);
    assert_eq!(metrics.refused(), BTreeMap::from([("wrong_code", 2), ("store", 1), ("locked", 1)]));
}

#[test]
fn answers_count_by_kind_and_by_what_they_led_to() {
    let metrics = Metrics::default();
    let jane = || UserId::local(UserName::new("jane").unwrap());
    let wait = Gate::Wait { until: UnixTime(1) };
    for outcome in [
        Outcome::Accepted(Proof::of_nothing(jane())),
        Outcome::Accepted(Proof::of_recovery(jane(), 3)),
        Outcome::Wrong { gate: Gate::Open },
        Outcome::Wrong { gate: wait },
        Outcome::Used { gate: Gate::Exhausted },
        Outcome::Locked { gate: wait },
    ] {
        metrics.judged(&outcome, Duration::from_millis(1));
    }
    let of = |kind| metrics.kind(kind).load(Ordering::Relaxed);
    assert_eq!(FactorKind::ALL.map(of), [1, 0, 1, 0, 0, 0, 0, 0]);
    assert_eq!(metrics.locks.load(Ordering::Relaxed), 2, "what was locked before locks nothing");
    assert_eq!(metrics.judging.read().1, 6);
}
