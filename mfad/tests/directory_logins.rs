//! Logins where a directory is asked first, with a scripted egress: every answer that is none lets nobody in whose
//! factors are not known.
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

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    sync::{Arc, Mutex},
};

use mfa_proto::{
    admin::{
        AuditFilter, DirectoryChange, DirectoryState, FactorKind, FactorRef, FactorState, Outlook, Pulled,
        RefusalCode, Reply, Request, SealedSecret, TotpParams, UserDetail,
    },
    egress::{Done, Found},
    front::{Ask, What},
    hello::Protocol,
    login::{Dialogue, Start, Verdict},
    name::ClientName,
    text::ShownText,
};
use mfad::{
    config::{Config, Source},
    ldap,
    server::{admission::Admission, front, listen},
    settings::Settings,
};
use support::{
    Client, Daemon, SECRET,
    egress::{Egress, Reply as Does, Taken},
    secret, start, totp, user_id,
};
use tokio::net::UnixListener;

/// Accounts of every host.
const USER: &str = "daemon";
const OTHER: &str = "nobody";
/// One that no host has.
const NOBODY: &str = "mfad-no-such-account";

const BASE: &str = r#"
[egress]
socket = "{dir}/egress.sock"
[sms]
gateways = ["file"]
[sms.gateway.file]
type = "file"
directory = "/nowhere/sms"
[ldap]
servers = ["{dir}/ldapi"]
bind_dn = "cn=mfad"
credential = "password"
base = "dc=x"
timeout = "1s"
phone_attribute = "mobile"
secret_attribute = "mfadTotpSecret"
secret_key = "ldap-key"
secret_key_dir = "{dir}"
"#;
const SKIP: &str = "at_login = true\n[policy]\nunenrolled = \"skip\"\n";

/// What the directory has of everybody who is asked for.
#[derive(Clone, Debug)]
enum Says {
    Has { phone: Option<String>, sealed: Vec<String> },
    Nobody,
    Failed,
    Busy,
    Yes,
    Bytes(Vec<u8>),
    Waits,
}

struct Rig {
    daemon: Daemon,
    egress: Option<Egress>,
    says: Arc<Mutex<Says>>,
}

impl Rig {
    async fn new(more: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let key = directory.path().join("ldap-key");
        fs::write(&key, "5a".repeat(32)).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        let text = format!("{BASE}{more}").replace("{dir}", directory.path().to_str().unwrap());
        let config = Config::from_sources(&[Source { path: "test.toml".into(), text }]);
        let config = config.unwrap_or_else(|e| panic!("{e}"));
        let key = ldap::load_key(&config).unwrap();
        let settings = Settings::resolved(config).await.unwrap_or_else(|e| panic!("{e:?}"));
        let daemon = Daemon::of(directory, settings.with_value_key(key));
        let says = Arc::new(Mutex::new(Says::Nobody));
        let heard = Arc::clone(&says);
        let egress = Egress::start(daemon.directory.path(), move |taken| does(&heard.lock().unwrap(), taken));
        Self { daemon, egress: Some(egress), says }
    }

    fn says(&self, says: Says) {
        *self.says.lock().unwrap() = says;
    }

    fn has(&self, values: &[&str]) {
        let sealed = values.iter().map(|value| (*value).to_owned()).collect();
        self.says(Says::Has { phone: None, sealed });
    }

    /// A value of [`SECRET`] for a user.
    async fn sealed(&self, user: &str) -> String {
        let (params, secret) = (TotpParams::default(), Some(secret(SECRET)));
        let reply = self.daemon.admin(Request::LdapSeal { user: user_id(user), params, secret }).await;
        let Reply::Sealed(sealed) = reply else { panic!("{reply:?}") };
        sealed.value.expose().to_owned()
    }

    async fn pull(&self, dry_run: bool) -> Pulled {
        let reply = self.daemon.admin(Request::LdapPull { user: user_id(USER), dry_run }).await;
        let Reply::Pulled(pulled) = reply else { panic!("{reply:?}") };
        pulled
    }

    fn code(&self) -> String {
        totp(mfad::clock::Clock::now(&*self.daemon.clock))
    }

    async fn verdict(&self, answers: &[&str]) -> Verdict {
        self.daemon.login(USER, answers).await.verdict
    }

    /// How often the directory was asked.
    fn asked(&self) -> usize {
        let taken = self.egress.as_ref().map_or_else(Vec::new, Egress::taken);
        taken.iter().filter(|taken| matches!(taken, Taken::Look { .. })).count()
    }

