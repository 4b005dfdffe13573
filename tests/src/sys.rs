//! What tests need of the system: the time, waiting for a condition, running a command and reading what it
//! said. Refuses to wait for luck: each wait has a condition, and a bound that only a failure reaches.

use std::{
    io::Write,
    process::{Command, Stdio},
    time::{Duration, Instant, SystemTime},
};

/// How long a condition may take before the test fails. Far more than any needs on a slow machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The time in Unix seconds.
#[expect(clippy::disallowed_methods, reason = "codes are for the clock that the daemon under test reads")]
pub fn unix_now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("the clock is after 1970").as_secs()
}

/// Waits until `condition` holds, at most [`PATIENCE`]; panics with `what` when it does not.
#[track_caller]
pub fn wait_until(what: &str, condition: impl FnMut() -> bool) {
    wait(PATIENCE, Duration::from_millis(5), what, condition);
}

/// The same for what takes a minute or two by itself.
#[track_caller]
pub fn wait_longer_until(what: &str, condition: impl FnMut() -> bool) {
    wait(PATIENCE * 8, Duration::from_millis(500), what, condition);
}

#[track_caller]
fn wait(limit: Duration, between: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < limit, "waited {limit:?} in vain until {what}");
        pause(between);
    }
}

/// Pauses between two looks at a condition.
#[expect(clippy::disallowed_methods, reason = "a pause between two looks at a condition decides nothing")]
pub fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// What a command said and how it ended.
#[derive(Clone, Debug)]
pub struct Ran {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to standard error.
    pub stderr: String,
}

impl Ran {
    /// Standard output of a command that must have succeeded.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "failed: {} {}", self.stdout, self.stderr);
        self.stdout
    }
}

/// Runs a command to its end, with `input` on its standard input.
#[track_caller]
pub fn run_with(command: &mut Command, input: &str) -> Ran {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut stdin = child.stdin.take().expect("stdin is a pipe");
    let input = input.to_owned();
    // In a thread of its own: the command may write before it has read all. It may also not read at all,
    // which is its right.
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()).is_ok());
    let output = child.wait_with_output().expect("a child can be waited for");
    writer.join().expect("the writer does not panic");
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Runs a command given as words, without input.
#[track_caller]
pub fn run(words: &[&str]) -> Ran {
    run_with(Command::new(words[0]).args(&words[1..]), "")
}

/// Runs a command that must succeed; its standard output.
#[track_caller]
pub fn must(words: &[&str]) -> String {
    let ran = run(words);
    assert_eq!(ran.code, Some(0), "{words:?} failed: {} {}", ran.stdout, ran.stderr);
    ran.stdout
}
