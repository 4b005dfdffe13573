//! Used codes stay used, whatever the directory says next, and whatever is done with the database.

use std::{fs, os::unix::fs::PermissionsExt as _};

use mfa_proto::admin::{FactorKind, FactorState};
use mfad::{
    seal::Keyring,
    store::{Outcome, Store, StoreError},
};

use crate::{common::*, store_common::*};

use FactorKind as K;
use FactorState as S;

#[tokio::test]
async fn a_secret_that_is_put_back_stands_where_it_stood() {
    let f = Fixture::new();
    f.adopt("jane", has([secret_of(b"a")])).await;
    f.clock.advance(30);
    let used = totp(b"a", f.clock_now().plus(30));
    assert!(accepted(&f.try_code("jane", &used).await), "the next step counts already");
    let failed = wrong(b"a", u64::try_from(f.clock_now().0 / 30).unwrap());
    drop(f.try_code("jane", &failed).await);
    let changed = f.adopt("jane", has([secret_of(b"b")])).await;
    assert_eq!(changed, [(Change::Adopted, K::Totp), (Change::Gone, K::Totp)]);
    assert!(matches!(f.try_code("jane", &used).await, Outcome::Wrong { .. }), "it is off");
    let back = f.adopt("jane", has([secret_of(b"a")])).await;
    assert_eq!(back, [(Change::Back, K::Totp), (Change::Gone, K::Totp)]);
    assert_eq!(f.states("jane").await, states(&[("directory", S::Active), ("directory-2", S::Disabled)]));
    assert!(matches!(f.try_code("jane", &used).await, Outcome::Used { .. }));
    let held = &f.factors("jane").await[0];
    assert!(held.failures > 0, "so does what failed: {held:?}");
    f.clock.advance(60);
    assert!(accepted(&f.try_code("jane", &totp(b"a", f.clock_now())).await));
}

#[tokio::test]
async fn other_parameters_are_another_factor_of_the_same_secret() {
    let f = Fixture::new();
    f.adopt("jane", has([secret_of(b"a")])).await;
    let mut other = secret_of(b"a");
    if let mfad::factor::Params::Totp(params) = &mut other.0 {
        params.period = 60;
    }
    assert_eq!(f.adopt("jane", has([other])).await, [(Change::Adopted, K::Totp), (Change::Gone, K::Totp)]);
}

#[tokio::test]
async fn only_as_many_are_held_as_allowed_and_what_is_long_gone_makes_room() {
    let f = Fixture::new();
    let few = |entry| mfad::store::Adopt { most: 2, ..wish("jane", entry) };
    let kinds = |changed: Vec<Changed>| changed.into_iter().map(|c| c.change).collect::<Vec<_>>();
    let adopted = f.store.adopt(few(has([secret_of(b"a"), secret_of(b"b"), secret_of(b"c")]))).await.unwrap();
    assert_eq!(kinds(adopted), [Change::Adopted, Change::Adopted, Change::NoRoom]);
    let rows = f.events().await.len();
    let full = f.store.adopt(few(has([secret_of(b"a"), secret_of(b"b"), secret_of(b"c")]))).await.unwrap();
    assert_eq!(
        (kinds(full), f.events().await.len()),
        (vec![Change::NoRoom], rows),
        "it is told, not written again"
    );
    let rotated = f.store.adopt(few(has([secret_of(b"c")]))).await.unwrap();
    assert_eq!(
        kinds(rotated),
        [Change::NoRoom, Change::Gone, Change::Gone],
        "what is gone stays for a while"
    );
    let next = f.store.adopt(few(has([secret_of(b"c")]))).await.unwrap();
    assert_eq!(kinds(next), [Change::Dropped, Change::Adopted]);
    f.clock.advance(30);
    assert!(accepted(&f.try_code("jane", &totp(b"c", f.clock_now())).await));
    // What comes back after that begins behind every code of before.
    let back = f.store.adopt(few(has([secret_of(b"c"), secret_of(b"a")]))).await.unwrap();
    assert_eq!(kinds(back), [Change::Dropped, Change::Adopted]);
    assert!(matches!(f.try_code("jane", &totp(b"a", f.clock_now())).await, Outcome::Used { .. }));
    assert_eq!(f.factors("jane").await.len(), 2);
}

#[tokio::test]
async fn a_rotation_a_restart_and_a_changed_column() {
    let mut f = Fixture::new();
    f.adopt("jane", has([secret_of(b"a"), phone("+49305556667")])).await;
    f.adopt("jane", has([phone("+49305556667")])).await;
    let key_file = f.directory.path().join("key");
    let old = f.keyring.current();
    f.keyring = Keyring::rotate(&key_file).unwrap();
    f.store.replace_keyring(f.keyring.clone()).await.unwrap();
    while f.store.rekey(2).await.unwrap() > 0 {}
    f.keyring = Keyring::forget(&key_file, old).unwrap();
    f.store.replace_keyring(f.keyring.clone()).await.unwrap();
    f.reopen_after(|_| ()).await;
    assert!(f.view("jane").await.withheld);
    assert_eq!(
        f.adopt("jane", has([secret_of(b"a"), phone("+49305556667")])).await,
        [(Change::Back, K::Totp)]
    );
    // Whoever can write the database cannot take the mark away.
    f.reopen_after(|c| _ = c.execute("UPDATE factor SET origin = 0 WHERE kind = 'totp'", []).unwrap()).await;
    assert!(f.view("jane").await.tampered);
    let refused = f.try_adopt("jane", has([secret_of(b"a")])).await;
    assert!(matches!(refused, Err(StoreError::Tampered(_))), "{refused:?}");
    f.reopen_after(|c| _ = c.execute("UPDATE factor SET origin = 9 WHERE kind = 'totp'", []).unwrap()).await;
    assert!(f.view("jane").await.tampered);
}

#[tokio::test]
async fn a_copy_that_is_put_back_does_not_know_better_than_the_directory() {
    let f = Fixture::new();
    f.adopt("jane", has([secret_of(b"a")])).await;
    let made = f.store.backup().await.unwrap();
    f.clock.advance(30);
    let used = totp(b"a", f.clock_now());
    assert!(accepted(&f.try_code("jane", &used).await));
    f.adopt("jane", nothing()).await;
    let to = Store::handed_over(&f.database());
    fs::rename(&made.path, &to).unwrap();
    fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).unwrap();
    f.store.restore().await.unwrap();
    assert_eq!(f.states("jane").await, states(&[("directory", S::Disabled)]));
    assert!(f.view("jane").await.withheld, "it is gone, not switched off by a person");
    assert_eq!(f.adopt("jane", has([secret_of(b"a")])).await, [(Change::Back, K::Totp)]);
    assert!(matches!(f.try_code("jane", &used).await, Outcome::Used { .. }));
}
