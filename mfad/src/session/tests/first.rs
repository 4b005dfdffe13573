//! Logins in which a first factor is enrolled, or that take the time of grace.

use mfa_proto::{
    answer::AnswerShape,
    login::{ClientMessage, Withheld},
    secret::SecretText,
};
use proptest::prelude::*;

use super::{NOW, jane, settings, types};
use crate::{
    limits::Gate,
    policy::Policy,
    session::{FirstAsking, FirstOpening, FirstStep, Reason, begin_first},
    store::{Graced, Outcome, Proof},
};

const INVITATION: &str = "01-GAYT-EMZU-GU3D-OOBZ";

fn opening(invitation: bool, grace: Option<&str>) -> FirstOpening {
    FirstOpening {
        needed: 1,
        settings: settings(false, 3),
        gate: Gate::Open,
        invitation,
        tokens: false,
        grace: grace.map(str::to_owned),
    }
}

fn key() -> SecretText {
    SecretText::new("JBSW Y3DP".to_owned()).unwrap()
}

fn asked(step: FirstStep) -> FirstAsking {
    let FirstStep::Ask(asking) = step else { panic!("{step:?}") };
    asking
}

fn shown(step: FirstStep) -> FirstAsking {
    let FirstStep::Show(showing) = step else { panic!("{step:?}") };
    asked(showing.shown(key()))
}

fn verdict(step: FirstStep) -> (&'static str, Reason) {
    let FirstStep::Settle(settled) = step else { panic!("{step:?}") };
    (settled.verdict_word(), settled.reason())
}

#[test]
fn a_code_of_what_was_shown_is_the_proof() {
    let asking = shown(begin_first(opening(false, None), NOW));
    assert_eq!(
        asking.text().as_str(),
        "Add this account to your authenticator app, key JBSW Y3DP. Code that it shows: "
    );
    let FirstStep::Prove(proving, _) = asking.answered(&types("123 456")) else { panic!() };
    let step = proving.proven(Outcome::Accepted(Proof::of_nothing(jane())), Gate::Open, NOW);
    let FirstStep::Tell(text, settled) = step else { panic!("{step:?}") };
    assert!(text.as_str().contains("mfactl recovery new"));
    assert_eq!((settled.verdict_word(), settled.reason()), ("accept", Reason::Ok));
}

#[test]
fn an_invitation_comes_first_and_nothing_is_shown_without() {
    let mut step = begin_first(opening(true, None), NOW);
    for _ in 0..2 {
        let FirstStep::Check(checking, _) = asked(step).answered(&types(INVITATION)) else { panic!() };
        step = checking.checked(false, Gate::Open, NOW);
    }
    let asking = asked(step);
    assert!(asking.text().as_str().starts_with("This invitation does not count"));
    let FirstStep::Check(checking, _) = asking.answered(&types(INVITATION)) else { panic!() };
    assert_eq!(verdict(checking.checked(false, Gate::Open, NOW)), ("deny", Reason::WrongCode));
    let FirstStep::Check(checking, _) =
        asked(begin_first(opening(true, None), NOW)).answered(&types(INVITATION))
    else {
        panic!()
    };
    drop(shown(checking.checked(true, Gate::Open, NOW)));
}

#[test]
fn enter_takes_the_grace_only_while_there_is_some() {
    let text = "3 more logins without one.";
    for invitation in [true, false] {
        let step = begin_first(opening(invitation, Some(text)), NOW);
        let asking = if invitation { asked(step) } else { shown(step) };
        assert!(asking.text().as_str().contains("(Enter: not now. 3 more"), "{}", asking.text());
        let FirstStep::Grace(gracing) = asking.answered(&types("")) else { panic!() };
        let grant = Policy::default().graced(Graced::of_nothing(jane()));
        let FirstStep::Tell(told, settled) = gracing.graced(grant, "2 more logins without one.") else {
            panic!()
        };
        assert_eq!(
            told.as_str(),
            "You have to enroll a second factor: mfactl enroll totp. 2 more logins without one."
        );
        assert_eq!((settled.verdict_word(), settled.reason()), ("skip", Reason::Grace));
        let step = begin_first(opening(invitation, None), NOW);
        let asking = if invitation { asked(step) } else { shown(step) };
        assert!(matches!(asking.answered(&types("")), FirstStep::Ask(_)));
    }
}

