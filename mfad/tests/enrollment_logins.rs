//! Whole logins in which a first factor is enrolled, or that go on without one for a time: what is shown, what
//! is asked, and every way in which they deny.
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
    admin::{NewFactor, NewParams, Outlook, RefusalCode, Reply, Request, TotpParams},
    answer::{AnswerShape, RecoveryCode},
    hello::Protocol,
    login::{ClientMessage, Dialogue, ServerMessage, Start, Verdict},
    secret::SecretText,
    text::ShownText,
};
use support::{Client, Daemon, NOW, secret, start, user_id};

/// An account of every host, without a factor.
const USER: &str = "daemon";
const OPEN: &str = "[policy]\nunenrolled = \"enroll\"\n[enrollment]\nself = \"open\"\n";
const INVITE: &str = "[policy]\nunenrolled = \"enroll\"\n[enrollment]\nself = \"invite\"\n";
const USUAL: &str = "Verification code: ";

/// What is typed at a prompt.
#[derive(Clone)]
enum Types {
    Text(String),
    /// The code of the key that the prompt shows, so many steps ahead.
    Code(i64),
}

fn text(text: &str) -> Types {
    Types::Text(text.to_owned())
}

struct Seen {
    infos: Vec<String>,
    prompts: Vec<String>,
    shapes: Vec<AnswerShape>,
    verdict: Verdict,
}

/// The key in a prompt of the enrollment.
fn key_in(prompt: &str) -> Option<String> {
    let (_, after) = prompt.split_once("app, key ")?;
    Some(after.split_once(". Code")?.0.replace(' ', ""))
}

fn code_of(key: &str, time: i64) -> String {
    let secret = totp_rs::Secret::try_from_base32(key).unwrap();
    let totp = totp_rs::Builder::new().with_secret(secret.as_bytes().to_vec()).build().unwrap();
    totp.generate(u64::try_from(time).unwrap()).to_string()
}

async fn login_as(daemon: &Daemon, start: Start, typed: &[Types]) -> Seen {
    let mut client = Client::greet(&daemon.socket(), Protocol::Login).await;
    client.send(&ClientMessage::Start(start)).await;
    let mut typed = typed.iter();
    let (mut infos, mut prompts, mut shapes) = (Vec::new(), Vec::new(), Vec::new());
    loop {
        match client.receive::<ServerMessage>().await {
            ServerMessage::Settled(verdict) => return Seen { infos, prompts, shapes, verdict },
            ServerMessage::Info(text) => infos.push(text.to_string()),
            ServerMessage::Prompt { text, shape, .. } => {
                prompts.push(text.to_string());
                shapes.push(shape);
                let answer = match typed.next().unwrap_or_else(|| panic!("not expected: {text}")) {
                    Types::Text(answer) => answer.clone(),
                    Types::Code(steps) => {
                        let now = mfad::clock::Clock::now(&*daemon.clock).0;
                        code_of(&key_in(text.as_str()).unwrap(), now + 30 * steps)
                    }
                };
                client.send(&ClientMessage::Answer(secret(&answer))).await;
            }
        }
    }
}

async fn login(daemon: &Daemon, typed: &[Types]) -> Seen {
    login_as(daemon, start(USER), typed).await
}

async fn invite(daemon: &Daemon) -> String {
    let reply = daemon.admin(Request::Invite { user: user_id(USER), seconds: 3600 }).await;
    let Reply::Invited { code, .. } = reply else { panic!("{reply:?}") };
    code.expose().to_owned()
}

async fn factors(daemon: &Daemon) -> usize {
    let shown = daemon.admin(Request::Show { user: user_id(USER) }).await;
    if let Reply::User(detail) = shown { detail.factors.len() } else { 0 }
}

#[tokio::test]
async fn a_first_factor_is_enrolled_in_the_login_and_serves_from_then_on() {
    let daemon = Daemon::with(OPEN).await;
    let seen = login(&daemon, &[text("000 000"), Types::Code(0)]).await;
    assert_eq!(seen.verdict, Verdict::Accept);
    assert!(seen.prompts[0].starts_with("Add this account to your authenticator app, key "));
    assert!(seen.prompts[1].starts_with("Wrong code. Add this account"), "{}", seen.prompts[1]);
    let key = key_in(&seen.prompts[0]).unwrap();
    assert_eq!(key_in(&seen.prompts[1]).unwrap(), key, "the same key");
    let (end, shown) = seen.infos.split_last().unwrap();
    assert_eq!(end, "Enrolled. Make recovery codes with: mfactl recovery new");
    let (link, code) = shown.split_last().unwrap();
    assert!(link.starts_with("otpauth://totp/") && link.contains(&key), "{link}");
    let drawn = |line: &String| line.chars().all(|c| matches!(c, '█' | '▀' | '▄' | ' '));
    assert!(code.len() > 15 && code.iter().all(drawn), "{code:?}");
    let row = daemon.last_audit(USER).await;
    assert_eq!((row.event.as_str(), row.verdict.as_str(), row.reason.as_str()), ("login", "accept", "ok"));
    daemon.clock.advance(60);
    let again = login(&daemon, &[text(&code_of(&key, NOW.0 + 60))]).await;
    assert_eq!((again.verdict, again.prompts.as_slice()), (Verdict::Accept, [USUAL.to_owned()].as_slice()));
}

