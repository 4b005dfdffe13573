//! Whole logins against a core role in this process: what is asked, and how it ends.
#![forbid(unsafe_code)]
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should say where"
)]

mod support;

use mfa_proto::login::{Dialogue, Verdict};
use support::{Daemon, NOW, hotp, start, totp};

const PROMPT: &str = "Verification code: ";

#[tokio::test]
async fn a_right_code_lets_in_once() {
    let daemon = Daemon::start("").await;
    daemon.enroll_totp("jane").await;
    let first = daemon.login("jane", &[&totp(NOW)]).await;
    assert_eq!((first.prompts.as_slice(), first.verdict), ([PROMPT.to_owned()].as_slice(), Verdict::Accept));
    let again = daemon.login("jane", &[&totp(NOW), "", ""]).await;
    assert_eq!(again.verdict, Verdict::Deny);
    assert_eq!(again.prompts[1], "That code was used before: wait for the next one. Verification code: ");
    daemon.clock.advance(30);
    assert_eq!(daemon.login("jane", &[&totp(NOW.plus(30))]).await.verdict, Verdict::Accept);
}

#[tokio::test]
async fn codes_are_taken_as_people_type_them() {
    let daemon = Daemon::start("").await;
    daemon.enroll_hotp("jane").await;
    let code = hotp(0);
    let (first, second) = code.split_at(3);
    let spaced = format!(" {first} {second} ");
    assert_eq!(daemon.login("jane", &[&spaced]).await.verdict, Verdict::Accept);
}

#[tokio::test]
async fn wrong_codes_lead_to_growing_waits_that_the_prompt_tells() {
    let daemon = Daemon::start("[prompt]\nattempts = 5").await;
    daemon.enroll_hotp("jane").await;
    let two = daemon.login("jane", &["000000", "000000", "", "", ""]).await;
    assert_eq!(two.verdict, Verdict::Deny);
    assert_eq!(two.prompts[1], "Wrong code. Verification code: ");
    assert_eq!(
        two.prompts[3], "A code has 6 digits. Verification code: ",
        "what is no code costs no attempt"
    );
    for _ in 0..3 {
        daemon.clock.advance(10);
        drop(daemon.login("jane", &["000000", "", "", "", ""]).await);
    }
    daemon.clock.advance(10);
    let locked = daemon.login("jane", &[""]).await;
    assert_eq!(locked.prompts, ["Too many wrong codes. Try again in 14 min 50 s. Press Enter: "]);
    assert_eq!(locked.verdict, Verdict::Locked);
    daemon.clock.advance(900);
    assert_eq!(daemon.login("jane", &[&hotp(0)]).await.verdict, Verdict::Accept);
}

#[tokio::test]
async fn concealed_refusals_all_look_alike() {
    let daemon = Daemon::start("[prompt]\nconceal = true\nattempts = 1").await;
    daemon.enroll_hotp("jane").await;
    let mut seen = std::collections::BTreeSet::new();
    for user in ["jane", "nobody"] {
        for _ in 0..7 {
            daemon.clock.advance(10);
            let refused = daemon.login(user, &["000000"]).await;
            assert_ne!(refused.verdict, Verdict::Accept);
            seen.insert(refused.prompts);
        }
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [[PROMPT.to_owned()]]);
}

#[tokio::test]
async fn a_name_without_factor_is_asked_and_refused_like_any_other() {
    let daemon = Daemon::start("").await;
    daemon.enroll_hotp("jane").await;
    for round in 0..6 {
        let answers = ["000000", "000000", "000000"];
        let (real, decoy) = (daemon.login("jane", &answers).await, daemon.login("nobody", &answers).await);
        assert_eq!(real, decoy, "round {round}");
        daemon.clock.advance(7);
    }
}

#[tokio::test]
async fn a_name_without_factor_spends_the_small_budget_too() {
    let daemon = Daemon::start("").await;
    daemon.enroll_hotp("jane").await;
    let combined = |user| mfa_proto::login::Start { dialogue: Dialogue::Combined, ..start(user) };
    for round in 0..4 {
        let answers = ["000000", "000000", "000000", ""];
        let real = daemon.login_as(combined("jane"), &answers).await;
        assert_eq!(real, daemon.login_as(combined("nobody"), &answers).await, "round {round}");
        let answers = ["000000", "", "", ""];
        let real = daemon.login("jane", &answers).await;
        assert_eq!(real, daemon.login("nobody", &answers).await, "round {round}, with password");
        daemon.clock.advance(400);
    }
}

#[tokio::test]
async fn a_rule_that_denies_does_not_tell_which_accounts_exist() {
    let daemon = Daemon::with(
        "[[policy.rule]]\nname = \"no ssh\"\nmatch = { service = [\"sshd\"] }\naction = \"deny\"",
    )
    .await;
    let (known, unknown) = (daemon.login("root", &[]).await, daemon.login("no-such-account-here", &[]).await);
    assert_eq!((known.verdict, known.prompts.len()), (Verdict::Deny, 0));
    assert_eq!(known, unknown);
}

