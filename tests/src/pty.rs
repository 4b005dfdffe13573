//! A program on a terminal of its own, driven as a person would: wait for a text, type an answer. `ssh`, `su`
//! and `sudo` ask for passwords only there. Refuses to type ahead: an answer follows a prompt that was seen.

use std::{
    fs::File,
    io::{Read, Write},
    os::fd::OwnedFd,
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::{Duration, Instant},
};

use nix::{
    pty::{Winsize, openpty},
    sys::termios::{LocalFlags, tcgetattr},
};

use crate::sys::{PATIENCE, wait_until};

/// Wide and high enough for all that is shown.
const SIZE: Winsize = Winsize { ws_row: 60, ws_col: 160, ws_xpixel: 0, ws_ypixel: 0 };

/// A running program and all it has shown.
#[derive(Debug)]
pub struct Session {
    child: Child,
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    shown: String,
    /// The beginning of a character whose end has not come yet.
    cut: Vec<u8>,
    /// Up to here of `shown` a prompt was already found.
    seen: usize,
    patience: Duration,
}

impl Session {
    /// Starts a program with a new terminal as its controlling one.
    pub fn start(command: &Command) -> Self {
        let pty = openpty(&SIZE, None).expect("a terminal can be had");
        let terminal = |end: &OwnedFd| Stdio::from(end.try_clone().expect("a descriptor can be copied"));
        let mut inner = Command::new("setsid");
        inner.arg("--ctty").arg("--wait").arg(command.get_program()).args(command.get_args());
        for (key, value) in command.get_envs() {
            match value {
                Some(value) => inner.env(key, value),
                None => inner.env_remove(key),
            };
        }
        let child = inner
            .stdin(terminal(&pty.slave))
            .stdout(terminal(&pty.slave))
            .stderr(terminal(&pty.slave))
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        drop((inner, pty.slave)); // else the reader below never sees the end
        let keyboard = File::from(pty.master);
        let mut screen_end = keyboard.try_clone().expect("a descriptor can be copied");
        let (send, screen) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // A terminal whose last program has gone reads as an error.
            while let Ok(n @ 1..) = screen_end.read(&mut buffer) {
                if send.send(buffer[..n].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self { child, keyboard, screen, shown: String::new(), cut: Vec::new(), seen: 0, patience: PATIENCE }
    }

    /// Waits longer than [`PATIENCE`] for what comes: as long as a login waits for a daemon that does not start.
    pub fn patient(&mut self) -> &mut Self {
        self.patience = PATIENCE * 3;
        self
    }

    /// Waits for `text` after all that was found before.
    #[track_caller]
    pub fn expect(&mut self, text: &str) -> &mut Self {
        let found = self.expect_one_of(&[text]);
        assert_eq!(found, 0);
        self
    }

    /// Waits for the first of `texts` to appear; which it was.
    #[track_caller]
    pub fn expect_one_of(&mut self, texts: &[&str]) -> usize {
        let begun = Instant::now();
        loop {
            let rest = self.shown.get(self.seen..).unwrap_or_default();
            let first = texts.iter().enumerate().filter_map(|(i, t)| Some((rest.find(t)?, i, t.len()))).min();
            if let Some((at, which, length)) = first {
                self.seen += at + length;
                return which;
            }
            let left = self.patience.saturating_sub(begun.elapsed());
            match self.screen.recv_timeout(left) {
                Ok(bytes) => self.show(&bytes),
                Err(RecvTimeoutError::Timeout) => {
                    panic!("none of {texts:?} within {:?} in:\n{}", self.patience, self.shown)
                }
                Err(RecvTimeoutError::Disconnected) => panic!("ended without {texts:?}:\n{}", self.shown),
            }
        }
    }

    /// Types a line.
    pub fn type_line(&mut self, line: &str) -> &mut Self {
        // A program that has ended takes no input; what it showed says why.
        if let Err(error) = self.keyboard.write_all(format!("{line}\n").as_bytes()) {
            panic!("cannot type: {error}; shown was:\n{}", self.shown);
        }
        self
    }

    /// Waits for `prompt`, then types `answer`.
    #[track_caller]
    pub fn answer(&mut self, prompt: &str, answer: &str) -> &mut Self {
        self.expect(prompt).type_line(answer)
    }

    /// Waits for `prompt`, and until what is typed is not shown; then types `answer`. For programs that prompt first:
    /// what is typed in between they throw away.
    #[track_caller]
    pub fn answer_unseen(&mut self, prompt: &str, answer: &str) -> &mut Self {
        self.expect(prompt);
        wait_until("what is typed is not shown", || {
            let settings = tcgetattr(&self.keyboard).expect("it is a terminal");
            !settings.local_flags.contains(LocalFlags::ECHO)
        });
        self.type_line(answer)
    }

    /// Waits for the program's end; its exit code and all it has shown.
    #[track_caller]
    pub fn end(mut self) -> Ended {
        let begun = Instant::now();
        loop {
            match self.screen.recv_timeout(self.patience.saturating_sub(begun.elapsed())) {
                Ok(bytes) => self.show(&bytes),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("has not ended within {:?}:\n{}", self.patience, self.shown)
                }
            }
        }
        self.push(Vec::new());
        let status = self.child.wait().expect("a child can be waited for");
        Ended { code: status.code(), shown: std::mem::take(&mut self.shown), from: self.seen }
    }

    /// All that was shown until now.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    fn show(&mut self, bytes: &[u8]) {
        self.cut.extend_from_slice(bytes);
        let whole = match std::str::from_utf8(&self.cut) {
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Ok(_) | Err(_) => self.cut.len(),
        };
        let rest = self.cut.split_off(whole);
        self.push(rest);
    }

    /// Shows what is whole, and keeps the rest.
    fn push(&mut self, rest: Vec<u8>) {
        let whole = std::mem::replace(&mut self.cut, rest);
        self.shown.push_str(&String::from_utf8_lossy(&whole).replace('\r', ""));
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // It may have ended already. setsid has become the program, or waits for it: the terminal's hang-up,
        // when `keyboard` closes, ends that.
        if matches!(self.child.try_wait(), Ok(None)) {
            self.child.kill().ok();
            self.child.wait().ok();
        }
    }
}

/// How a program on a terminal ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// All it has shown.
    pub shown: String,
    from: usize,
}

impl Ended {
    /// What was shown after the last prompt that was waited for.
    pub fn after(&self) -> &str {
        self.shown.get(self.from..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_is_driven_as_by_a_person() {
        let mut shell = Command::new("sh");
        shell.args(["-c", "stty -echo; printf 'Name: '; read name </dev/tty; echo \"<$name>\"; exit 7"]);
        let mut session = Session::start(&shell);
        session.answer("Name: ", "jane").expect("<jane>");
        let ended = session.end();
        assert_eq!(ended.code, Some(7));
        assert_eq!(ended.after(), "\n");
    }

    #[test]
    fn a_character_that_comes_in_two_parts_is_one() {
        let mut shell = Command::new("sh");
        let parts = r"stty -echo; printf 'a\342\226'; read line </dev/tty; printf '\204.\n'";
        shell.args(["-c", parts]);
        let mut session = Session::start(&shell);
        session.answer("a", "go on");
        assert_eq!(session.end().shown, "a\u{2584}.\n");
    }
}
