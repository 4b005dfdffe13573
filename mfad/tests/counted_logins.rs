//! Logins whose rule names kinds of factor, or wants several.
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
    admin::{AuditFilter, NewParams, Reply, Request},
    login::Verdict,
};
use support::{Daemon, NOW, hotp, new_factor, user_id};

const PROMPT: &str = "Verification code: ";

fn rule(what: &str) -> String {
    format!("[[policy.rule]]\nname = \"strict\"\nmatch = {{}}\naction = \"require\"\n{what}\n")
}

async fn verdicts(daemon: &Daemon, user: &str) -> Vec<(String, String)> {
    let filter = AuditFilter { user: Some(user_id(user)), last: Some(20), ..AuditFilter::default() };
    let reply = daemon.admin(Request::Audit(Box::new(filter))).await;
    let Reply::Audit(page) = reply else { panic!("{reply:?}") };
    page.rows.into_iter().filter(|row| row.event == "login").map(|row| (row.verdict, row.reason)).collect()
}

fn pair(verdict: &str, reason: &str) -> (String, String) {
    (verdict.to_owned(), reason.to_owned())
}

/// Gives `user` a time-based factor of another seed.
async fn enroll_other(daemon: &Daemon, user: &str) {
    let params = NewParams::Totp(mfa_proto::admin::TotpParams::default());
    let secret = Some(support::secret("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"));
    let new = mfa_proto::admin::NewFactor { secret, ..new_factor(user, params, "tablet") };
    let reply = daemon.admin(Request::Enroll(Box::new(new))).await;
    assert!(matches!(reply, Reply::Enrolled(_)), "{reply:?}");
}

fn other_totp() -> String {
    totp_rs::Builder::new()
        .with_secret(b"Hello!\xde\xad\xbe\xefHello!\xde\xad\xbe\xef".to_vec())
        .build()
        .unwrap()
        .generate(u64::try_from(NOW.0).unwrap())
        .to_string()
}

#[tokio::test]
async fn two_factors_are_asked_one_after_the_other() {
    let daemon = Daemon::start(&rule("count = 2")).await;
    daemon.enroll_hotp("jane").await;
    enroll_other(&daemon, "jane").await;
    let seen = daemon.login("jane", &[&hotp(0), "000000", &other_totp()]).await;
    assert_eq!(
        seen.prompts,
        [PROMPT, "First code right. Now: tablet. Verification code: ", "Wrong code. Verification code: ",]
    );
    assert_eq!(seen.verdict, Verdict::Accept);
    assert_eq!(
        verdicts(&daemon, "jane").await,
        [pair("partial", "ok"), pair("deny", "wrong_code"), pair("accept", "ok")]
    );
    assert_eq!(daemon.core.tallied(), (1, 0));
}

#[tokio::test]
async fn one_of_two_is_no_login_and_the_trail_says_how_it_ended() {
    let daemon = Daemon::start(&rule("count = 2")).await;
    daemon.enroll_hotp("jane").await;
    enroll_other(&daemon, "jane").await;
    // The same factor a second time is no other one.
    let seen = daemon.login("jane", &[&hotp(0), &hotp(1), "", ""]).await;
    assert_eq!(seen.verdict, Verdict::Deny);
    let mut client = support::Client::greet(&daemon.socket(), mfa_proto::hello::Protocol::Login).await;
    client.send(&mfa_proto::login::ClientMessage::Start(support::start("jane"))).await;
    let _prompt: mfa_proto::login::ServerMessage = client.receive().await;
    client.send(&mfa_proto::login::ClientMessage::Answer(support::secret(&hotp(1)))).await;
    let _prompt: mfa_proto::login::ServerMessage = client.receive().await;
    let gave_up = mfa_proto::login::ClientMessage::Withheld(mfa_proto::login::Withheld::NoAnswer);
    client.send(&gave_up).await;
    let settled: mfa_proto::login::ServerMessage = client.receive().await;
    assert!(matches!(settled, mfa_proto::login::ServerMessage::Settled(Verdict::Deny)));
    let seen = verdicts(&daemon, "jane").await;
    assert_eq!(&seen[seen.len() - 2..], [pair("partial", "ok"), pair("deny", "cancelled")]);
    assert!(seen.iter().all(|(verdict, _)| verdict != "accept"));
}

#[tokio::test]
async fn whoever_holds_too_few_is_asked_like_others_and_denied_whatever_is_typed() {
    for conceal in [false, true] {
        let extra =
            format!("[policy]\nunenrolled = \"skip\"\n{}[prompt]\nconceal = {conceal}\n", rule("count = 2"));
        let daemon = Daemon::start(&extra).await;
        daemon.enroll_hotp("jane").await;
        let right = daemon.login("jane", &[&hotp(0), &hotp(1), "000000"]).await;
        assert_eq!(right.verdict, Verdict::Deny);
        assert_eq!(verdicts(&daemon, "jane").await, [pair("deny", "not_enough_factors")]);
        let stranger = Daemon::start(&rule("count = 2")).await;
        stranger
            .reconfigure(&format!(
                "[identity]\naccounts = \"any\"\n{}[prompt]\nconceal = {conceal}\n",
                rule("count = 2")
            ))
            .await;
        let nobody = stranger.login("nobody", &["123456", "123456", "000000"]).await;
        assert_eq!(right, nobody, "nothing tells it from a name without a factor");
        // Nothing was used up.
        daemon.reconfigure("[identity]\naccounts = \"any\"\n").await;
        assert_eq!(daemon.login("jane", &[&hotp(0)]).await.verdict, Verdict::Accept);
    }
}

#[tokio::test]
async fn unenrolled_skips_nobody_who_holds_anything() {
    let daemon =
        Daemon::start(&format!("[policy]\nunenrolled = \"skip\"\n{}", rule("kinds = [\"recovery\"]"))).await;
    assert_eq!(daemon.login("john", &[]).await.verdict, Verdict::NotApplicable);
    daemon.enroll_hotp("jane").await;
    let refused = daemon.login("jane", &[&hotp(0), "", ""]).await;
    assert_eq!((refused.verdict, refused.prompts[0].as_str()), (Verdict::Deny, PROMPT));
    assert_eq!(verdicts(&daemon, "jane").await, [pair("deny", "not_enough_factors")]);
}

#[tokio::test]
async fn only_a_kind_that_counts_lets_in() {
    let daemon = Daemon::start(&rule("kinds = [\"hotp\"]")).await;
    daemon.enroll_hotp("jane").await;
    enroll_other(&daemon, "jane").await;
    let seen = daemon.login("jane", &[&other_totp(), &hotp(0)]).await;
    assert_eq!(seen.prompts, [PROMPT, "Wrong code. Verification code: "]);
    assert_eq!(seen.verdict, Verdict::Accept);
    daemon.reconfigure("[identity]\naccounts = \"any\"\n").await;
    assert_eq!(daemon.login("jane", &[&other_totp()]).await.verdict, Verdict::Accept, "it was not used up");
}

#[tokio::test]
async fn two_factors_that_share_a_seed_are_one() {
    let daemon = Daemon::start(&rule("count = 2")).await;
    daemon.enroll_hotp("jane").await;
    daemon.enroll_totp("jane").await;
    let seen = daemon.login("jane", &[&hotp(0)]).await;
    assert_eq!((seen.prompts.len(), seen.verdict), (1, Verdict::Deny));
    assert_eq!(verdicts(&daemon, "jane").await, [pair("partial", "ok"), pair("deny", "not_enough_factors")]);
}
