//! Outside services: what they are asked is charged before, a yes takes it back once, and everything else
//! denies.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod store_common;

use mfa_proto::admin::{AuditFilter, FactorKind, FactorState};
use mfad::{
    limits::{Gate, Profile, ProfileName},
    store::{
        Channel, Consult, Consulted, Judgment, NewFactor, Outcome, Refused, Store, StoreError, StoreSettings,
        Target,
    },
};
use store_common::*;

#[tokio::test]
async fn a_yes_is_a_proof_and_takes_the_charge_back() {
    let f = Fixture::new();
    let corp = f.enroll_rest("jane").await;
    let login = context("jane");
    let ticket = f.ticket(&login, corp).await;
    assert_eq!((ticket.outside().service.as_str(), ticket.outside().remote_user.as_str()), ("corp", "jane"));
    assert_eq!((f.failures("jane", corp).await, f.failures_30_days("jane").await), (1, 1));
    let Outcome::Accepted(proof) = f.store.settle(*ticket, Judgment::Yes).await.unwrap() else {
        panic!("yes is yes")
    };
    assert_eq!((proof.factor(), proof.kind(), proof.user()), (corp, FactorKind::Rest, &user("jane")));
    assert_eq!((f.failures("jane", corp).await, f.failures_30_days("jane").await), (0, 0));
    let rows = f.store.audit(AuditFilter::default(), 100).await.unwrap().rows;
    let told: Vec<_> = rows.iter().map(|row| (row.event.as_str(), row.verdict.as_str())).collect();
    assert!(told.ends_with(&[("consult", "begun"), ("login", "accept")]), "{told:?}");
    assert!(rows.iter().rev().take(2).all(|row| row.session == login.session.as_str()));
}

#[tokio::test]
async fn no_and_unreachable_deny_and_stay_charged() {
    let f = Fixture::new();
    let corp = f.enroll_rest("jane").await;
    let login = context("jane");
    let ticket = f.ticket(&login, corp).await;
    let no = f.store.settle(*ticket, Judgment::No).await.unwrap();
    assert!(matches!(no, Outcome::Wrong { gate: Gate::Open }), "{no:?}");
    let ticket = f.ticket(&login, corp).await;
    let unreachable = f.store.settle(*ticket, Judgment::Unreachable).await.unwrap();
    assert!(matches!(unreachable, Outcome::Unreachable { gate: Gate::Open }), "{unreachable:?}");
    assert_eq!((f.failures("jane", corp).await, f.failures_30_days("jane").await), (2, 2));
    let ticket = f.ticket(&login, corp).await;
    assert!(accepted(&f.store.settle(*ticket, Judgment::Yes).await.unwrap()));
    // What was charged for the two stays in the long window.
    assert_eq!((f.failures("jane", corp).await, f.failures_30_days("jane").await), (0, 2));
}

#[tokio::test]
async fn a_process_that_dies_while_it_asks_leaves_the_failure_counted() {
    let mut f = Fixture::new();
    let corp = f.enroll_rest("jane").await;
    let login = context("jane");
    let ticket = f.ticket(&login, corp).await;
    f.reopen_after(|_| ()).await;
    assert_eq!((f.failures("jane", corp).await, f.failures_30_days("jane").await), (1, 1));
    // Another process has no use for the ticket, whatever the service says by now.
    let late = f.store.settle(*ticket, Judgment::Yes).await.unwrap();
    assert!(matches!(late, Outcome::Unreachable { .. }), "{late:?}");
    assert_eq!(f.failures("jane", corp).await, 1);
}

#[tokio::test]
async fn rows_left_over_are_taken_away_later() {
    let mut f = Fixture::new();
    let corp = f.enroll_rest("jane").await;
    let login = context("jane");
    for _ in 0..3 {
        drop(f.ticket(&login, corp).await);
        f.clock.advance(700);
    }
    f.store.unlock(order("jane")).await.unwrap();
    let mut rows = 0;
    drop(f.ticket(&login, corp).await);
    f.reopen_after(|c| rows = c.query_row("SELECT count(*) FROM challenge", [], |row| row.get(0)).unwrap())
        .await;
    assert_eq!(rows, 1);
    f.store.unlock(order("jane")).await.unwrap();
    assert!(accepted(&f.store.settle(*f.ticket(&login, corp).await, Judgment::Yes).await.unwrap()));
}

