//! The system log of a world: takes what programs send to `/dev/log` and keeps it for the test to read.
//! Refuses nothing: without a listener syslog(3) would write to the console, which costs milliseconds.

use std::{
    os::unix::{fs::PermissionsExt, net::UnixDatagram},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use crate::sys::wait_until;

/// Lines kept; older ones are dropped, so that a benchmark does not fill the memory.
const KEPT: usize = 20_000;

/// All that was logged since the world was made.
#[derive(Clone, Debug)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    pub(super) fn listen() -> Self {
        let path = Path::new("/dev/log");
        let socket = UnixDatagram::bind(path).expect("the world's /dev has no log yet");
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666)).expect("the socket is ours");
        let log = Self(Arc::default());
        let lines = log.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(length) = socket.recv(&mut buffer) {
                let line = String::from_utf8_lossy(&buffer[..length]).into_owned();
                let mut lines = lines.0.lock().unwrap_or_else(PoisonError::into_inner);
                if lines.len() >= KEPT {
                    lines.clear();
                }
                lines.push(line);
            }
        });
        log
    }

    /// The lines that hold `text`.
    pub fn lines(&self, text: &str) -> Vec<String> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().filter(|line| line.contains(text)).cloned().collect()
    }

    /// Waits for a line that holds `text`.
    #[track_caller]
    pub fn wait_for(&self, text: &str) -> String {
        wait_until(&format!("the log has a line with {text:?}"), || !self.lines(text).is_empty());
        self.lines(text)[0].clone()
    }
}