#[tokio::test]
async fn who_gives_up_leaves_nothing_and_gets_another_key() {
    let daemon = Daemon::with(&format!("{OPEN}qr_width = 0\n")).await;
    let first = login(&daemon, &[text("000000"), text(""), text("")]).await;
    assert_eq!(first.verdict, Verdict::Deny);
    assert_eq!(first.infos.len(), 1, "the link alone: {:?}", first.infos);
    assert_eq!(factors(&daemon).await, 0);
    daemon.clock.advance(10);
    let second = login(&daemon, &[text("000000"), text("x"), text("x")]).await;
    assert_ne!(key_in(&first.prompts[0]), key_in(&second.prompts[0]));
    // A code of the key of the login before is worth nothing.
    daemon.clock.advance(10);
    let old = key_in(&first.prompts[0]).unwrap();
    let answer = text(&code_of(&old, NOW.0 + 20));
    assert_eq!(login(&daemon, &[answer, text("x"), text("x")]).await.verdict, Verdict::Deny);
    assert_eq!(factors(&daemon).await, 0);
}

#[tokio::test]
async fn wrong_codes_and_invitations_lead_to_waits_and_a_lock() {
    for (config, wrong) in [(OPEN, "000000"), (INVITE, "01-GAYT-EMZU-GU3D-OOBZ")] {
        let daemon = Daemon::with(&format!("{config}[prompt]\nattempts = 1\n")).await;
        let mut locked = None;
        for _ in 0..6 {
            let seen = login(&daemon, &[text(wrong), text("")]).await;
            assert!(matches!(seen.verdict, Verdict::Deny | Verdict::Locked));
            daemon.clock.advance(10);
            locked = Some(seen);
        }
        let last = locked.unwrap();
        assert_eq!(last.verdict, Verdict::Locked);
        assert!(last.prompts[0].starts_with("Too many wrong codes."), "{:?}", last.prompts);
        assert!(last.infos.is_empty(), "nothing is shown any more");
    }
}

#[tokio::test]
async fn an_invitation_is_asked_for_before_anything_is_shown() {
    let daemon = Daemon::with(INVITE).await;
    let none = login(&daemon, &[text("01-GAYT-EMZU-GU3D-OOBZ"), text("123456"), text("")]).await;
    assert_eq!((none.verdict, none.infos.len()), (Verdict::Deny, 0));
    assert_eq!(none.prompts[0], "You have no second factor yet. Invitation from your administrator: ");
    assert!(
        none.prompts[1].starts_with("This invitation does not count: it is wrong, was used, or is too old.")
    );
    assert!(none.prompts[2].starts_with("An invitation looks like 01-"), "{}", none.prompts[2]);
    assert_eq!(none.shapes[0], AnswerShape::RECOVERY);
    daemon.clock.advance(10);
    let code = invite(&daemon).await;
    // As people type it.
    let typed = text(&code.to_lowercase().replace('-', " "));
    let given_up = login(&daemon, &[typed.clone(), text("x"), text("x"), text("x")]).await;
    assert_eq!(given_up.verdict, Verdict::Deny, "the invitation alone is not enough");
    let seen = login(&daemon, &[typed.clone(), Types::Code(0)]).await;
    assert_eq!(seen.verdict, Verdict::Accept, "it was not used up");
    let reply = daemon.admin(Request::Remove {
        target: mfa_proto::admin::FactorRef { user: user_id(USER), factor: None, label: None },
        code: None,
    });
    assert!(matches!(reply.await, Reply::Done { .. }));
    daemon.clock.advance(60);
    let used = login(&daemon, &[typed, text(""), text("")]).await;
    assert_eq!((used.verdict, used.infos.len()), (Verdict::Deny, 0), "now it is");
}

