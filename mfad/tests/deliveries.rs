//! Codes that a client made itself: they go where they may, past the limits of all that is sent, and are no
//! answer to anything here.
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
    admin::{AuditRow, FactorId, FactorRef, RefusalCode, Reply, Request},
    egress::{Done, Medium},
    front::{Deliver, Ended, FrontMessage, Verify, What},
    hello::Protocol,
    login::Verdict,
    name::{Claim, FactorLabel},
    text::ShownText,
};
use mfad::server::listen::Listener;
use nix::unistd::geteuid;
use support::{
    Client, Daemon, NOW,
    egress::{self, Egress, Taken},
    fronts::{ask, open},
    outside::{NUMBER, OUTSIDE},
    secret, totp, user_id,
};

/// What a portal made.
const CODE: &str = "KJU64680";

const CLIENTS: &str = "\
[[web.listen]]
address = \"127.0.0.1:1\"
[[web.client]]
name = \"portal\"
rights = [\"deliver\"]
token = \"portal\"
password_proven = true
[[web.client]]
name = \"vpn\"
rights = [\"verify\", \"factors:read\", \"factors:write\", \"users:read\", \"audit:read\", \"status\", \"token:issue\"]
token = \"vpn\"
password_proven = true
";

/// A core with gateways that send all, and who asks it.
struct Rig {
    daemon: Daemon,
    egress: Egress,
    front: Client,
    path: std::path::PathBuf,
    _listener: Listener,
}

impl Rig {
    async fn start(extra: &str) -> Self {
        Self::with(&format!("[identity]\naccounts = \"any\"\n{extra}"), Egress::willing).await
    }

    async fn with(text: &str, egress: impl FnOnce(&std::path::Path) -> Egress) -> Self {
        Self::of(&format!("{CLIENTS}{OUTSIDE}{text}"), egress).await
    }

    /// With this configuration and no more.
    async fn of(text: &str, egress: impl FnOnce(&std::path::Path) -> Egress) -> Self {
        let daemon = Daemon::with(text).await;
        let egress = egress(daemon.directory.path());
        let (path, listener) = open(&daemon, &[geteuid().as_raw()]);
        let front = Client::greet(&path, Protocol::Front).await;
        Self { daemon, egress, front, path, _listener: listener }
    }

    /// `user` holds a number, to which nothing has gone for a while.
    async fn hold_sms(&self, user: &str) -> FactorId {
        let factor = self.daemon.hold_sms(user).await;
        self.daemon.clock.advance(30);
        factor
    }

    async fn reply(&mut self, client: &str, what: What) -> Reply {
        self.front.send(&ask(client, what)).await;
        self.front.receive().await
    }

    /// The portal has its code sent, which says nothing of what came of it.
    async fn deliver(&mut self, user: &str) {
        self.deliver_to(user, None).await;
    }

    async fn deliver_to(&mut self, user: &str, choose: Option<&str>) {
        self.front.send(&ask("portal", deliver(user, choose))).await;
        tells_nothing(&mut self.front).await;
    }

    /// What a client is told that has somebody verified with the code at hand.
    async fn verify(&mut self, user: &str, answer: &str) -> Ended {
        let (user, answer) = (user_id(user), Some(secret(answer)));
        let verify = Verify { user, choose: None, only: None, answer, patience: 60 };
        self.front.send(&ask("vpn", What::Verify(Box::new(verify)))).await;
        match self.front.receive().await {
            FrontMessage::Ended(ended) => ended,
            FrontMessage::Turn { message, .. } => panic!("{message:?}"),
        }
    }

    /// The last row about `user`, in words.
    async fn told(&self, user: &str) -> (String, String, String) {
        let AuditRow { event, verdict, reason, .. } = self.daemon.last_audit(user).await;
        (event, verdict, reason)
    }

    /// Asserts that nothing went out, and what the trail says of it.
    async fn refused(&mut self, user: &str, choose: Option<&str>, reason: &str) {
        let before = self.egress.taken().len();
        self.deliver_to(user, choose).await;
        assert_eq!(self.egress.taken().len(), before, "{reason}");
        assert_eq!(self.told(user).await, row("deny", reason));
    }
}

/// What a client is told, whoever it is and whatever came of it.
async fn tells_nothing(client: &mut Client) {
    let reply = client.receive::<Reply>().await;
    assert!(matches!(reply, Reply::Done { factors: 0 }), "{reply:?}");
}

fn row(verdict: &str, reason: &str) -> (String, String, String) {
    ("deliver".to_owned(), verdict.to_owned(), reason.to_owned())
}

fn deliver(user: &str, choose: Option<&str>) -> What {
    deliver_code(user, choose, CODE)
}

fn deliver_code(user: &str, choose: Option<&str>, code: &str) -> What {
    let code = secret(code).try_into().unwrap();
    let choose = choose.map(|word| FactorLabel::new(word).unwrap());
    What::Deliver(Box::new(Deliver { user: user_id(user), code, choose, minutes: 2 }))
}

fn sent(user: &str, code: &str) -> Taken {
    Taken::Deliver {
        medium: Medium::Sms,
        to: NUMBER.to_owned(),
        code: code.to_owned(),
        user: user.to_owned(),
    }
}

fn named(user: &str, label: &str) -> FactorRef {
    FactorRef { user: user_id(user), factor: None, label: Some(FactorLabel::new(label).unwrap()) }
}

#[tokio::test]
async fn a_code_of_a_client_goes_to_the_address_that_is_held() {
    let mut rig = Rig::start("").await;
    let phone = rig.hold_sms("jane").await;
    let mut asked = ask("portal", deliver("jane", None));
    asked.source = Some(Claim::clean("203.0.113.9"));
    rig.front.send(&asked).await;
    tells_nothing(&mut rig.front).await;
    assert_eq!(rig.egress.taken(), [sent("jane", CODE)]);
    let row = rig.daemon.last_audit("jane").await;
    assert_eq!((row.event.as_str(), row.verdict.as_str(), row.reason.as_str()), ("deliver", "done", "sms"));
    assert_eq!((row.factor, row.client.as_deref()), (Some(phone), Some("portal")));
    assert_eq!((row.service.as_deref(), row.source.as_deref()), (Some("portal"), Some("203.0.113.9")));
    assert!(!format!("{row:?}").contains(CODE));
}

#[tokio::test]
async fn it_is_counted_and_written_down_before_it_leaves() {
    let wait = |directory: &std::path::Path| Egress::start(directory, |_| egress::Reply::Wait);
    let mut rig = Rig::with("[identity]\naccounts = \"any\"\n", wait).await;
    rig.hold_sms("jane").await;
    rig.front.send(&ask("portal", deliver("jane", None))).await;
    rig.egress.wait_taken(1).await;
    assert_eq!(rig.told("jane").await, row("done", "sms"), "and egress has not answered yet");
    // Whoever asks meanwhile has nothing sent.
    let mut other = Client::greet(&rig.path, Protocol::Front).await;
    other.send(&ask("portal", deliver("jane", None))).await;
    tells_nothing(&mut other).await;
    assert_eq!(rig.told("jane").await, row("deny", "too_soon"));
    rig.egress.release(Done::Delivered { via: ShownText::clean("script") });
    tells_nothing(&mut rig.front).await;
    assert_eq!(rig.egress.taken().len(), 1);
}

#[tokio::test]
async fn only_a_client_with_the_right_has_anything_delivered() {
    let mut rig = Rig::start("").await;
    rig.hold_sms("jane").await;
    for client in ["vpn", "stranger"] {
        let reply = rig.reply(client, deliver("jane", None)).await;
        let Reply::Refused(refusal) = &reply else { panic!("{client}: {reply:?}") };
        assert_eq!(refusal.code, RefusalCode::NotAllowed);
        assert!(refusal.message.as_str().contains("\"deliver\""), "{refusal:?}");
    }
    assert!(rig.egress.taken().is_empty());
    // And the right to it is none to anything else.
    let reply =
        rig.reply("portal", What::Admin(Box::new(Request::Send { target: named("jane", "sms") }))).await;
    assert!(matches!(reply, Reply::Refused(_)), "{reply:?}");
    let verify = Verify { user: user_id("jane"), choose: None, only: None, answer: None, patience: 60 };
    rig.front.send(&ask("portal", What::Verify(Box::new(verify)))).await;
    let FrontMessage::Ended(ended) = rig.front.receive().await else { panic!("it may not verify") };
    assert_eq!((ended.verdict, ended.unjudged), (Verdict::Unavailable, true));
}

#[tokio::test]
async fn what_is_no_code_ends_the_connection() {
    let mut rig = Rig::start("").await;
    rig.hold_sms("jane").await;
    let frame = mfa_proto::codec::encode(&ask("portal", deliver_code("jane", None, "SEE-EVIL-NOW"))).unwrap();
    let mut frame = frame.to_vec();
    let at = frame.windows(12).position(|window| window == b"SEE-EVIL-NOW").unwrap();
    frame[at + 3] = b' ';
    tokio::io::AsyncWriteExt::write_all(&mut rig.front.0, &frame).await.unwrap();
    assert!(rig.front.try_receive::<Reply>().await.is_none());
    assert!(rig.egress.taken().is_empty());
}

#[tokio::test]
async fn who_holds_no_address_or_nothing_looks_like_who_was_sent_to() {
    let mut rig = Rig::start("").await;
    rig.daemon.enroll_totp("john").await;
    rig.daemon.hold_rest("june", "llng").await;
    for user in ["nobody", "john", "june"] {
        rig.refused(user, None, "no_address").await;
    }
    rig.hold_sms("jane").await;
    rig.daemon.hold_mail("jane").await;
    rig.daemon.clock.advance(30);
    rig.refused("jane", None, "no_address").await;
    rig.refused("jane", Some("totp"), "no_address").await;
    rig.deliver_to("jane", Some("mail")).await;
    assert_eq!(rig.told("jane").await, row("done", "mail"));
    rig.deliver_to("jane", Some("sms")).await;
    assert_eq!(rig.told("jane").await, row("done", "sms"), "another address has an interval of its own");
    rig.refused("jane", Some("sms"), "too_soon").await;
}

#[tokio::test]
async fn who_is_no_account_looks_the_same_and_leaves_no_row() {
    let mut rig = Rig::with("", Egress::willing).await;
    let log = rig.daemon.core.store().figures().await.unwrap();
    rig.deliver("no-such-account-here").await;
    assert!(rig.egress.taken().is_empty());
    assert_eq!(
        rig.daemon.core.store().figures().await.unwrap(),
        log,
        "and nobody is known now who was not before"
    );
    let all = Request::Audit(Box::default());
    let Reply::Audit(page) = rig.daemon.admin(all).await else { panic!("the trail is there") };
    assert!(page.rows.iter().all(|row| row.event != "deliver"), "{page:?}");
}

#[tokio::test]
async fn rules_hold_as_for_a_login() {
    let mut rig = Rig::start(
        "[[policy.rule]]\nname = \"no john\"\nmatch = { user = [\"john\"], client = [\"portal\"] }\naction = \"deny\"\n\
         [[policy.rule]]\nname = \"apps\"\nmatch = { user = [\"june\"] }\naction = \"require\"\nkinds = [\"totp\"]\n\
         [[policy.rule]]\nname = \"mail first\"\nmatch = { user = [\"jane\"] }\naction = \"require\"\n\
         default_factor = \"mail\"\n\
         [[policy.rule]]\nname = \"robots\"\nmatch = { user = [\"joan\"] }\naction = \"skip\"\n",
    )
    .await;
    for user in ["john", "june", "jane", "joan"] {
        rig.daemon.hold_sms(user).await;
    }
    rig.daemon.hold_mail("jane").await;
    rig.daemon.clock.advance(30);
    rig.refused("john", None, "policy").await;
    assert_eq!(rig.daemon.last_audit("john").await.rule.as_deref(), Some("no john"));
    rig.refused("june", None, "no_address").await;
    rig.deliver("jane").await;
    assert_eq!(rig.told("jane").await, row("done", "mail"));
    assert_eq!(rig.daemon.last_audit("jane").await.rule.as_deref(), Some("mail first"));
    rig.deliver("joan").await;
    assert_eq!(rig.told("joan").await, row("done", "sms"), "the portal asks where no rule here does");
}

#[tokio::test]
async fn a_factor_that_is_off_or_locked_is_sent_nothing() {
    let mut rig = Rig::start("[limits]\nburst = 1\nlock = \"15m\"\n").await;
    rig.hold_sms("jane").await;
    let off = Request::Disable { target: named("jane", "sms"), code: None };
    assert!(matches!(rig.daemon.admin(off).await, Reply::Done { .. }));
    rig.refused("jane", None, "no_address").await;
    let on = Request::Enable { target: named("jane", "sms") };
    assert!(matches!(rig.daemon.admin(on).await, Reply::Done { .. }));

    let mut talk = rig.daemon.begin("jane").await;
    talk.prompt().await;
    let wrong = if rig.egress.last_code() == "000000" { "111111" } else { "000000" };
    assert!(talk.says(wrong).await.contains("Too many wrong codes"), "one wrong code locks it");
    rig.daemon.clock.advance(60);
    rig.refused("jane", None, "locked").await;
    assert!(matches!(rig.daemon.admin(Request::Unlock { user: user_id("jane") }).await, Reply::Done { .. }));
    rig.deliver("jane").await;
    assert_eq!(rig.told("jane").await, row("done", "sms"));
}

#[tokio::test]
async fn whoever_fails_too_often_from_somewhere_has_nothing_sent_from_there() {
    let mut rig = Rig::start("[limits]\nsource_failures = 1\n").await;
    rig.hold_sms("jane").await;
    rig.daemon.enroll_totp("john").await;
    rig.daemon.login("john", &["000000", "000000", "000000"]).await;
    let mut from = async |source: &str| {
        let mut asked = ask("portal", deliver("jane", None));
        asked.source = Some(Claim::clean(source));
        rig.front.send(&asked).await;
        tells_nothing(&mut rig.front).await;
        rig.egress.taken().len()
    };
    assert_eq!(from("192.0.2.7").await, 0, "where john's login came from");
    assert_eq!(from("192.0.2.8").await, 1);
}

#[tokio::test]
async fn of_two_at_once_one_is_sent_and_another_after_the_interval() {
    let mut rig = Rig::start("").await;
    rig.hold_sms("jane").await;
    let mut clients = tokio::task::JoinSet::new();
    for n in 0..16 {
        let mut client = Client::greet(&rig.path, Protocol::Front).await;
        clients.spawn(async move {
            client.send(&ask("portal", deliver_code("jane", None, &format!("KJU-{n}")))).await;
            tells_nothing(&mut client).await;
        });
    }
    clients.join_all().await;
    assert_eq!(rig.egress.taken().len(), 1);
    rig.daemon.clock.advance(29);
    rig.refused("jane", None, "too_soon").await;
    rig.daemon.clock.advance(1);
    rig.deliver("jane").await;
    assert_eq!(rig.egress.taken().len(), 2);
    // Another's address is none of it.
    rig.hold_sms("john").await;
    rig.deliver("john").await;
    assert_eq!(rig.egress.taken().len(), 3);
}

#[tokio::test]
async fn the_caps_count_codes_of_logins_and_of_clients_together() {
    let outside = "per_user_day = 4\nper_number_day = 7\nglobal_day = 8\n[sms.gateway.file]";
    let text = OUTSIDE.replace("[sms.gateway.file]", outside);
    let text = format!("[identity]\naccounts = \"any\"\n{CLIENTS}{text}");
    let mut rig = Rig::of(&text, Egress::willing).await;
    // One to prove the number, then one of a login and two of the portal.
    rig.hold_sms("jane").await;
    let mut talk = rig.daemon.begin("jane").await;
    talk.prompt().await;
    assert_eq!(talk.ends(&rig.egress.last_code()).await, Verdict::Accept);
    for _ in 0..2 {
        rig.daemon.clock.advance(30);
        rig.deliver("jane").await;
    }
    assert_eq!(rig.egress.taken().len(), 3);
    rig.daemon.clock.advance(30);
    rig.refused("jane", None, "capped").await;
    let mut talk = rig.daemon.begin("jane").await;
    assert!(talk.prompt().await.starts_with("No code was sent: "), "nor has a login more");
    // The same number in another's name: five and six have gone there, and no more than seven do.
    rig.hold_sms("john").await;
    for reason in ["sms", "sms"] {
        rig.deliver("john").await;
        assert_eq!(rig.told("john").await, row("done", reason));
        rig.daemon.clock.advance(30);
    }
    rig.refused("john", None, "capped").await;
    // In all.
    rig.daemon.hold_mail("june").await;
    rig.daemon.clock.advance(30);
    rig.refused("june", None, "capped").await;
    rig.daemon.clock.advance(86_400);
    rig.deliver("june").await;
    assert_eq!(rig.told("june").await, row("done", "mail"));
}

#[tokio::test]
async fn a_code_that_was_carried_is_wrong_here_and_counted() {
    let mut rig = Rig::start("").await;
    let phone = rig.hold_sms("jane").await;
    rig.daemon.enroll_totp("jane").await;
    // A login that waits for a code of that very number.
    let mut talk = rig.daemon.begin("jane").await;
    talk.prompt().await;
    talk.says("sms").await;
    let own = rig.egress.last_code();
    rig.daemon.clock.advance(30);
    let rights = [own.clone(), totp(NOW.plus(30)), totp(NOW.plus(60)), totp(NOW.plus(90))];
    let code = ["123456", "654321", "111111", "222222", "333333"].into_iter().find(|code| {
        let code = (*code).to_owned();
        !rights.contains(&code)
    });
    let code = code.unwrap();
    rig.front.send(&ask("portal", deliver_code("jane", None, code))).await;
    tells_nothing(&mut rig.front).await;
    assert_eq!(rig.egress.taken().last(), Some(&sent("jane", code)));

    let ended = rig.verify("jane", code).await;
    assert_eq!((ended.verdict, ended.unjudged), (Verdict::Deny, false));
    let failed = rig.daemon.core.store().show(user_id("jane")).await.unwrap().failures_30_days;
    assert_eq!(failed, 1);
    assert!(talk.says(code).await.starts_with("Wrong code"));
    assert_eq!(rig.daemon.failures("jane", phone).await, 1);
    assert_eq!(talk.ends(&own).await, Verdict::Accept);
    // Nor is it one in letters.
    assert_eq!(rig.verify("jane", CODE).await.verdict, Verdict::Deny);
}

#[tokio::test]
async fn nothing_is_kept_of_it_that_could_be_compared() {
    let mut rig = Rig::start("").await;
    rig.hold_sms("jane").await;
    rig.deliver("jane").await;
    assert_eq!(rig.egress.taken().len(), 1);
    rig.daemon.core.store().shutdown().await;
    let database = rusqlite::Connection::open(rig.daemon.directory.path().join("mfad.db")).unwrap();
    let count = |sql: &str| database.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM challenge"), 0);
    assert_eq!(count("SELECT count(*) FROM sent"), 2, "the one that proved the number, and this");
    assert_eq!(count("SELECT drift FROM factor"), 0);
    for file in ["mfad.db", "mfad.db-wal"] {
        let bytes = std::fs::read(rig.daemon.directory.path().join(file)).unwrap_or_default();
        assert!(!bytes.windows(CODE.len()).any(|window| window == CODE.as_bytes()), "{file}");
    }
}

#[tokio::test]
async fn a_code_of_a_login_goes_on_counting() {
    let mut rig = Rig::start("").await;
    rig.hold_sms("jane").await;
    let mut talk = rig.daemon.begin("jane").await;
    talk.prompt().await;
    let own = rig.egress.last_code();
    rig.refused("jane", None, "too_soon").await;
    rig.daemon.clock.advance(30);
    rig.deliver("jane").await;
    assert_eq!(rig.egress.last_code(), CODE);
    assert_eq!(talk.ends(&own).await, Verdict::Accept);
    // And a client that has messages sent keeps no login from having its own.
    let mut next = rig.daemon.begin("jane").await;
    next.prompt().await;
    assert_eq!(next.ends(&rig.egress.last_code()).await, Verdict::Accept);
    assert_eq!(rig.egress.taken().len(), 3);
}

#[tokio::test]
async fn what_was_not_delivered_is_told_in_the_trail_and_stays_counted() {
    let answers: [fn() -> egress::Reply; 4] = [
        || egress::Reply::Done(Done::Failed { why: ShownText::clean("the gateway says 500") }),
        || egress::Reply::Done(Done::Yes),
        || egress::Reply::Done(Done::Busy),
        || egress::Reply::Bytes(vec![]),
    ];
    for answer in answers {
        let failing = |directory: &std::path::Path| Egress::start(directory, move |_| answer());
        let mut rig = Rig::with("[identity]\naccounts = \"any\"\n", failing).await;
        rig.hold_sms("jane").await;
        rig.deliver("jane").await;
        assert_eq!(rig.told("jane").await, row("unavailable", "undelivered"), "{:?}", answer());
        assert_eq!(rig.egress.taken().len(), 1);
        rig.refused("jane", None, "too_soon").await;
    }
}

#[tokio::test]
async fn without_egress_or_gateway_the_answer_is_the_same() {
    let mut rig = Rig::start("").await;
    rig.hold_sms("jane").await;
    std::fs::remove_file(rig.daemon.directory.path().join("egress.sock")).unwrap();
    rig.deliver("jane").await;
    assert_eq!(rig.told("jane").await, row("unavailable", "undelivered"));

    let daemon = Daemon::start(CLIENTS).await;
    let (path, _listener) = open(&daemon, &[geteuid().as_raw()]);
    daemon.hold_sms("jane").await;
    let mut front = Client::greet(&path, Protocol::Front).await;
    front.send(&ask("portal", deliver("jane", None))).await;
    tells_nothing(&mut front).await;
    assert_eq!(daemon.last_audit("jane").await.reason, "no_gateway");
}

#[tokio::test]
async fn without_a_database_nobody_is_looked_up() {
    let mut rig = Rig::start("").await;
    rig.hold_sms("jane").await;
    rig.daemon.core.store().shutdown().await;
    for user in ["jane", "nobody"] {
        let reply = rig.reply("portal", deliver(user, None)).await;
        let Reply::Refused(refusal) = &reply else { panic!("{reply:?}") };
        assert_eq!(refusal.code, RefusalCode::Unavailable);
    }
    assert!(rig.egress.taken().is_empty());
}
