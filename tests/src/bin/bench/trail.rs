//! A long audit trail: how fast logins are beside it, and while `mfactl audit verify` reads all of it.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use mfa_tests::{
    sys::{Ran, run_with},
    world::World,
};

use crate::contender::Contender;

/// Rows of the trail.
pub(crate) const ROWS: usize = 1_000_000;

/// Verifies a daemon's trail again and again until dropped.
#[derive(Debug)]
pub(crate) struct Verifying {
    stop: Arc<AtomicBool>,
    times: Arc<Mutex<Vec<Duration>>>,
    thread: Option<JoinHandle<()>>,
}

impl Verifying {
    /// Begins. How long the first one took, with nothing beside it, is measured before that.
    pub(crate) fn begin(contender: &Contender) -> Self {
        let socket = contender.daemon.as_ref().expect("it is ours").socket.clone();
        let verify = move || -> Duration {
            let mut mfactl = std::process::Command::new(World::built("mfactl"));
            let began = Instant::now();
            let ran: Ran = run_with(mfactl.arg("--socket").arg(&socket).args(["audit", "verify"]), "");
            let took = began.elapsed();
            assert!(ran.ok().contains("whole"), "the trail is as it was written");
            took
        };
        let times = Arc::new(Mutex::new(vec![verify()]));
        let stop = Arc::new(AtomicBool::new(false));
        let (kept, ended) = (Arc::clone(&times), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                let took = verify();
                kept.lock().expect("nobody panics with it").push(took);
            }
        });
        Self { stop, times, thread: Some(thread) }
    }

    /// How long a verification took with nothing beside it, in seconds.
    pub(crate) fn alone(&self) -> f64 {
        self.times.lock().expect("nobody panics with it")[0].as_secs_f64()
    }
}

impl Drop for Verifying {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
