//! What is asked, and what each answer leads to, in words.

use mfa_proto::{
    admin::FactorId,
    answer::{Answer, AnswerShape},
    login::{ClientMessage, Verdict, Withheld},
};

use super::{
    super::{Asking, Issued, Reason, Step, begin},
    NOW, corp, emergency, jane, llng, mail, opening, push, recovery, sms, totp, types,
};
use crate::{
    limits::Gate,
    session::Opening,
    store::{Outcome, Proof},
};

const WRONG: Outcome = Outcome::Wrong { gate: Gate::Open };

fn asking(step: Step) -> Asking {
    let Step::Ask(asking) = step else { panic!("it does not ask: {step:?}") };
    asking
}

fn asks(step: Step, text: &str) -> Asking {
    let asking = asking(step);
    assert_eq!(asking.text().as_str(), text);
    asking
}

fn answers(asking: Asking, typed: &str) -> Step {
    asking.answered(&types(typed))
}

/// Goes on as if what was to be sent had been.
fn sent(step: Step, factor: i64) -> Step {
    issued(step, factor, Issued::Out, 0)
}

fn issued(step: Step, factor: i64, what: Issued, later: i64) -> Step {
    let Step::Issue(issuing, issued) = step else { panic!("nothing is sent: {step:?}") };
    assert_eq!(issued, FactorId(factor));
    issuing.issued(issued, what, NOW.plus(later))
}

fn judged(step: Step, outcome: Outcome) -> Step {
    let Step::Judge(judging, _) = step else { panic!("nothing is judged: {step:?}") };
    judging.judged(outcome, NOW)
}

fn consulted(step: Step, factor: i64, outcome: Outcome) -> Step {
    let Step::Consult(consulting, asked, _) = step else { panic!("nobody is asked: {step:?}") };
    assert_eq!(asked, FactorId(factor));
    consulting.consulted(outcome, NOW)
}

#[test]
fn codes_in_hand_are_asked_for_as_ever() {
    let alone = asks(begin(opening(vec![totp()]), NOW), "Verification code: ");
    assert_eq!(alone.shape(), AnswerShape::SIX_DIGITS, "one code is all there is");
    let again = asks(answers(alone, "sms"), "A code has 6 digits. Verification code: ");
    asks(answers(again, ""), "A code has 6 digits. Verification code: ");

    let both = asks(begin(opening(vec![totp(), recovery()]), NOW), "Verification code: ");
    assert!(both.shape().includes(AnswerShape::RECOVERY.or(AnswerShape::WORD)));
    assert!(!both.shape().includes(AnswerShape::EMPTY));
    let Step::Judge(_, Answer::Recovery(_)) = answers(both, "07-GAYT-EMZU-GU3D-OOBZ") else { panic!() };
}

#[test]
fn the_only_factor_is_sent_unasked_once_the_password_is_proven() {
    let step = sent(begin(opening(vec![sms(), recovery()]), NOW), 2);
    let asked = asks(step, "Code sent to +49 *** **321 (Enter: send again, ?: other ways): ");
    assert!(asked.shape().includes(AnswerShape::SIX_DIGITS.or(AnswerShape::EMPTY)));
    let wrong = judged(answers(asked, "000000"), WRONG);
    asks(wrong, "Wrong code. Code sent to +49 *** **321 (Enter: send again, ?: other ways): ");

    let alone = sent(begin(opening(vec![sms()]), NOW), 2);
    asks(alone, "Code sent to +49 *** **321 (Enter: send again): ");
    let begun = sent(begin(opening(vec![push()]), NOW), 6);
    asks(begun, "Code for my-push (Enter: send again): ");

    let unproven = Opening { proven: false, ..opening(vec![sms()]) };
    let asked = asks(begin(unproven, NOW), "Type sms to have a code sent: ");
    assert!(!asked.shape().includes(AnswerShape::SIX_DIGITS), "there is no code to type yet");
    asks(sent(answers(asked, "sms"), 2), "Code sent to +49 *** **321 (Enter: send again): ");
}

