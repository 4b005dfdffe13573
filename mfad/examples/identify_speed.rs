//! Prints for how long a search by code keeps the store: `cargo run --release -p mfad --example identify_speed -- DIR`.
//!
//! Figures for a person to read; nothing is asserted. DIR, which is to be empty, decides which disk is measured.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a measurement for people, not part of the daemon"
)]

use std::{path::PathBuf, sync::Arc, time::Instant};

use mfa_proto::{
    admin::{Algorithm, TotpParams},
    answer::OtpCode,
    name::{ClientName, FactorLabel, ServiceName, UserId, UserName},
    tag::Serial,
};
use mfad::{
    audit::{Context, SessionId},
    clock::SystemClock,
    factor::{Params, Seed},
    seal::Keyring,
    store::{Among, Asker, Authority, Device, MOST_DEVICES, NewFactor, Order, Search, Store, StoreSettings},
};
use zeroize::Zeroizing;

async fn enroll(store: &Store, n: usize, params: Params) {
    let context = Context {
        session: SessionId::fresh(),
        user: UserId::local(UserName::new(format!("user{n}")).unwrap()),
        service: ServiceName::administration(),
        source: None,
        actor: 0,
        client: None,
    };
    let seed = n.to_le_bytes().iter().copied().cycle().take(32).collect();
    let new = NewFactor {
        order: Order { context, uid: None, authority: Authority::Admin },
        label: FactorLabel::new("token").unwrap(),
        params,
        start: params.start(0),
        secret: Seed::new(Zeroizing::new(seed)).unwrap().into(),
        activate: true,
        replace: false,
    };
    let device = Device { serial: Serial::new(format!("KEY{n:06}")).ok(), ..Device::default() };
    store.enroll_device(new, device).await.unwrap();
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let directory = PathBuf::from(&arguments[1]);
    let keyring = Keyring::create(&directory.join("key")).unwrap();
    let database = directory.join("mfad.db");
    Store::create(&database, &keyring, &SystemClock).unwrap();
    let store = Store::open(&database, keyring, StoreSettings::default(), Arc::new(SystemClock)).unwrap();
    let (totp, hotp) =
        (Params::Totp(TotpParams::default()), Params::Hotp { algorithm: Algorithm::Sha1, digits: 6 });
    for n in 0..MOST_DEVICES {
        enroll(&store, n, if n % 2 == 0 { totp } else { hotp }).await;
    }
    for round in 0..10 {
        let client = ClientName::new(format!("client{round}")).ok();
        let asker = Asker { session: SessionId::fresh(), source: None, actor: 0, client };
        let code = OtpCode::parse(&format!("{round:06}")).unwrap();
        let began = Instant::now();
        let found = store.identify(Search { asker, code, among: Among::default() }).await.unwrap();
        println!("{MOST_DEVICES} devices: {:.1} ms, {found:?}", began.elapsed().as_secs_f64() * 1e3);
    }
    store.shutdown().await;
}
