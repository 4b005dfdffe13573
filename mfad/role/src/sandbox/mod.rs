//! What a role can still do once it has started: which files it reaches, which system calls it makes.
//!
//! Laid by the process on itself, on top of what the service manager lays around it: so that it also holds in
//! a container, under another service manager and with a unit that somebody edited. Nothing takes it off again.
//! Refuses to begin beside other threads, which Landlock would leave out, and to go on with half of what the
//! kernel offers when the other half fails.

mod calls;
mod files;
mod rules;

use std::{fmt, fs, path::PathBuf};

use tracing::{info, warn};

pub use self::rules::Rules;
use crate::config::SandboxMode;

/// Why a role does not start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// The kernel has not what the configuration requires.
    #[error(
        "[process] sandbox = \"required\", but {0}: start a kernel that offers it, allow its system calls to whatever confines mfad, or write \"best-effort\""
    )]
    Missing(&'static str),
    /// Other threads run already: what is laid on this one would not hold for them.
    #[error("the sandbox cannot be laid on {0} threads: that is a fault of mfad's, please report it")]
    Threads(usize),
    /// A path of a rule cannot be used.
    #[error("the sandbox cannot let {path} be used: {source}")]
    Path {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: landlock::PathFdError,
    },
    /// Landlock is there and does not take the rules.
    #[error("Landlock cannot be set up: {0}; [process] sandbox = \"off\" does without")]
    Landlock(#[from] landlock::RulesetError),
    /// seccomp is there and does not take the filter.
    #[error("seccomp cannot be set up: {0}; [process] sandbox = \"off\" does without")]
    Seccomp(#[from] seccompiler::Error),
}

/// How far it went.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Level {
    /// The version of Landlock that holds files, where there is one.
    pub landlock: Option<i32>,
    /// Whether system calls are filtered.
    pub seccomp: bool,
}

impl Level {
    fn is_whole(self) -> bool {
        self.landlock.is_some() && self.seccomp
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.landlock {
            Some(version) => write!(f, "files by Landlock (ABI {version})")?,
            None => f.write_str("files not at all")?,
        }
        f.write_str(", system calls ")?;
        f.write_str(if self.seccomp { "by seccomp" } else { "not at all" })
    }
}

/// What holds from now on.
#[derive(Debug)]
pub struct Sandbox {
    /// `None` where the configuration wants none.
    pub level: Option<Level>,
    /// Configured paths that are not there, and stay out of reach should they come.
    pub absent: Vec<PathBuf>,
    granted: Rules,
}

impl Sandbox {
    /// Says in the log how far it goes.
    pub fn tell(&self) {
        match self.level {
            None => warn!("no sandbox: [process] sandbox = \"off\""),
            Some(level) if level.is_whole() => info!("sandbox: {level}"),
            Some(level) => warn!("sandbox: {level}, for this kernel offers no more"),
        }
        for path in &self.absent {
            warn!("{} is not there: should it come, it can be used after a restart only", path.display());
        }
    }

    /// That `wanted` is within; else why a reload that needs it is refused, a line for each reason.
    pub fn contains(&self, wanted: &Rules) -> Result<(), String> {
        let told: Vec<_> = self.lacks(wanted).iter().map(|what| out_of_reach(what)).collect();
        if told.is_empty() { Ok(()) } else { Err(told.join("\n")) }
    }

    /// What `wanted` needs and was not granted at the start, as `path` or in words; a reload has to leave it.
    pub fn lacks(&self, wanted: &Rules) -> Vec<String> {
        if self.level.is_some() { self.granted.lack(wanted) } else { Vec::new() }
    }
}

/// Why a reload is refused that would need `what`.
pub fn out_of_reach(what: &str) -> String {
    format!("{what}: this is outside of the sandbox that was laid at the start; restart mfad to use it")
}

/// Lays it on this process, for good. Call it before there are other threads, when all that is to stay open is
/// open.
pub fn enter(mode: SandboxMode, rules: Rules) -> Result<Sandbox, SandboxError> {
    let required = match mode {
        SandboxMode::Off => return Ok(Sandbox { level: None, absent: Vec::new(), granted: rules }),
        SandboxMode::BestEffort => false,
        SandboxMode::Required => true,
    };
    alone()?;
    let absent = rules.absent();
    let landlock = files::restrict(&rules)?;
    if landlock.is_none() && required {
        return Err(SandboxError::Missing("there is no Landlock here"));
    }
    let seccomp = calls::filter(&rules)?;
    if !seccomp && required {
        return Err(SandboxError::Missing("there are no filters of system calls (seccomp) here"));
    }
    Ok(Sandbox { level: Some(Level { landlock, seccomp }), absent, granted: rules })
}

/// That this thread is the only one. Where `/proc` is not to be seen, the order of the start alone says so.
fn alone() -> Result<(), SandboxError> {
    match fs::read_dir("/proc/self/task").map(Iterator::count) {
        Ok(threads) if threads > 1 => Err(SandboxError::Threads(threads)),
        Ok(_) | Err(_) => Ok(()),
    }
}
