//! What polkit may do wrong, by a stand-in for it on a real D-Bus: whatever is not its yes is none, and nobody is
//! left to be asked for what nobody waits for. What the real one says is tested in `tests/tests/polkit.rs`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that fails should say where"
)]
#![allow(
    clippy::too_many_arguments,
    clippy::needless_pass_by_value,
    reason = "polkit's interface is as it is"
)]

#[path = "common/bus.rs"]
mod bus;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use bus::{Ended, LONG, until};
use mfa_proto::{egress::Authorization, text::ShownText};
use mfad_egress::polkit::{Polkit, Said, Unasked};
use zbus::{Connection, Variant, connection::Builder, fdo};

/// Short, where its end is what is waited for.
const SHORT: Duration = Duration::from_secs(1);

/// What the stand-in does with a question.
#[derive(Clone, Copy)]
enum Does {
    Say(bool, bool),
    Fail,
    Hang,
}

#[derive(Clone)]
struct Authority {
    does: Does,
    calls: Arc<Mutex<Vec<String>>>,
}

#[zbus::interface(name = "org.freedesktop.PolicyKit1.Authority")]
impl Authority {
    async fn check_authorization(
        &self,
        subject: (String, HashMap<String, Variant<'_>>),
        action: String,
        details: HashMap<String, String>,
        flags: u32,
        cancellation: String,
    ) -> fdo::Result<((bool, bool, HashMap<String, String>),)> {
        let mut facts: Vec<String> =
            subject.1.iter().map(|(key, value)| format!("{key}={value:?}")).collect();
        facts.sort();
        let told =
            format!("{} {} {action} {} {flags} {cancellation}", subject.0, facts.join(","), details.len());
        self.calls.lock().unwrap().push(told);
        match self.does {
            Does::Say(is_authorized, is_challenge) => Ok(((is_authorized, is_challenge, HashMap::new()),)),
            Does::Fail => Err(fdo::Error::AccessDenied("only trusted callers".to_owned())),
            Does::Hang => std::future::pending().await,
        }
    }

    fn cancel_check_authorization(&self, cancellation: String) {
        self.calls.lock().unwrap().push(format!("cancel {cancellation}"));
    }
}

struct World {
    directory: tempfile::TempDir,
    _bus: Ended,
}

impl World {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let bus = bus::start(&address(&directory)).await;
        Self { directory, _bus: bus }
    }

    /// The stand-in, and what it is asked.
    async fn authority(&self, does: Does) -> (Connection, Arc<Mutex<Vec<String>>>) {
        let calls = Arc::default();
        let authority = Authority { does, calls: Arc::clone(&calls) };
        let connection = Builder::address(address(&self.directory).as_str())
            .serve_at("/org/freedesktop/PolicyKit1/Authority", authority)
            .name("org.freedesktop.PolicyKit1")
            .build()
            .await
            .unwrap();
        (connection, calls)
    }

    fn polkit(&self, patience: Duration) -> Polkit {
        Polkit::new(address(&self.directory), patience)
    }
}

fn address(directory: &tempfile::TempDir) -> String {
    format!("unix:path={}", directory.path().join("bus").display())
}

fn wanted(action: &str) -> Authorization {
    Authorization { action: ShownText::clean(action), pid: 4321, start_time: 987_654, uid: 1000 }
}

const CHANGE: &str = "io.github.mfad.change";

#[tokio::test]
async fn only_yes_is_yes_and_the_process_is_named_in_full() {
    for (does, said) in [
        (Does::Say(true, false), Ok(Said::Yes)),
        (Does::Say(false, false), Ok(Said::No)),
        (Does::Say(false, true), Err(Unasked::NoAgent)),
        (Does::Say(true, true), Err(Unasked::Senseless)),
        (Does::Fail, Err(Unasked::NotAllowed)),
    ] {
        let world = World::new().await;
        let (_connection, calls) = world.authority(does).await;
        assert_eq!(world.polkit(LONG).ask(&wanted(CHANGE)).await, said);
        let call = calls.lock().unwrap().join("\n");
        let asked =
            "unix-process pid=U32(4321),start-time=U64(987654),uid=I32(1000) io.github.mfad.change 0 1 mfad";
        assert_eq!(call, asked);
    }
}

#[tokio::test]
async fn without_polkit_or_bus_there_is_no_answer() {
    let world = World::new().await;
    assert_eq!(world.polkit(LONG).ask(&wanted(CHANGE)).await, Err(Unasked::NoPolkit));
    let nowhere = Polkit::new("unix:path=/nonexistent/bus".to_owned(), LONG);
    assert!(matches!(nowhere.ask(&wanted(CHANGE)).await, Err(Unasked::NoBus(_))));
}

#[tokio::test]
async fn what_is_none_of_ours_is_not_asked() {
    let world = World::new().await;
    let (_connection, calls) = world.authority(Does::Say(true, false)).await;
    for action in ["org.freedesktop.login1.reboot", "", "xio.github.mfad.change"] {
        assert_eq!(world.polkit(LONG).ask(&wanted(action)).await, Err(Unasked::Action), "{action}");
    }
    let nobody = Authorization { uid: u32::MAX, ..wanted(CHANGE) };
    assert_eq!(world.polkit(LONG).ask(&nobody).await, Err(Unasked::Senseless));
    assert_eq!(calls.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn whoever_does_not_answer_in_time_is_told_that_nobody_waits() {
    let world = World::new().await;
    let (_connection, calls) = world.authority(Does::Hang).await;
    assert_eq!(world.polkit(SHORT).ask(&wanted(CHANGE)).await, Err(Unasked::Late));
    assert_eq!(calls.lock().unwrap().last().unwrap(), "cancel mfad");
}

#[tokio::test]
async fn whoever_hangs_up_takes_the_question_back() {
    let world = World::new().await;
    let (_connection, calls) = world.authority(Does::Hang).await;
    {
        let polkit = world.polkit(LONG);
        let wanted = wanted(CHANGE);
        let asked = until(async || calls.lock().unwrap().len() == 1);
        tokio::select! {
            biased;
            said = polkit.ask(&wanted) => panic!("{said:?}"),
            () = asked => (),
        }
    }
    until(async || calls.lock().unwrap().last().is_some_and(|call| call == "cancel mfad")).await;
}
