//! Outside services that begin and judge: whole logins, with a scripted egress.
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

use std::sync::Arc;

use mfa_proto::{
    codec,
    egress::{Done, Found},
    login::Verdict,
    text::ShownText,
};
use support::{
    Daemon, NOW,
    egress::{Egress, Reply, Taken},
    outside::OUTSIDE,
    totp,
};

async fn daemon(extra: &str) -> Daemon {
    Daemon::start(&format!("{OUTSIDE}{extra}")).await
}

fn judged(code: &str) -> Taken {
    Taken::Judge { outside: "corp".to_owned(), remote_user: "jane@corp".to_owned(), code: code.to_owned() }
}

#[tokio::test]
async fn the_service_says_yes_or_no() {
    let daemon = daemon("").await;
    let egress = Egress::willing(daemon.directory.path());
    let factor = daemon.hold_rest("jane", "corp").await;
    let mut talk = daemon.begin("jane").await;
    assert_eq!(talk.prompt().await, "Verification code: ");
    assert_eq!(talk.says("123 456").await, "Wrong code. Verification code: ");
    assert_eq!(daemon.failures("jane", factor).await, 1);
    assert_eq!(talk.ends("right").await, Verdict::Accept);
    assert_eq!(egress.taken(), [judged("123456"), judged("right")]);
    assert_eq!(daemon.failures("jane", factor).await, 0, "a success forgets the failures before it");
    assert_eq!(daemon.last_audit("jane").await.verdict, "accept");
}

#[tokio::test]
async fn what_is_no_yes_denies_and_stays_charged() {
    let bytes = |done: Done| codec::encode(&done).unwrap().to_vec();
    let replies = [
        bytes(Done::No),
        bytes(Done::Delivered { via: ShownText::clean("yes") }),
        bytes(Done::Failed { why: ShownText::clean("it answers in HTML") }),
        bytes(Done::Busy),
        bytes(Done::Found(Box::new(Found { phone: None, mail: None, sealed: vec![] }))),
        vec![],
        bytes(Done::Yes)[..2].to_vec(),
        b"HTTP/1.1 200 OK\r\n\r\ntrue".to_vec(),
        [&[0, 2], &bytes(Done::Yes)[2..], &[0][..]].concat(),
    ];
    for reply in replies {
        let daemon = daemon("[prompt]\nattempts = 1\n").await;
        let said = reply.clone();
        let _egress = Egress::start(daemon.directory.path(), move |_| Reply::Bytes(said.clone()));
        let factor = daemon.hold_rest("jane", "corp").await;
        let mut talk = daemon.begin("jane").await;
        talk.prompt().await;
        assert_eq!(talk.ends("right").await, Verdict::Deny, "{reply:?}");
        assert_eq!(daemon.failures("jane", factor).await, 1, "{reply:?}");
    }
}

#[tokio::test]
async fn wrong_answers_lock_and_a_locked_factor_is_not_asked_for() {
    let daemon = daemon("[prompt]\nattempts = 5\n").await;
    let egress = Egress::willing(daemon.directory.path());
    daemon.hold_rest("jane", "corp").await;
    let mut refused = Vec::new();
    for _ in 0..5 {
        let mut talk = daemon.begin("jane").await;
        talk.prompt().await;
        refused.push(talk.says("wrong-one").await);
        daemon.clock.advance(10);
    }
    let (locked, wrong) = refused.split_last().unwrap();
    assert!(wrong.iter().all(|prompt| prompt.starts_with("Wrong code.")), "{wrong:?}");
    assert_eq!(locked, "Too many wrong codes. Try again in 15 min. Press Enter: ");
    let mut talk = daemon.begin("jane").await;
    assert!(talk.prompt().await.starts_with("Too many wrong codes. Try again in 14 min"));
    assert_eq!(talk.ends("").await, Verdict::Locked);
    assert_eq!(egress.taken().len(), 5);
}

#[tokio::test]
async fn a_service_that_is_away_is_said_to_be() {
    let daemon = daemon("").await;
    let factor = daemon.hold_rest("jane", "corp").await;
    daemon.enroll_totp("jane").await;
    let mut talk = daemon.begin("jane").await;
    assert_eq!(talk.prompt().await, "Verification code: ");
    assert_eq!(talk.says("corp").await, "Code of corp: ");
    assert_eq!(
        talk.says("right").await,
        "The service does not answer: your code was not checked. Code of corp: "
    );
    assert_eq!(daemon.failures("jane", factor).await, 1, "else its outage would be a way to guess on");
    talk.says("phone").await;
    assert_eq!(talk.ends(&totp(NOW)).await, Verdict::Accept);
}

#[tokio::test]
async fn a_service_that_has_to_begin_is_told_first_and_a_failing_one_denies_only_itself() {
    let daemon = daemon("").await;
    let egress = Egress::willing(daemon.directory.path());
    daemon.hold_rest("jane", "push").await;
    let mut talk = daemon.begin("jane").await;
    assert_eq!(talk.prompt().await, "Code for push (Enter: send again): ");
    let begin = |code: Option<&str>| Taken::Begin {
        outside: "push".to_owned(),
        remote_user: "jane@corp".to_owned(),
        code: code.map(str::to_owned),
    };
    assert_eq!(egress.taken(), [begin(None)], "the service makes its own code");
    daemon.clock.advance(10);
    assert!(talk.says("").await.starts_with("A code was sent 10 s ago: wait 20 s"));
    assert_eq!(talk.ends("right").await, Verdict::Accept);
    drop(egress);

    let daemon = self::daemon("").await;
    let _egress = Egress::start(daemon.directory.path(), |taken| match taken {
        Taken::Begin { .. } | Taken::Look { .. } => Reply::Done(Done::No),
        Taken::Judge { .. }
        | Taken::Deliver { .. }
        | Taken::Notify { .. }
        | Taken::Authorize { .. }
        | Taken::Ping => Reply::Done(Done::Yes),
    });
    daemon.hold_rest("jane", "push").await;
    daemon.enroll_totp("jane").await;
    let mut talk = daemon.begin("jane").await;
    talk.prompt().await;
    assert!(talk.says("push").await.starts_with("No code was sent: the gateway does not answer."));
    let refused = talk.says("right-or-not").await;
    assert!(
        refused.starts_with("That chooses nothing"),
        "a service that did not begin is not asked: {refused}"
    );
    assert_eq!(talk.ends(&totp(NOW)).await, Verdict::Accept);
}

