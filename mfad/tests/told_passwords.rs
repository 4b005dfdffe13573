//! Passwords that a front end has proven elsewhere: what core counts and writes down of them, by its frames.
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

use std::{path::PathBuf, sync::Arc};

use mfa_proto::{
    admin::{AuditFilter, AuditRow, Reply, Request},
    front::{Ask, FrontMessage, PasswordMessage, PasswordOutcome, Verify, What},
    hello::Protocol,
    login::{ServerMessage, Verdict},
    name::{Claim, ClientName},
};
use mfad::{
    clock::Clock,
    config::{Config, Source},
    core::Core,
    limits::SourceKey,
    server::{admission::Admission, front, listen},
    settings::Settings,
};
use nix::unistd::geteuid;
use support::{Client, Daemon, hotp, secret, user_id};
use tokio::net::UnixListener;

const PAGE: &str = "[[web.listen]]\naddress = \"127.0.0.1:1\"\ndialects = { ceptor = \"/\" }\n\
                    [[web.client]]\nname = \"portal\"\nrights = [\"verify\"]\nlogin_page = true\n\
                    [[web.client]]\nname = \"vpn\"\nrights = [\"verify\"]\ntoken = \"vpn\"\npassword_proven = true\n";
const LIMITS: &str = "[limits]\nsource_failures = 3\nsource_window = \"10m\"\n";
const HERE: &str = "203.0.113.7";

/// A front end of a daemon.
struct Front {
    daemon: Daemon,
    path: PathBuf,
    _listener: listen::Listener,
}

impl Front {
    async fn start(text: &str) -> Self {
        let daemon = Daemon::start(text).await;
        let path = daemon.directory.path().join("web.sock");
        let listener = listen::bind(&path, listen::Reach::Private).unwrap();
        let socket = UnixListener::from_std(listener.socket.try_clone().unwrap()).unwrap();
        let shared = (vec![geteuid().as_raw()].into(), Admission::default());
        tokio::spawn(front::serve(Arc::clone(&daemon.core), socket, shared));
        Self { daemon, path, _listener: listener }
    }

    /// A connection with a question, and core's first word.
    async fn asked(&self, client: &str, user: &str, source: Option<&str>) -> (Client, PasswordMessage) {
        let mut connection = Client::greet(&self.path, Protocol::Front).await;
        let what = What::Password(Box::new(user_id(user)));
        let client = ClientName::new(client).unwrap();
        connection.send(&Ask { client, address: None, source: source.map(Claim::clean), what }).await;
        let said = connection.receive().await;
        (connection, said)
    }

    /// One password whose outcome is told; `None` when it may not be tried.
    async fn password(
        &self,
        user: &str,
        source: Option<&str>,
        outcome: PasswordOutcome,
    ) -> Option<PasswordMessage> {
        let (mut connection, said) = self.asked("portal", user, source).await;
        if said != PasswordMessage::Try {
            return None;
        }
        connection.send(&outcome).await;
        Some(connection.receive().await)
    }

    async fn wrong(&self, user: &str, source: Option<&str>) -> Option<PasswordMessage> {
        self.password(user, source, PasswordOutcome::Wrong).await
    }

    /// A code that comes with the question.
    async fn code(&self, user: &str, code: &str) -> Verdict {
        let mut connection = Client::greet(&self.path, Protocol::Front).await;
        let verify = Verify {
            user: user_id(user),
            choose: None,
            only: None,
            answer: Some(secret(code)),
            patience: 60,
        };
        let (client, what) = (ClientName::new("vpn").unwrap(), What::Verify(Box::new(verify)));
        connection.send(&Ask { client, address: None, source: Some(Claim::clean(HERE)), what }).await;
        loop {
            match connection.receive().await {
                FrontMessage::Ended(ended) => return ended.verdict,
                FrontMessage::Turn { message: ServerMessage::Info(_), .. } => {}
                FrontMessage::Turn { message, .. } => panic!("{message:?}"),
            }
        }
    }

    /// The rows about passwords.
    async fn rows(&self) -> Vec<AuditRow> {
        let filter = AuditFilter { event: Some("password".into()), last: Some(100), ..Default::default() };
        let reply = self.daemon.admin(Request::Audit(Box::new(filter))).await;
        let Reply::Audit(page) = reply else { panic!("{reply:?}") };
        page.rows
    }

    fn is_blocked(&self, source: &str) -> bool {
        self.daemon.core.source_blocked_until(SourceKey::of(source.parse().unwrap())).is_some()
    }

