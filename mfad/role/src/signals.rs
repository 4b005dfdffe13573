//! What the service manager and the person at the terminal can say to a running daemon.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// What was said.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Word {
    /// SIGHUP: read configuration and keys again.
    Reload,
    /// SIGTERM or SIGINT: end.
    Stop,
}

/// Listens for it.
#[derive(Debug)]
pub struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Listens from now on. An error when the system allows no handler.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next word.
    pub async fn next(&mut self) -> Word {
        tokio::select! {
            _ = self.hangup.recv() => Word::Reload,
            _ = self.terminate.recv() => Word::Stop,
            _ = self.interrupt.recv() => Word::Stop,
        }
    }
}
