//! What `mfactl` asks for, over the real socket: new factors of every kind, codes, copies of the database.
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
    admin::{
        Algorithm, Enrolled, FactorId, FactorRef, FactorState, HotpParams, NewFactor, NewParams, NewTag,
        RefusalCode, Reply, Request, RestParams, SentParams, TokenParams, TotpParams,
    },
    answer::{RecoveryCode, SignedToken},
    egress::Done,
    login::Verdict,
    name::FactorLabel,
    text::ShownText,
};
use support::{
    Daemon, SECRET,
    egress::{Egress, Reply as Script, Taken},
    hotp,
    outside::{NUMBER, OUTSIDE},
    secret, totp, user_id,
};

fn wanted(user: &str, params: NewParams) -> NewFactor {
    NewFactor {
        user: user_id(user),
        label: None,
        params,
        secret: None,
        activate: false,
        replace: false,
        current_code: None,
        invitation: None,
        tag: NewTag::default(),
    }
}

fn sms(number: &str) -> NewParams {
    NewParams::Sms(SentParams { address: secret(number), digits: None })
}

fn rest(service: &str) -> NewParams {
    NewParams::Rest(RestParams { service: FactorLabel::new(service).unwrap(), remote_user: None })
}

fn token(domain: Option<&str>) -> NewParams {
    let domain = domain.map(|name| FactorLabel::new(name).unwrap());
    NewParams::Token(TokenParams { domain, signing_secret: None })
}

fn any(user: &str) -> FactorRef {
    FactorRef { user: user_id(user), factor: None, label: None }
}

async fn enroll(daemon: &Daemon, new: NewFactor) -> Enrolled {
    let reply = daemon.admin(Request::Enroll(Box::new(new))).await;
    let Reply::Enrolled(new) = reply else { panic!("{reply:?}") };
    *new
}

async fn confirm(daemon: &Daemon, user: &str, factor: FactorId, code: &str) -> Reply {
    let (user, code) = (user_id(user), secret(code));
    daemon.admin(Request::Confirm { user, factor: Some(factor), code }).await
}

fn refused(reply: Reply) -> (RefusalCode, String) {
    let Reply::Refused(refusal) = reply else { panic!("{reply:?}") };
    (refusal.code, refusal.message.to_string())
}

fn is_done(reply: &Reply) -> bool {
    matches!(reply, Reply::Done { factors: 1 })
}

async fn states(daemon: &Daemon, user: &str) -> Vec<FactorState> {
    let reply = daemon.admin(Request::Show { user: user_id(user) }).await;
    let Reply::User(detail) = reply else {
        refused(reply);
        return Vec::new();
    };
    detail.factors.iter().map(|factor| factor.state).collect()
}

fn other(code: &str) -> String {
    if code == "000000" { "111111".to_owned() } else { "000000".to_owned() }
}

#[tokio::test]
async fn a_number_is_proven_by_the_code_that_was_sent_there() {
    let daemon = Daemon::start(OUTSIDE).await;
    let egress = Egress::willing(daemon.directory.path());
    let new = enroll(&daemon, wanted("jane", sms("+49 170 12345321"))).await;
    assert_eq!((new.state, new.sent_to.unwrap().as_str()), (FactorState::Pending, "+49 *** **321"));
    let Taken::Deliver { to, code, user, .. } = egress.taken().remove(0) else { panic!("not delivered") };
    assert_eq!((to.as_str(), user.as_str()), (NUMBER, "jane"));
    let (refusal, said) = refused(confirm(&daemon, "jane", new.factor, &other(&code)).await);
    assert_eq!(refusal, RefusalCode::WrongCode);
    assert!(said.contains("sent last"), "{said}");
    let too_soon = daemon.admin(Request::Send { target: any("jane") }).await;
    assert_eq!(refused(too_soon).0, RefusalCode::TooSoon);
    daemon.clock.advance(61);
    let again = daemon.admin(Request::Send { target: any("jane") }).await;
    let Reply::Sent { to, digits, .. } = again else { panic!("{again:?}") };
    assert_eq!((to.as_str(), digits), ("+49 *** **321", 6));
    if egress.last_code() != code {
        assert_eq!(refused(confirm(&daemon, "jane", new.factor, &code).await).0, RefusalCode::WrongCode);
    }
    assert!(is_done(&confirm(&daemon, "jane", new.factor, &egress.last_code()).await));
    assert_eq!(states(&daemon, "jane").await, [FactorState::Active]);
}

