//! Core and mfad-web, with their users. Refuses to be easier on them than they are in use: each yes is on the disk
//! before the answer is, and in the log.

use mfa_tests::{
    daemon::{Daemon, Setup},
    web::Web,
    world::World,
};

use super::load::{CLIENTS, Codes, Endpoint};
use crate::{
    contender::{kib, user},
    seeding,
};

const ADDRESS: &str = "127.0.0.1:8080";

const CONFIG: &str = r#"
[web]
per_address_connections = 256

[[web.listen]]
address = "127.0.0.1:8080"
dialects = { v1 = "/", linotp = "/" }

[[web.client]]
name = "bench"
rights = ["verify"]
token = "bench-token"
password_proven = true
rate = 100000
"#;

/// LinOTP's call.
pub(crate) const CHECK: Endpoint = Endpoint {
    address: ADDRESS,
    path: "/validate/check",
    proof: "Authorization: Bearer bench-secret",
    code: "pass",
    is_yes: super::load::Answer::value_is_true,
};

/// Our own, which answers by status.
pub(crate) const STATUS: Endpoint =
    Endpoint { path: "/v1/verify/status", code: "code", is_yes: |answer| answer.status == 204, ..CHECK };

/// Both roles, running.
pub(crate) struct Ours {
    daemon: Daemon,
    web: Web,
    pub(crate) codes: Codes,
}

impl Ours {
    pub(crate) fn start(world: &World) -> Self {
        let mut web = Web::new(world, ADDRESS);
        web.credential("bench-token", "bench-secret");
        let mut daemon = Setup::as_root().state_dir(&World::disk().join("web")).section(CONFIG).prepare();
        (0..CLIENTS).for_each(|number| drop(world.add_quick_user(&user(number))));
        seeding::seed(&mut daemon, CLIENTS, true);
        web.begin(&daemon);
        Self { daemon, web, codes: Codes::from(1) }
    }

    /// Their processes.
    pub(crate) fn pids(&self) -> Vec<u32> {
        vec![self.web.pid(), self.daemon.pid()]
    }

    /// The most memory that mfad-web and mfad ever had, in MiB.
    pub(crate) fn peak_mib(&self) -> (f64, f64) {
        let peak = |pid: u32| {
            let kib = u32::try_from(kib(&format!("/proc/{pid}/status"), "VmHWM:")).unwrap_or(u32::MAX);
            f64::from(kib) / 1024.0
        };
        (peak(self.web.pid()), peak(self.daemon.pid()))
    }
}