    async fn directory(&self) -> Option<DirectoryState> {
        let reply = self.daemon.admin(Request::Status).await;
        let Reply::Status(status) = reply else { panic!("{reply:?}") };
        status.directory
    }

    async fn shown(&self, user: &str) -> Option<UserDetail> {
        let reply = self.daemon.admin(Request::Show { user: user_id(user) }).await;
        if let Reply::User(detail) = reply { Some(*detail) } else { None }
    }

    /// How often a row of the trail says so.
    async fn rows(&self, event: &str) -> usize {
        let filter = AuditFilter { user: Some(user_id(USER)), ..AuditFilter::default() };
        let reply = self.daemon.admin(Request::Audit(Box::new(filter))).await;
        let Reply::Audit(page) = reply else { panic!("{reply:?}") };
        page.rows.iter().filter(|row| row.event == event).count()
    }
}

fn does(says: &Says, taken: &Taken) -> Does {
    if !matches!(taken, Taken::Look { .. }) {
        return Does::Done(Done::Delivered { via: ShownText::clean("script") });
    }
    match says {
        Says::Has { phone, sealed } => Does::Done(Done::Found(Box::new(Found {
            phone: phone.as_deref().map(secret),
            mail: None,
            sealed: sealed.iter().map(|value| secret(value)).collect(),
        }))),
        Says::Nobody => Does::Done(Done::No),
        Says::Failed => Does::Done(Done::Failed { why: ShownText::clean("no server answers") }),
        Says::Busy => Does::Done(Done::Busy),
        Says::Yes => Does::Done(Done::Yes),
        Says::Bytes(bytes) => Does::Bytes(bytes.clone()),
        Says::Waits => Does::Wait,
    }
}

/// All that says nothing of anybody.
fn silences() -> Vec<Says> {
    vec![
        Says::Failed,
        Says::Busy,
        Says::Yes,
        Says::Bytes(Vec::new()),
        Says::Bytes(vec![0, 1, 99]),
        Says::Waits,
    ]
}

#[tokio::test]
async fn whoever_holds_nothing_is_not_let_in_while_the_directory_is_away() {
    let grace = "at_login = true\n[enrollment]\nself = \"open\"\ngrace_logins = 5\n[policy]\nunenrolled = \"enroll\"\n";
    for unenrolled in [SKIP, grace, "at_login = true\n[policy]\nunenrolled = \"deny\"\n"] {
        let mut rig = Rig::new(unenrolled).await;
        for says in silences() {
            rig.says(says.clone());
            assert_eq!(rig.verdict(&[]).await, Verdict::Unavailable, "{says:?} {unenrolled}");
        }
        assert_eq!(rig.asked(), silences().len());
        rig.egress = None;
        assert_eq!(rig.verdict(&[]).await, Verdict::Unavailable, "no egress, {unenrolled}");
        assert_eq!(rig.daemon.last_audit(USER).await.reason, "directory");
        assert!(rig.shown(USER).await.is_none(), "nothing is known of anybody");
    }
}

#[tokio::test]
async fn what_lets_in_is_that_the_directory_has_nobody() {
    let rig = Rig::new(SKIP).await;
    assert_eq!(rig.verdict(&[]).await, Verdict::NotApplicable, "there was something to keep out");
    rig.has(&[]);
    rig.daemon.clock.advance(700);
    assert_eq!(rig.verdict(&[]).await, Verdict::NotApplicable);
}

#[tokio::test]
async fn a_secret_of_the_directory_lets_in_each_code_once() {
    let rig = Rig::new(SKIP).await;
    let value = rig.sealed(USER).await;
    rig.has(&[&value]);
    assert_eq!(
        rig.verdict(&[&rig.code(), "000000", "000000"]).await,
        Verdict::Deny,
        "it begins with the next"
    );
    rig.daemon.clock.advance(30);
    let code = rig.code();
    assert_eq!(rig.verdict(&[&code]).await, Verdict::Accept);
    assert_eq!(rig.verdict(&[&code, "000000", "000000"]).await, Verdict::Deny);
    assert_eq!(rig.asked(), 1, "what it said is good for a while");
    rig.daemon.clock.advance(600);
    assert_eq!(rig.verdict(&[&rig.code()]).await, Verdict::Accept);
    assert_eq!((rig.asked(), rig.rows("directory_adopt").await), (2, 1));
}

