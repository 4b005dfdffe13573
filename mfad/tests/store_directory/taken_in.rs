//! What the directory has counts as anything else does: each code once, with limits, and from the next code on.

use mfa_proto::{
    admin::{FactorKind, FactorState},
    answer::{Answer, RecoveryCode},
};
use mfad::store::{CheckInvitation, Issued, Outcome, StoreSettings};
use rusqlite::{Connection, OpenFlags};

use crate::{common::*, store_common::*};

use FactorKind as K;
use FactorState as S;

#[tokio::test]
async fn each_counts_from_its_next_code_on_and_each_code_once() {
    let f = Fixture::new();
    let entry = has([secret_of(b"a"), phone("+49305556667"), mailbox("jane@example.org"), secret_of(b"b")]);
    let adopted = f.adopt("jane", entry).await;
    assert_eq!(adopted, [K::Sms, K::Mail, K::Totp, K::Totp].map(|kind| (Change::Adopted, kind)));
    let labels = ["directory-sms", "directory-mail", "directory", "directory-2"].map(|l| (l, S::Active));
    assert_eq!(f.states("jane").await, states(&labels));
    let devices = f.store.devices(user("jane")).await.unwrap();
    let said = |d: &mfa_proto::admin::DeviceDetail| d.description.as_ref().unwrap().as_str().to_owned();
    assert!(devices.iter().all(|device| said(device) == "from the directory"), "{devices:?}");
    // The code of this moment may have been used elsewhere.
    assert!(matches!(f.try_code("jane", &totp(b"a", NOW)).await, Outcome::Used { .. }));
    f.clock.advance(30);
    let code = totp(b"a", f.clock_now());
    assert!(accepted(&f.try_code("jane", &code).await));
    assert!(matches!(f.try_code("jane", &code).await, Outcome::Used { .. }));
    let login = context("jane");
    let phone = f.factors("jane").await[0].factor;
    let sent = f.sent(&login, phone).await;
    assert!(accepted(&f.try_in(&login, sent.code.expose()).await));
    assert_eq!(f.store.figures().await.unwrap().active_factors, 4);
    let rows = f.events().await;
    let expected = ["sms", "mail", "totp", "totp"].map(|kind| format!("directory_adopt done {kind}"));
    assert_eq!(rows[..4], expected);
    assert_eq!(f.store.check_audit().await.unwrap().broken_at, None);
}

