//! Rules at work: a whole daemon, real look-ups, logins as root's stack would have them.
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
    admin::{ConfigReport, Explain, Explanation, KeyClaim, Outlook, Reply, Request},
    auth_info::AuthInfo,
    login::{Start, Verdict},
    name::{Claim, ServiceName},
};
use support::{Daemon, NOW, hotp, start, user_id};

/// A key made with ssh-keygen, and its fingerprint.
const KEY: &str =
    "publickey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJy/lPzaUUbn8FFy8h4QWv14RyOoExPAah6ju9tfTNZP\n";
const PRINT: &str = "SHA256:xhU2rIgfms/cC3kcatJsrwfKWwfmdhzRp+z3VS64CyQ";

fn rule(name: &str, matches: &str, action: &str) -> String {
    format!("[[policy.rule]]\nname = \"{name}\"\nmatch = {{ {matches} }}\naction = \"{action}\"\n")
}

fn from(user: &str, host: Option<&str>) -> Start {
    Start { remote_host: host.map(Claim::clean), ..start(user) }
}

fn login_to_explain(start: &Start) -> Explain {
    let key = start
        .ssh_auth_info
        .as_ref()
        .map(|_| KeyClaim { key_type: Claim::clean("ssh-ed25519"), fingerprint: Some(Claim::clean(PRINT)) });
    Explain {
        user: user_id(start.user.as_str()),
        service: start.service.clone(),
        source: start.remote_host.clone(),
        key,
        at: None,
    }
}

async fn explained(daemon: &Daemon, login: Explain) -> Explanation {
    let reply = daemon.admin(Request::Explain(Box::new(login))).await;
    let Reply::Explained(explanation) = reply else { panic!("{reply:?}") };
    *explanation
}

async fn report(daemon: &Daemon, request: Request) -> ConfigReport {
    let reply = daemon.admin(request).await;
    let Reply::Config(report) = reply else { panic!("{reply:?}") };
    report
}

#[tokio::test]
async fn sources_and_keys_decide_by_what_root_says() {
    let rules = rule("office", "source = [\"10.20.0.0/16\"]", "skip")
        + &rule("keys", &format!("key_fingerprint = [\"{PRINT}\"]"), "skip")
        + &rule("console", "origin = \"local\", service = [\"sshd\"]", "deny");
    let daemon = Daemon::start(&rules).await;
    daemon.enroll_hotp("jane").await;
    for (host, verdict) in [
        (Some("10.20.30.40"), Verdict::NotApplicable),
        (Some("::ffff:10.20.30.40"), Verdict::NotApplicable),
        (None, Verdict::Deny),
    ] {
        assert_eq!(daemon.login_as(from("jane", host), &[]).await.verdict, verdict, "{host:?}");
    }
    // What is no address is in no network, and not local either: it is asked.
    for (counter, host) in (0..).zip(["10.20.30.40.example.org", "10.21.0.1", "localhost"]) {
        let asked = daemon.login_as(from("jane", Some(host)), &[&hotp(counter)]).await;
        assert_eq!((asked.verdict, asked.prompts.len()), (Verdict::Accept, 1), "{host}");
    }
    let key = Start { ssh_auth_info: Some(AuthInfo::clean(KEY)), ..from("jane", Some("192.0.2.1")) };
    assert_eq!(daemon.login_as(key, &[]).await.verdict, Verdict::NotApplicable);
    assert_eq!(daemon.last_audit("jane").await.rule.as_deref(), Some("keys"));
}

#[tokio::test]
async fn members_of_a_group_are_told_from_others() {
    let daemon = Daemon::with(&rule("roots", "group = [\"root\"]", "skip")).await;
    assert_eq!(daemon.login("root", &[]).await.verdict, Verdict::NotApplicable);
    let other = daemon.login("nobody", &["000000", "", ""]).await;
    assert_eq!((other.verdict, other.prompts.is_empty()), (Verdict::Deny, false));
}

#[tokio::test]
async fn a_group_that_was_never_looked_up_lets_nobody_in_and_nobody_is_asked() {
    let rules = rule("roots", "group = [\"root\"]", "skip") + &rule("su", "service = [\"su\"]", "deny");
    let daemon = Daemon::unresolved(&rules);
    for user in ["root", "nobody", "no-such-account"] {
        let refused = daemon.login(user, &[]).await;
        assert_eq!((refused.verdict, refused.prompts.len()), (Verdict::Unavailable, 0), "{user}");
    }
    let explanation = explained(&daemon, login_to_explain(&start("root"))).await;
    assert_eq!((explanation.outlook, explanation.sees), (Outlook::Denied, None));
    assert!(explanation.why[0].as_str().contains("group root"), "{:?}", explanation.why);
}

