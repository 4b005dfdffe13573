//! A bus of the test's own, with `ModemManager` mocked on it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use mfa_proto::secret::SecretText;
use mfad_egress::modem::{Modem, ModemChoice, ModemError, ModemOptions, TextMessage};
use tokio::time::Instant;
use zbus::{Connection, connection::Builder};

use crate::bus::{self, Ended};
pub(crate) use crate::bus::{LONG, until};

/// Markers: what must not be seen where it does not belong.
pub(crate) const NUMBER: &str = "+491701234321";
pub(crate) const TEXT: &str = "755224 is your code – für host.example.org\n\n@host.example.org #755224";

pub(crate) const REGISTERED: i32 = 8;

const MANAGER: &str = "/org/freedesktop/ModemManager1";

/// The bus and what is on it, in a directory that stays when the bus is restarted.
pub(crate) struct World {
    directory: tempfile::TempDir,
    bus: Option<Ended>,
    manager: Option<Ended>,
}

impl World {
    /// A bus with a `ModemManager` that has no modem.
    pub(crate) async fn new() -> Self {
        let mut world = Self { directory: tempfile::tempdir().unwrap(), bus: None, manager: None };
        world.start_bus().await;
        world.start_manager().await;
        world
    }

    /// Bus and manager anew, with an empty log; they have no modem.
    pub(crate) async fn restart(&mut self) {
        fs::remove_file(self.log_file()).unwrap();
        self.start_bus().await;
        self.start_manager().await;
    }

    async fn start_bus(&mut self) {
        self.bus = Some(bus::start(&self.address()).await);
    }

    async fn start_manager(&mut self) {
        let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/modem/modem_manager.py");
        // Debian's python has dbusmock; `python3` may be another one.
        let manager = Command::new("/usr/bin/python3")
            .args(["-m", "dbusmock", "--session", "--template"])
            .arg(template)
            .arg("--logfile")
            .arg(self.log_file())
            .env("DBUS_SESSION_BUS_ADDRESS", self.address())
            .spawn()
            .expect("python3");
        self.manager = Some(Ended(manager));
        until(async || self.manage("GetMethodCalls", &("Ready",)).await).await;
    }

    pub(crate) fn stop_manager(&mut self) {
        self.manager = None;
    }

    pub(crate) fn stop_bus(&mut self) {
        self.bus = None;
        fs::remove_file(self.file("bus")).ok();
    }

    /// A modem that does what `modem_manager.py` understands by `does`.
    pub(crate) async fn add_modem(&self, number: u32, imei: &str, state: i32, does: &str) {
        let path = format!("{MANAGER}/Modem/{number}");
        assert!(self.manage("AddModem", &(path.as_str(), imei, state, does)).await, "AddModem");
    }

    pub(crate) async fn remove_modem(&self, number: u32) {
        assert!(self.manage("RemoveObject", &(format!("{MANAGER}/Modem/{number}"),)).await, "RemoveObject");
    }

    /// The message that hangs is taken after all.
    pub(crate) async fn arrive(&self, message: u32) {
        let bus = self.connect().await.unwrap();
        let path = format!("{MANAGER}/SMS/{message}");
        bus.call_method(Some("org.freedesktop.ModemManager1"), path, Some(MOCK), "Arrive", &())
            .await
            .unwrap();
    }

    /// How many are connected to the bus, this question included.
    pub(crate) async fn clients(&self) -> usize {
        let bus = self.connect().await.unwrap();
        let name = Some("org.freedesktop.DBus");
        let answer = bus.call_method(name, "/org/freedesktop/DBus", name, "ListNames", &()).await.unwrap();
        let names: Vec<String> = answer.body().deserialize().unwrap();
        names.iter().filter(|name| name.starts_with(':')).count()
    }

    async fn manage<B: serde::Serialize + zbus::DynamicType>(&self, method: &'static str, body: &B) -> bool {
        let Ok(bus) = self.connect().await else { return false };
        bus.call_method(Some("org.freedesktop.ModemManager1"), MANAGER, Some(MOCK), method, body)
            .await
            .is_ok()
    }

    async fn connect(&self) -> zbus::Result<Connection> {
        Builder::address(self.address().as_str()).build().await
    }

    fn address(&self) -> String {
        format!("unix:path={}", self.file("bus").display())
    }

    fn log_file(&self) -> PathBuf {
        self.file("log")
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// All that dbusmock logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// First lines of the calls with this name, as dbusmock logged them, without the times.
    pub(crate) fn calls(&self, name: &str) -> Vec<String> {
        let log = self.log();
        let calls = log.lines().filter_map(|line| line.split_once(' ')).map(|(_, call)| call.to_owned());
        calls.filter(|call| call.split(' ').next() == Some(name) && !call.contains(" raised: ")).collect()
    }

    /// Waits until each message that was made is deleted again, by the call that deletes.
    pub(crate) async fn nothing_left(&self, made: usize) {
        until(async || self.calls("Delete").len() == made).await;
        let deleted: Vec<String> = (0..made).map(|n| format!("Delete \"{MANAGER}/SMS/{n}\"")).collect();
        assert_eq!(self.calls("Delete"), deleted);
        assert_eq!(self.calls("Create").len(), made);
    }

    pub(crate) fn modem(&self, choice: ModemChoice) -> Modem {
        Modem::new(ModemOptions { bus: self.address(), choice })
    }

    /// Sends the usual message by any modem.
    pub(crate) async fn deliver(&self, wait: Duration) -> Result<(), ModemError> {
        self.deliver_by(ModemChoice::Any, wait).await
    }

    pub(crate) async fn deliver_by(&self, choice: ModemChoice, wait: Duration) -> Result<(), ModemError> {
        let (number, text) = (secret(NUMBER), secret(TEXT));
        let message = TextMessage { number: &number, text: &text };
        let delivery = self.modem(choice).deliver(&message, Instant::now() + wait).await;
        if let Err(error) = &delivery {
            let told = format!("{error} {error:?}");
            assert!(!told.contains("4321") && !told.contains("755224"), "{told}");
        }
        delivery
    }
}

const MOCK: &str = "org.freedesktop.DBus.Mock";

pub(crate) fn secret(text: &str) -> SecretText {
    SecretText::new(text.into()).unwrap()
}