#[tokio::test]
async fn a_factor_whose_code_cannot_be_sent_is_not_left_behind() {
    let daemon = Daemon::start(OUTSIDE).await;
    let egress = Egress::start(daemon.directory.path(), |_| {
        Script::Done(Done::Failed { why: ShownText::clean("the gateway said 401") })
    });
    let reply = daemon.admin(Request::Enroll(Box::new(wanted("jane", sms(NUMBER))))).await;
    let (code, said) = refused(reply);
    assert_eq!(code, RefusalCode::NotSent);
    assert!(said.contains("the gateway said 401") && !said.contains("170"), "{said}");
    assert_eq!(states(&daemon, "jane").await, []);
    assert_eq!(egress.taken().len(), 1);
}

#[tokio::test]
async fn what_is_not_configured_or_no_address_is_refused() {
    let daemon = Daemon::start(OUTSIDE).await;
    let plain = Daemon::start("").await;
    let mail = NewParams::Mail(SentParams { address: secret("jane@example.org"), digits: None });
    for (daemon, params, said) in [
        (&plain, sms(NUMBER), "[sms] is not configured"),
        (&daemon, mail, "[mail] is not configured"),
        (&daemon, rest("nix"), "[rest.nix] is not configured"),
        (&daemon, token(Some("example.org")), "[token.\"example.org\"] is not configured"),
        (&daemon, sms("017012345321"), "country code"),
    ] {
        let (code, message) = refused(daemon.admin(Request::Enroll(Box::new(wanted("jane", params)))).await);
        assert_eq!(code, RefusalCode::Invalid, "{message}");
        assert!(message.contains(said), "{message}");
    }
    let key = NewFactor { secret: Some(secret(SECRET)), ..wanted("jane", sms(NUMBER)) };
    assert_eq!(refused(daemon.admin(Request::Enroll(Box::new(key))).await).0, RefusalCode::Invalid);
    let active = NewFactor { activate: true, ..wanted("jane", sms(NUMBER)) };
    assert_eq!(refused(daemon.admin(Request::Enroll(Box::new(active))).await).0, RefusalCode::Invalid);
    assert_eq!(refused(plain.admin(Request::Send { target: any("jane") }).await).0, RefusalCode::Invalid);
    assert_eq!(states(&daemon, "jane").await, []);
}

#[tokio::test]
async fn a_service_confirms_a_factor_by_saying_yes() {
    let daemon = Daemon::start(OUTSIDE).await;
    let egress = Egress::willing(daemon.directory.path());
    let new = enroll(&daemon, wanted("jane", rest("corp"))).await;
    assert_eq!((new.state, new.sent_to), (FactorState::Pending, None));
    assert_eq!(refused(confirm(&daemon, "jane", new.factor, "wrong").await).0, RefusalCode::WrongCode);
    assert!(is_done(&confirm(&daemon, "jane", new.factor, "right").await));
    assert_eq!(states(&daemon, "jane").await, [FactorState::Active]);
    let asked = |code: &str| Taken::Judge {
        outside: "corp".to_owned(),
        remote_user: "jane".to_owned(),
        code: code.to_owned(),
    };
    assert_eq!(egress.taken(), [asked("wrong"), asked("right")]);
}

#[tokio::test]
async fn a_service_that_only_delivers_is_told_the_code() {
    let daemon = Daemon::start(OUTSIDE).await;
    let egress = Egress::willing(daemon.directory.path());
    let new = enroll(&daemon, wanted("jane", rest("llng"))).await;
    let code = egress.last_code();
    assert_eq!(refused(confirm(&daemon, "jane", new.factor, "AAA00000").await).0, RefusalCode::WrongCode);
    assert!(is_done(&confirm(&daemon, "jane", new.factor, &code).await));
    assert_eq!(egress.taken().len(), 1, "it was asked to begin, not to judge");
    assert_eq!(states(&daemon, "jane").await, [FactorState::Active]);
}

#[tokio::test]
async fn a_service_that_is_away_confirms_nothing() {
    let daemon = Daemon::start(OUTSIDE).await;
    let new = enroll(&daemon, wanted("jane", rest("corp"))).await;
    assert_eq!(refused(confirm(&daemon, "jane", new.factor, "right").await).0, RefusalCode::NotSent);
    assert_eq!(states(&daemon, "jane").await, [FactorState::Pending]);
    let begun = daemon.admin(Request::Enroll(Box::new(wanted("joe", rest("push"))))).await;
    assert_eq!(refused(begun).0, RefusalCode::NotSent);
    assert_eq!(states(&daemon, "joe").await, []);
}