#[tokio::test]
async fn hours_go_by_the_clock_on_the_wall() {
    // It is 03:33 in UTC, 05:33 in Berlin.
    let rules = "[policy]\ntimezone = \"Europe/Berlin\"\n".to_owned()
        + &rule("early", "hours = [\"05:00-06:00\"]", "skip");
    let daemon = Daemon::start(&rules).await;
    daemon.enroll_hotp("jane").await;
    assert_eq!(daemon.login("jane", &[]).await.verdict, Verdict::NotApplicable);
    daemon.clock.set(NOW.plus(1800));
    assert_eq!(daemon.login("jane", &[&hotp(0)]).await.verdict, Verdict::Accept);
}

#[tokio::test]
async fn a_reload_with_a_name_that_means_nothing_keeps_the_rules_in_force() {
    let daemon = Daemon::start("").await;
    let key = format!("[core]\nkey_file = \"{}\"\n", daemon.directory.path().join("key").display());
    let path = daemon.directory.path().join("mfad.toml");
    let good = key.clone() + &rule("roots", "group = [\"root\"]", "skip");
    std::fs::write(&path, &good).unwrap();
    let fine = ConfigReport { valid: true, problems: Vec::new(), notes: Vec::new() };
    assert_eq!(report(&daemon, Request::Reload).await, fine);
    assert_eq!(daemon.login("root", &[]).await.verdict, Verdict::NotApplicable);
    for (bad, told) in [
        (
            rule("r", "group = [\"no-such-group\"]", "skip"),
            "mfad.toml:5:20: there is no group \"no-such-group\"",
        ),
        (
            "[policy]\ntimezone = \"Europe/Nowhere\"\n".to_owned(),
            "mfad.toml:4:12: the time zone cannot be used",
        ),
        (rule("r", "group = [\"root\"], source = [\"10.0.0.1/8\"]", "skip"), "write \"10.0.0.0/8\""),
    ] {
        std::fs::write(&path, key.clone() + &bad).unwrap();
        for request in [Request::ConfigCheck, Request::Reload] {
            let report = report(&daemon, request).await;
            assert!(!report.valid && report.problems.len() == 1, "{report:?}");
            assert!(report.problems[0].contains(told), "{report:?}");
        }
        assert_eq!(daemon.login("root", &[]).await.verdict, Verdict::NotApplicable, "{bad}");
    }
}

#[tokio::test]
async fn what_deserves_a_second_look_is_told_and_in_force() {
    let daemon = Daemon::start("").await;
    let rules =
        rule("gone", "user = [\"no-such-account\"]", "skip") + &rule("su", "service = [\"su\"]", "deny");
    let key = format!("[core]\nkey_file = \"{}\"\n", daemon.directory.path().join("key").display());
    std::fs::write(daemon.directory.path().join("mfad.toml"), key + &rules).unwrap();
    for request in [Request::ConfigCheck, Request::Reload] {
        let report = report(&daemon, request).await;
        assert!(report.valid && report.problems.is_empty(), "{report:?}");
        assert_eq!(report.notes.len(), 2, "{report:?}");
        assert!(report.notes[0].contains("shares some logins with \"gone\""), "{report:?}");
        assert!(report.notes[1].contains(":5:19: there is no account \"no-such-account\""), "{report:?}");
    }
    let su = Start { service: ServiceName::new("su").unwrap(), ..start("root") };
    assert_eq!(daemon.login_as(su, &[]).await.verdict, Verdict::Deny);
}