#[tokio::test]
async fn the_same_again_changes_nothing_and_writes_nothing() {
    let f = Fixture::new();
    let entry = || has([secret_of(b"a"), phone("+49305556667"), mailbox("jane@example.org")]);
    f.adopt("jane", entry()).await;
    let before = (f.factors("jane").await, f.events().await);
    let watch = Connection::open_with_flags(f.database(), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let version = || watch.pragma_query_value(None, "data_version", |row| row.get::<_, i64>(0)).unwrap();
    let written = version();
    f.clock.advance(3600);
    for _ in 0..3 {
        assert_eq!(f.adopt("jane", entry()).await, []);
        assert_eq!(f.adopt("john", nothing()).await, []);
    }
    assert_eq!(version(), written, "nothing is written");
    assert_eq!((f.factors("jane").await, f.events().await), before);
    f.adopt("jane", has([secret_of(b"a")])).await;
    assert_ne!(version(), written, "it would have shown");
}

#[tokio::test]
async fn what_is_foreseen_is_not_done() {
    let f = Fixture::new();
    let foreseen = f.store.foresee(wish("jane", has([secret_of(b"a")]))).await.unwrap();
    assert_eq!(foreseen[0].change, Change::Adopted);
    assert!(f.view("jane").await.newcomer && f.events().await.is_empty());
}

#[tokio::test]
async fn another_number_takes_the_place_of_the_one_before_with_its_failures() {
    let f = Fixture::new();
    f.adopt("jane", has([phone("+49305556667")])).await;
    let (login, factor) = (context("jane"), f.factors("jane").await[0].factor);
    let sent = f.sent(&login, factor).await;
    assert!(!accepted(&f.try_in(&login, &other_than(sent.code.expose())).await));
    assert_eq!(f.failures("jane", factor).await, 1);
    let changed = f.adopt("jane", has([phone("+49305559999")])).await;
    assert_eq!(changed, [(Change::Changed, K::Sms)]);
    let held = &f.factors("jane").await[0];
    assert_eq!((held.factor, held.failures), (factor, 1), "a new number does not end a wait");
    assert!(held.target.as_ref().unwrap().as_str().ends_with("999"), "{held:?}");
    // What is on its way to the number before counts no more.
    assert!(!accepted(&f.try_in(&login, sent.code.expose()).await));
    f.clock.advance(3600);
    let Issued::Code(sent) = f.store.issue(issue(&login, factor)).await.unwrap() else { panic!("no code") };
    assert_eq!(sent.to.expose(), "+49305559999");
    assert!(accepted(&f.try_in(&login, sent.code.expose()).await));
    assert!(f.events().await.contains(&"directory_change done sms".to_owned()));
}

#[tokio::test]
async fn a_factor_that_failed_too_often_stays_so_whatever_the_directory_says() {
    let f = Fixture::with(StoreSettings {
        profile: mfad::limits::Profile { disable_at: 3, ..StoreSettings::default().profile },
        ..StoreSettings::default()
    });
    f.adopt("jane", has([secret_of(b"a"), phone("+49305556667")])).await;
    for _ in 0..3 {
        f.clock.advance(7200);
        drop(f.try_code("jane", &wrong(b"a", u64::try_from(f.clock_now().0 / 30).unwrap())).await);
    }
    let exhausted = || states(&[("directory-sms", S::Active), ("directory", S::Exhausted)]);
    assert_eq!(f.states("jane").await, exhausted());
    for entry in [has([phone("+49305556667")]), has([secret_of(b"a"), phone("+49305556667")])] {
        f.adopt("jane", entry).await;
        assert_eq!(f.states("jane").await, exhausted());
    }
    f.clock.advance(30);
    assert!(!accepted(&f.try_code("jane", &totp(b"a", f.clock_now())).await));
}

#[tokio::test]
async fn whoever_held_nothing_is_no_newcomer_any_more() {
    let f = Fixture::new();
    let invitation = f.store.invite(order("jane"), 3600).await.unwrap().code;
    f.adopt("jane", has([secret_of(b"a")])).await;
    assert!(!f.view("jane").await.newcomer);
    let code = RecoveryCode::parse(invitation.expose()).unwrap();
    let typed = CheckInvitation { context: context("jane"), uid: 1000, code };
    let checked = f.store.check_invitation(typed).await.unwrap();
    assert!(!matches!(checked, mfad::store::InvitationCheck::Right(_)), "it is void");
}

#[tokio::test]
async fn of_many_at_once_one_takes_it_in() {
    let f = Fixture::new();
    let entry = || has([secret_of(b"a"), phone("+49305556667")]);
    let all = (0..16).map(|_| {
        let store = f.store.clone();
        tokio::spawn(async move { store.adopt(wish("jane", entry())).await.unwrap().len() })
    });
    let mut done = Vec::new();
    for task in all.collect::<Vec<_>>() {
        done.push(task.await.unwrap());
    }
    done.sort_unstable();
    assert_eq!(done, [[0; 15].as_slice(), &[2]].concat());
    assert_eq!(f.factors("jane").await.len(), 2);
    f.clock.advance(30);
    let code = totp(b"a", f.clock_now());
    assert!(accepted(&f.try_code("jane", &code).await));
    f.adopt("jane", entry()).await;
    assert!(matches!(f.try_code("jane", &code).await, Outcome::Used { .. }));
}

#[tokio::test]
async fn a_secret_that_its_owner_holds_already_is_not_there_twice() {
    let f = Fixture::new();
    f.enroll("jane", TOTP, b"a").await;
    f.enroll_sms("jane", "+49305556667").await;
    let entry = || has([secret_of(b"a"), phone("+49 30 5556667"), secret_of(b"b"), secret_of(b"b")]);
    assert_eq!(f.adopt("jane", entry()).await, [(Change::Adopted, K::Totp)]);
    assert_eq!(f.adopt("jane", entry()).await, []);
    assert_eq!(f.factors("jane").await.len(), 3);
    // Switched off by a person, it does not come in by the other door.
    f.store.disable(order("jane"), by_label("one")).await.unwrap();
    assert_eq!(f.adopt("jane", entry()).await, []);
}

#[tokio::test]
async fn answers_of_other_kinds_are_none_of_it() {
    let f = Fixture::new();
    f.adopt("jane", has([phone("+49305556667")])).await;
    let text = answering(&context("jane"), Answer::Text(secret("directory")));
    assert!(!accepted(&f.store.attempt(text).await.unwrap()));
}