#[test]
fn words_choose_between_several() {
    let all = || vec![totp(), sms(), mail(), recovery()];
    let text = "Verification code (or: sms, mail, ?): ";
    let step = sent(answers(asks(begin(opening(all()), NOW), text), "MAIL"), 3);
    let asked = asks(step, "Code sent to a***@example.org (Enter: send again, ?: other ways): ");
    let step = sent(answers(asked, "sms"), 2);
    let asked = asks(step, "Code sent to +49 *** **321 (Enter: send again, ?: other ways): ");
    let Step::Judge(judging, Answer::Code(_)) = answers(asked, "1234 5678") else { panic!() };
    let asked = asking(judging.judged(WRONG, NOW));
    let asked = asks(answers(asked, "phone"), "Code of phone: ");
    assert!(!asked.shape().includes(AnswerShape::EMPTY), "nothing of it can be sent again");

    let two = vec![sms(), mail()];
    asks(begin(opening(two), NOW), "Type sms or mail to have a code sent: ");
    let one = vec![sms(), mail(), recovery()];
    asks(begin(opening(one), NOW), "Type sms or mail to have a code sent (?: other ways): ");
    for (preferred, factor) in [("sms", 2), ("letters", 3)] {
        let preferring = Opening { preferred: Some(preferred.to_owned()), ..opening(all()) };
        asking(sent(begin(preferring, NOW), factor));
    }
    for preferred in ["phone", "nothing", "recovery"] {
        let preferring = Opening { preferred: Some(preferred.to_owned()), ..opening(all()) };
        asks(begin(preferring, NOW), text);
    }
}

#[test]
fn a_question_mark_lists_what_is_held() {
    let all = vec![totp(), sms(), mail(), recovery(), corp()];
    let asked = asking(begin(opening(all), NOW));
    asks(
        answers(asked, "?"),
        "You hold: phone (app), sms (SMS to +49 *** **321), letters (mail to a***@example.org), \
         recovery (recovery codes), my-corp (asks corp). Type a name to choose. \
         Verification code (or: sms, mail, ?): ",
    );
    let many: Vec<_> = (0..40).map(|n| super::Holding { factor: FactorId(n), ..sms() }).collect();
    let listed = asking(answers(asking(begin(opening(many), NOW)), "?"));
    assert!(listed.text().as_str().contains(" more. Type a name"), "{}", listed.text());
}

#[test]
fn a_word_that_chooses_nothing_costs_no_attempt_and_is_not_repeated() {
    let mut asked = asking(begin(opening(vec![totp(), sms()]), NOW));
    for _ in 0..5 {
        asked = asks(
            answers(asked, "hunter2"),
            "That chooses nothing: type ? for what there is. Verification code (or: sms, ?): ",
        );
    }
    let wrong = asking(judged(answers(asked, "000000"), WRONG));
    let wrong = asking(judged(answers(wrong, "000000"), WRONG));
    let Step::Settle(settled) = judged(answers(wrong, "000000"), WRONG) else { panic!() };
    assert_eq!(settled.reason(), Reason::WrongCode);

    let work = super::Holding { label: "work".parse().unwrap(), ..sms() };
    let home = super::Holding { factor: FactorId(9), label: "home".parse().unwrap(), ..sms() };
    let asked = asking(begin(opening(vec![work, home]), NOW));
    asks(answers(asked, "sms"), "Several fit that: work, home. Type work or home to have a code sent: ");
}

#[test]
fn words_alone_end_a_login_as_well() {
    let mut asked = asking(begin(opening(vec![totp(), sms()]), NOW));
    for _ in 1..super::super::MOST_ROUNDS - 1 {
        asked = asking(answers(asked, "?"));
    }
    let Step::Settle(settled) = answers(asked, "?") else { panic!("it goes on") };
    assert_eq!(settled.verdict(), Verdict::Deny);
}