#[tokio::test]
async fn a_code_made_here_is_delivered_by_the_service_and_judged_here() {
    let daemon = daemon("").await;
    let egress = Egress::willing(daemon.directory.path());
    daemon.hold_rest("jane", "llng").await;
    let mut talk = daemon.begin("jane").await;
    assert_eq!(talk.prompt().await, "Code for llng (Enter: send again): ");
    let code = egress.last_code();
    assert!(code.len() == 8 && code.bytes().take(3).all(|b| b.is_ascii_uppercase()), "{code}");
    let wrong = if code == "AAA00000" { "BBB11111" } else { "AAA00000" };
    assert!(talk.says(wrong).await.starts_with("Wrong code."));
    assert_eq!(talk.ends(&code).await, Verdict::Accept);
    assert_eq!(egress.taken().len(), 1, "the service is not asked");
}

#[tokio::test]
async fn whoever_goes_away_while_the_service_thinks_stays_charged() {
    let daemon = daemon("").await;
    let egress = Egress::start(daemon.directory.path(), |_| Reply::Wait);
    let factor = daemon.hold_rest("jane", "corp").await;
    let mut talk = daemon.begin("jane").await;
    talk.prompt().await;
    talk.answer("right").await;
    egress.wait_taken(1).await;
    assert_eq!(daemon.failures("jane", factor).await, 1, "charged before it is known");
    drop(talk);
    egress.wait_given_up(1).await;
    egress.release(Done::Yes);
    assert_eq!(daemon.failures("jane", factor).await, 1);
    // A login that begins later ends after the one that was given up, which nothing holds back any more.
    let mut next = daemon.begin("jane").await;
    next.prompt().await;
    assert_eq!(next.ends("right").await, Verdict::Accept);
}

#[tokio::test]
async fn a_silent_service_ends_with_the_patience_of_core() {
    let daemon = daemon("[prompt]\nattempts = 1\n[core]\nlogin_timeout = \"60s\"\n").await;
    let egress = Egress::start(daemon.directory.path(), |_| Reply::Wait);
    let factor = daemon.hold_rest("jane", "corp").await;
    let mut talk = daemon.begin("jane").await;
    talk.prompt().await;
    talk.answer("right").await;
    egress.wait_taken(1).await;
    // From here on time passes as soon as everyone waits, up to the end of the errand alone.
    tokio::time::pause();
    egress.wait_given_up(1).await;
    tokio::time::resume();
    assert_eq!(talk.end().await.1, Verdict::Deny);
    assert_eq!(daemon.failures("jane", factor).await, 1);
    assert_eq!(daemon.last_audit("jane").await.reason, "unreachable");
}

/// By the order in which things happen, not by the time they take: while a hundred logins hang at a slow
/// service, others come to their end.
#[tokio::test]
async fn a_slow_service_holds_up_nobody_else() {
    const SLOW: usize = 100;
    let daemon =
        Arc::new(daemon("[core]\nper_uid_connections = 512\n[limits]\nsource_failures = 1000\n").await);
    let egress = Egress::start(daemon.directory.path(), |taken| match taken {
        Taken::Judge { .. } => Reply::Wait,
        Taken::Look { .. } => Reply::Done(Done::No),
        Taken::Deliver { .. } => Reply::Done(Done::Delivered { via: ShownText::clean("script") }),
        Taken::Begin { .. } | Taken::Notify { .. } | Taken::Authorize { .. } | Taken::Ping => {
            Reply::Done(Done::Yes)
        }
    });
    let mut slow = tokio::task::JoinSet::new();
    for n in 0..SLOW {
        let user = format!("slow{n}");
        daemon.hold_rest(&user, "corp").await;
        let daemon = Arc::clone(&daemon);
        slow.spawn(async move {
            let mut talk = daemon.begin(&user).await;
            talk.prompt().await;
            talk.ends("right").await
        });
    }
    egress.wait_taken(SLOW).await;
    for n in 0..10 {
        let user = format!("fast{n}");
        daemon.enroll_totp(&user).await;
        assert_eq!(daemon.login(&user, &[&totp(NOW)]).await.verdict, Verdict::Accept);
    }
    daemon.hold_sms("jane").await;
    let mut jane = daemon.begin("jane").await;
    jane.prompt().await;
    assert_eq!(
        jane.ends(&egress.last_code()).await,
        Verdict::Accept,
        "another gateway is not held up either"
    );
    assert!(slow.try_join_next().is_none(), "all of them still wait");
    assert_eq!(egress.taken().len(), SLOW + 1);
    egress.release(Done::Yes);
    assert!(slow.join_all().await.iter().all(|verdict| *verdict == Verdict::Accept));
}