#[tokio::test]
async fn a_machine_gets_its_secrets_once_and_logs_in_with_a_token() {
    let daemon = Daemon::start("").await;
    let new = enroll(&daemon, wanted("robot", token(None))).await;
    assert_eq!(new.state, FactorState::Active);
    assert_eq!((new.secret.unwrap().expose().len(), new.signing_secret.unwrap().expose().len()), (32, 32));
    assert!(new.uri.is_none());
    let reply = daemon.admin(Request::TokenIssue { target: any("robot") }).await;
    let Reply::Token(token) = reply else { panic!("{reply:?}") };
    assert!(SignedToken::parse(token.expose()).is_some());
    assert_eq!(daemon.login("robot", &[token.expose()]).await.verdict, Verdict::Accept);
    let again = daemon.login("robot", &[token.expose(), "", ""]).await;
    assert_ne!(again.verdict, Verdict::Accept, "a token works once");
    let nobody = daemon.admin(Request::TokenIssue { target: any("jane") }).await;
    assert_eq!(refused(nobody).0, RefusalCode::NoSuchFactor);
}

#[tokio::test]
async fn recovery_codes_are_new_and_let_in_once() {
    let daemon = Daemon::start("").await;
    let new = |count| Request::RecoveryNew { user: user_id("jane"), count, code: None };
    daemon.enroll_totp("jane").await;
    let first = daemon.admin(new(10)).await;
    let Reply::RecoveryCodes { codes: first, .. } = first else { panic!("{first:?}") };
    assert_eq!(first.len(), 10);
    assert!(first.iter().all(|code| RecoveryCode::parse(code.expose()).is_some()));
    assert_eq!(daemon.login("jane", &[first[3].expose()]).await.verdict, Verdict::Accept);
    let second = daemon.admin(new(2)).await;
    let Reply::RecoveryCodes { codes: second, .. } = second else { panic!("{second:?}") };
    let old = daemon.login("jane", &[first[4].expose(), second[1].expose()]).await;
    assert_eq!((old.verdict, old.prompts.len() >= 2), (Verdict::Accept, true), "an old code is void");
    assert_eq!(refused(daemon.admin(new(0)).await).0, RefusalCode::Invalid);
}

#[tokio::test]
async fn a_lost_counter_is_found_and_root_makes_it_count_again() {
    let daemon = Daemon::start("").await;
    daemon.enroll_hotp("jane").await;
    let codes = |a, b| [secret(&hotp(a)), secret(&hotp(b))];
    let resync = |codes| Request::Resync { target: any("jane"), codes };
    assert_eq!(refused(daemon.admin(resync(codes(50, 52))).await).0, RefusalCode::WrongCode);
    assert!(is_done(&daemon.admin(resync(codes(50, 51))).await));
    assert_eq!(daemon.login("jane", &[&hotp(52)]).await.verdict, Verdict::Accept);
    daemon.admin(Request::Disable { target: any("jane"), code: None }).await;
    assert!(is_done(&daemon.admin(resync(codes(60, 61))).await));
    assert_eq!(states(&daemon, "jane").await, [FactorState::Active]);
}

fn brought(user: &str, label: &str, params: NewParams) -> NewFactor {
    NewFactor {
        label: Some(FactorLabel::new(label).unwrap()),
        secret: Some(secret("JBSWY3DPEHPK3PXP")),
        activate: true,
        ..wanted(user, params)
    }
}

#[tokio::test]
async fn what_is_brought_along_comes_whole_or_not_at_all() {
    let daemon = Daemon::start("").await;
    let all = |factors, recovery: &[&str]| Request::EnrollAll {
        user: user_id("jane"),
        factors,
        recovery: recovery.iter().map(|code| secret(code)).collect(),
        replace: false,
    };
    let phone = || brought("jane", "phone", NewParams::Totp(TotpParams::default()));
    let key = || {
        let params = HotpParams { algorithm: Algorithm::Sha1, digits: 6, counter: 7 };
        brought("jane", "key", NewParams::Hotp(params))
    };
    let stranger = brought("joe", "key", NewParams::Totp(TotpParams::default()));
    let keyless = NewFactor { secret: None, ..key() };
    for (factors, recovery) in [
        (vec![phone(), key()], vec!["12345678", "1234"]),
        (vec![phone(), stranger], Vec::new()),
        (vec![phone(), keyless], Vec::new()),
        (vec![phone(), phone()], Vec::new()),
    ] {
        refused(daemon.admin(all(factors, &recovery)).await);
        assert_eq!(states(&daemon, "jane").await, []);
    }
    let reply = daemon.admin(all(vec![phone(), key()], &["12345678", "87654321"])).await;
    assert!(matches!(reply, Reply::Done { factors: 3 }), "{reply:?}");
    assert_eq!(states(&daemon, "jane").await, [FactorState::Active; 3]);
    assert_eq!(daemon.login("jane", &["87654321"]).await.verdict, Verdict::Accept);
}