#[tokio::test]
async fn an_exhausted_factor_is_called_so_and_is_never_skipped() {
    for (unenrolled, conceal) in [("skip", false), ("deny", false), ("deny", true), ("skip", true)] {
        let daemon = Daemon::start(&format!(
            "[policy]\nunenrolled = \"{unenrolled}\"\n[prompt]\nattempts = 1\nconceal = {conceal}\n[limits]\ndisable_at = 2"
        ))
        .await;
        daemon.enroll_hotp("jane").await;
        for _ in 0..2 {
            drop(daemon.login("jane", &["000000", ""]).await);
        }
        let refused = daemon.login("jane", &[&hotp(0)]).await;
        if conceal {
            assert_eq!(refused.prompts, [PROMPT]);
        } else {
            assert!(refused.prompts[0].contains("is disabled"), "{refused:?}");
        }
        assert!(matches!(refused.verdict, Verdict::Deny | Verdict::Locked), "{refused:?}");
        let last = daemon.last_audit("jane").await;
        assert_eq!((last.reason.as_str(), last.event.as_str()), ("exhausted", "login"), "{last:?}");
    }
}

#[tokio::test]
async fn what_another_owner_of_the_name_enrolled_is_no_reason_to_skip() {
    let daemon = Daemon::with("[policy]\nunenrolled = \"skip\"").await;
    daemon.enroll_hotp("root").await;
    let target = mfa_proto::admin::FactorRef { user: support::user_id("root"), factor: None, label: None };
    let off = daemon.admin(mfa_proto::admin::Request::Disable { target, code: None }).await;
    assert!(matches!(off, mfa_proto::admin::Reply::Done { .. }), "{off:?}");
    assert_eq!(
        daemon.login("root", &[]).await.verdict,
        Verdict::NotApplicable,
        "disabled by root: not enrolled"
    );
    // From here on no name is an account of this host, so the uid at enrollment is not that of now.
    daemon.reconfigure("[identity]\naccounts = \"any\"\n[policy]\nunenrolled = \"skip\"").await;
    let refused = daemon.login("root", &["123456", "", ""]).await;
    assert_eq!(refused.verdict, Verdict::Deny);
    assert_eq!(daemon.last_audit("root").await.reason, "orphaned");
}

#[tokio::test]
async fn unenrolled_users_may_be_let_through_by_policy_and_enrolled_ones_not() {
    let daemon = Daemon::start("[policy]\nunenrolled = \"skip\"").await;
    assert_eq!(daemon.login("john", &[]).await.verdict, Verdict::NotApplicable);
    daemon.enroll_hotp("jane").await;
    assert_eq!(daemon.login("jane", &["000000", "", ""]).await.verdict, Verdict::Deny);
}

/// A roll-out by service: who holds nothing passes there, and nobody who holds something, whatever became of it.
#[tokio::test]
async fn a_rule_lets_unenrolled_users_through_by_its_service_alone() {
    let rule = "[[policy.rule]]\nname = \"roll-out\"\nmatch = { service = [\"sshd\"] }\naction = \"require\"\n\
                unenrolled = \"skip\"\n[limits]\ndisable_at = 2";
    let daemon = Daemon::start(rule).await;
    assert_eq!(daemon.login("john", &[]).await.verdict, Verdict::NotApplicable);
    let last = daemon.last_audit("john").await;
    assert_eq!(last.rule.as_deref(), Some("roll-out"), "{last:?}");
    let mut su = start("john");
    su.service = "su".parse().unwrap();
    assert_eq!(daemon.login_as(su, &["000000", "", ""]).await.verdict, Verdict::Deny);
    daemon.enroll_hotp("jane").await;
    for _ in 0..2 {
        let refused = daemon.login("jane", &["000000", "", ""]).await.verdict;
        assert!(matches!(refused, Verdict::Deny | Verdict::Locked), "{refused:?}");
    }
    let exhausted = daemon.login("jane", &["", "", ""]).await.verdict;
    assert!(matches!(exhausted, Verdict::Deny | Verdict::Locked), "{exhausted:?}");
}

#[tokio::test]
async fn a_name_that_is_no_account_is_never_let_through() {
    let daemon = Daemon::with("[policy]\nunenrolled = \"skip\"").await;
    let refused = daemon.login("no-such-account-here", &["123456", "123456", ""]).await;
    assert_eq!(refused.verdict, Verdict::Deny);
}

#[tokio::test]
async fn rules_decide_by_service_and_user() {
    let daemon = Daemon::start(
        "[[policy.rule]]\nname = \"robots\"\nmatch = { service = [\"sshd\"], user = [\"robot\"] }\naction = \"skip\"\n\
         [[policy.rule]]\nname = \"nobody by su\"\nmatch = { service = [\"su\"] }\naction = \"deny\"",
    )
    .await;
    assert_eq!(daemon.login("robot", &[]).await.verdict, Verdict::NotApplicable);
    let mut su = start("robot");
    su.service = "su".parse().unwrap();
    assert_eq!(daemon.login_as(su, &[]).await.verdict, Verdict::Deny);
    assert_eq!(daemon.login("jane", &["000000", "", ""]).await.verdict, Verdict::Deny);
}