#[tokio::test]
async fn what_was_taken_in_before_counts_while_the_directory_is_away() {
    let mut rig = Rig::new(SKIP).await;
    let value = rig.sealed(USER).await;
    rig.has(&[&value]);
    rig.pull(false).await;
    for says in silences() {
        rig.says(says);
        rig.daemon.clock.advance(700);
        assert_eq!(rig.verdict(&[&rig.code()]).await, Verdict::Accept);
    }
    rig.egress = None;
    let used = rig.code();
    assert_eq!(rig.verdict(&[&used, "000000", "000000"]).await, Verdict::Deny);
}

#[tokio::test]
async fn whoever_is_deleted_from_the_directory_is_denied() {
    for unenrolled in [
        SKIP,
        "at_login = true\n[enrollment]\nself = \"open\"\ngrace_logins = 5\n[policy]\nunenrolled = \"enroll\"\n",
    ] {
        let rig = Rig::new(unenrolled).await;
        let value = rig.sealed(USER).await;
        for gone in [Says::Nobody, Says::Has { phone: None, sealed: Vec::new() }] {
            rig.has(&[&value]);
            rig.pull(false).await;
            rig.says(gone.clone());
            rig.daemon.clock.advance(700);
            let code = rig.code();
            assert_eq!(
                rig.verdict(&[&code, "000000", "000000"]).await,
                Verdict::Deny,
                "{gone:?} {unenrolled}"
            );
            assert_eq!(rig.daemon.last_audit(USER).await.reason, "withheld");
        }
        let held = rig.shown(USER).await.unwrap();
        assert_eq!(held.factors[0].state, FactorState::Disabled, "it is there, and off");
        let explained = rig.daemon.explain(USER).await;
        assert_eq!(explained.outlook, Outlook::Denied, "{explained:?}");
    }
}

#[tokio::test]
async fn a_value_that_does_not_open_is_no_reason_to_let_in() {
    let rig = Rig::new(&format!("{SKIP}[prompt]\nattempts = 1\n")).await;
    let (others, own) = (rig.sealed(OTHER).await, rig.sealed(USER).await);
    let cut = own.get(..own.len() - 4).unwrap().to_owned();
    for (value, rows) in [(others, 1), (cut, 1), ("{SSHA}nonsense".to_owned(), 2)] {
        rig.has(&[&value]);
        for _ in 0..2 {
            // Whoever is not known waits for wrong codes as anybody does.
            rig.daemon.clock.advance(90_000);
            let code = rig.code();
            let verdict = rig.verdict(&[&code, ""]).await;
            assert!(matches!(verdict, Verdict::Deny | Verdict::Locked), "{verdict:?} {value}");
        }
        assert_eq!(rig.daemon.last_audit(USER).await.reason, "withheld");
        assert_eq!(rig.rows("directory_refused").await, rows, "each reason is written down once");
    }
    rig.has(&[&own]);
    rig.daemon.clock.advance(90_000);
    assert_eq!(rig.verdict(&["000000", ""]).await, Verdict::Deny);
    rig.daemon.clock.advance(30);
    assert_eq!(rig.verdict(&[&rig.code()]).await, Verdict::Accept);
}

#[tokio::test]
async fn a_name_without_an_account_is_asked_about_as_well_and_gets_nothing() {
    let rig = Rig::new(SKIP).await;
    rig.says(Says::Has { phone: Some("+4917012345321".to_owned()), sealed: Vec::new() });
    let seen = rig.daemon.login(NOBODY, &["000000", "000000", "000000"]).await;
    assert_eq!((seen.verdict, rig.asked()), (Verdict::Deny, 1));
    assert!(rig.shown(NOBODY).await.is_none());
    rig.daemon.login(NOBODY, &["000000", "000000", "000000"]).await;
    assert_eq!(rig.asked(), 1, "for as long as of others");
}

#[tokio::test]
async fn where_no_password_is_proven_doubt_looks_like_any_other_name() {
    let rig = Rig::new(&format!("{SKIP}[prompt]\nattempts = 1\n")).await;
    rig.says(Says::Failed);
    let combined = |user: &str| Start { dialogue: Dialogue::Combined, ..start(user) };
    let seen = rig.daemon.login_as(combined(USER), &["000000"]).await;
    let other = rig.daemon.login_as(combined(NOBODY), &["000000"]).await;
    assert_eq!(seen, other);
    assert_eq!(rig.daemon.last_audit(USER).await.reason, "directory");
}

