//! PINs, serial numbers and who has a device: what is asked of the daemon, and all that is printed.

use mfa_proto::admin::{DeviceDetail, FactorId, FactorState, Reply, UserDetail};
use mfa_proto::tag::{Description, Serial};

use crate::daemon::{FakeDaemon, Script};
use crate::golden::both;
use crate::run::run;
use crate::sample;

const SERIAL: &str = "OATH00019E8B";

fn done() -> Script {
    Script::Admin(vec![Reply::Done { factors: 1 }])
}

fn device() -> DeviceDetail {
    DeviceDetail {
        factor: FactorId(3),
        serial: Some(Serial::new(SERIAL).unwrap()),
        description: Some(Description::new("blue key").unwrap()),
        pin: true,
        position: Some(17),
        locks_at: 5,
        last_failed: None,
    }
}

fn found(user: Option<&str>) -> Script {
    let factor = Box::new(sample::factor(3, "phone", FactorState::Active));
    Script::Admin(vec![Reply::Found { user: user.map(sample::user), factor, device: Box::new(device()) }])
}

#[test]
fn a_device_is_found_named_given_and_taken_back() {
    both("find.txt", &["find", SERIAL], "", || found(Some("alice")));
    both("find-nobodys.txt", &["find", SERIAL], "", || found(None));
    both("assign.txt", &["assign", SERIAL, "alice"], "", done);
    both("unassign.txt", &["unassign", SERIAL], "", done);
    both("describe.txt", &["describe", "alice", "--label", "phone", "--text", "blue key"], "", done);
}

#[test]
fn show_tells_of_devices() {
    let script = || {
        let plain = vec![sample::factor(3, "phone", FactorState::Active)];
        let Reply::User(detail) = sample::detail(plain) else { panic!("a user") };
        let detail = Reply::User(Box::new(UserDetail { devices: true, ..*detail }));
        Script::Admin(vec![detail, Reply::Devices(vec![device()])])
    };
    both("show-device.txt", &["show", "alice"], "", script);
}

#[test]
fn a_pin_comes_from_standard_input_and_never_from_the_command_line() {
    both("pin-set.txt", &["pin", "set", "alice", "--factor", "3"], "1234\n", done);
    both("pin-set-code.txt", &["pin", "set", "alice", "--code-stdin"], "1234755224\n4321\n", done);
    both("pin-clear.txt", &["pin", "clear", "alice"], "", done);
    let set = vec!["pin", "set", "alice"];
    let in_view = vec!["pin", "set", "alice", "1234"];
    for (arguments, stdin) in [(&set, "123\n"), (&set, "12 34\n"), (&set, "\n"), (&in_view, "")] {
        let daemon = FakeDaemon::start(Script::Admin(Vec::new()));
        let ran = run(&daemon.socket(), arguments, stdin);
        assert_eq!((ran.code, daemon.finish().len()), (2, 0), "{stdin:?}: {}", ran.stderr);
    }
}
