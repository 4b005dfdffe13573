//! Logins that are not asked again because a success is remembered: only those that are like it.
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
    admin::{AuditFilter, AuditRow, Reply, Request},
    auth_info::AuthInfo,
    login::{Dialogue, Start, Verdict},
    name::{Claim, ServiceName},
};
use support::{Daemon, hotp, start, user_id};

const RULE: &str = "[[policy.rule]]\nname = \"office\"\nmatch = { service = [\"sshd\", \"sudo\", \"sudo-i\"] }\n\
                    action = \"require\"\nremember = \"8h\"\n";
const ED25519: &str =
    "publickey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJy/lPzaUUbn8FFy8h4QWv14RyOoExPAah6ju9tfTNZP";

/// A daemon with this rule, and jane, whose first login is remembered.
async fn remembering(more: &str) -> Daemon {
    let daemon = Daemon::start(&format!("{RULE}{more}")).await;
    daemon.enroll_hotp("jane").await;
    assert_eq!(daemon.login("jane", &[&hotp(0)]).await.verdict, Verdict::Accept);
    daemon
}

/// Asked, and refused in the end, because nothing sensible is typed.
async fn is_asked(daemon: &Daemon, start: Start) -> bool {
    let seen = daemon.login_as(start, &["", "", "", ""]).await;
    assert_eq!(seen.prompts.is_empty(), seen.verdict == Verdict::NotApplicable, "{seen:?}");
    seen.verdict != Verdict::NotApplicable
}

async fn trail(daemon: &Daemon, user: &str) -> Vec<AuditRow> {
    let filter = AuditFilter { user: Some(user_id(user)), last: Some(10), ..AuditFilter::default() };
    let reply = daemon.admin(Request::Audit(Box::new(filter))).await;
    let Reply::Audit(page) = reply else { panic!("{reply:?}") };
    page.rows
}

fn with(change: impl FnOnce(&mut Start)) -> Start {
    let mut start = start("jane");
    change(&mut start);
    start
}

#[tokio::test]
async fn a_second_login_like_the_first_is_not_asked_and_the_trail_says_why() {
    let daemon = remembering("").await;
    assert!(!is_asked(&daemon, start("jane")).await);
    let rows = trail(&daemon, "jane").await;
    let last = rows.last().unwrap();
    assert_eq!(
        (last.event.as_str(), last.verdict.as_str(), last.reason.as_str(), last.rule.as_deref()),
        ("login", "skip", "remembered", Some("office"))
    );
    assert!(rows.iter().any(|row| row.event == "remember"), "{rows:?}");
    daemon.clock.advance(8 * 3600);
    assert!(is_asked(&daemon, start("jane")).await, "8 hours from the success, not from the last login");
}

#[tokio::test]
async fn whatever_differs_is_asked() {
    let daemon = remembering("").await;
    daemon.enroll_hotp("john").await;
    let host = |host: &str| Some(Claim::clean(host));
    for (what, other) in [
        ("another user", start("john")),
        ("another source", with(|s| s.remote_host = host("192.0.2.8"))),
        ("no source", with(|s| s.remote_host = None)),
        ("an unknown source", with(|s| s.remote_host = host("host.example.org"))),
        ("a key", with(|s| s.ssh_auth_info = Some(AuthInfo::clean(ED25519)))),
        ("another class", with(|s| s.service = ServiceName::new("sudo").unwrap())),
        ("another rule", with(|s| s.service = ServiceName::new("login").unwrap())),
        ("no proven password", with(|s| s.dialogue = Dialogue::Combined)),
    ] {
        assert!(is_asked(&daemon, other).await, "{what}");
    }
    assert!(!is_asked(&daemon, start("jane")).await);
}

#[tokio::test]
async fn a_key_is_remembered_with_the_success() {
    let daemon = Daemon::start(RULE).await;
    daemon.enroll_hotp("jane").await;
    let key = || with(|s| s.ssh_auth_info = Some(AuthInfo::clean(ED25519)));
    assert_eq!(daemon.login_as(key(), &[&hotp(0)]).await.verdict, Verdict::Accept);
    assert!(!is_asked(&daemon, key()).await);
    assert!(is_asked(&daemon, start("jane")).await);
}

