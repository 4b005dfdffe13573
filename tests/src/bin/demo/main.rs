//! `make demo`: a person logs in over real ssh with password and code, in a world of its own.
//!
//! Without a terminal it ends after the scripted login, with 0 when all was as expected. On a terminal it
//! then stays up, so that a second terminal can log in with an authenticator app. Refuses to leave anything
//! behind: the world ends with this process, however that ends.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a demo shows")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a demo that is not as expected should fail and say where"
)]

mod doorway;
mod scene;

use std::{
    io::IsTerminal,
    net::TcpListener,
    os::unix::process::CommandExt,
    process::{ExitCode, Stdio},
};

use mfa_tests::{
    sys::wait_until,
    world::{self, Outer, World},
};
use nix::sys::signal::{SigSet, Signal};

/// Where a second terminal finds the demo, when it is free.
const DOOR: u16 = 2222;

fn main() -> ExitCode {
    if world::inside().is_some() {
        let door = std::env::args().nth(1).map(|port| port.parse().expect("a port"));
        scene::play(&World::make(), door);
        return ExitCode::SUCCESS;
    }
    if !nix::unistd::geteuid().is_root() {
        eprintln!("demo: namespaces need root; run `make demo`, or this program by sudo");
        return ExitCode::FAILURE;
    }
    let person = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let door = person.then(open_door);
    match run(door) {
        Ok(()) => ExitCode::SUCCESS,
        Err(what) => {
            eprintln!("demo: {what}");
            ExitCode::FAILURE
        }
    }
}

fn open_door() -> TcpListener {
    TcpListener::bind(("127.0.0.1", DOOR))
        .or_else(|_| TcpListener::bind(("127.0.0.1", 0)))
        .expect("the loopback interface has a free port")
}

/// Runs the world until it ends by itself or the person has had enough.
fn run(door: Option<TcpListener>) -> Result<(), String> {
    // Blocked before any thread begins, so that the signals wait for us to ask; a child begins without.
    let mut signals = SigSet::empty();
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGCHLD] {
        signals.add(signal);
    }
    signals.thread_block().map_err(|error| format!("cannot block signals: {error}"))?;
    let port = door.as_ref().map(|door| door.local_addr().expect("a bound socket has an address").port());
    let mut command = Outer::new("demo").command(port.map(|port| port.to_string()));
    // A group of its own: Ctrl-C is for us, who then end all of it.
    let mut world = command
        .stdin(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(|error| format!("cannot run setpriv and unshare: {error}"))?;
    if let Some(door) = door {
        let outer = world.id();
        std::thread::spawn(move || doorway::lead_in(&door, outer));
    }
    loop {
        let signal = signals.wait().map_err(|error| format!("cannot wait for signals: {error}"))?;
        if let Some(status) = world.try_wait().map_err(|error| error.to_string())? {
            return if status.success() { Ok(()) } else { Err(format!("not as expected ({status})")) };
        }
        if signal != Signal::SIGCHLD {
            let first = doorway::first_process(world.id());
            world.kill().and_then(|()| world.wait()).map_err(|error| error.to_string())?;
            if let Some(first) = first {
                wait_until("the world is gone", || !std::path::Path::new(&format!("/proc/{first}")).exists());
            }
            println!("\ndemo: ended; no process, mount or file is left behind.");
            // Before the scripted login came to its end nothing has been shown to work.
            return if port.is_some() { Ok(()) } else { Err(format!("ended by {signal}")) };
        }
    }
}
