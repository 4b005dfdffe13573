//! Logins that need several factors, or factors of some kinds alone.

use mfa_proto::{admin::FactorId, answer::AnswerShape, login::Verdict};

use super::{
    super::{Asking, Issued, Opening, Reason, Settled, Step, begin},
    NOW, corp, jane, mail, opening, recovery, settings, sms, totp, types,
};
use crate::{
    limits::Gate,
    policy::Kinds,
    session::Holding,
    store::{Outcome, Proof},
};

fn two(held: Vec<Holding>) -> Opening {
    Opening { needed: 2, ..opening(held) }
}

fn asks(step: Step, text: &str) -> Asking {
    let Step::Ask(asking) = step else { panic!("it does not ask: {step:?}") };
    assert_eq!(asking.text().as_str(), text);
    asking
}

fn settles(step: Step) -> Settled {
    let Step::Settle(settled) = step else { panic!("it goes on: {step:?}") };
    settled
}

/// The store's yes to what is typed, of this factor and of those with its secret.
fn right(asking: Asking, typed: &str, (factor, last, twins): (i64, bool, &[i64])) -> Step {
    let Step::Judge(judging, _) = asking.answered(&types(typed)) else { panic!("nothing is judged") };
    judging.judged(Outcome::Accepted(Proof::one_of_several(jane(), factor, (last, twins))), NOW)
}

#[test]
fn the_first_right_code_leads_to_what_is_left() {
    let asked = asks(begin(two(vec![totp(), corp(), recovery()]), NOW), "Verification code: ");
    let step = right(asked, "123456", (1, false, &[]));
    let asked = asks(step, "First code right. Now one of: my-corp, recovery. Verification code: ");
    let Step::Consult(consulting, factor, _) = asked.answered(&types("hunter22")) else { panic!() };
    assert_eq!((factor, consulting.proven()), (FactorId(5), vec![FactorId(1)]));
    let asked = asks(
        consulting.consulted(Outcome::Wrong { gate: Gate::Open }, NOW),
        "Wrong code. Verification code: ",
    );
    let settled = settles(right(asked, "07-GAYT-EMZU-GU3D-OOBZ", (4, true, &[])));
    assert_eq!((settled.verdict(), settled.factor()), (Verdict::Accept, Some(FactorId(4))));
}

#[test]
fn the_only_one_left_is_sent_at_once() {
    let asked = asks(begin(two(vec![totp(), sms()]), NOW), "Verification code (or: sms, ?): ");
    let Step::Issue(issuing, factor) = right(asked, "123456", (1, false, &[])) else { panic!() };
    assert_eq!((factor, issuing.proven()), (FactorId(2), vec![FactorId(1)]));
    asks(
        issuing.issued(factor, Issued::Out, NOW),
        "First code right. Now: sms. Code sent to +49 *** **321 (Enter: send again): ",
    );
}

#[test]
fn what_is_left_when_the_first_was_chosen_by_name_is_asked_for_anew() {
    let asked = asks(begin(two(vec![totp(), sms(), mail()]), NOW), "Verification code (or: sms, mail, ?): ");
    let Step::Issue(issuing, factor) = asked.answered(&types("sms")) else { panic!() };
    let Step::Ask(asked) = issuing.issued(factor, Issued::Out, NOW) else { panic!() };
    let step = right(asked, "123456", (2, false, &[]));
    asks(step, "First code right. Now one of: phone, mail. Verification code (or: mail, ?): ");
}

#[test]
fn a_factor_with_the_same_secret_is_no_second_one() {
    let twin = Holding { factor: FactorId(9), ..totp() };
    let asked = asks(begin(two(vec![totp(), twin]), NOW), "Verification code: ");
    let settled = settles(right(asked, "123456", (1, false, &[9])));
    assert_eq!((settled.verdict(), settled.reason()), (Verdict::Deny, Reason::NotEnoughFactors));
}

#[test]
fn no_proofs_but_of_as_many_different_factors_are_a_yes() {
    let proof = |factor, twins: &[i64]| Proof::one_of_several(jane(), factor, (true, twins));
    let john = mfa_proto::name::UserId::local(mfa_proto::name::UserName::new("john").unwrap());
    for (proofs, needed) in [
        (vec![], 0),
        (vec![], 1),
        (vec![proof(1, &[])], 2),
        (vec![proof(1, &[]), proof(1, &[])], 2),
        (vec![proof(1, &[2]), proof(2, &[])], 2),
        (vec![proof(1, &[]), proof(2, &[1])], 2),
        (vec![proof(1, &[]), proof(2, &[]), proof(1, &[])], 3),
        (vec![proof(1, &[]), proof(2, &[])], 3),
        // Nobody looked whether they have one secret.
        (vec![Proof::of_nothing(jane()), proof(2, &[])], 2),
        (vec![proof(1, &[]), Proof::one_of_several(john.clone(), 2, (true, &[]))], 2),
        (vec![proof(1, &[]), Proof::one_of_several(john, 2, (true, &[]))], 1),
    ] {
        let told = format!("{proofs:?} of {needed}");
        let settled = Settled::accepted(proofs, needed);
        assert_eq!(
            (settled.verdict(), settled.reason()),
            (Verdict::Deny, Reason::NotEnoughFactors),
            "{told}"
        );
        assert!(settled.proofs().is_empty(), "{told}");
    }
    let three = vec![proof(1, &[7]), proof(2, &[]), proof(3, &[])];
    assert_eq!(Settled::accepted(three, 3).verdict(), Verdict::Accept);
    assert_eq!(Settled::accepted(vec![Proof::of_nothing(jane())], 1).verdict(), Verdict::Accept);
}

#[test]
fn concealed_a_right_first_code_looks_like_a_wrong_one() {
    let concealed = || Opening { settings: settings(true, 3), ..two(vec![totp(), recovery()]) };
    let asked = asks(begin(concealed(), NOW), "Verification code: ");
    asks(right(asked, "123456", (1, false, &[])), "Verification code: ");
    let asked = asks(begin(concealed(), NOW), "Verification code: ");
    let Step::Judge(judging, _) = asked.answered(&types("123456")) else { panic!() };
    asks(judging.judged(Outcome::Wrong { gate: Gate::Open }, NOW), "Verification code: ");
}

#[test]
fn only_kinds_that_count_are_offered() {
    use mfa_proto::admin::FactorKind as K;
    let of = |kinds: &[K]| Opening {
        kinds: Kinds::of(kinds.iter().copied()),
        tokens: true,
        ..opening(vec![totp(), sms(), mail(), recovery(), corp()])
    };
    let asked = asks(begin(of(&[K::Totp, K::Mail]), NOW), "Verification code (or: mail, ?): ");
    for other in [AnswerShape::RECOVERY, AnswerShape::TEXT, AnswerShape::TOKEN] {
        assert!(!asked.shape().includes(other), "{:?}", asked.shape());
    }
    let asked = asks(
        asked.answered(&types("sms")),
        "That chooses nothing: type ? for what there is. Verification code (or: mail, ?): ",
    );
    asks(
        asked.answered(&types("?")),
        "You hold: phone (app), letters (mail to a***@example.org). Type a name to choose. Verification code (or: mail, ?): ",
    );
    let preferring = Opening { preferred: Some("sms".to_owned()), ..of(&[K::Totp, K::Mail]) };
    asks(begin(preferring, NOW), "Verification code (or: mail, ?): ");
    let nothing = asks(begin(of(&[K::Hotp]), NOW), "Verification code: ");
    assert_eq!(nothing.shape(), AnswerShape::SIX_DIGITS, "as for a name without a factor");
}