#[test]
fn why_nothing_was_sent_is_said_in_the_prompt() {
    let only = || begin(opening(vec![sms()]), NOW);
    let until = NOW.plus(60);
    let asked = asking(sent(only(), 2));
    asks(
        issued(answers(asked, ""), 2, Issued::TooSoon { until }, 20),
        "A code was sent 20 s ago: wait 40 s to have it sent again. \
         Code sent to +49 *** **321 (Enter: send again): ",
    );
    let rows = [
        (
            Issued::TooSoon { until },
            "A code was sent a moment ago, for another login: wait 1 min to have one sent.",
        ),
        (
            Issued::Capped { until: NOW.plus(7200) },
            "No code was sent: too many were. The next can be in 2 h.",
        ),
        (Issued::Failed, "No code was sent: the gateway does not answer."),
        (Issued::Busy, "No code was sent: too many are on their way. Try again in a moment."),
    ];
    for (what, why) in rows {
        let asked = asks(issued(only(), 2, what, 0), &format!("{why} Type sms to have a code sent: "));
        assert!(asked.shape().includes(AnswerShape::EMPTY), "Enter tries again");
        asking(sent(answers(asked, ""), 2));
    }
    let Step::Settle(gone) = issued(only(), 2, Issued::Impossible(Reason::Orphaned), 0) else { panic!() };
    assert_eq!(gone.reason(), Reason::Orphaned);
}

#[test]
fn a_locked_factor_leaves_the_others() {
    let gate = Gate::Wait { until: NOW.plus(900) };
    let asked = asking(begin(opening(vec![totp(), sms()]), NOW));
    asks(
        issued(answers(asked, "sms"), 2, Issued::Locked { gate }, 0),
        "Too many wrong codes. Try again in 15 min. Verification code (or: sms, ?): ",
    );
    let alone = issued(begin(opening(vec![sms()]), NOW), 2, Issued::Locked { gate }, 0);
    let end = asks(alone, "Too many wrong codes. Try again in 15 min. Press Enter: ");
    let Step::Settle(settled) = answers(end, "") else { panic!() };
    assert_eq!(settled.verdict(), Verdict::Locked);
}

#[test]
fn what_is_locked_leaves_what_is_not() {
    let gate = Gate::Wait { until: NOW.plus(900) };
    let locked = || Outcome::Locked { gate };
    let why = "Too many wrong codes. Try again in 15 min.";
    let asked = asking(begin(opening(vec![totp(), recovery()]), NOW));
    let asked = asks(judged(answers(asked, "123456"), locked()), &format!("{why} Verification code: "));
    let asked = asking(judged(answers(asked, "123456"), locked()));
    let Step::Settle(settled) = judged(answers(asked, "123456"), locked()) else { panic!("it goes on") };
    assert_eq!((settled.verdict(), settled.reason()), (Verdict::Locked, Reason::Locked));
    let alone = asking(begin(opening(vec![totp()]), NOW));
    asks(judged(answers(alone, "123456"), locked()), &format!("{why} Press Enter: "));
}

#[test]
fn what_was_used_is_called_what_it_is() {
    let token = format!("{} {}=", "1".repeat(24), "A".repeat(43));
    for (answer, why) in [
        ("123456", "That code was used before: wait for the next one."),
        ("07-GAYT-EMZU-GU3D-OOBZ", "That recovery code was used before: take another one."),
        (token.as_str(), "That token was used before."),
    ] {
        let opening = Opening { tokens: true, ..opening(vec![totp(), recovery()]) };
        let step = answers(asking(begin(opening, NOW)), answer);
        asks(judged(step, Outcome::Used { gate: Gate::Open }), &format!("{why} Verification code: "));
    }
}

#[test]
fn an_outside_service_is_asked_what_nothing_here_judges() {
    let alone = asks(begin(opening(vec![corp()]), NOW), "Verification code: ");
    let Step::Consult(_, FactorId(5), said) = answers(alone, "123 456") else { panic!() };
    assert_eq!(said.expose(), "123456");
    let alone = asking(begin(opening(vec![corp()]), NOW));
    let Step::Consult(_, FactorId(5), said) = answers(alone, "KJU64680") else { panic!() };
    assert_eq!(said.expose(), "KJU64680", "what is no name is for the service");

    let both = || asking(begin(opening(vec![totp(), corp()]), NOW));
    let Step::Judge(_, Answer::Code(_)) = answers(both(), "123456") else { panic!() };
    let chosen = asks(answers(both(), "corp"), "Code of my-corp: ");
    let step = consulted(answers(chosen, "123456"), 5, WRONG);
    let asked = asks(step, "Wrong code. Code of my-corp: ");
    let step = consulted(answers(asked, "12345678"), 5, Outcome::Unreachable { gate: Gate::Open });
    asks(step, "The service does not answer: your code was not checked. Code of my-corp: ");

    let unbegun = asking(begin(Opening { proven: false, ..opening(vec![totp(), push()]) }, NOW));
    let Step::Judge(..) = answers(unbegun, "123456") else {
        panic!("a service that was not told is not asked")
    };
}

