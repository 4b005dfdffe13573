//! Emergency codes over the real socket: who may have one made, what it does to a login, and what policy says
//! meanwhile.
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
    admin::{FactorKind, Outlook, RefusalCode, Reply, Request},
    login::Verdict,
    text::ShownText,
};
use support::{Daemon, totp, user_id};

fn wish(user: &str, seconds: u32, reason: &str) -> Request {
    Request::BreakGlass { user: user_id(user), seconds, reason: ShownText::clean(reason) }
}

async fn made(daemon: &Daemon, user: &str) -> String {
    let reply = daemon.admin(wish(user, 7_200, "phone lost")).await;
    let Reply::BreakGlass { code, until, .. } = reply else { panic!("{reply:?}") };
    assert_eq!(until, support::NOW.plus(7_200).0);
    code.expose().to_owned()
}

async fn holds(daemon: &Daemon, user: &str) -> bool {
    let shown = daemon.admin(Request::Show { user: user_id(user) }).await;
    let Reply::User(detail) = shown else { return false };
    detail.factors.iter().any(|factor| factor.kind == FactorKind::BreakGlass)
}

#[tokio::test]
async fn it_lets_in_once_and_says_what_to_do_then() {
    let daemon = Daemon::start("").await;
    daemon.enroll_totp("jane").await;
    let code = made(&daemon, "jane").await;
    let login = daemon.login("jane", &["?", &code]).await;
    assert_eq!(login.verdict, Verdict::Accept);
    assert!(login.prompts[1].contains("breakglass (emergency code)"), "{:?}", login.prompts);
    assert_eq!(
        login.prompts[2],
        "You were let in by an emergency code of 1 s ago. Enroll a factor now: mfactl enroll totp"
    );
    assert!(!holds(&daemon, "jane").await);
    assert_ne!(daemon.login("jane", &[&code, "", ""]).await.verdict, Verdict::Accept);
    let login = daemon.login("jane", &[&totp(mfad::clock::Clock::now(&*daemon.clock))]).await;
    assert_eq!(login.verdict, Verdict::Accept);
}

#[tokio::test]
async fn whoever_holds_nothing_else_needs_it_where_others_are_let_in_without() {
    let daemon = Daemon::start("[policy]\nunenrolled = \"skip\"\n").await;
    assert_eq!(daemon.login("jane", &[]).await.verdict, Verdict::NotApplicable);
    let code = made(&daemon, "jane").await;
    let wrong = daemon.login("jane", &["00-AAAA-AAAA-AAAA-AAAA", "123456", ""]).await;
    assert_eq!(wrong.verdict, Verdict::Deny);
    assert_eq!(daemon.login("jane", &[&code]).await.verdict, Verdict::Accept);
    assert_eq!(daemon.login("jane", &[]).await.verdict, Verdict::NotApplicable, "it is as it was");

    made(&daemon, "jane").await;
    daemon.clock.advance(7_200);
    assert_eq!(daemon.login("jane", &[]).await.verdict, Verdict::NotApplicable, "its time is over");
}

/// Where a rule wants two factors, and remembers: one code is enough, and is for one login.
#[tokio::test]
async fn it_is_enough_for_every_rule_and_remembered_by_none() {
    let rule = "[[policy.rule]]\nname = \"strict\"\nmatch = { service = [\"sshd\"] }\naction = \"require\"\n\
                kinds = [\"totp\"]\ncount = 2\nremember = \"8h\"\n";
    let daemon = Daemon::start(rule).await;
    daemon.enroll_hotp("jane").await;
    assert_eq!(daemon.explain("jane").await.outlook, Outlook::Denied, "a code of a button does not count");
    let code = made(&daemon, "jane").await;
    assert_eq!(daemon.explain("jane").await.outlook, Outlook::Asked);
    assert_eq!(daemon.login("jane", &[&code]).await.verdict, Verdict::Accept);
    let next = daemon.login("jane", &["123456", "123456", "123456"]).await;
    assert_ne!(next.verdict, Verdict::NotApplicable, "nothing is remembered");
    assert_ne!(next.verdict, Verdict::Accept);
}

#[tokio::test]
async fn what_is_asked_for_has_bounds_and_a_reason() {
    let daemon = Daemon::start("").await;
    let long = "x".repeat(201);
    for (seconds, reason) in
        [(299, "lost"), (86_460, "lost"), (u32::MAX, "lost"), (7_200, ""), (7_200, "  "), (7_200, &long)]
    {
        let reply = daemon.admin(wish("jane", seconds, reason)).await;
        let Reply::Refused(refusal) = reply else { panic!("{seconds} {reason:?}: {reply:?}") };
        assert_eq!(refusal.code, RefusalCode::Invalid, "{seconds} {reason:?}");
    }
    assert!(!holds(&daemon, "jane").await);
    made(&daemon, "jane").await;
    let row = daemon.last_audit("jane").await;
    assert_eq!((row.event.as_str(), row.reason.as_str(), row.actor), ("breakglass", "phone lost", 0));
}
