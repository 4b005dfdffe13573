//! A cgroup for a host, so that systemd's slices there are not those of the real one. Made outside the world,
//! because it outlives every process in it: a janitor waits for this process to end, however it ends, and
//! removes it. Refuses to move or limit any process that is not of the host.

use std::{
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use crate::sys::must;

/// Removes a tree of cgroups once standard input has ended and their last process with it.
const JANITOR: &str = r#"cat >/dev/null
tries=0
while [ -d "$1" ] && [ $tries -lt 300 ]; do
  tries=$((tries + 1))
  find "$1" -depth -type d -exec rmdir {} + 2>/dev/null || sleep 0.1
done"#;

/// A cgroup that is removed when this is dropped, or when the process ends.
#[derive(Debug)]
pub(super) struct Cgroup {
    path: PathBuf,
    janitor: Child,
}

impl Cgroup {
    #[track_caller]
    pub(super) fn make() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let hierarchy = must(&["findmnt", "--noheadings", "--types", "cgroup2", "--output", "TARGET"]);
        let hierarchy = hierarchy.lines().next().expect("a host needs cgroups of version 2");
        let mine = fs::read_to_string("/proc/self/cgroup").expect("proc is mounted");
        let mine =
            mine.lines().find_map(|line| line.strip_prefix("0::/")).expect("this process has a cgroup");
        let name = format!("mfa-host-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let path = Path::new(hierarchy).join(mine).join(name);
        // The janitor first: there is no moment at which nobody would remove it. A session of its own keeps
        // Ctrl-C on the terminal from it.
        let janitor = Command::new("setsid")
            .args(["sh", "-c", JANITOR, "janitor"])
            .arg(&path)
            .stdin(Stdio::piped())
            .process_group(0)
            .spawn()
            .expect("setsid can be run");
        fs::create_dir(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self { path, janitor }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        drop(self.janitor.stdin.take());
        self.janitor.wait().ok();
    }
}
