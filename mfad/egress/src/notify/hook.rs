//! Runs the administrator's program for one notice: no shell, no arguments, no environment but a path.
//!
//! Refuses a program that somebody else could have written, and to leave anything of it running. What it
//! prints is its own: the first of it goes to the log when it fails, the rest nowhere.

use std::{
    fmt::Display,
    io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use mfa_proto::text::escape_for_log;
use mfa_role::foreign::{self, Foreign};
use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _},
    process::{Child, ChildStdin, Command},
    time::timeout,
};
use tracing::warn;

/// Where the program finds others.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// How long what it said before its end may take to come through.
const LAST_WORDS: Duration = Duration::from_millis(100);
/// Bytes of what it says that go to the log.
const MOST_SAID: usize = 512;

/// Why the program has not taken a notice.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    /// It is not there, or cannot be looked at.
    #[error("cannot be looked at: {0}")]
    Missing(io::Error),
    /// Somebody else could have written it.
    #[error("{path} {problem}; it was not run: it and what is above it must be root's alone to change")]
    Foreign {
        /// The program, or a directory above it.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// It cannot be started.
    #[error("cannot be started: {0}")]
    Start(io::Error),
    /// It ended otherwise than with status 0.
    #[error("ended with {0}")]
    Status(ExitStatus),
    /// It took too long.
    #[error("did not end in time and was killed ([notify] hook_timeout)")]
    Late,
}

/// Runs the program with `line` on its standard input. Dropping this kills it, and all it has started.
pub(super) async fn run(program: &Path, line: &str) -> Result<(), HookError> {
    let real = trusted(program)?;
    let mut command = Command::new(&real);
    command.env_clear().env("PATH", PATH).current_dir("/").process_group(0).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(HookError::Start)?;
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    let mut group = Group::of(child);
    let mut said = Vec::new();
    let status = {
        let feeding = feed(stdin, line);
        let listening = listen(stderr, &mut said);
        // Something it started may hold its output open after its end: that is not waited for.
        let talking = async { tokio::join!(feeding, listening) };
        tokio::pin!(talking);
        tokio::select! {
            ended = group.child.wait() => {
                drop(timeout(LAST_WORDS, &mut talking).await);
                ended
            }
            _ = &mut talking => group.child.wait().await,
        }
    };
    let status = status.map_err(HookError::Start)?;
    if status.success() {
        return Ok(());
    }
    let said = escape_for_log(&String::from_utf8_lossy(&said));
    if !said.is_empty() {
        warn!("{} says: {said}", program.display());
    }
    Err(HookError::Status(status))
}

/// The whole line, and its end. One that does not read it has its reasons.
async fn feed(stdin: Option<ChildStdin>, line: &str) {
    if let Some(mut stdin) = stdin {
        drop(stdin.write_all(line.as_bytes()).await);
    }
}

/// Keeps the first of what is said, and throws the rest away, so that it never waits for a reader.
async fn listen(stderr: Option<impl AsyncRead + Unpin>, said: &mut Vec<u8>) {
    let Some(mut stderr) = stderr else { return };
    let mut part = [0_u8; 1024];
    while let Ok(read @ 1..) = stderr.read(&mut part).await {
        let room = MOST_SAID.saturating_sub(said.len());
        said.extend(part.iter().take(read.min(room)));
    }
}

/// The program's process group, killed when dropped.
struct Group {
    child: Child,
    leader: Option<Pid>,
}

impl Group {
    fn of(child: Child) -> Self {
        let leader = child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
        Self { child, leader }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Nothing is left of most groups: that is no error.
        if let Some(leader) = self.leader {
            let _nobody_left = killpg(leader, Signal::SIGKILL);
        }
    }
}

/// The program itself, behind all links, if only root, or the user this runs as, could have put it there.
fn trusted(program: &Path) -> Result<PathBuf, HookError> {
    let real = std::fs::canonicalize(program).map_err(HookError::Missing)?;
    // A link is as good as the directory it is in.
    for path in real.ancestors().chain(program.ancestors().skip(1)) {
        let found = std::fs::metadata(path).map_err(HookError::Missing)?;
        let refuse = |problem: &dyn Display| HookError::Foreign {
            path: path.to_owned(),
            problem: problem.to_string(),
        };
        match foreign::check(&found) {
            // In a directory with the sticky bit, what is root's stays what root made it.
            Err(Foreign::Writable(_)) if foreign::is_sticky(&found) => {}
            looked => looked.map_err(|foreign| refuse(&foreign))?,
        }
        if path == real && (!found.is_file() || found.mode() & 0o111 == 0) {
            return Err(refuse(&"is no program"));
        }
    }
    Ok(real)
}
