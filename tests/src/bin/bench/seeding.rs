//! Enrolls many users before a measurement, straight into the store: by `mfactl` a million of them would
//! take hours. Refuses to be part of what is measured: the daemon is started afterwards.

use std::{
    fs,
    os::unix::fs::{MetadataExt, chown},
    sync::Arc,
};

use mfa_proto::{
    admin::Algorithm,
    name::{Claim, FactorLabel, ServiceName, UserId, UserName},
};
use mfa_tests::{daemon::Daemon, otp::Seed};
use mfad::{
    audit::{Context, SessionId},
    clock::SystemClock,
    factor::{self, Params},
    seal::Keyring,
    store::{Seeded, Store, StoreSettings},
};
use nix::unistd::User;

use crate::contender::user;

/// Gives `users` users an HOTP factor each that begins at counter 1, and starts the daemon. `accounts` says
/// whether the users are accounts of the host.
pub(crate) fn seed(daemon: &mut Daemon, users: u32, accounts: bool) {
    seed_with_trail(daemon, users, accounts, 0);
}

/// The same, and so many rows into the audit trail.
pub(crate) fn seed_with_trail(daemon: &mut Daemon, users: u32, accounts: bool, rows: usize) {
    let database = daemon.state.join("mfad.db");
    let owner = fs::metadata(&database).expect("`mfad init` made it").uid();
    give(daemon, 0); // we are root, and key and database of somebody else are refused
    let keyring = Keyring::load(&daemon.key).expect("`mfad init` made a key");
    let store = Store::open(&database, keyring, StoreSettings::default(), Arc::new(SystemClock))
        .expect("`mfad init` made a database");
    let ids: Vec<UserId> = (0..users).map(id).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime without threads");
    runtime
        .block_on(
            store.fill(ids, move |number| one(u32::try_from(number).expect("it counts users"), accounts)),
        )
        .expect("an empty store can be filled");
    runtime.block_on(store.fill_trail(denied(), rows)).expect("rows can be added");
    runtime.block_on(store.shutdown());
    give(daemon, owner);
    daemon.begin();
}

/// Makes key and database belong to `owner`.
fn give(daemon: &Daemon, owner: u32) {
    let inside = fs::read_dir(&daemon.state).expect("root may").map(|file| file.expect("root may").path());
    for path in inside.chain([daemon.key.clone(), daemon.state.clone()]) {
        chown(path, Some(owner), Some(owner)).expect("root may");
    }
}

fn denied() -> Context {
    Context {
        session: SessionId::fresh(),
        user: id(0),
        service: ServiceName::new("sshd").expect("this is a name"),
        source: Some(Claim::clean("203.0.113.7")),
        actor: 0,
        client: None,
    }
}

fn id(number: u32) -> UserId {
    UserId::local(UserName::new(user(number)).expect("these names are valid"))
}

fn one(number: u32, accounts: bool) -> Seeded {
    let params = Params::Hotp { algorithm: Algorithm::Sha1, digits: 6 };
    let uid = accounts.then(|| {
        let account = User::from_name(&user(number)).expect("the account files can be read");
        account.expect("the account was added").uid.as_raw()
    });
    Seeded {
        user: id(number),
        uid,
        label: FactorLabel::new("token").expect("this is a label"),
        params,
        start: params.start(1),
        seed: factor::Seed::new(Seed::of(&user(number)).bytes()).expect("160 bits are enough"),
    }
}
