//! A D-Bus of the test's own.
#![allow(clippy::expect_used, reason = "a test that fails should say where")]

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use tokio::time::{sleep, timeout};
use zbus::connection::Builder;

/// Enough for a slow machine; what is expected to happen ends the wait.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// A process, ended when dropped.
pub(crate) struct Ended(pub(crate) Child);

impl Drop for Ended {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A bus at `address`, which takes connections.
pub(crate) async fn start(address: &str) -> Ended {
    let bus = Command::new("dbus-daemon")
        .args(["--session", "--nofork", "--nopidfile", "--address", address])
        .stdout(Stdio::null())
        // It warns that it cannot have as many files as a bus of a whole host.
        .stderr(Stdio::null())
        .spawn()
        .expect("dbus-daemon: tests/setup/packages.sh test");
    let bus = Ended(bus);
    until(async || Builder::address(address).build().await.is_ok()).await;
    bus
}

/// Waits for a condition.
pub(crate) async fn until(condition: impl AsyncFn() -> bool) {
    let wait = async {
        while !condition().await {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LONG, wait).await.expect("the condition holds in the end");
}