#[tokio::test]
async fn an_explanation_foresees_the_login_and_changes_nothing() {
    let rules = rule("office", "source = [\"10.20.0.0/16\"]", "skip")
        + &rule("keys", "key_type = [\"ssh-*\"], user = [\"jane\"]", "skip")
        + &rule("no su", "service = [\"su\"]", "deny")
        + &rule("two", "service = [\"sudo\"]", "require")
        + "kinds = [\"totp\"]\nremember = \"8h\"\n";
    let daemon = Daemon::start(&rules).await;
    daemon.enroll_hotp("jane").await;
    daemon.enroll_totp("john").await;
    let service = |name: &str, start: Start| Start { service: ServiceName::new(name).unwrap(), ..start };
    let key = Start { ssh_auth_info: Some(AuthInfo::clean(KEY)), ..start("jane") };
    for (login, outlook, rule) in [
        (from("jane", Some("10.20.1.1")), Outlook::Skipped, Some("office")),
        (key, Outlook::Skipped, Some("keys")),
        (service("su", start("jane")), Outlook::Denied, Some("no su")),
        (start("jane"), Outlook::Asked, None),
        (service("sudo", start("john")), Outlook::Asked, Some("two")),
        (service("sudo", start("jane")), Outlook::Denied, Some("two")),
        (start("nobody-here"), Outlook::Denied, None),
    ] {
        let trail = async || format!("{:?}", daemon.admin(Request::Audit(Box::default())).await);
        let before = trail().await;
        let explanation = explained(&daemon, login_to_explain(&login)).await;
        assert_eq!(trail().await, before, "{login:?}");
        assert_eq!((&explanation.outlook, explanation.rule.as_deref()), (&outlook, rule), "{login:?}");
        let seen = daemon.login_as(login.clone(), &["x", "x", "x", "x"]).await;
        let foreseen = explanation.sees.as_ref().map(ToString::to_string);
        assert_eq!(foreseen.as_ref(), seen.prompts.first(), "{login:?}");
        let skipped = seen.verdict == Verdict::NotApplicable;
        assert_eq!(skipped, outlook == Outlook::Skipped, "{login:?}");
    }
}

#[tokio::test]
async fn an_explanation_says_why_in_words() {
    let rules = rule("office", "source = [\"10.20.0.0/16\"]", "skip")
        + &rule("nights", "hours = [\"22:00-06:00\"], service = [\"sudo\"]", "require")
        + "kinds = [\"totp\", \"recovery\"]\ncount = 2\nremember = \"8h\"\n";
    let daemon = Daemon::start(&format!("[policy]\ntimezone = \"UTC\"\n{rules}")).await;
    daemon.enroll_hotp("jane").await;
    let sudo = Explain {
        service: ServiceName::new("sudo").unwrap(),
        ..login_to_explain(&from("jane", Some("mgmt.example.org")))
    };
    let explanation = explained(&daemon, sudo.clone()).await;
    let why: Vec<&str> = explanation.why.iter().map(mfa_proto::text::ShownText::as_str).collect();
    assert_eq!(
        why,
        [
            "rule 2 \"nights\" is the first that matches: service sudo, hours 22:00-06:00",
            "0 of 1 active factors count for this rule, and 2 are needed",
            "the source is no address: it is in no network",
            "that is too few: it is asked like any other, and refused",
            "rule 1 \"office\" does not match: it is for source 10.20.0.0/16; this login comes from what is no address, so from no network",
        ]
    );
    assert_eq!((explanation.needed, explanation.remember), (2, Some(28_800)));
    assert_eq!(explanation.factors.iter().map(|factor| factor.counts).collect::<Vec<_>>(), [false]);
    let noon = explained(&daemon, Explain { at: Some(NOW.0 + 9 * 3600), ..sudo }).await;
    assert_eq!((noon.rule, noon.outlook), (None, Outlook::Asked));
    assert!(noon.why[0].as_str().starts_with("no rule matches"), "{:?}", noon.why);
}

#[tokio::test]
async fn an_explanation_tells_a_rule_that_denies_from_a_factor_that_is_missing() {
    let rules = rule("two", "service = [\"sshd\"]", "require")
        + "count = 2\n"
        + &rule("no su", "service = [\"su\"]", "deny")
        + &rule("cron", "service = [\"cron\"]", "skip");
    let daemon = Daemon::start(&rules).await;
    for (service, outlook, rule, needed) in [
        // Whoever reads it takes a rule that needs nothing for one that is meant so.
        ("sshd", Outlook::Denied, Some("two"), 2),
        ("su", Outlook::Denied, Some("no su"), 0),
        ("cron", Outlook::Skipped, Some("cron"), 0),
        ("login", Outlook::Denied, None, 1),
    ] {
        let start = Start { service: ServiceName::new(service).unwrap(), ..start("nobody") };
        let told = explained(&daemon, login_to_explain(&start)).await;
        assert_eq!((told.outlook, told.rule.as_deref(), told.needed), (outlook, rule, needed), "{service}");
        assert!(told.factors.is_empty());
    }
}

#[tokio::test]
async fn an_explanation_of_a_thousand_rules_fits_its_frame() {
    let rules: String =
        (0..999).map(|n| rule(&format!("r{n}"), &format!("user = [\"u{n}\"]"), "deny")).collect();
    let daemon = Daemon::start(&rules).await;
    let explanation = explained(&daemon, login_to_explain(&start("u998"))).await;
    assert_eq!(explanation.rule.as_deref(), Some("r998"));
    assert!(explanation.why[0].as_str().starts_with("rule 999 \"r998\" is the first that matches"));
    assert!(explanation.why.len() > 10);
}