#[tokio::test]
async fn what_is_unknown_or_unproven_is_never_remembered() {
    let daemon = Daemon::start(RULE).await;
    daemon.enroll_hotp("jane").await;
    let unknown = || with(|s| s.remote_host = Some(Claim::clean("host.example.org")));
    let combined = || with(|s| s.dialogue = Dialogue::Combined);
    assert_eq!(daemon.login_as(unknown(), &[&hotp(0)]).await.verdict, Verdict::Accept);
    assert_eq!(daemon.login_as(combined(), &[&hotp(1)]).await.verdict, Verdict::Accept);
    assert!(is_asked(&daemon, unknown()).await && is_asked(&daemon, combined()).await);
    let Reply::Remembered(page) = daemon.admin(Request::Remembered { user: None, after: 0 }).await else {
        panic!()
    };
    assert_eq!(page.rows, []);
}

#[tokio::test]
async fn a_failed_login_is_not_remembered() {
    let daemon = Daemon::start(RULE).await;
    daemon.enroll_hotp("jane").await;
    assert_eq!(daemon.login("jane", &["000000", "", ""]).await.verdict, Verdict::Deny);
    assert!(is_asked(&daemon, start("jane")).await);
}

#[tokio::test]
async fn a_login_of_the_same_network_is_one_where_that_is_configured() {
    let daemon = remembering("[remember]\nipv4_prefix = 24\n").await;
    assert!(!is_asked(&daemon, with(|s| s.remote_host = Some(Claim::clean("192.0.2.200")))).await);
    assert!(is_asked(&daemon, with(|s| s.remote_host = Some(Claim::clean("192.0.3.7")))).await);
}

#[tokio::test]
async fn services_of_one_class_share_a_success() {
    let daemon = Daemon::start(RULE).await;
    daemon.enroll_hotp("jane").await;
    let service = |name: &str| with(|s| s.service = ServiceName::new(name).unwrap());
    assert_eq!(daemon.login_as(service("sudo"), &[&hotp(0)]).await.verdict, Verdict::Accept);
    assert!(!is_asked(&daemon, service("sudo-i")).await);
    assert!(is_asked(&daemon, service("sshd")).await);
}

#[tokio::test]
async fn a_reload_that_takes_the_rule_away_takes_what_it_remembered() {
    let daemon = remembering("").await;
    daemon.reconfigure("[identity]\naccounts = \"any\"\n").await;
    assert!(is_asked(&daemon, start("jane")).await);
    let renamed = RULE.replace("office", "home");
    daemon.reconfigure(&format!("[identity]\naccounts = \"any\"\n{renamed}")).await;
    assert!(is_asked(&daemon, start("jane")).await);
}

#[tokio::test]
async fn revoked_it_is_asked_again() {
    let daemon = remembering("").await;
    let Reply::Remembered(page) = daemon.admin(Request::Remembered { user: None, after: 0 }).await else {
        panic!()
    };
    assert_eq!((page.rows.len(), page.rows[0].source.as_str(), page.more), (1, "192.0.2.7/32", false));
    let row = Some(page.rows[0].row);
    let none = daemon.admin(Request::Forget { user: Some(user_id("john")), row }).await;
    assert!(matches!(none, Reply::Done { factors: 0 }), "{none:?}");
    assert!(!is_asked(&daemon, start("jane")).await);
    let one = daemon.admin(Request::Forget { user: None, row }).await;
    assert!(matches!(one, Reply::Done { factors: 1 }), "{one:?}");
    assert!(is_asked(&daemon, start("jane")).await);
    assert_eq!(daemon.login("jane", &[&hotp(1)]).await.verdict, Verdict::Accept);
    let all = daemon.admin(Request::Forget { user: None, row: None }).await;
    assert!(matches!(all, Reply::Done { factors: 1 }), "{all:?}");
    assert!(is_asked(&daemon, start("jane")).await);
}

#[tokio::test]
async fn an_account_that_holds_nothing_any_more_is_not_let_in_by_what_it_held() {
    for forget_on in ["", "[remember]\nforget_on = []\n"] {
        let daemon = remembering(forget_on).await;
        let target = mfa_proto::admin::FactorRef { user: user_id("jane"), factor: None, label: None };
        drop(daemon.admin(Request::Disable { target, code: None }).await);
        assert!(is_asked(&daemon, start("jane")).await, "{forget_on}");
    }
}

#[tokio::test]
async fn without_a_store_nothing_is_recalled() {
    let daemon = remembering("").await;
    daemon.core.store().shutdown().await;
    let seen = daemon.login("jane", &[]).await;
    assert_eq!((seen.prompts.len(), seen.verdict), (0, Verdict::Unavailable));
}