#[tokio::test]
async fn of_many_answers_that_are_judged_at_once_one_yes_counts() {
    let quick = Profile { burst: 30, ..Profile::named(ProfileName::Default) };
    let f = Fixture::with(StoreSettings { profile: quick, ..StoreSettings::default() });
    let corp = f.enroll_rest("jane").await;
    let login = context("jane");
    let mut tickets = Vec::new();
    for _ in 0..16 {
        f.store.unlock(order("jane")).await.unwrap();
        tickets.push(f.ticket(&login, corp).await);
    }
    f.store.unlock(order("jane")).await.unwrap();
    // No more than that are with the service at once.
    let more = f.store.consult(consult(&login, corp)).await.unwrap();
    assert!(matches!(more, Consulted::Locked { gate: Gate::Wait { .. } }), "{more:?}");
    let mut settling = tokio::task::JoinSet::new();
    for ticket in tickets {
        let store: Store = f.store.clone();
        settling.spawn(async move { store.settle(*ticket, Judgment::Yes).await.unwrap() });
    }
    let outcomes = settling.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| accepted(outcome)).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Used { .. })).count(), 15);
}

#[tokio::test]
async fn limits_hold_before_anybody_is_asked() {
    let f = Fixture::new();
    let corp = f.enroll_rest("jane").await;
    let login = context("jane");
    for _ in 0..5 {
        let ticket = f.ticket(&login, corp).await;
        drop(f.store.settle(*ticket, Judgment::No).await.unwrap());
        f.clock.advance(4);
    }
    let locked = f.store.consult(consult(&login, corp)).await.unwrap();
    assert!(matches!(locked, Consulted::Locked { gate: Gate::Wait { .. } }), "{locked:?}");
    assert_eq!(f.failures("jane", corp).await, 5);
    let unproven = || Consult { channel: Channel::Unproven, ..consult(&login, corp) };
    f.clock.advance(7200);
    for _ in 0..3 {
        let Consulted::Ticket(ticket) = f.store.consult(unproven()).await.unwrap() else { panic!("open") };
        drop(f.store.settle(*ticket, Judgment::No).await.unwrap());
        f.clock.advance(1);
    }
    let locked = f.store.consult(unproven()).await.unwrap();
    assert!(matches!(locked, Consulted::Locked { .. }), "{locked:?}");
    assert_eq!(f.failures("jane", corp).await, 5, "without password the budget of its own is charged");
    let Consulted::Ticket(ticket) = f.store.consult(consult(&login, corp)).await.unwrap() else {
        panic!("with password it goes on")
    };
    assert!(accepted(&f.store.settle(*ticket, Judgment::Yes).await.unwrap()));
    assert!(matches!(f.store.consult(unproven()).await.unwrap(), Consulted::Ticket(_)), "forgiven");
}

#[tokio::test]
async fn the_hundredth_failure_is_taken_back_by_a_yes_and_final_by_a_no() {
    let profile = Profile { disable_at: 3, ..Profile::named(ProfileName::Default) };
    let f = Fixture::with(StoreSettings { profile, ..StoreSettings::default() });
    let corp = f.enroll_rest("jane").await;
    let login = context("jane");
    for _ in 0..2 {
        for _ in 0..2 {
            drop(f.store.settle(*f.ticket(&login, corp).await, Judgment::No).await.unwrap());
        }
        let last = f.ticket(&login, corp).await;
        let state = f.store.show(user("jane")).await.unwrap().factors[0].state;
        assert_eq!(state, FactorState::Exhausted, "charged before");
        assert_eq!(f.store.figures().await.unwrap().active_factors, 0);
        assert!(accepted(&f.store.settle(*last, Judgment::Yes).await.unwrap()));
        assert_eq!(f.store.figures().await.unwrap().active_factors, 1);
    }
    for _ in 0..3 {
        drop(f.store.settle(*f.ticket(&login, corp).await, Judgment::No).await.unwrap());
    }
    let locked = f.store.consult(consult(&login, corp)).await.unwrap();
    assert!(matches!(locked, Consulted::Locked { gate: Gate::Exhausted }), "{locked:?}");
}

