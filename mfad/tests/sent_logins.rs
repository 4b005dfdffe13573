//! Codes that are sent, and all else that one prompt takes: whole logins, with a scripted egress.
#![forbid(unsafe_code)]
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod support;

use mfa_proto::{
    admin::Request,
    codec,
    egress::{Done, Found, Medium},
    login::{ClientMessage, Dialogue, ServerMessage, Verdict},
    text::ShownText,
};
use support::{
    Daemon, NOW,
    egress::{Egress, Reply, Taken},
    outside::{NUMBER, OUTSIDE},
    secret, start, totp, user_id,
};

const SENT: &str = "Code sent to +49 *** **321 (Enter: send again): ";
const SENT_OF_MANY: &str = "Code sent to +49 *** **321 (Enter: send again, ?: other ways): ";

async fn daemon(extra: &str) -> Daemon {
    Daemon::start(&format!("{OUTSIDE}{extra}")).await
}

/// A code that is not `right`.
fn wrong(right: &str) -> String {
    if right == "000000" { "111111".to_owned() } else { "000000".to_owned() }
}

#[tokio::test]
async fn a_sent_code_lets_in_once() {
    let daemon = daemon("").await;
    let egress = Egress::willing(daemon.directory.path());
    daemon.hold_sms("jane").await;
    let mut talk = daemon.begin("jane").await;
    assert_eq!(talk.prompt().await, SENT);
    let code = egress.last_code();
    let (medium, to, user) = (Medium::Sms, NUMBER.to_owned(), "jane".to_owned());
    assert_eq!(egress.taken(), [Taken::Deliver { medium, to, code: code.clone(), user }]);
    assert_eq!(talk.says(&wrong(&code)).await, format!("Wrong code. {SENT}"));
    assert_eq!(talk.ends(&code).await, Verdict::Accept);

    daemon.clock.advance(60);
    let mut again = daemon.begin("jane").await;
    assert_eq!(again.prompt().await, SENT);
    if egress.last_code() != code {
        assert_eq!(again.says(&code).await, format!("Wrong code. {SENT}"), "a code works once");
    }
    assert_eq!(egress.taken().len(), 2);
}

#[tokio::test]
async fn a_code_counts_in_the_login_it_was_sent_for() {
    let daemon = daemon("").await;
    let egress = Egress::willing(daemon.directory.path());
    daemon.hold_sms("jane").await;
    daemon.enroll_totp("jane").await;
    let mut first = daemon.begin("jane").await;
    first.prompt().await;
    assert_eq!(first.says("sms").await, SENT_OF_MANY);
    let mut other = daemon.begin("jane").await;
    other.prompt().await;
    assert!(other.says(&egress.last_code()).await.starts_with("Wrong code."));
    assert_eq!(first.ends(&egress.last_code()).await, Verdict::Accept);
}

#[tokio::test]
async fn enter_has_another_code_sent_when_it_is_time() {
    let daemon = daemon("").await;
    let egress = Egress::willing(daemon.directory.path());
    daemon.hold_sms("jane").await;
    let mut talk = daemon.begin("jane").await;
    assert_eq!(talk.prompt().await, SENT);
    let first = egress.last_code();
    daemon.clock.advance(20);
    let soon = talk.says("").await;
    assert_eq!(soon, format!("A code was sent 20 s ago: wait 10 s to have it sent again. {SENT}"));
    assert_eq!(egress.taken().len(), 1);
    daemon.clock.advance(10);
    assert_eq!(talk.says("").await, SENT);
    assert_eq!(egress.taken().len(), 2);
    if egress.last_code() != first {
        assert_eq!(talk.says(&first).await, format!("Wrong code. {SENT}"), "a new code kills the old");
    }
    assert_eq!(talk.ends(&egress.last_code()).await, Verdict::Accept);
}

#[tokio::test]
async fn without_a_gateway_the_prompt_says_so_and_other_factors_work() {
    let daemon = daemon("").await;
    daemon.hold_sms("jane").await;
    let mut alone = daemon.begin("jane").await;
    let failed = "No code was sent: the gateway does not answer. Type sms to have a code sent: ";
    assert_eq!(alone.prompt().await, failed);
    daemon.enroll_totp("jane").await;
    let mut talk = daemon.begin("jane").await;
    assert_eq!(talk.prompt().await, "Verification code (or: sms, ?): ");
    daemon.clock.advance(30);
    let failed = "No code was sent: the gateway does not answer. Verification code (or: sms, ?): ";
    assert_eq!(talk.says("sms").await, failed);
    assert_eq!(talk.ends(&totp(NOW.plus(30))).await, Verdict::Accept);
}