    async fn figures(&self) -> String {
        let mut whole = String::new();
        loop {
            let after = u32::try_from(whole.len()).unwrap();
            let reply = self.daemon.admin(Request::Metrics { after }).await;
            let Reply::Metrics { text, more } = reply else { panic!("{reply:?}") };
            whole.push_str(&text);
            if !more {
                return whole;
            }
        }
    }
}

#[tokio::test]
async fn a_wrong_password_is_a_row_of_the_trail_whether_there_is_such_a_name_or_not() {
    let front = Front::start(PAGE).await;
    front.daemon.enroll_hotp("jane").await;
    for user in ["jane", "nobody-there"] {
        assert_eq!(front.wrong(user, Some(HERE)).await, Some(PasswordMessage::Noted));
    }
    let rows = front.rows().await;
    let told: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row.user.as_ref().unwrap().name.as_str(),
                row.verdict.as_str(),
                row.reason.as_str(),
                row.client.as_deref(),
                row.service.as_deref(),
                row.source.as_deref(),
            )
        })
        .collect();
    let same = |user| (user, "deny", "wrong_password", Some("portal"), Some("portal"), Some(HERE));
    assert_eq!(told, [same("jane"), same("nobody-there")]);
    assert!(rows.iter().all(|row| row.actor == geteuid().as_raw() && row.session.len() == 16), "{rows:?}");
}

#[tokio::test]
async fn wrong_passwords_lock_no_account() {
    let front = Front::start(PAGE).await;
    front.daemon.enroll_hotp("jane").await;
    for n in 0..150 {
        let source = format!("198.51.100.{n}");
        assert_eq!(front.wrong("jane", Some(&source)).await, Some(PasswordMessage::Noted));
    }
    assert_eq!(front.code("jane", &hotp(0)).await, Verdict::Accept);
}

#[tokio::test]
async fn a_source_is_blocked_by_wrong_passwords_for_passwords_and_for_codes() {
    let front = Front::start(&format!("{PAGE}{LIMITS}")).await;
    front.daemon.enroll_hotp("jane").await;
    for user in ["jane", "john", "nobody-there"] {
        assert_eq!(front.wrong(user, Some(HERE)).await, Some(PasswordMessage::Noted));
    }
    front.daemon.clock.advance(60);
    let (_, said) = front.asked("portal", "jane", Some(HERE)).await;
    assert_eq!(said, PasswordMessage::Blocked { wait: 540 });
    assert_eq!(front.code("jane", &hotp(0)).await, Verdict::Locked, "codes from there are not judged");
    assert_eq!(front.wrong("jane", Some("203.0.113.8")).await, Some(PasswordMessage::Noted), "others may");
    assert_eq!(front.rows().await.len(), 4, "what was not tried is no row");
    let figures = front.figures().await;
    for (result, count) in [("wrong", 4), ("blocked", 1), ("right", 0), ("unjudged", 0), ("given_up", 0)] {
        let line = format!("mfad_passwords_total{{result=\"{result}\"}} {count}\n");
        assert!(figures.contains(&line), "{line}{figures}");
    }
    front.daemon.clock.advance(540);
    assert_eq!(front.wrong("jane", Some(HERE)).await, Some(PasswordMessage::Noted));
}

#[tokio::test]
async fn wrong_codes_block_passwords_from_their_source() {
    let front = Front::start(&format!("{PAGE}{LIMITS}")).await;
    for user in ["jane", "john", "carl"] {
        front.daemon.enroll_hotp(user).await;
        assert_eq!(front.code(user, "000000").await, Verdict::Deny);
    }
    let (_, said) = front.asked("portal", "jane", Some(HERE)).await;
    assert!(matches!(said, PasswordMessage::Blocked { .. }), "{said:?}");
}

#[tokio::test]
async fn what_was_right_or_not_judged_costs_nothing_and_is_no_row() {
    let front = Front::start(&format!("{PAGE}[limits]\nsource_failures = 1\n")).await;
    for _ in 0..5 {
        for outcome in [PasswordOutcome::Right, PasswordOutcome::Unjudged] {
            let said = front.password("jane", Some(HERE), outcome).await;
            assert_eq!(said, Some(PasswordMessage::Noted));
        }
    }
    assert!(front.rows().await.is_empty() && !front.is_blocked(HERE));
}

