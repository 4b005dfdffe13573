//! `mfactl pam` on the real things: a login after `enable` needs a code, after `disable` it does not, and whatever
//! happens in between leaves a stack that is the one or the other.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

use std::fs;

use mfa_tests::{
    daemon::Daemon,
    otp::Seed,
    ssh::{self, Sshd},
    sys::{Ran, must},
    world::{self, PASSWORD, World},
};
use serde_json::Value;

const STACK: &str = "/etc/pam.d/sshd";
const DROP_IN: &str = "/etc/ssh/sshd_config.d/50-mfad.conf";

/// A fresh Debian with mfad installed: jane, who administers, holds a factor.
struct Scene {
    daemon: Daemon,
    seed: Seed,
    sshd: Sshd,
    /// The stack of sshd before anything was done to it.
    before: String,
}

fn scene(world: &World) -> Scene {
    world.add_user("jane");
    must(&["usermod", "-aG", "sudo", "jane"]);
    world.install_module();
    let daemon = Daemon::start(world);
    let seed = Seed::of("jane");
    daemon.enroll_hotp("jane", &seed, 0);
    let sshd = Sshd::as_shipped();
    Scene { daemon, seed, sshd, before: fs::read_to_string(STACK).unwrap() }
}

impl Scene {
    fn pam(&self, words: &[&str]) -> Ran {
        self.daemon.ctl(&[&["pam"], words].concat())
    }

    fn json(&self, words: &[&str]) -> Value {
        let ran = self.pam(&[words, &["--json"]].concat());
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {ran:?}"))
    }
}

/// Whether the password alone is enough.
#[track_caller]
fn password_alone() -> bool {
    let mut session = ssh::ssh("jane", &["PreferredAuthentications=password,keyboard-interactive"], "id -un");
    session.expect_one_of(&["assword: "]);
    session.type_line(PASSWORD);
    ssh::was_let_in(session, "jane")
}

#[test]
fn sshd_asks_after_enable_and_does_not_after_disable() {
    world::enter("sshd_asks_after_enable_and_does_not_after_disable", |world| {
        let scene = scene(world);
        assert!(password_alone());
        let told = scene.json(&["enable", "sshd", "--sshd", "password", "--yes", "--no-revert"]);
        assert!(told["changed"] == true && told["drop_in"] == DROP_IN, "{told}");
        scene.sshd.wait_until_listening(2);
        assert!(ssh::login("jane", &scene.seed.hotp(0)));
        assert!(!ssh::login("jane", &scene.seed.wrong()));
        let again = scene.json(&["enable", "sshd", "--sshd", "password", "--yes", "--no-revert"]);
        assert_eq!(again["changed"], false, "{again}");
        scene.pam(&["disable", "sshd", "--yes"]).ok();
        scene.sshd.wait_until_listening(3);
        assert_eq!(fs::read_to_string(STACK).unwrap(), scene.before);
        assert!(!fs::exists(DROP_IN).unwrap() && password_alone());
    });
}