#[test]
fn codes_made_here_for_a_service_are_judged_here() {
    let begun = asks(sent(begin(opening(vec![llng()]), NOW), 7), "Code for my-llng (Enter: send again): ");
    let Step::Judge(_, Answer::Text(said)) = answers(begun, "KJU64680") else { panic!() };
    assert_eq!(said.expose(), "KJU64680");
}

#[test]
fn an_emergency_code_is_told_of_to_whoever_asks_and_at_its_use() {
    for held in [vec![totp(), emergency()], vec![totp(), recovery(), emergency()]] {
        let asked = asks(begin(opening(held), NOW), "Verification code: ");
        let listed = asking(answers(asked, "?"));
        assert!(listed.text().as_str().contains("breakglass (emergency code)"), "{}", listed.text());
    }
    let Step::Issue(..) = begin(opening(vec![sms(), emergency()]), NOW) else { panic!("one way is usual") };
    let alone = asks(begin(opening(vec![emergency()]), NOW), "Verification code: ");
    let alone = asks(answers(alone, "123456"), "That is no code. Verification code: ");
    let made = NOW.plus(-4_000);
    let used = judged(
        answers(alone, "00-GAYT-EMZU-GU3D-OOBZ"),
        Outcome::Accepted(Proof::of_emergency(jane(), made)),
    );
    let Step::Inform(informing, text) = used else { panic!("nothing is told: {used:?}") };
    let told =
        "You were let in by an emergency code of 1 h 6 min ago. Enroll a factor now: mfactl enroll totp";
    assert_eq!(text.as_str(), told);
    let Step::Settle(settled) = informing.informed() else { panic!() };
    assert_eq!(settled.verdict(), Verdict::Accept);
}

#[test]
fn an_emergency_code_is_enough_where_several_factors_are_needed() {
    let made = NOW.plus(-60);
    let two = || Opening { needed: 2, ..opening(vec![totp(), emergency()]) };
    let done = || Outcome::Accepted(Proof::of_emergency(jane(), made));
    let alone = judged(answers(asking(begin(two(), NOW)), "00-GAYT-EMZU-GU3D-OOBZ"), done());
    let first = Outcome::Accepted(Proof::one_of_several(jane(), 1, (false, &[])));
    let next = asking(judged(answers(asking(begin(two(), NOW)), "123456"), first));
    let after = judged(answers(next, "00-GAYT-EMZU-GU3D-OOBZ"), done());
    for step in [alone, after] {
        let Step::Inform(informing, _) = step else { panic!("it is not enough: {step:?}") };
        let Step::Settle(settled) = informing.informed() else { panic!() };
        assert_eq!(settled.verdict(), Verdict::Accept);
    }
}

