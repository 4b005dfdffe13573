//! The timer of systemd that takes back what nobody confirmed, also after a reboot.

use std::path::Path;

use super::program::run;
use crate::failure::Failure;
use crate::new_file::sync_directory;

/// The timer; its service runs `mfactl pam revert --due`.
const UNIT: &str = "mfad-pam-revert.timer";
/// Where systemd notes that it starts at boot.
const WANTED: &str = "/etc/systemd/system/timers.target.wants/mfad-pam-revert.timer";

/// systemctl, where systemd runs.
pub(super) fn systemctl() -> Option<&'static str> {
    let runs = Path::new("/run/systemd/system").is_dir();
    super::program::first(&["/usr/bin/systemctl", "/bin/systemctl"]).filter(|_| runs)
}

/// The timer of this host.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timer {
    systemctl: &'static str,
}

impl Timer {
    /// Where systemd runs.
    pub(crate) fn find() -> Option<Self> {
        systemctl().map(|systemctl| Self { systemctl })
    }

    /// Starts it, now and at each boot. What is pending must be on the disk by now: without, it does not start.
    pub(crate) fn arm(self) -> Result<(), Failure> {
        let said = run(self.systemctl, &["enable", "--now", UNIT])?;
        let active = run(self.systemctl, &["is-active", "--quiet", UNIT])?.well;
        if !(said.well && active) {
            let why = if said.complaint.is_empty() { "it did not start".to_owned() } else { said.complaint };
            return Err(Failure::withheld(
                format!("the change could not be taken back by itself: {UNIT}: {why}"),
                "install the unit (make install, or the package) and systemctl daemon-reload; or --no-revert",
            ));
        }
        // That it starts at boot has to survive a crash as well; where it is told elsewhere, it was there before.
        let _told_elsewhere = sync_directory(Path::new(WANTED));
        Ok(())
    }

    /// Stops it: nothing is pending. It starts at boot only when something is.
    pub(crate) fn rest(self) {
        let _it_finds_nothing_to_do = run(self.systemctl, &["stop", "--no-block", UNIT]);
    }
}
