//! Accounts that are gone or have another uid, over the real socket, with an account database that the test
//! changes: they deny everywhere, are listed, taken over and removed; what cannot be looked up is left alone.
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
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use mfa_proto::{
    admin::{OrphanPage, Outlook, RefusalCode, Reply, Request, UserDetail},
    login::Verdict,
    name::UserName,
};
use mfad::{
    clock::Clock as _,
    config::{Config, Source},
    identity::{Accounts, Directory, LookupError},
    settings::Settings,
};
use support::{Daemon, secret, totp, user_id};

/// Names and their uids; an error is told of names that have none.
#[derive(Debug, Default)]
struct Passwd(Mutex<BTreeMap<String, Option<u32>>>);

impl Passwd {
    fn set(&self, name: &str, uid: Option<u32>) {
        self.0.lock().unwrap().insert(name.to_owned(), uid);
    }

    fn remove(&self, name: &str) {
        self.0.lock().unwrap().remove(name);
    }
}

impl Accounts for Passwd {
    fn uid_of(&self, name: &UserName) -> Result<Option<u32>, LookupError> {
        match self.0.lock().unwrap().get(name.as_str()) {
            None => Ok(None),
            Some(Some(uid)) => Ok(Some(*uid)),
            Some(None) => Err(LookupError::Failed("the directory server is down".to_owned())),
        }
    }

    fn name_of(&self, _: u32) -> Result<Option<UserName>, LookupError> {
        Ok(None)
    }
}

async fn daemon(names: &[&str]) -> (Daemon, Arc<Passwd>) {
    let passwd = Arc::new(Passwd::default());
    let accounts: Arc<dyn Accounts> = Arc::<Passwd>::clone(&passwd);
    let config = Config::from_sources(&[Source { path: "test.toml".into(), text: String::new() }]).unwrap();
    let directory = Directory::new(Some(accounts), Duration::from_secs(5));
    let daemon = Daemon::of(tempfile::tempdir().unwrap(), Settings::new(config).with_directory(directory));
    for (name, uid) in names.iter().zip(1000..) {
        passwd.set(name, Some(uid));
        daemon.enroll_totp(name).await;
    }
    (daemon, passwd)
}

fn names(page: &OrphanPage) -> (Vec<String>, Vec<String>) {
    let orphaned = page.orphaned.iter().map(|found| found.user.to_string()).collect();
    (orphaned, page.left_alone.iter().map(|left| left.user.to_string()).collect())
}

async fn orphans(daemon: &Daemon, request: Request) -> OrphanPage {
    let reply = daemon.admin(request).await;
    let Reply::Orphans(page) = reply else { panic!("{reply:?}") };
    page
}

/// All orphans, page after page.
async fn listed(daemon: &Daemon) -> (Vec<String>, Vec<String>) {
    let (mut all, mut after) = (OrphanPage::default(), None);
    loop {
        let page = orphans(daemon, Request::List { after: after.clone(), orphaned: true }).await;
        all.orphaned.extend(page.orphaned);
        all.left_alone.extend(page.left_alone);
        if page.more_after.is_none() {
            return names(&all);
        }
        assert!(page.more_after > after, "it goes on");
        after = page.more_after;
    }
}

async fn pruned(daemon: &Daemon, users: &[&str]) -> OrphanPage {
    let users = users.iter().map(|name| user_id(name)).collect();
    orphans(daemon, Request::PruneOrphaned { users }).await
}

async fn show(daemon: &Daemon, name: &str) -> Option<UserDetail> {
    let reply = daemon.admin(Request::Show { user: user_id(name) }).await;
    if let Reply::User(detail) = reply { Some(*detail) } else { None }
}

async fn refused(daemon: &Daemon, request: Request) -> (RefusalCode, String) {
    let reply = daemon.admin(request).await;
    let Reply::Refused(refusal) = reply else { panic!("{reply:?}") };
    (refusal.code, refusal.message.to_string())
}

fn reassign(name: &str, to: Option<&str>) -> Request {
    Request::Reassign { user: user_id(name), to: to.map(user_id) }
}

#[tokio::test]
async fn an_account_that_is_gone_or_anothers_denies_in_login_and_administration() {
    let (daemon, passwd) = daemon(&["jane", "john"]).await;
    let code = totp(daemon.clock.now());
    passwd.set("jane", Some(4711));
    passwd.remove("john");
    for name in ["jane", "john"] {
        assert_eq!(daemon.login(name, &[&code, &code, &code]).await.verdict, Verdict::Deny, "{name}");
        assert!(show(&daemon, name).await.unwrap().orphaned, "{name}");
        assert_eq!(daemon.explain(name).await.outlook, Outlook::Denied, "{name}");
    }
    assert_eq!(daemon.last_audit("jane").await.reason, "orphaned");
    let confirm = Request::Confirm { user: user_id("jane"), factor: None, code: secret(&code) };
    assert_eq!(refused(&daemon, confirm).await.0, RefusalCode::WrongState);
    let anew = Request::RecoveryNew { user: user_id("jane"), count: 3, code: None };
    let (code, said) = refused(&daemon, anew).await;
    assert_eq!(code, RefusalCode::WrongState);
    assert!(said.contains("mfactl reassign"), "{said}");
    // Whoever cannot be looked up is not orphaned, and denied all the same.
    passwd.set("john", None);
    assert!(!show(&daemon, "john").await.unwrap().orphaned);
    assert_eq!(daemon.login("john", &[]).await.verdict, Verdict::Unavailable);
}