#[tokio::test]
async fn combined_logins_spend_a_budget_of_their_own() {
    let daemon = Daemon::start("").await;
    daemon.enroll_hotp("jane").await;
    let combined = || {
        let mut combined = start("jane");
        combined.dialogue = Dialogue::Combined;
        combined
    };
    let refused = daemon.login_as(combined(), &["000000", "000000", "000000", ""]).await;
    assert_eq!(refused.verdict, Verdict::Locked, "the third failure without proven password locks");
    assert_eq!(daemon.login_as(combined(), &[""]).await.verdict, Verdict::Locked);
    assert_eq!(
        daemon.login("jane", &[&hotp(0)]).await.verdict,
        Verdict::Accept,
        "who proves the password is not locked out"
    );
    assert_eq!(
        daemon.login_as(combined(), &[&hotp(1)]).await.verdict,
        Verdict::Accept,
        "and that ends the lock"
    );
}

#[tokio::test]
async fn a_source_that_guesses_is_stopped_whatever_names_it_tries() {
    let daemon = Daemon::start("[limits]\nsource_failures = 4").await;
    daemon.enroll_hotp("jane").await;
    for user in ["a", "b", "c", "d"] {
        drop(daemon.login(user, &["000000", "", ""]).await);
    }
    let blocked = daemon.login("jane", &[&hotp(0)]).await;
    assert_eq!((blocked.prompts.len(), blocked.verdict), (0, Verdict::Locked));
    let mut elsewhere = start("jane");
    elsewhere.remote_host = Some(mfa_proto::name::Claim::clean("192.0.2.8"));
    assert_eq!(daemon.login_as(elsewhere, &[&hotp(0)]).await.verdict, Verdict::Accept);
}

#[tokio::test]
async fn a_clock_that_once_was_far_ahead_locks_nobody_out_for_good() {
    let daemon = Daemon::start("").await;
    daemon.enroll_totp("jane").await;
    let future = NOW.plus(86_400 * 365);
    daemon.clock.set(future);
    assert_eq!(daemon.login("jane", &[&totp(future)]).await.verdict, Verdict::Accept);
    daemon.clock.set(NOW);
    let refused = daemon.login("jane", &[&totp(NOW), ""]).await;
    assert!(refused.prompts[1].starts_with("This host's clock is wrong"), "{refused:?}");
    assert_eq!(refused.verdict, Verdict::Deny);
    let reset = daemon.admin(mfa_proto::admin::Request::Reset { user: support::user_id("jane") }).await;
    assert!(matches!(reset, mfa_proto::admin::Reply::Done { .. }), "{reset:?}");
    assert_eq!(
        daemon.login("jane", &[&totp(NOW), "", ""]).await.verdict,
        Verdict::Deny,
        "a reset revives no code"
    );
    daemon.clock.advance(30);
    assert_eq!(daemon.login("jane", &[&totp(NOW.plus(30))]).await.verdict, Verdict::Accept);
}

#[tokio::test]
async fn of_many_logins_with_one_code_exactly_one_passes() {
    let daemon = std::sync::Arc::new(Daemon::start("[limits]\nsource_failures = 1000").await);
    daemon.enroll_hotp("jane").await;
    for counter in 0..5 {
        let code = hotp(counter);
        let mut logins = tokio::task::JoinSet::new();
        for _ in 0..32 {
            let (daemon, code) = (std::sync::Arc::clone(&daemon), code.clone());
            logins.spawn(async move { daemon.login("jane", &[&code, "", "", ""]).await.verdict });
        }
        let verdicts = logins.join_all().await;
        assert_eq!(
            verdicts.iter().filter(|v| **v == Verdict::Accept).count(),
            1,
            "counter {counter}: {verdicts:?}"
        );
        let reset = daemon.admin(mfa_proto::admin::Request::Reset { user: support::user_id("jane") }).await;
        assert!(matches!(reset, mfa_proto::admin::Reply::Done { .. }), "{reset:?}");
    }
}

#[tokio::test]
async fn a_code_typed_too_soon_is_asked_for_again_and_costs_nothing() {
    let daemon = Daemon::start("").await;
    daemon.enroll_hotp("jane").await;
    let _three = daemon.login("jane", &["000000", "000000", "000000"]).await;
    let soon = daemon.login("jane", &[&hotp(0), &hotp(0), ""]).await;
    assert_eq!(soon.prompts[1], "Too soon after a wrong code. Wait 1 s. Verification code: ");
    assert_eq!(soon.verdict, Verdict::Deny);
    daemon.clock.advance(1);
    assert_eq!(daemon.login("jane", &[&hotp(0)]).await.verdict, Verdict::Accept);
}
