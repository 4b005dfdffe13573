//! `mfactl explain --client`: what is said of a client's logins is what the client then meets.
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

use mfa_proto::{
    admin::{ExplainClient, Explanation, Outlook, RefusalCode, Reply, Request},
    name::{Claim, ClientName},
};
use support::{Daemon, user_id};

const CLIENTS: &str = "[[web.listen]]\naddress = \"127.0.0.1:1\"\n\
    [[web.client]]\nname = \"vpn\"\nservice = \"remote\"\nrights = [\"verify\"]\ntoken = \"t\"\npassword_proven = true\n\
    [[web.client]]\nname = \"wiki\"\nrights = [\"verify\"]\ntoken = \"t\"\n\
    [[web.client]]\nname = \"monitor\"\nrights = [\"status\"]\ntoken = \"t\"\n\
    [[web.client]]\nname = \"robots\"\nrights = [\"token:verify\"]\ntoken = \"t\"\n";

fn rule(name: &str, matches: &str, action: &str) -> String {
    format!("[[policy.rule]]\nname = \"{name}\"\nmatch = {{ {matches} }}\naction = \"{action}\"\n")
}

async fn replied(daemon: &Daemon, client: &str, source: Option<&str>) -> Reply {
    let asked = ExplainClient {
        user: user_id("jane"),
        client: ClientName::new(client).unwrap(),
        source: source.map(Claim::clean),
        at: None,
    };
    daemon.admin(Request::ExplainClient(Box::new(asked))).await
}

async fn explained(daemon: &Daemon, client: &str, source: Option<&str>) -> Explanation {
    let reply = replied(daemon, client, source).await;
    let Reply::Explained(explanation) = reply else { panic!("{reply:?}") };
    *explanation
}

fn says(told: &Explanation, words: &str) -> bool {
    told.why.iter().any(|why| why.as_str().contains(words))
}

#[tokio::test]
async fn rules_about_clients_their_service_and_their_source_decide() {
    let rules = rule("of the vpn", "client = [\"vpn\"], source = [\"10.20.0.0/16\"]", "deny")
        + &rule("remote", "service = [\"remote\"]", "require")
        + &rule("of the wiki", "client = [\"wiki\"]", "require");
    let daemon = Daemon::start(&format!("{CLIENTS}{rules}")).await;
    daemon.enroll_hotp("jane").await;
    for (client, source, rule, outlook) in [
        ("vpn", Some("10.20.1.1"), "of the vpn", Outlook::Denied),
        ("vpn", Some("203.0.113.7"), "remote", Outlook::Asked),
        ("vpn", None, "remote", Outlook::Asked),
        ("wiki", Some("10.20.1.1"), "of the wiki", Outlook::Asked),
    ] {
        let told = explained(&daemon, client, source).await;
        assert_eq!(
            (told.rule.as_deref(), &told.outlook),
            (Some(rule), &outlook),
            "{client} {source:?}: {told:?}"
        );
    }
    let told = explained(&daemon, "vpn", None).await;
    assert!(says(&told, "does not say where the person is") && says(&told, "of service remote"), "{told:?}");
    // A login of the host is of no client.
    assert_eq!(daemon.explain("jane").await.rule, None);
}

#[tokio::test]
async fn a_rule_that_skips_is_told_as_what_it_is_for_who_has_proven_no_password() {
    let rules = rule("trusted", "source = [\"10.20.0.0/16\"]", "skip");
    let daemon = Daemon::start(&format!("{CLIENTS}{rules}")).await;
    daemon.enroll_hotp("jane").await;
    let (vpn, wiki) = (
        explained(&daemon, "vpn", Some("10.20.1.1")).await,
        explained(&daemon, "wiki", Some("10.20.1.1")).await,
    );
    assert_eq!((vpn.rule.as_deref(), vpn.outlook), (Some("trusted"), Outlook::Skipped));
    assert_eq!((wiki.rule.as_deref(), &wiki.outlook), (Some("trusted"), &Outlook::Denied));
    assert!(says(&wiki, "a rule that skips is a no"), "{wiki:?}");
}

#[tokio::test]
async fn who_may_not_ask_is_told_so_and_who_is_unknown_refused() {
    let daemon = Daemon::start(CLIENTS).await;
    daemon.enroll_hotp("jane").await;
    for (client, words) in [("monitor", "lack \"verify\""), ("robots", "signed tokens")] {
        let told = explained(&daemon, client, None).await;
        assert!(told.outlook == Outlook::Denied && told.sees.is_none() && says(&told, words), "{told:?}");
    }
    let reply = replied(&daemon, "vnp", None).await;
    let Reply::Refused(refusal) = reply else { panic!("{reply:?}") };
    assert!(refusal.code == RefusalCode::Invalid && refusal.message.as_str().contains("vnp"), "{refusal:?}");
}

#[tokio::test]
async fn it_says_nothing_that_a_login_would_not_and_changes_nothing() {
    let daemon = Daemon::start(CLIENTS).await;
    let nobody = explained(&daemon, "wiki", None).await;
    assert_eq!(nobody.outlook, Outlook::Denied);
    daemon.enroll_hotp("jane").await;
    let jane = explained(&daemon, "wiki", None).await;
    assert_eq!((jane.outlook, &jane.sees), (Outlook::Asked, &nobody.sees), "the client is told the same");
    assert_eq!(daemon.login("jane", &[&support::hotp(0)]).await.verdict, mfa_proto::login::Verdict::Accept);
}