#[tokio::test]
async fn a_gateway_that_failed_leaves_no_code_behind() {
    let daemon = daemon("").await;
    let failed = || Done::Failed { why: ShownText::clean("the gateway says 500") };
    let egress = Egress::start(daemon.directory.path(), move |_| Reply::Done(failed()));
    daemon.hold_sms("jane").await;
    daemon.enroll_totp("jane").await;
    let mut talk = daemon.begin("jane").await;
    talk.prompt().await;
    assert!(talk.says("sms").await.starts_with("No code was sent: the gateway does not answer."));
    let code = egress.last_code();
    assert!(talk.says(&code).await.starts_with("Wrong code."), "what was not sent is not known to jane");
    // A try that failed does not make her wait for the next.
    assert!(talk.says("sms").await.starts_with("No code was sent: the gateway does not answer."));
    assert_eq!(egress.taken().len(), 2);
}

#[tokio::test]
async fn whatever_egress_says_of_a_delivery_lets_nobody_in() {
    let bytes = |done: Done| codec::encode(&done).unwrap().to_vec();
    let replies = [
        bytes(Done::Yes),
        bytes(Done::No),
        bytes(Done::Busy),
        bytes(Done::Found(Box::new(Found { phone: None, mail: None, sealed: vec![] }))),
        vec![],
        vec![0],
        vec![0, 9, 1],
        vec![0xff; 64],
        [&bytes(Done::Yes), &b"and more"[..]].concat(),
    ];
    for reply in replies {
        let daemon = daemon("").await;
        let said = reply.clone();
        let egress = Egress::start(daemon.directory.path(), move |_| Reply::Bytes(said.clone()));
        daemon.hold_sms("jane").await;
        let mut talk = daemon.begin("jane").await;
        let prompt = talk.prompt().await;
        assert!(prompt.starts_with("No code was sent:"), "{reply:?}: {prompt}");
        let prompt = talk.says(&egress.last_code()).await;
        assert!(prompt.contains("That is no code"), "{reply:?}: {prompt}");
    }
}

#[tokio::test]
async fn one_prompt_takes_all_that_is_held() {
    let daemon = daemon("").await;
    let egress = Egress::willing(daemon.directory.path());
    daemon.hold_sms("jane").await;
    daemon.hold_mail("jane").await;
    daemon.enroll_totp("jane").await;
    let recovery = daemon.hold_recovery("jane", 10).await;
    let ask = "Verification code (or: sms, mail, ?): ";
    let mut talk = daemon.begin("jane").await;
    assert_eq!(talk.prompt().await, ask);
    let list = talk.says("?").await;
    assert!(list.starts_with("You hold: sms (SMS to +49 *** **321), mail (mail to j***@example.org), phone (app), recovery (recovery codes). "), "{list}");
    assert_eq!(talk.says("000000").await, format!("Wrong code. {ask}"));
    assert_eq!(talk.says("bank").await, format!("That chooses nothing: type ? for what there is. {ask}"));
    assert_eq!(talk.says("mail").await, "Code sent to j***@example.org (Enter: send again, ?: other ways): ");
    let by_mail = egress.last_code();
    assert_eq!(by_mail.len(), 8);
    assert_eq!(talk.says("sms").await, SENT_OF_MANY);
    assert_eq!(talk.ends(&by_mail).await, Verdict::Accept, "the code that was sent first still counts");

    let mut talk = daemon.begin("jane").await;
    assert_eq!(talk.prompt().await, ask);
    talk.answer(&recovery[3].to_lowercase()).await;
    assert_eq!(talk.end().await, (vec!["Recovery code used: 9 left.".to_owned()], Verdict::Accept));
    let mut talk = daemon.begin("jane").await;
    talk.prompt().await;
    assert!(talk.says(&recovery[3]).await.starts_with("That recovery code was used before"));
    daemon.clock.advance(30);
    assert_eq!(talk.ends(&totp(NOW.plus(30))).await, Verdict::Accept);
}

#[tokio::test]
async fn the_last_recovery_codes_come_with_a_warning() {
    let daemon = daemon("").await;
    daemon.enroll_totp("jane").await;
    let codes = daemon.hold_recovery("jane", 4).await;
    let mut told = Vec::new();
    for code in &codes {
        let mut talk = daemon.begin("jane").await;
        assert_eq!(talk.prompt().await, "Verification code: ", "nobody is told of codes on paper");
        talk.answer(code).await;
        let (texts, verdict) = talk.end().await;
        assert_eq!(verdict, Verdict::Accept);
        told.extend(texts);
    }
    let few = "Make new ones: mfactl recovery new";
    assert_eq!(
        told,
        [
            "Recovery code used: 3 left.".to_owned(),
            format!("Recovery code used: 2 left. {few}"),
            format!("Recovery code used: 1 left. {few}"),
            format!("Recovery code used: 0 left. {few}"),
        ]
    );
}

#[tokio::test]
async fn the_configuration_says_what_is_sent_unasked() {
    let rule = "[prompt]\ndefault = \"mail\"\n[[policy.rule]]\nname = \"jane\"\nmatch = { user = [\"jane\"] }\naction = \"require\"\ndefault_factor = \"sms\"\n";
    let daemon = daemon(rule).await;
    let _egress = Egress::willing(daemon.directory.path());
    for user in ["jane", "john"] {
        daemon.enroll_totp(user).await;
        daemon.hold_mail(user).await;
    }
    daemon.hold_sms("jane").await;
    assert_eq!(daemon.begin("jane").await.prompt().await, SENT_OF_MANY);
    let john = daemon.begin("john").await.prompt().await;
    assert_eq!(john, "Code sent to j***@example.org (Enter: send again, ?: other ways): ");
}

