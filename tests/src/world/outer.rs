//! The process outside a world: runs a program in new namespaces and sees to it that all of it ends.
//! Refuses to leave anything behind: the first process of the world dies with the one outside, however that
//! ends, and with it every process, mount and file of the world.

use std::{
    ffi::{OsStr, OsString},
    fs::File,
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use super::{BUILD, DISK, DONE, INSIDE, TOLD, TOOLS};
use crate::sys::pause;

/// How a world is entered.
#[derive(Debug)]
pub struct Outer {
    name: String,
    limit: Duration,
    disk: Option<PathBuf>,
    tools: Option<PathBuf>,
    variables: Vec<(&'static str, OsString)>,
}

impl Outer {
    /// A world of this name, given three minutes.
    pub fn new(name: &str) -> Self {
        let limit = Duration::from_secs(180);
        Self { name: name.to_owned(), limit, disk: None, tools: None, variables: Vec::new() }
    }

    /// Given another time.
    #[must_use]
    pub fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Tells the program inside something by its environment.
    #[must_use]
    pub fn with_variable(mut self, name: &'static str, value: impl Into<OsString>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// Keeps a directory of the host writable inside, as [`super::World::disk`].
    #[must_use]
    pub fn with_disk(mut self, disk: &Path) -> Self {
        self.disk = Some(disk.to_owned());
        self
    }

    /// Shows what `tests/setup/python.sh` has put into the target directory by this name, as [`super::World::tools`].
    #[must_use]
    #[track_caller]
    pub fn with_tools(mut self, name: &str) -> Self {
        let program = std::env::current_exe().expect("a process knows its program");
        let target =
            build_dir(&program).parent().map(Path::to_owned).expect("it is below the target directory");
        let tools = target.join(name);
        assert!(
            tools.join("wanted").exists(),
            "{name} is not in {}: tests/setup/python.sh puts it there, and `make e2e`, `make test-fronts` and `make bench-web` run that",
            tools.display()
        );
        self.tools = Some(tools);
        self
    }

    /// The command that runs this very program again inside.
    pub fn command<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let program = std::env::current_exe().expect("a process knows its program");
        // setpriv: the world ends when we do, even by SIGKILL; unshare: its first process ends with it.
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "unshare", "--mount", "--pid", "--fork", "--net", "--uts", "--ipc"])
            .args(["--mount-proc", "--kill-child", "--propagation", "private", "--"])
            .arg(&program)
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .env("LANG", "C.UTF-8")
            .env(INSIDE, &self.name)
            .env(BUILD, build_dir(&program));
        for kept in ["RUST_BACKTRACE", "TERM", "MFA_SHOW"] {
            command.envs(std::env::var_os(kept).map(|value| (OsString::from(kept), value)));
        }
        for (variable, path) in [(DISK, &self.disk), (TOOLS, &self.tools)] {
            command.envs(path.as_ref().map(|path| (variable, path)));
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Runs one test of this test program inside; what it said, when it failed.
    pub(super) fn run_test(&self, test: &str) -> Result<(), String> {
        if !nix::unistd::geteuid().is_root() {
            return Err("namespaces, mounts and accounts need root: run `make e2e`".to_owned());
        }
        let mut output = tempfile::tempfile().expect("a temporary file can be made");
        let stdio = |file: &File| Stdio::from(file.try_clone().expect("a descriptor can be copied"));
        let mut command =
            self.command(["--exact", test, "--nocapture", "--test-threads=1", "--include-ignored"]);
        command.stdin(Stdio::null()).stdout(stdio(&output)).stderr(stdio(&output));
        let mut child =
            command.spawn().map_err(|error| format!("cannot run setpriv and unshare: {error}"))?;
        let begun = Instant::now();
        let ended = loop {
            match child.try_wait().expect("a child can be waited for") {
                Some(status) => break status.to_string(),
                None if begun.elapsed() > self.limit => {
                    child.kill().expect("our own child can be killed");
                    child.wait().expect("a child can be waited for");
                    break format!("has not ended within {:?}", self.limit);
                }
                None => pause(Duration::from_millis(2)),
            }
        };
        let mut said = String::new();
        output.seek(SeekFrom::Start(0)).expect("a file can be read from its beginning");
        output.read_to_string(&mut said).ok(); // what is not text does not stop us from showing the rest
        if said.contains(DONE) && ended == "exit status: 0" {
            pass_on(&said);
            return Ok(());
        }
        Err(format!("{test}: {ended} inside its world\n{said}"))
    }
}

/// To standard error itself, which is not kept back as what a test prints is.
fn pass_on(said: &str) {
    let all = std::env::var_os("MFA_SHOW").is_some();
    for line in said.lines() {
        // The name of the test may stand before it.
        let told = line.split_once(TOLD).map(|(_, told)| told);
        if let Some(line) = told.or(all.then_some(line)) {
            writeln!(std::io::stderr(), "{line}").ok();
        }
    }
}

/// `target/<profile>` of a program in it, or in its `deps`.
pub(crate) fn build_dir(program: &Path) -> PathBuf {
    let dir = program.parent().expect("a program is in a directory");
    if dir.ends_with("deps") {
        dir.parent().expect("deps is in a directory").to_owned()
    } else {
        dir.to_owned()
    }
}
