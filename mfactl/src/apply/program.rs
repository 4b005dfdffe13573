//! Other programs: by absolute path, without a shell, with an environment that holds nothing of the caller's.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::failure::Failure;

/// Lines of a complaint that are told.
const LINES: usize = 4;

/// What a program said.
#[derive(Debug)]
pub(crate) struct Said {
    /// It ended with 0.
    pub(crate) well: bool,
    /// The first lines of standard error.
    pub(crate) complaint: String,
}

/// The first of `programs` that is there.
pub(crate) fn first(programs: &[&'static str]) -> Option<&'static str> {
    programs.iter().copied().find(|program| Path::new(program).exists())
}

/// Runs a program to its end.
pub(crate) fn run(program: &str, arguments: &[&str]) -> Result<Said, Failure> {
    let output = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LC_ALL", "C")
        .env("DEBIAN_FRONTEND", "noninteractive")
        .current_dir("/")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Failure::local(format!("run {program}"), &error))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> =
        errors.lines().map(str::trim).filter(|line| !line.is_empty()).take(LINES).collect();
    let complaint = lines.join("; ");
    Ok(Said { well: output.status.success(), complaint: mfa_proto::text::escape_for_log(&complaint) })
}