#[tokio::test]
async fn nothing_is_sent_unasked_before_the_password_is_proven() {
    let daemon = daemon("[prompt]\ndefault = \"sms\"\n").await;
    let egress = Egress::willing(daemon.directory.path());
    daemon.hold_sms("jane").await;
    let combined = mfa_proto::login::Start { dialogue: Dialogue::Combined, ..start("jane") };
    let mut talk = daemon.begin_as(combined).await;
    assert_eq!(talk.prompt().await, "Type sms to have a code sent: ");
    assert_eq!(egress.taken(), []);
    assert_eq!(talk.says("sms").await, SENT);
    assert_eq!(talk.ends(&egress.last_code()).await, Verdict::Accept);
}

#[tokio::test]
async fn a_name_that_holds_nothing_meets_what_an_app_alone_meets() {
    let daemon = daemon("").await;
    let egress = Egress::willing(daemon.directory.path());
    daemon.enroll_totp("jane").await;
    let answers = ["sms", "?", "000000"];
    let real = daemon.login("jane", &answers).await;
    assert_eq!(real.prompts.len(), 3);
    assert_eq!(real, daemon.login("nobody", &answers).await);
    assert_eq!(daemon.login("jane", &["", "", ""]).await, daemon.login("nobody", &["", "", ""]).await);
    assert_eq!(egress.taken(), []);
}

#[tokio::test]
async fn concealed_no_prompt_tells_what_is_held_or_what_became_of_it() {
    let daemon = daemon("[prompt]\nconceal = true\n").await;
    let egress = Egress::willing(daemon.directory.path());
    daemon.hold_sms("jane").await;
    let mut talk = daemon.begin("jane").await;
    for answer in ["?", "bank", "sms", "", "000000"] {
        assert_eq!(talk.prompt().await, "Verification code: ");
        talk.answer(answer).await;
    }
    assert_eq!(talk.prompt().await, "Verification code: ");
    assert_eq!(talk.ends(&egress.last_code()).await, Verdict::Accept);
}

#[tokio::test]
async fn rounds_without_an_attempt_are_bounded_as_well() {
    let daemon = daemon("").await;
    let _egress = Egress::willing(daemon.directory.path());
    daemon.hold_sms("jane").await;
    daemon.enroll_totp("jane").await;
    let mut talk = daemon.begin("jane").await;
    let mut prompts = 1;
    talk.prompt().await;
    loop {
        talk.answer("?").await;
        let next = talk.client.receive::<ServerMessage>().await;
        if next == ServerMessage::Settled(Verdict::Deny) {
            break;
        }
        assert!(matches!(next, ServerMessage::Prompt { .. }), "{next:?}");
        prompts += 1;
        assert!(prompts <= 12, "it goes on and on");
    }
}

#[tokio::test]
async fn whoever_goes_away_while_a_code_is_sent_is_not_waited_for() {
    let daemon = daemon("").await;
    let egress = Egress::start(daemon.directory.path(), |_| Reply::Wait);
    daemon.hold_sms("jane").await;
    let gone = daemon.begin("jane").await;
    egress.wait_taken(1).await;
    drop(gone);
    egress.wait_given_up(1).await;

    daemon.clock.advance(60);
    let mut hasty = daemon.begin("jane").await;
    egress.wait_taken(2).await;
    hasty.client.send(&ClientMessage::Answer(secret("000000"))).await;
    assert_eq!(hasty.end().await.1, Verdict::Deny, "nothing was asked yet");
    egress.wait_given_up(2).await;
}

#[tokio::test]
async fn caps_hold_whatever_is_typed() {
    let limits = OUTSIDE.replace("[sms]\n", "[sms]\nper_user_day = 3\n");
    let daemon = Daemon::start(&limits).await;
    let egress = Egress::willing(daemon.directory.path());
    daemon.hold_sms("jane").await;
    for _ in 0..2 {
        let mut talk = daemon.begin("jane").await;
        assert_eq!(talk.prompt().await, SENT);
        daemon.clock.advance(60);
    }
    let mut talk = daemon.begin("jane").await;
    let capped = talk.prompt().await;
    assert!(
        capped.starts_with("No code was sent: too many were. The next can be in 23 h 58 min."),
        "{capped}"
    );
    for answer in ["", "sms"] {
        assert!(talk.says(answer).await.starts_with("No code was sent: too many were."));
    }
    assert_eq!(egress.taken().len(), 2);
    let audit = daemon.admin(Request::Show { user: user_id("jane") }).await;
    assert!(!format!("{audit:?}").contains(NUMBER), "{audit:?}");
}