#[tokio::test]
async fn a_password_whose_outcome_is_never_told_counts_as_wrong() {
    let front = Front::start(&format!("{PAGE}[limits]\nsource_failures = 2\n")).await;
    let (gone, said) = front.asked("portal", "jane", Some(HERE)).await;
    assert_eq!(said, PasswordMessage::Try);
    drop(gone);
    let (mut babbling, said) = front.asked("portal", "jane", Some(HERE)).await;
    assert_eq!(said, PasswordMessage::Try);
    babbling.send(&Protocol::Front).await;
    // Its end says that core is done with it; the other may still be under way.
    assert_eq!(babbling.try_receive::<PasswordMessage>().await, None);
    while front.rows().await.len() < 2 {
        tokio::task::yield_now().await;
    }
    let rows = front.rows().await;
    assert!(rows.iter().all(|row| (row.verdict.as_str(), row.reason.as_str()) == ("deny", "cancelled")));
    assert!(front.is_blocked(HERE));
}

#[tokio::test]
async fn no_more_are_tried_at_once_than_may_fail() {
    let front = Front::start(&format!("{PAGE}{LIMITS}")).await;
    let mut under_way = Vec::new();
    for _ in 0..3 {
        let (connection, said) = front.asked("portal", "jane", Some(HERE)).await;
        assert_eq!(said, PasswordMessage::Try);
        under_way.push(connection);
    }
    let (_, said) = front.asked("portal", "jane", Some(HERE)).await;
    assert!(matches!(said, PasswordMessage::Blocked { .. }), "{said:?}");
    let mut first = under_way.remove(0);
    first.send(&PasswordOutcome::Right).await;
    assert_eq!(first.receive::<PasswordMessage>().await, PasswordMessage::Noted);
    let (_again, said) = front.asked("portal", "jane", Some(HERE)).await;
    assert_eq!(said, PasswordMessage::Try);
}

#[tokio::test]
async fn only_the_login_page_with_its_right_may_have_passwords_proven() {
    let page_without = PAGE.replace("[\"verify\"]\nlogin_page", "[\"status\"]\nlogin_page");
    for (text, client) in [(PAGE, "vpn"), (PAGE, "nobody"), (&page_without, "portal")] {
        let front = Front::start(text).await;
        let (_, said) = front.asked(client, "jane", Some(HERE)).await;
        assert_eq!(said, PasswordMessage::Unavailable, "{client}");
    }
}

#[tokio::test]
async fn what_cannot_be_written_down_is_not_noted() {
    let front = Front::start(PAGE).await;
    let (mut connection, said) = front.asked("portal", "jane", Some(HERE)).await;
    assert_eq!(said, PasswordMessage::Try);
    front.daemon.core.store().shutdown().await;
    connection.send(&PasswordOutcome::Wrong).await;
    assert_eq!(connection.receive::<PasswordMessage>().await, PasswordMessage::Unavailable);
}

#[tokio::test]
async fn who_comes_from_nowhere_is_in_the_trail_and_blocks_nobody() {
    let front = Front::start(&format!("{PAGE}[limits]\nsource_failures = 1\n")).await;
    for source in [None, Some("portal.example")] {
        for _ in 0..2 {
            assert_eq!(front.wrong("jane", source).await, Some(PasswordMessage::Noted));
        }
    }
    assert_eq!(front.rows().await.len(), 4);
}

#[tokio::test]
async fn a_restart_forgives_no_source() {
    let front = Front::start(&format!("{PAGE}{LIMITS}")).await;
    front.daemon.enroll_hotp("jane").await;
    for _ in 0..2 {
        front.wrong("jane", Some(HERE)).await;
    }
    assert_eq!(front.code("jane", "000000").await, Verdict::Deny);
    front.wrong("john", Some("203.0.113.8")).await;
    assert!(front.is_blocked(HERE));
    // Another start on the same database.
    let again = async |limits: &str| {
        let text = format!("[identity]\naccounts = \"any\"\n{limits}");
        let config = Config::from_sources(&[Source { path: "test.toml".into(), text }]).unwrap();
        let settings = Settings::resolved(config).await.unwrap();
        let clock: Arc<dyn Clock> = Arc::<mfad::clock::FakeClock>::clone(&front.daemon.clock);
        let core = Core::new(clock, front.daemon.core.store().clone(), settings, "none".into());
        core.recall_failures().await;
        let is_blocked =
            |source: &str| core.source_blocked_until(SourceKey::of(source.parse().unwrap())).is_some();
        (is_blocked(HERE), is_blocked("203.0.113.8"))
    };
    assert_eq!(again(LIMITS).await, (true, false));
    front.daemon.clock.advance(599);
    assert_eq!(again(LIMITS).await, (true, false));
    front.daemon.clock.advance(1);
    assert_eq!(again(LIMITS).await, (false, false), "its window is over");
}