#[tokio::test]
async fn a_copy_is_made_and_put_back_over_the_socket() {
    let daemon = Daemon::start("").await;
    daemon.enroll_totp("jane").await;
    let made = daemon.admin(Request::Backup).await;
    let Reply::Copy { path, users, keys } = made else { panic!("{made:?}") };
    assert_eq!((users, keys.len()), (1, 1));
    let code = totp(support::NOW);
    assert_eq!(daemon.login("jane", &[&code]).await.verdict, Verdict::Accept);
    let nothing = daemon.admin(Request::Restore).await;
    assert_eq!(refused(nothing).0, RefusalCode::Invalid);
    std::fs::rename(&path, daemon.directory.path().join("restore.db")).unwrap();
    let restored = daemon.admin(Request::Restore).await;
    let Reply::Restored(restored) = restored else { panic!("{restored:?}") };
    assert_eq!((restored.users, restored.carried_over), (1, 1));
    let again = daemon.login("jane", &[&code, "000000", "000000"]).await;
    assert_eq!(again.verdict, Verdict::Deny, "{again:?}");
    let status = daemon.admin(Request::Status).await;
    let Reply::Status(status) = status else { panic!("{status:?}") };
    assert_eq!(status.database, daemon.directory.path().join("mfad.db").to_str().unwrap());
}

#[tokio::test]
async fn codes_that_were_sent_before_a_restore_are_void_and_its_caps_hold() {
    let daemon = Daemon::start(OUTSIDE).await;
    let egress = Egress::willing(daemon.directory.path());
    let new = enroll(&daemon, wanted("jane", sms(NUMBER))).await;
    let code = egress.last_code();
    let Reply::Copy { path, .. } = daemon.admin(Request::Backup).await else { panic!("no copy") };
    std::fs::rename(&path, daemon.directory.path().join("restore.db")).unwrap();
    let restored = daemon.admin(Request::Restore).await;
    assert!(matches!(restored, Reply::Restored(_)), "{restored:?}");
    assert_eq!(refused(confirm(&daemon, "jane", new.factor, &code).await).0, RefusalCode::WrongCode);
    // The code is gone, so the interval does not hold any more, but what was sent still counts.
    let mut sent = 1;
    let last = loop {
        let reply = daemon.admin(Request::Send { target: any("jane") }).await;
        if !matches!(reply, Reply::Sent { .. }) {
            break reply;
        }
        sent += 1;
        daemon.clock.advance(61);
    };
    assert_eq!(refused(last).0, RefusalCode::TooSoon);
    assert_eq!((sent, egress.taken().len()), (20, 20));
}

#[tokio::test]
async fn a_token_that_was_used_stays_used_over_a_restore() {
    let daemon = Daemon::start("").await;
    enroll(&daemon, wanted("robot", token(None))).await;
    let Reply::Copy { path, .. } = daemon.admin(Request::Backup).await else { panic!("no copy") };
    let issue = || async {
        let reply = daemon.admin(Request::TokenIssue { target: any("robot") }).await;
        let Reply::Token(token) = reply else { panic!("{reply:?}") };
        token.expose().to_owned()
    };
    let (used, other) = (issue().await, issue().await);
    assert_eq!(daemon.login("robot", &[&used]).await.verdict, Verdict::Accept);
    let copy = std::fs::read(&path).unwrap();
    std::fs::rename(&path, daemon.directory.path().join("restore.db")).unwrap();
    assert!(matches!(daemon.admin(Request::Restore).await, Reply::Restored(_)));
    assert_eq!(daemon.login("robot", &[&used, &other]).await.verdict, Verdict::Accept);

    // The database does not know the factor any more: no token of this minute counts.
    daemon.admin(Request::Remove { target: any("robot"), code: None }).await;
    let again = daemon.directory.path().join("restore.db");
    std::fs::write(&again, copy).unwrap();
    std::fs::set_permissions(&again, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    assert!(matches!(daemon.admin(Request::Restore).await, Reply::Restored(_)));
    let fresh = issue().await;
    assert_ne!(daemon.login("robot", &[&fresh, "", ""]).await.verdict, Verdict::Accept);
    daemon.clock.advance(90);
    let later = issue().await;
    assert_eq!(daemon.login("robot", &[&later]).await.verdict, Verdict::Accept);
}
