//! PINs, serial numbers and who has a device: what is asked of the daemon, and all that is printed.

use mfa_proto::admin::{DeviceDetail, FactorDetail, FactorId, FactorKind, FactorState, Reply, UserDetail};
use mfa_proto::tag::{Description, Serial};

use crate::daemon::{FakeDaemon, Script};
use crate::golden::both;
use crate::run::{NOW, run};
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
        position: Some(NOW / 30 - 6),
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
fn show_tells_where_a_factor_stands() {
    let script = || {
        let plain =
            |id, label, failures| FactorDetail { failures, ..sample::factor(id, label, FactorState::Active) };
        let key = FactorDetail { kind: FactorKind::Hotp, period: None, ..plain(4, "key", 0) };
        let factors = vec![plain(3, "phone", 2), key, plain(5, "new", 0)];
        let Reply::User(detail) = sample::detail(factors) else { panic!("a user") };
        let bare = |id, position| DeviceDetail {
            factor: FactorId(id),
            serial: None,
            description: None,
            pin: false,
            position: Some(position),
            ..device()
        };
        // Of the code that was shown 185 s ago; none was used of the last one.
        let phone = DeviceDetail { last_failed: Some(NOW - 65), ..bare(3, (NOW - 185) / 30) };
        let detail = Reply::User(Box::new(UserDetail { devices: true, ..*detail }));
        Script::Admin(vec![detail, Reply::Devices(vec![phone, bare(4, 17), bare(5, -1)])])
    };
    both("show-positions.txt", &["show", "alice"], "", script);
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

#[test]
fn a_pin_is_set_by_serial_number_for_whoever_has_the_device() {
    let with = |user: Option<&'static str>| {
        move || {
            let Script::Admin(mut replies) = found(user) else { panic!("it is a script") };
            replies.extend(user.map(|_| Reply::Done { factors: 1 }));
            Script::Admin(replies)
        }
    };
    both("pin-set-serial.txt", &["pin", "set", "--serial", SERIAL], "1234\n", with(Some("alice")));
    both("pin-clear-serial.txt", &["pin", "clear", "--serial", SERIAL], "", with(Some("alice")));
    both("pin-set-nobodys.txt", &["pin", "set", "--serial", SERIAL], "1234\n", with(None));
    for more in [&["alice"][..], &["--factor", "3"], &["--label", "phone"], &["--realm", "vpn"]] {
        let daemon = FakeDaemon::admin(Vec::new());
        let arguments = [&["pin", "set", "--serial", SERIAL][..], more].concat();
        let ran = run(&daemon.socket(), &arguments, "1234\n");
        assert_eq!((ran.code, daemon.finish().len()), (2, 0), "{arguments:?}: {ran:?}");
    }
}