/// Each row: what happens while the service thinks, and what its yes is worth then.
#[tokio::test]
async fn what_happened_meanwhile_counts() {
    for (what, meanwhile) in ["disabled", "removed", "another uid", "too late"].into_iter().zip(0..) {
        let f = Fixture::new();
        let corp = f.enroll_rest("jane").await;
        f.enroll("jane", TOTP, b"jane").await;
        let login = context("jane");
        let ticket = f.ticket(&login, corp).await;
        let target = Target { factor: Some(corp), label: None };
        match meanwhile {
            0 => drop(f.store.disable(order("jane"), target).await.unwrap()),
            1 => drop(f.store.remove(order("jane"), target).await.unwrap()),
            2 => {
                f.store.remove(order("jane"), Target::default()).await.unwrap();
                let other = mfad::store::Order { uid: Some(7), ..order("jane") };
                f.store.enroll(NewFactor { order: other, ..rest("jane", true) }).await.unwrap();
            }
            _ => f.clock.advance(601),
        }
        let outcome = f.store.settle(*ticket, Judgment::Yes).await.unwrap();
        let denied = matches!(
            outcome,
            Outcome::NoFactor | Outcome::Orphaned | Outcome::Unreachable { .. } | Outcome::Locked { .. }
        );
        assert!(denied, "{what}: {outcome:?}");
    }
}

#[tokio::test]
async fn nobody_is_asked_about_what_is_not_there() {
    let f = Fixture::new();
    let corp = f.enroll_rest("jane").await;
    let other = f.enroll("john", TOTP, b"john").await;
    for wanted in [consult(&context("nobody"), corp), consult(&context("john"), other)] {
        assert!(matches!(f.store.consult(wanted).await.unwrap(), Consulted::Gone));
    }
    assert!(matches!(f.store.consult(consult(&context("john"), corp)).await.unwrap(), Consulted::Gone));
    let other_uid = Consult { uid: None, ..consult(&context("jane"), corp) };
    assert!(matches!(f.store.consult(other_uid).await.unwrap(), Consulted::Orphaned));
    assert_eq!(f.failures("jane", corp).await, 0);
}

#[tokio::test]
async fn an_answer_for_a_service_is_not_judged_here() {
    let f = Fixture::new();
    let corp = f.enroll_rest("jane").await;
    assert!(matches!(f.try_code("jane", "123456").await, Outcome::Wrong { .. }));
    assert_eq!((f.failures("jane", corp).await, f.failures_30_days("jane").await), (0, 1));
}

#[tokio::test]
async fn a_pending_one_is_proven_by_one_yes() {
    let f = Fixture::new();
    let corp = f.store.enroll(rest("jane", false)).await.unwrap().factor;
    let login = context("jane");
    assert!(matches!(f.store.consult(consult(&login, corp)).await.unwrap(), Consulted::Gone));
    let ask = || f.store.consult_pending(owner("jane", None), None);
    let ticket = ask().await.unwrap();
    let unreachable = f.store.settle_pending(ticket, Judgment::Unreachable).await;
    assert_eq!(refusal(unreachable), Refused::Unreachable);
    assert_eq!(refusal(f.store.settle_pending(ask().await.unwrap(), Judgment::No).await), Refused::WrongCode);
    // One of a login is of no use to confirm, nor the other way round.
    let swapped = f.store.settle(ask().await.unwrap(), Judgment::Yes).await;
    assert_eq!(swapped.unwrap_err(), StoreError::Internal);
    assert_eq!(f.store.settle_pending(ask().await.unwrap(), Judgment::Yes).await.unwrap(), corp);
    let ticket = f.ticket(&login, corp).await;
    assert!(f.store.settle_pending(*ticket, Judgment::Yes).await.is_err());
    assert!(accepted(&f.store.settle(*f.ticket(&login, corp).await, Judgment::Yes).await.unwrap()));
}

#[tokio::test]
async fn a_pending_one_is_dropped_after_five_tries() {
    let f = Fixture::new();
    f.store.enroll(rest("jane", false)).await.unwrap();
    for _ in 0..4 {
        let ticket = f.store.consult_pending(owner("jane", None), None).await.unwrap();
        assert_eq!(refusal(f.store.settle_pending(ticket, Judgment::No).await), Refused::WrongCode);
    }
    let last = f.store.consult_pending(owner("jane", None), None).await.unwrap();
    // A process that dies here has charged the fifth: it gets no sixth.
    assert_eq!(refusal(f.store.consult_pending(owner("jane", None), None).await), Refused::PendingDropped);
    assert_eq!(refusal(f.store.settle_pending(last, Judgment::Yes).await), Refused::NotEnrolled);
}