#[test]
fn whatever_the_store_says_but_yes_lets_nobody_in() {
    let no = || {
        [
            Outcome::Wrong { gate: Gate::Open },
            Outcome::Used { gate: Gate::Open },
            Outcome::Locked { gate: Gate::UntilAdmin },
            Outcome::Unreachable { gate: Gate::Open },
            Outcome::NoFactor,
            Outcome::Orphaned,
            Outcome::Tampered,
            Outcome::ClockUnusable,
        ]
    };
    for outcome in no() {
        let mut step = shown(begin_first(opening(false, None), NOW)).answered(&types("123456"));
        let mut outcome = Some(outcome);
        loop {
            step = match step {
                FirstStep::Prove(proving, _) => {
                    let said = outcome.take().unwrap_or(Outcome::Wrong { gate: Gate::Open });
                    proving.proven(said, Gate::Open, NOW)
                }
                FirstStep::Ask(asking) => asking.answered(&types("123456")),
                FirstStep::Settle(settled) => {
                    assert_ne!(settled.verdict_word(), "accept");
                    assert_ne!(settled.verdict_word(), "skip");
                    break;
                }
                step @ (FirstStep::Check(..)
                | FirstStep::Show(_)
                | FirstStep::Judge(..)
                | FirstStep::Grace(_)
                | FirstStep::Tell(..)) => panic!("{step:?}"),
            };
        }
    }
}

#[test]
fn a_closed_gate_says_so_and_shows_nothing() {
    let until = NOW.plus(900);
    for gate in [Gate::Wait { until }, Gate::UntilAdmin, Gate::Exhausted] {
        let asking = asked(begin_first(FirstOpening { gate, ..opening(false, Some("x")) }, NOW));
        assert!(asking.shape().includes(AnswerShape::ACKNOWLEDGE));
        assert_eq!(verdict(asking.answered(&types(""))).0, "locked");
    }
    let asking = shown(begin_first(opening(false, None), NOW));
    let FirstStep::Prove(proving, _) = asking.answered(&types("123456")) else { panic!() };
    let step = proving.proven(Outcome::Wrong { gate: Gate::Open }, Gate::Wait { until }, NOW);
    assert_eq!(verdict(asked(step).answered(&types(""))), ("locked", Reason::WrongCode));
}

proptest! {
    /// Nobody gets further than to the store by what is typed, and it ends.
    #[test]
    fn nothing_typed_ends_in_a_yes(
        invitation: bool,
        typed in proptest::collection::vec("[0-9]{6}|01-GAYT-EMZU-GU3D-OOBZ|.{0,12}|", 0..12),
    ) {
        let mut step = begin_first(opening(invitation, None), NOW);
        let mut typed = typed.into_iter();
        for _ in 0..20 {
            step = match step {
                FirstStep::Ask(asking) => match typed.next() {
                    Some(text) => asking.answered(&types(&text)),
                    None => asking.answered(&ClientMessage::Withheld(Withheld::NoAnswer)),
                },
                FirstStep::Check(checking, _) => checking.checked(false, Gate::Open, NOW),
                FirstStep::Show(showing) => showing.shown(key()),
                FirstStep::Prove(proving, _) => {
                    proving.proven(Outcome::Wrong { gate: Gate::Open }, Gate::Open, NOW)
                }
                FirstStep::Settle(settled) => {
                    prop_assert_eq!(settled.verdict_word(), "deny");
                    return Ok(());
                }
                step @ (FirstStep::Judge(..) | FirstStep::Grace(_) | FirstStep::Tell(..)) => {
                    return Err(TestCaseError::fail(format!("{step:?}")));
                }
            };
        }
        prop_assert!(false, "it does not end");
    }
}