#[tokio::test]
async fn orphans_are_listed_over_all_pages_and_whoever_cannot_be_looked_up_is_told_apart() {
    let users: Vec<String> = (0..300).map(|n| format!("user{n:03}")).collect();
    let users: Vec<&str> = users.iter().map(String::as_str).collect();
    let (daemon, passwd) = daemon(&users).await;
    assert_eq!(listed(&daemon).await, (Vec::new(), Vec::new()));
    let (mut gone, mut unsure) = (Vec::new(), Vec::new());
    for (n, name) in users.iter().enumerate() {
        match n % 5 {
            0 => passwd.remove(name),
            1 => passwd.set(name, Some(9)),
            2 => passwd.set(name, None),
            _ => continue,
        }
        if n % 5 == 2 { unsure.push((*name).to_owned()) } else { gone.push((*name).to_owned()) }
    }
    assert_eq!(listed(&daemon).await, (gone, unsure));
}

#[tokio::test]
async fn only_those_who_were_named_and_still_are_orphaned_are_removed() {
    let (daemon, passwd) = daemon(&["back", "gone", "here", "unnamed", "unsure"]).await;
    for name in ["back", "gone", "unnamed", "unsure"] {
        passwd.remove(name);
    }
    // Between the look and the removal.
    passwd.set("back", Some(1000));
    passwd.set("unsure", None);
    let page = pruned(&daemon, &["back", "gone", "here", "nobody", "unsure"]).await;
    let left = ["back", "here", "nobody", "unsure"].map(str::to_owned).to_vec();
    assert_eq!(names(&page), (vec!["gone".to_owned()], left));
    let why: Vec<&str> = page.left_alone.iter().map(|left| left.why.as_str()).collect();
    assert!(why[3].contains("the directory server is down"), "{why:?}");
    assert!(show(&daemon, "gone").await.is_none());
    for name in ["back", "here", "unnamed", "unsure"] {
        assert_eq!(show(&daemon, name).await.unwrap().factors.len(), 1, "{name}");
    }
    assert_eq!(daemon.last_audit("gone").await.event, "remove");
    let all = Request::PruneOrphaned { users: vec![user_id("gone"); OrphanPage::AT_ONCE + 1] };
    assert_eq!(refused(&daemon, all).await.0, RefusalCode::TooMany);
}

#[tokio::test]
async fn where_names_are_no_accounts_nobody_is_removed() {
    let daemon = Daemon::start("").await;
    daemon.enroll_totp("jane").await;
    let page = pruned(&daemon, &["jane"]).await;
    assert_eq!(names(&page), (Vec::new(), vec!["jane".to_owned()]));
    assert!(show(&daemon, "jane").await.is_some());
}

#[tokio::test]
async fn reassigning_needs_an_account_and_says_what_stands_in_the_way() {
    let (daemon, passwd) = daemon(&["jane", "john"]).await;
    passwd.set("mary", Some(3000));
    for (request, code, said) in [
        (reassign("jane", None), RefusalCode::WrongState, "not orphaned"),
        (reassign("jane", Some("mary")), RefusalCode::WrongState, "not orphaned"),
        (reassign("jane", Some("jane")), RefusalCode::Invalid, "leave the other name out"),
        (reassign("jane", Some("nobody")), RefusalCode::UnknownUser, "no account nobody"),
        (reassign("mary", None), RefusalCode::NoSuchFactor, "mary has no factor"),
    ] {
        let (refusal, message) = refused(&daemon, request).await;
        assert_eq!(refusal, code, "{message}");
        assert!(message.contains(said), "{message}");
    }
    passwd.remove("jane");
    let (code, said) = refused(&daemon, reassign("jane", None)).await;
    assert_eq!(code, RefusalCode::UnknownUser);
    assert!(said.contains("name another"), "{said}");
    assert!(refused(&daemon, reassign("jane", Some("john"))).await.1.contains("of its own"));
    passwd.set("mary", None);
    assert_eq!(refused(&daemon, reassign("jane", Some("mary"))).await.0, RefusalCode::Unavailable);
    passwd.set("jane", None);
    assert_eq!(refused(&daemon, reassign("jane", None)).await.0, RefusalCode::Unavailable);

    passwd.remove("jane");
    passwd.set("mary", Some(3000));
    let done = daemon.admin(reassign("jane", Some("mary"))).await;
    assert!(matches!(done, Reply::Done { factors: 1 }), "{done:?}");
    let code = totp(daemon.clock.now());
    assert_eq!(daemon.login("mary", &[&code]).await.verdict, Verdict::Accept);
    assert_eq!(listed(&daemon).await, (Vec::new(), Vec::new()));
    passwd.set("john", Some(5000));
    let done = daemon.admin(reassign("john", None)).await;
    assert!(matches!(done, Reply::Done { factors: 1 }), "{done:?}");
    assert_eq!(daemon.login("john", &[&code]).await.verdict, Verdict::Accept);
}