#[tokio::test]
async fn a_number_of_the_directory_gets_the_codes() {
    let rig = Rig::new(SKIP).await;
    rig.says(Says::Has { phone: Some("+49 170 12345321".to_owned()), sealed: Vec::new() });
    let mut talk = rig.daemon.begin(USER).await;
    assert_eq!(talk.prompt().await, "Code sent to +49 *** **321 (Enter: send again): ");
    let egress = rig.egress.as_ref().unwrap();
    let taken = egress.taken().pop().unwrap();
    assert!(matches!(&taken, Taken::Deliver { to, .. } if to == "+4917012345321"), "{taken:?}");
    assert_eq!(talk.ends(&taken.code()).await, Verdict::Accept);
}

#[tokio::test]
async fn logins_that_do_not_ask_do_not_ask() {
    for more in [
        "[policy]\nunenrolled = \"skip\"\n",
        "at_login = true\n[[policy.rule]]\nname = \"all\"\nmatch = { service = [\"sshd\"] }\naction = \"skip\"\n",
    ] {
        let rig = Rig::new(more).await;
        rig.says(Says::Waits);
        assert_eq!((rig.verdict(&[]).await, rig.asked()), (Verdict::NotApplicable, 0), "{more}");
    }
}

#[tokio::test]
async fn an_explanation_asks_nobody_and_takes_nothing_in() {
    let rig = Rig::new(SKIP).await;
    rig.has(&[&rig.sealed(USER).await]);
    let explained = rig.daemon.explain(USER).await;
    assert!(explained.why.iter().any(|why| why.as_str().contains("asks the directory")), "{explained:?}");
    assert!(rig.asked() == 0 && rig.shown(USER).await.is_none());
}

#[tokio::test]
async fn whoever_is_removed_is_asked_about_at_once() {
    let rig = Rig::new(SKIP).await;
    rig.has(&[&rig.sealed(USER).await]);
    rig.daemon.clock.advance(30);
    assert_eq!(rig.verdict(&["000000", "000000", "000000"]).await, Verdict::Deny);
    let target = FactorRef { user: user_id(USER), factor: None, label: None };
    let reply = rig.daemon.admin(Request::Remove { target, code: None }).await;
    assert!(matches!(reply, Reply::Done { factors: 1 }), "{reply:?}");
    assert_eq!(rig.verdict(&["000000", "000000", "000000"]).await, Verdict::Deny, "and not let in");
    assert_eq!(rig.asked(), 2);
}

const FRONT: &str = r#"
at_login = true
[[web.listen]]
address = "127.0.0.1:1"
dialects = { ceptor = "/" }
[[web.client]]
name = "portal"
rights = ["verify", "factors:read"]
login_page = true
[[web.client]]
name = "wiki"
rights = ["verify", "factors:read"]
token = "wiki"
"#;

#[tokio::test]
async fn a_login_page_knows_what_the_directory_has_and_others_do_not_have_it_asked() {
    let rig = Rig::new(FRONT).await;
    rig.has(&[&rig.sealed(USER).await]);
    let path = rig.daemon.directory.path().join("web.sock");
    let listener = listen::bind(&path, listen::Reach::Private).unwrap();
    let socket = UnixListener::from_std(listener.socket.try_clone().unwrap()).unwrap();
    let allowed = [nix::unistd::geteuid().as_raw()].as_slice().into();
    tokio::spawn(front::serve(Arc::clone(&rig.daemon.core), socket, (allowed, Admission::default())));
    let mut client = Client::greet(&path, Protocol::Front).await;
    for (name, asked) in [("wiki", 0), ("portal", 1)] {
        let what = What::Admin(Box::new(Request::Show { user: user_id(USER) }));
        let ask = Ask { client: ClientName::new(name).unwrap(), address: None, source: None, what };
        client.send(&ask).await;
        let reply: Reply = client.receive().await;
        let held = if let Reply::User(detail) = &reply { detail.factors.len() } else { 0 };
        assert_eq!((held, rig.asked()), (asked, asked), "{name}: {reply:?}");
    }
}

