//! Who may touch what the directory keeps: root alone, for it would come back.

use mfa_proto::{
    admin::{FactorKind, FactorState},
    answer::Pin,
    tag::{Description, Serial},
    text::ShownText,
};
use mfad::store::{BreakGlass, EnrollAll, Lost, Member, Refused, StoreError, Target};

use crate::{common::*, store_common::*};

use FactorKind as K;
use FactorState as S;

#[tokio::test]
async fn owners_and_clients_change_nothing_of_it() {
    let f = Fixture::new();
    f.enroll("jane", TOTP, b"own").await;
    f.adopt("jane", has([secret_of(b"a")])).await;
    f.clock.advance(30);
    let code = totp(b"own", f.clock_now());
    let (own, kept) = (|| owner("jane", Some(&code)), || by_label("directory"));
    assert_eq!(refusal(f.store.disable(own(), kept()).await), Refused::OfDirectory);
    assert_eq!(refusal(f.store.remove(own(), kept()).await), Refused::OfDirectory);
    assert_eq!(
        refusal(f.store.remove(own(), Target::default()).await),
        Refused::OfDirectory,
        "with all others"
    );
    let pin = || Some(Pin::new("1234").unwrap());
    assert!(matches!(refusal(f.store.set_pin(own(), kept(), pin()).await), Refused::Invalid(_)));
    for order in [own(), of_client(order("jane")), order("jane")] {
        let mut new = new_factor("jane", "directory", TOTP, b"new");
        (new.order, new.activate, new.replace) = (order, false, true);
        assert_eq!(refusal(f.store.enroll(new).await), Refused::OfDirectory);
    }
    let client = || of_client(order("jane"));
    for refused in [
        refusal(f.store.disable(client(), kept()).await),
        refusal(f.store.remove(client(), kept()).await.map(|_| mfa_proto::admin::FactorId(0))),
        refusal(f.store.describe(client(), kept(), (None, Some(Description::new("mine").unwrap()))).await),
    ] {
        assert_eq!(refused, Refused::OfDirectory);
    }
    let all = EnrollAll {
        order: order("jane"),
        factors: vec![Member {
            label: label("directory"),
            params: TOTP,
            start: TOTP.start(0),
            secret: seed(b"new").into(),
        }],
        recovery: Vec::new(),
        replace: true,
    };
    assert_eq!(refusal(f.store.enroll_all(all).await), Refused::OfDirectory);
    assert_eq!(f.states("jane").await, states(&[("one", S::Active), ("directory", S::Active)]));
    // What is one's own, one may switch off.
    f.clock.advance(30);
    let next = totp(b"own", f.clock_now());
    f.store.disable(owner("jane", Some(&next)), by_label("one")).await.unwrap();
}

#[tokio::test]
async fn a_client_does_not_switch_on_what_root_switched_off() {
    let f = Fixture::new();
    f.adopt("jane", has([secret_of(b"a")])).await;
    f.store.disable(order("jane"), Target::default()).await.unwrap();
    let client = of_client(order("jane"));
    assert_eq!(refusal(f.store.enable(client, Target::default()).await), Refused::OfDirectory);
}

/// By a right of its own, a client has a code made in place of what was lost: nothing that the directory keeps.
#[tokio::test]
async fn a_client_gets_no_code_in_place_of_it() {
    let f = Fixture::new();
    f.enroll("jane", TOTP, b"own").await;
    f.adopt("jane", has([secret_of(b"a")])).await;
    let lost = |order, target| {
        let code = BreakGlass { order, minutes: 120, reason: ShownText::clean("left on a train") };
        f.store.lost(Lost { code, target })
    };
    let client = || of_client(order("jane"));
    assert_eq!(refusal(lost(client(), by_label("directory")).await), Refused::OfDirectory);
    f.store.disable(order("jane"), by_label("directory")).await.unwrap();
    assert_eq!(refusal(lost(client(), by_label("directory")).await), Refused::OfDirectory);
    assert_eq!(f.states("jane").await, states(&[("one", S::Active), ("directory", S::Disabled)]));
    f.adopt("john", has([secret_of(b"b")])).await;
    f.adopt("john", nothing()).await;
    assert_eq!(
        refusal(lost(order("john"), by_label("directory")).await),
        Refused::GoneFromDirectory,
        "root neither, of what was taken back"
    );
    lost(client(), by_label("one")).await.unwrap();
}

#[tokio::test]
async fn a_device_of_the_directory_goes_to_nobody_else() {
    let f = Fixture::new();
    f.adopt("jane", has([secret_of(b"a")])).await;
    let serial = Serial::new("TOTP1").unwrap();
    f.store.describe(order("jane"), Target::default(), (Some(serial.clone()), None)).await.unwrap();
    assert!(matches!(refusal(f.store.unassign(order("jane"), serial).await), Refused::Invalid(_)));
}

#[tokio::test]
async fn root_removes_it_and_the_next_look_takes_it_in_anew() {
    let f = Fixture::new();
    f.adopt("jane", has([secret_of(b"a")])).await;
    f.store.remove(order("jane"), Target::default()).await.unwrap();
    assert!(f.view("jane").await.newcomer);
    assert_eq!(f.adopt("jane", has([secret_of(b"a")])).await, [(Change::Adopted, K::Totp)]);
}

#[tokio::test]
async fn a_label_that_its_owner_uses_is_left_alone() {
    let f = Fixture::new();
    f.store.enroll(new_factor("jane", "directory", TOTP, b"own")).await.unwrap();
    f.adopt("jane", has([secret_of(b"a")])).await;
    assert_eq!(f.states("jane").await, states(&[("directory", S::Active), ("directory-2", S::Active)]));
}

#[tokio::test]
async fn an_account_with_another_uid_gets_nothing() {
    let f = Fixture::new();
    f.enroll("jane", TOTP, b"own").await;
    let mut wish = wish("jane", has([secret_of(b"a")]));
    wish.order.uid = Some(2000);
    assert_eq!(f.store.adopt(wish).await, Err(StoreError::Refused(Refused::Orphaned)));
    assert_eq!(f.factors("jane").await.len(), 1);
}