#[test]
fn whoever_was_attacked_is_told_so_after_the_next_success() {
    let accepted = |proof: Proof, wrong: u32, conceal: bool| {
        let mut opening = opening(vec![totp(), recovery()]);
        opening.settings.conceal = conceal;
        let mut asked = asking(begin(opening, NOW));
        for _ in 0..wrong {
            asked = asking(judged(answers(asked, "000000"), WRONG));
        }
        let step = judged(answers(asked, "123456"), Outcome::Accepted(proof));
        if let Step::Inform(_, text) = step {
            return Some(text.to_string());
        }
        assert!(matches!(step, Step::Settle(_)), "{step:?}");
        None
    };
    let after = |count, from| Proof::of_nothing(jane()).after_failures(count, from);
    let told = |count, from, wrong| accepted(after(count, from), wrong, false);
    let says = |text: &str| Some(text.to_owned());
    let address = "203.0.113.7";
    assert_eq!(told(1, address, 0), says("1 failed attempt since your last login, from 203.0.113.7."));
    assert_eq!(
        told(2, address, 0),
        says("2 failed attempts since your last login, the last from 203.0.113.7.")
    );
    assert_eq!(told(2, "", 0), says("2 failed attempts since your last login."));
    assert_eq!(told(2, address, 2), None, "all of them were one's own, a moment ago");
    assert_eq!(
        told(3, address, 2),
        says("3 failed attempts since your last login, the last from 203.0.113.7.")
    );
    assert_eq!(accepted(after(2, address), 0, true), None, "all is concealed");
    assert_eq!(accepted(Proof::of_nothing(jane()), 1, false), None);
    let both = accepted(Proof::of_recovery(jane(), 4).after_failures(2, address), 0, false);
    let lines =
        "Recovery code used: 4 left.\n2 failed attempts since your last login, the last from 203.0.113.7.";
    assert_eq!(both, says(lines));
    let hostile = told(1, &format!("\u{1b}[2J\n{}", "x".repeat(2000)), 0).unwrap();
    assert!(!hostile.contains(['\u{1b}', '\n']) && hostile.len() < 256, "{hostile:?}");
}

#[test]
fn whoever_used_a_recovery_code_is_told_what_is_left() {
    let used = |left, conceal| {
        let mut opening = opening(vec![totp(), recovery()]);
        opening.settings.conceal = conceal;
        let asked = asking(begin(opening, NOW));
        let proof = Proof::of_recovery(jane(), left);
        judged(answers(asked, "07-GAYT-EMZU-GU3D-OOBZ"), Outcome::Accepted(proof))
    };
    for (left, told) in [
        (4, "Recovery code used: 4 left."),
        (2, "Recovery code used: 2 left. Make new ones: mfactl recovery new"),
        (0, "Recovery code used: 0 left. Make new ones: mfactl recovery new"),
    ] {
        let Step::Inform(informing, text) = used(left, false) else { panic!() };
        assert_eq!(text.as_str(), told);
        let Step::Settle(settled) = informing.informed() else { panic!() };
        assert_eq!(settled.verdict(), Verdict::Accept);
    }
    assert!(matches!(used(4, true), Step::Settle(_)));
}

#[test]
fn a_prompt_of_the_administrators_own_is_kept() {
    for (text, shown) in [("Code: ", "Code (or: sms, ?): "), ("Token>", "Token> (or: sms, ?) ")] {
        let mut opening = opening(vec![totp(), sms()]);
        opening.settings.text = mfa_proto::text::ShownText::clean(text);
        asks(begin(opening, NOW), shown);
    }
}

#[test]
fn a_token_is_taken_wherever_a_domain_signs() {
    let token = format!("{} {}=", "1".repeat(24), "A".repeat(43));
    let asked = asking(begin(Opening { tokens: true, ..opening(vec![totp()]) }, NOW));
    let Step::Judge(_, Answer::Token(_)) = answers(asked, &token) else { panic!() };
    let asked = asking(begin(opening(vec![totp()]), NOW));
    asks(answers(asked, &token), "A code has 6 digits. Verification code: ");
}

#[test]
fn what_was_withheld_ends_or_asks_again() {
    let begun = || asking(sent(begin(opening(vec![sms()]), NOW), 2));
    for (why, reason) in
        [(Withheld::NoAnswer, Reason::Cancelled), (Withheld::SshdRefusal, Reason::SshdRefused)]
    {
        let Step::Settle(settled) = begun().answered(&ClientMessage::Withheld(why)) else { panic!() };
        assert_eq!(settled.reason(), reason);
    }
    asks(
        begun().answered(&ClientMessage::Withheld(Withheld::Shape)),
        "A code has 6 digits; type ? for what else there is. \
         Code sent to +49 *** **321 (Enter: send again): ",
    );
}