#[tokio::test]
async fn an_invitation_that_ends_meanwhile_lets_nobody_in() {
    let daemon = Daemon::with(INVITE).await;
    let code = invite(&daemon).await;
    let mut client = Client::greet(&daemon.socket(), Protocol::Login).await;
    client.send(&ClientMessage::Start(start(USER))).await;
    let ServerMessage::Prompt { .. } = client.receive().await else { panic!() };
    client.send(&ClientMessage::Answer(secret(&code))).await;
    let key = loop {
        if let ServerMessage::Prompt { text, .. } = client.receive().await {
            break key_in(text.as_str()).unwrap();
        }
    };
    let withdrawn = daemon.admin(Request::Uninvite { user: user_id(USER) }).await;
    assert!(matches!(withdrawn, Reply::Done { .. }), "{withdrawn:?}");
    client.send(&ClientMessage::Answer(secret(&code_of(&key, NOW.0)))).await;
    assert_eq!(client.receive::<ServerMessage>().await, ServerMessage::Settled(Verdict::Deny));
    assert_eq!(factors(&daemon).await, 0);
}

/// Names without account, and callers whose password nobody has proven.
#[tokio::test]
async fn others_see_what_everyone_sees() {
    let daemon = Daemon::with(&format!("{OPEN}grace_logins = 3\n")).await;
    let wrong = [text("000000"), text("000000"), text("000000"), text("")];
    for who in [start("no-such-account-here"), Start { dialogue: Dialogue::Combined, ..start(USER) }] {
        let seen = login_as(&daemon, who, &wrong).await;
        assert!(matches!(seen.verdict, Verdict::Deny | Verdict::Locked), "{:?}", seen.verdict);
        assert!(seen.infos.is_empty(), "{:?}", seen.infos);
        assert_eq!(seen.prompts[0], USUAL);
        assert!(!seen.prompts.iter().any(|prompt| prompt.contains("key")), "{:?}", seen.prompts);
    }
    // Names that are no accounts of this host.
    let daemon = Daemon::start(OPEN).await;
    let seen = login(&daemon, &wrong).await;
    assert_eq!((seen.verdict, seen.prompts[0].as_str()), (Verdict::Deny, USUAL));
}

#[tokio::test]
async fn a_factor_that_is_switched_off_is_no_way_to_begin() {
    let daemon = Daemon::with(&format!("{OPEN}grace_logins = 3\n")).await;
    daemon.enroll_hotp(USER).await;
    let target = mfa_proto::admin::FactorRef { user: user_id(USER), factor: None, label: None };
    assert!(matches!(daemon.admin(Request::Disable { target, code: None }).await, Reply::Done { .. }));
    let seen = login(&daemon, &[text("000000"), text("000000"), text("000000")]).await;
    assert_eq!((seen.verdict, seen.prompts[0].as_str()), (Verdict::Deny, USUAL));
}

#[tokio::test]
async fn the_time_of_grace_lets_in_tells_and_ends() {
    let daemon = Daemon::with("[enrollment]\ngrace_logins = 2\nenroll_by = 2033-12-31\n").await;
    for left in
        ["1 more login without one, until 2033-12-31.", "No more logins without one, until 2033-12-31."]
    {
        let seen = login(&daemon, &[]).await;
        assert_eq!(seen.verdict, Verdict::NotApplicable);
        assert_eq!(seen.infos, [format!("You have to enroll a second factor: mfactl enroll totp. {left}")]);
        let row = daemon.last_audit(USER).await;
        assert_eq!((row.verdict.as_str(), row.reason.as_str()), ("skip", "grace"));
    }
    let over = login(&daemon, &[text("000000"), text("000000"), text("000000")]).await;
    assert_eq!((over.verdict, over.prompts[0].as_str()), (Verdict::Deny, USUAL));

    let daemon = Daemon::with("[enrollment]\nenroll_by = 2033-12-31\n").await;
    assert_eq!(login(&daemon, &[]).await.verdict, Verdict::NotApplicable);
    // The day itself counts, wherever the host is; two days later none does.
    let at = |at: i64| daemon.explain_at(USER, Some(at));
    assert_eq!(at(2_019_600_000).await.outlook, Outlook::Skipped);
    assert_eq!(at(2_019_600_000 + 2 * 86_400).await.outlook, Outlook::Denied);
    daemon.clock.set(mfad::clock::UnixTime(2_019_600_000));
    assert_eq!(login(&daemon, &[]).await.verdict, Verdict::NotApplicable);
    daemon.clock.advance(2 * 86_400);
    assert_eq!(
        login(&daemon, &[text("000000"), text("000000"), text("000000")]).await.verdict,
        Verdict::Deny
    );
}

#[tokio::test]
async fn enrollment_comes_first_and_enter_takes_the_grace() {
    for config in [OPEN, INVITE] {
        let daemon = Daemon::with(&format!("{config}grace_logins = 1\n")).await;
        let later = login(&daemon, &[text("")]).await;
        assert_eq!(later.verdict, Verdict::NotApplicable);
        assert!(
            later.prompts[0].contains("(Enter: not now. 1 more login without one.)"),
            "{:?}",
            later.prompts
        );
        let over = login(&daemon, &[text(""), text(""), text("")]).await;
        assert_eq!(over.verdict, Verdict::Deny);
        assert!(!over.prompts[0].contains("Enter"), "{:?}", over.prompts);
    }
}

