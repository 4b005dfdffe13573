//! The real polkitd of a world, on a system bus of its own, with mfad's policy as it is installed and rules of
//! the test's. Refuses to wait for luck: it is started when it answers.

use std::{
    fs,
    os::unix::net::UnixStream,
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::sys::{must, run, wait_until};

/// Where the system bus is.
const BUS: &str = "/run/dbus/system_bus_socket";
/// What `make install` puts there.
const POLICY: &str = include_str!("../../packaging/polkit/io.github.mfad.policy");
/// A bus that starts nobody by itself, with the policy that polkit brings along.
const BUS_CONFIG: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
  "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=/run/dbus/system_bus_socket</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <deny own="*"/>
    <deny send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow send_destination="org.freedesktop.DBus"/>
  </policy>
  <include>/usr/share/dbus-1/system.d/org.freedesktop.PolicyKit1.conf</include>
</busconfig>
"#;

/// Bus and polkitd; ended when dropped.
#[derive(Debug)]
pub struct Polkit {
    bus: Option<Child>,
    polkitd: Option<Child>,
}

impl Polkit {
    /// Starts both. `rules` are JavaScript, as in `/etc/polkit-1/rules.d`.
    #[track_caller]
    pub fn start(rules: &str) -> Self {
        let place = Path::new("/run/world/polkit-1");
        for dir in ["actions", "rules.d"] {
            fs::create_dir_all(place.join(dir)).expect("the world's /run is writable");
        }
        let own = "actions/org.freedesktop.policykit.policy";
        fs::copy(Path::new("/usr/share/polkit-1").join(own), place.join(own))
            .expect("polkitd: tests/setup/packages.sh test");
        fs::write(place.join("actions/io.github.mfad.policy"), POLICY).expect("the world's /run is writable");
        must(&["mount", "--bind", place.to_str().expect("ASCII"), "/usr/share/polkit-1"]);
        fs::write("/etc/polkit-1/rules.d/10-test.rules", rules).expect("the world's /etc is writable");
        // What its library watches for sessions, of which there are none.
        for dir in ["seats", "sessions", "users", "machines"] {
            fs::create_dir_all(Path::new("/run/systemd").join(dir)).expect("the world's /run is writable");
        }
        fs::create_dir_all("/run/dbus").expect("the world's /run is writable");
        fs::write("/run/world/bus.conf", BUS_CONFIG).expect("the world's /run is writable");
        let mut polkit = Self { bus: None, polkitd: None };
        polkit.start_bus();
        polkit.start_polkitd();
        polkit
    }

    #[track_caller]
    fn start_bus(&mut self) {
        let mut bus = Command::new("dbus-daemon");
        bus.args(["--config-file=/run/world/bus.conf", "--nofork", "--nopidfile"]);
        self.bus = Some(spawn(&mut bus));
        wait_until("the bus takes connections", || UnixStream::connect(BUS).is_ok());
    }

    /// Starts polkitd, and waits until it knows mfad's actions.
    #[track_caller]
    pub fn start_polkitd(&mut self) {
        self.polkitd = Some(spawn(&mut Command::new("/usr/lib/polkit-1/polkitd")));
        wait_until("polkitd knows mfad's actions", || {
            run(&["pkaction", "--action-id", "io.github.mfad.change"]).code == Some(0)
        });
    }

    /// Ends polkitd; the bus stays.
    pub fn stop_polkitd(&mut self) {
        end(self.polkitd.take());
    }

    /// Ends the bus as well.
    pub fn stop_bus(&mut self) {
        self.stop_polkitd();
        end(self.bus.take());
        fs::remove_file(BUS).ok(); // where the bus did not do so itself
    }
}

fn spawn(command: &mut Command) -> Child {
    command.stdin(Stdio::null()).spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

fn end(child: Option<Child>) {
    if let Some(mut child) = child {
        child.kill().ok();
        child.wait().ok();
    }
}

impl Drop for Polkit {
    fn drop(&mut self) {
        self.stop_bus();
    }
}
