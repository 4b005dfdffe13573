//! Runs the binary with a known environment.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// The time that all tests show: 2023-11-14 22:13:20 UTC.
pub(crate) const NOW: i64 = 1_700_000_000;

/// What a run gave.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The command with `arguments` against the daemon at `socket`.
pub(crate) fn command(program: &Path, socket: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("TZ", "UTC0").env("MFACTL_NOW", NOW.to_string()).env("PATH", "/usr/bin:/bin");
    command.args(arguments).arg("--socket").arg(socket);
    command
}

/// The binary under test.
pub(crate) fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_mfactl"))
}

/// Runs with `stdin` as standard input.
pub(crate) fn run(socket: &Path, arguments: &[&str], stdin: &str) -> Ran {
    finish(command(binary(), socket, arguments), stdin)
}

/// Runs `command` to its end.
pub(crate) fn finish(mut command: Command, stdin: &str) -> Ran {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that does not read its input closes it early: that is not what is tested here.
    let _closed_early = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code().expect("mfactl was ended by a signal"),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}
