//! Having people told: in order, at least once, and of nothing that happened before somebody was to be told.
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

use std::{sync::Arc, time::Duration};

use mfa_proto::{admin::Request, egress::Done, login::Verdict, text::ShownText};
use support::{
    Daemon, NOW,
    egress::{Egress, Reply, Taken},
    outside::OUTSIDE,
    totp, user_id,
};
use tokio::task::JoinHandle;

const HOOK: &str = "[notify]\nhook = \"/nowhere/hook\"\n";
const LONG: Duration = Duration::from_secs(60);

async fn daemon(notify: &str) -> Daemon {
    Daemon::start(&format!("{OUTSIDE}{notify}")).await
}

/// The task that has people told; ended when dropped.
struct Following(JoinHandle<()>);

impl Drop for Following {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Starts following, where that is configured from here on.
async fn follow(daemon: &Daemon) -> Following {
    if daemon.core.settings().config().notify().is_on() {
        daemon.core.store().follow_news().await.unwrap();
    }
    Following(tokio::spawn(mfad::notices::run(Arc::clone(&daemon.core))))
}

fn told(egress: &Egress) -> Vec<(String, String)> {
    let pair = |taken| {
        let Taken::Notify { event, user, .. } = taken else { return None };
        Some((event, user))
    };
    egress.taken().into_iter().filter_map(pair).collect()
}

fn pairs(of: &[(&str, &str)]) -> Vec<(String, String)> {
    of.iter().map(|(event, user)| ((*event).to_owned(), (*user).to_owned())).collect()
}

async fn until<T: PartialEq + std::fmt::Debug>(wanted: T, mut now: impl AsyncFnMut() -> T) {
    let reached = async {
        while now().await != wanted {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LONG, reached).await.unwrap_or_else(|_| panic!("never {wanted:?}"));
}

async fn until_told(egress: &Egress, of: &[(&str, &str)]) {
    until(pairs(of), async || told(egress)).await;
}

async fn waiting(daemon: &Daemon, wanted: u64) {
    until(wanted, async || daemon.core.notices_waiting().await.unwrap()).await;
}

#[tokio::test]
async fn what_happens_is_told_in_order_and_once() {
    let daemon = daemon(HOOK).await;
    let egress = Egress::willing(daemon.directory.path());
    let _following = follow(&daemon).await;
    daemon.enroll_totp("jane").await;
    daemon.enroll_totp("john").await;
    let codes = daemon.hold_recovery("jane", 3).await;
    assert_eq!(daemon.login("jane", &[&codes[0]]).await.verdict, Verdict::Accept);
    assert_eq!(daemon.login("jane", &[&totp(NOW)]).await.verdict, Verdict::Accept);
    let used = [totp(NOW), totp(NOW), totp(NOW)];
    daemon.login("jane", &[&used[0], &used[1], &used[2]]).await;
    let expected = [
        ("enroll", "jane"),
        ("enroll", "john"),
        ("recovery_new", "jane"),
        ("recovery_used", "jane"),
        ("code_reused", "jane"),
        ("code_reused", "jane"),
        ("code_reused", "jane"),
    ];
    until_told(&egress, &expected).await;
    waiting(&daemon, 0).await;
    assert_eq!(told(&egress), pairs(&expected), "each of them once");
}

#[tokio::test]
async fn the_users_own_address_goes_along_only_where_mail_is_for_the_user() {
    for (notify, wanted) in [
        (
            "[mail]\nserver = \"localhost\"\ntls = \"none\"\nfrom = \"a@b\"\n[notify]\nmail_user = true\n",
            true,
        ),
        (HOOK, false),
    ] {
        let daemon = daemon(notify).await;
        let egress = Egress::willing(daemon.directory.path());
        let _following = follow(&daemon).await;
        daemon.hold_mail("jane").await;
        egress.wait_taken(1).await;
        let Taken::Notify { event, to, .. } = &egress.taken()[0] else { panic!() };
        assert_eq!((event.as_str(), to.is_some()), ("confirm", wanted));
    }
}

#[tokio::test]
async fn while_egress_is_away_nothing_is_lost_and_no_login_waits() {
    let daemon = daemon(HOOK).await;
    let _following = follow(&daemon).await;
    daemon.enroll_totp("jane").await;
    daemon.enroll_totp("john").await;
    waiting(&daemon, 2).await;
    assert_eq!(daemon.login("jane", &[&totp(NOW)]).await.verdict, Verdict::Accept);
    let egress = Egress::willing(daemon.directory.path());
    until_told(&egress, &[("enroll", "jane"), ("enroll", "john")]).await;
    waiting(&daemon, 0).await;
}

#[tokio::test]
async fn a_crash_after_telling_tells_again_and_loses_nothing() {
    let daemon = daemon(HOOK).await;
    let egress = Egress::start(daemon.directory.path(), |_| Reply::Wait);
    let following = follow(&daemon).await;
    daemon.enroll_totp("jane").await;
    egress.wait_taken(1).await;
    // Egress has it; how far the telling came is not written down yet.
    drop(following);
    egress.wait_given_up(1).await;
    egress.release(Done::Yes);
    assert_eq!(daemon.core.notices_waiting().await.unwrap(), 1);
    daemon.enroll_totp("john").await;
    let _following = follow(&daemon).await;
    until_told(&egress, &[("enroll", "jane"), ("enroll", "jane"), ("enroll", "john")]).await;
    waiting(&daemon, 0).await;
    let numbers: Vec<i64> = egress
        .taken()
        .iter()
        .map(|taken| if let Taken::Notify { seq, .. } = taken { *seq } else { panic!("{taken:?}") })
        .collect();
    assert_eq!(numbers[0], numbers[1], "it can be known by its number");
}

#[tokio::test]
async fn one_that_cannot_be_told_holds_up_no_other() {
    let daemon = daemon(HOOK).await;
    let failed = || Done::Failed { why: ShownText::clean("the hook ended with exit status: 1") };
    let egress = Egress::start(daemon.directory.path(), move |taken| {
        let janes = matches!(taken, Taken::Notify { user, .. } if user == "jane");
        Reply::Done(if janes { failed() } else { Done::Yes })
    });
    let following = follow(&daemon).await;
    daemon.enroll_totp("jane").await;
    daemon.enroll_totp("john").await;
    let of = async |user: &str| told(&egress).iter().filter(|(_, told)| told == user).count();
    until(true, async || of("john").await == 1 && of("jane").await >= 2).await;
    assert!(daemon.core.notices_waiting().await.unwrap() >= 1, "it is still to be told");
    // Who starts anew begins with it.
    drop(following);
    let _following = follow(&daemon).await;
    until(true, async || of("john").await == 2).await;
}

#[tokio::test]
async fn nothing_is_told_late_to_whoever_asks_for_it_now() {
    let daemon = daemon("").await;
    let egress = Egress::willing(daemon.directory.path());
    let _following = follow(&daemon).await;
    daemon.enroll_totp("jane").await;
    assert_eq!(daemon.core.notices_waiting().await.unwrap(), 0);
    let whole = |notify: &str| {
        let text = format!("[identity]\naccounts = \"any\"\n{OUTSIDE}{notify}");
        text.replace("{dir}", daemon.directory.path().to_str().unwrap())
    };
    daemon.reconfigure(&whole(HOOK)).await;
    // Once it follows, what happens is told.
    until(true, async || {
        daemon.enroll_totp("john").await;
        daemon.admin(Request::Remove { target: all_of("john"), code: None }).await;
        !told(&egress).is_empty()
    })
    .await;
    assert!(told(&egress).iter().all(|(_, user)| user == "john"), "{:?}", told(&egress));
    daemon.reconfigure(&whole("")).await;
    waiting(&daemon, 0).await;
}

fn all_of(user: &str) -> mfa_proto::admin::FactorRef {
    mfa_proto::admin::FactorRef { user: user_id(user), factor: None, label: None }
}

#[tokio::test]
async fn only_what_is_configured_is_told() {
    let daemon = daemon("[notify]\nhook = \"/nowhere/hook\"\nevents = [\"remove\"]\n").await;
    let egress = Egress::willing(daemon.directory.path());
    let _following = follow(&daemon).await;
    daemon.enroll_totp("jane").await;
    daemon.admin(Request::Remove { target: all_of("jane"), code: None }).await;
    until_told(&egress, &[("remove", "jane")]).await;
    waiting(&daemon, 0).await;
}

#[tokio::test]
async fn what_is_older_than_a_day_is_not_told() {
    let daemon = daemon(HOOK).await;
    let following = follow(&daemon).await;
    daemon.enroll_totp("jane").await;
    waiting(&daemon, 1).await;
    drop(following);
    daemon.clock.advance(mfad::notices::OLDEST + 1);
    assert_eq!(daemon.core.notices_waiting().await.unwrap(), 0);
    daemon.enroll_totp("john").await;
    let egress = Egress::willing(daemon.directory.path());
    let _following = follow(&daemon).await;
    until_told(&egress, &[("enroll", "john")]).await;
    waiting(&daemon, 0).await;
    assert_eq!(told(&egress).len(), 1);
}

#[tokio::test]
async fn after_a_restore_what_happens_is_told_though_numbers_are_given_again() {
    let daemon = daemon(HOOK).await;
    let egress = Egress::willing(daemon.directory.path());
    let _following = follow(&daemon).await;
    daemon.enroll_totp("jane").await;
    waiting(&daemon, 0).await;
    let copy = daemon.core.store().backup().await.unwrap().path;
    // Rows that nobody is told of, so that more was looked at than the copy has.
    for _ in 0..20 {
        daemon.login("nobody", &["000000", "000000", "000000"]).await;
        daemon.clock.advance(600);
    }
    daemon.enroll_totp("john").await;
    until_told(&egress, &[("enroll", "jane"), ("enroll", "john")]).await;
    waiting(&daemon, 0).await;
    let laid = mfad::store::Store::handed_over(&daemon.directory.path().join("mfad.db"));
    std::fs::rename(copy, laid).unwrap();
    daemon.core.store().restore().await.unwrap();
    daemon.enroll_totp("jack").await;
    until(true, async || told(&egress).contains(&("enroll".to_owned(), "jack".to_owned()))).await;
    waiting(&daemon, 0).await;
}

#[tokio::test]
async fn failures_of_others_are_told_after_the_next_login() {
    let daemon = daemon("").await;
    daemon.enroll_hotp("jane").await;
    // What one mistypes oneself is no news.
    let mistyped = daemon.login("jane", &["000000", &support::hotp(0)]).await;
    assert_eq!((mistyped.verdict, mistyped.prompts.len()), (Verdict::Accept, 2));
    let attack = daemon.login("jane", &["000000", "111111", "222222"]).await;
    assert_eq!(attack.verdict, Verdict::Deny);
    daemon.clock.advance(60);
    let told = daemon.login("jane", &[&support::hotp(1)]).await;
    let said = "3 failed attempts since your last login, the last from 192.0.2.7.";
    assert_eq!((told.verdict, told.prompts.last().map(String::as_str)), (Verdict::Accept, Some(said)));
    let after = daemon.login("jane", &[&support::hotp(2)]).await;
    assert_eq!((after.verdict, after.prompts.len()), (Verdict::Accept, 1), "it is told once");
}