#[tokio::test]
async fn an_administrator_sees_since_when_the_directory_cannot_be_asked() {
    let rig = Rig::new(SKIP).await;
    assert_eq!(rig.directory().await, Some(DirectoryState::NotAsked));
    let now = || mfad::clock::Clock::now(&*rig.daemon.clock).0;
    let since = now();
    rig.says(Says::Failed);
    assert_eq!(rig.verdict(&[]).await, Verdict::Unavailable);
    let failed = |why| Some(DirectoryState::Fails { since, why: ShownText::clean(why) });
    assert_eq!(rig.directory().await, failed("no server answers"));
    rig.daemon.clock.advance(60);
    rig.says(Says::Busy);
    let pull = || rig.daemon.admin(Request::LdapPull { user: user_id(USER), dry_run: true });
    assert!(matches!(pull().await, Reply::Refused(_)));
    assert_eq!(rig.directory().await, failed("too many errands are under way"), "since the first of them");
    rig.says(Says::Nobody);
    assert!(matches!(pull().await, Reply::Pulled(_)));
    assert_eq!(rig.directory().await, Some(DirectoryState::Answers { at: now() }), "a good one clears it");
    rig.says(Says::Failed);
    assert!(matches!(pull().await, Reply::Refused(_)));
    assert!(matches!(rig.directory().await, Some(DirectoryState::Fails { since, .. }) if since == now()));
    // Another directory may be configured now, or none.
    let base = BASE.replace("{dir}", rig.daemon.directory.path().to_str().unwrap());
    for (text, expected) in [(base.as_str(), Some(DirectoryState::NotAsked)), ("", None)] {
        rig.daemon.reconfigure(text).await;
        assert_eq!(rig.directory().await, expected);
    }
}

#[tokio::test]
async fn an_administrator_sees_what_is_taken_over_before_and_after() {
    let mut rig = Rig::new("[policy]\nunenrolled = \"deny\"\n").await;
    let value = rig.sealed(USER).await;
    assert_eq!(rig.rows("ldap_seal").await, 1);
    rig.says(Says::Has { phone: Some("030 98765".to_owned()), sealed: vec![value] });
    let foreseen = rig.pull(true).await;
    assert!(foreseen.found && rig.shown(USER).await.is_none());
    let pulled = rig.pull(false).await;
    assert_eq!(pulled, foreseen);
    assert_eq!(pulled.changes[0].change, DirectoryChange::Adopted);
    assert_eq!(pulled.unusable[0].0, FactorKind::Sms);
    assert!(!pulled.unusable[0].1.as_str().contains("98765"), "{pulled:?}");
    assert_eq!(rig.pull(false).await.changes, []);
    rig.says(Says::Nobody);
    let gone = rig.pull(false).await;
    assert!(!gone.found && gone.changes[0].change == DirectoryChange::Gone, "{gone:?}");
    rig.egress = None;
    for user in [USER, NOBODY] {
        let reply = rig.daemon.admin(Request::LdapPull { user: user_id(user), dry_run: false }).await;
        let Reply::Refused(refusal) = reply else { panic!("{reply:?}") };
        let expected = if user == USER { RefusalCode::Unavailable } else { RefusalCode::UnknownUser };
        assert_eq!(refusal.code, expected, "{refusal:?}");
    }
}

#[tokio::test]
async fn a_secret_is_sealed_for_an_account_that_exists_and_fit_to_be_used() {
    let rig = Rig::new("").await;
    let seal = |user: &str, params, text: Option<&str>| {
        let secret = text.map(secret);
        rig.daemon.admin(Request::LdapSeal { user: user_id(user), params, secret })
    };
    let reply = seal(USER, TotpParams::default(), None).await;
    let Reply::Sealed(made) = &reply else { panic!("{reply:?}") };
    let SealedSecret { secret: Some(key), uri: Some(uri), .. } = &**made else { panic!("it was made here") };
    assert!(uri.expose().contains(key.expose()) && !format!("{reply:?}").contains(key.expose()));
    for (user, params, text, expected) in [
        (NOBODY, TotpParams::default(), None, RefusalCode::UnknownUser),
        (USER, TotpParams::default(), Some("JBSWY3DPEHPK3PXP"), RefusalCode::Invalid),
        (USER, TotpParams { digits: 7, ..TotpParams::default() }, None, RefusalCode::Invalid),
        (USER, TotpParams { period: 200, ..TotpParams::default() }, None, RefusalCode::Invalid),
    ] {
        let reply = seal(user, params, text).await;
        assert!(matches!(&reply, Reply::Refused(refusal) if refusal.code == expected), "{reply:?}");
    }
}