async fn enroll(daemon: &Daemon, invitation: Option<SecretText>) -> Reply {
    let new = NewFactor {
        user: user_id(USER),
        label: None,
        params: NewParams::Totp(TotpParams::default()),
        secret: None,
        activate: false,
        replace: false,
        current_code: None,
        invitation,
        tag: mfa_proto::admin::NewTag::default(),
    };
    daemon.admin(Request::Enroll(Box::new(new))).await
}

/// Root needs none; what is said to others needs another uid and is tested end to end.
/// An emergency code stands in the way of a first factor only as long as it counts.
#[tokio::test]
async fn an_emergency_code_that_is_over_leaves_a_newcomer() {
    for used in [false, true] {
        let daemon = Daemon::with(&format!("{INVITE}grace_logins = 2\n")).await;
        let reason = ShownText::clean("phone lost");
        let reply = daemon.admin(Request::BreakGlass { user: user_id(USER), seconds: 300, reason }).await;
        let Reply::BreakGlass { code, .. } = reply else { panic!("{reply:?}") };
        assert_eq!(daemon.explain(USER).await.sees.unwrap().as_str(), USUAL);
        if used {
            let seen = login(&daemon, &[text(code.expose())]).await;
            assert_eq!(seen.verdict, Verdict::Accept);
        } else {
            daemon.clock.advance(400);
            daemon.core.store().expire_break_glass().await.unwrap();
        }
        assert_eq!(daemon.explain(USER).await.outlook, Outlook::Enrolled, "used: {used}");
        let seen = login(&daemon, &[text("")]).await;
        assert_eq!(seen.verdict, Verdict::NotApplicable, "{:?}", seen.prompts);
        assert!(seen.prompts[0].contains("Invitation"), "{:?}", seen.prompts);
        let invitation = invite(&daemon).await;
        let seen = login(&daemon, &[text(&invitation), Types::Code(0)]).await;
        assert_eq!(seen.verdict, Verdict::Accept, "{:?}", seen.prompts);
    }
}

/// Who needs an invitation and has none is denied whatever is answered, and an explanation says so.
#[tokio::test]
async fn an_explanation_knows_of_invitations() {
    let daemon = Daemon::with(INVITE).await;
    let without = daemon.explain(USER).await;
    assert_eq!(without.outlook, Outlook::Denied);
    assert!(without.why.iter().any(|why| why.as_str().contains("mfactl invite")), "{without:?}");
    invite(&daemon).await;
    assert_eq!(daemon.explain(USER).await.outlook, Outlook::Enrolled);
    let over = daemon.explain_at(USER, Some(NOW.plus(3601).0)).await;
    assert_eq!(over.outlook, Outlook::Denied, "it counts for an hour");
    let daemon = Daemon::with(&format!("{INVITE}grace_logins = 1\n")).await;
    assert_eq!(daemon.explain(USER).await.outlook, Outlook::Enrolled, "it may be put off");
}

#[tokio::test]
async fn invitations_are_roots_to_make_and_for_those_who_may_enroll() {
    let daemon = Daemon::with("").await;
    let reply = daemon.admin(Request::Invite { user: user_id(USER), seconds: 0 }).await;
    let Reply::Refused(refusal) = reply else { panic!("{reply:?}") };
    assert_eq!(refusal.code, RefusalCode::Invalid);
    assert!(refusal.message.as_str().contains("self = \"never\""), "{}", refusal.message);
    let daemon = Daemon::with(INVITE).await;
    let reply = daemon.admin(Request::Invite { user: user_id(USER), seconds: 0 }).await;
    let Reply::Invited { code, until } = reply else { panic!("{reply:?}") };
    assert_eq!(until, NOW.plus(72 * 3600).0, "as the configuration says");
    assert!(RecoveryCode::parse(code.expose()).is_some());
    let Reply::User(shown) = daemon.admin(Request::Show { user: user_id(USER) }).await else { panic!() };
    assert_eq!((shown.invited_until, shown.factors.len()), (Some(until), 0));
    let reply = daemon.admin(Request::Invite { user: user_id("no-such-account-here"), seconds: 0 }).await;
    assert!(matches!(reply, Reply::Refused(refusal) if refusal.code == RefusalCode::UnknownUser));
    let reply = daemon.admin(Request::Invite { user: user_id(USER), seconds: u32::MAX }).await;
    assert!(matches!(reply, Reply::Refused(refusal) if refusal.code == RefusalCode::Invalid));
    assert!(matches!(enroll(&daemon, None).await, Reply::Enrolled(_)));
}
