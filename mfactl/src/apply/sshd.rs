//! The running sshd: whether its configuration is valid, and to have it read again.
//!
//! Refuses to reload what sshd itself does not find valid.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::program::{first, run};
use super::timer::systemctl;
use crate::doctor::sshd::PROGRAMS;
use crate::failure::Failure;

/// Its units: Debian's name, and that of others.
const UNITS: [&str; 2] = ["ssh.service", "sshd.service"];
/// Where it writes its number.
const PID_FILE: &str = "/run/sshd.pid";

/// This host's sshd.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sshd {
    program: &'static str,
}

impl Sshd {
    /// Where there is one.
    pub(crate) fn find() -> Option<Self> {
        first(&PROGRAMS).map(|program| Self { program })
    }

    /// Whether sshd takes its configuration.
    pub(crate) fn test(self) -> Result<(), Failure> {
        let said = run(self.program, &["-t"])?;
        if said.well {
            return Ok(());
        }
        Err(Failure::local("have sshd read its configuration (sshd -t)", &said.complaint))
    }

    /// Has the running sshd, if any, read its configuration again; whether there was one. Logins that are open stay.
    pub(crate) fn reload(self) -> Result<bool, Failure> {
        if let Some(systemctl) = systemctl() {
            return self.reload_unit(systemctl);
        }
        let Some(pid) = self.running() else { return Ok(false) };
        self.test()?;
        kill(pid, Signal::SIGHUP).map_err(|errno| Failure::local("reload sshd", &errno))?;
        Ok(true)
    }

    fn reload_unit(self, systemctl: &str) -> Result<bool, Failure> {
        for unit in UNITS {
            if !run(systemctl, &["is-active", "--quiet", unit])?.well {
                continue;
            }
            self.test()?;
            let said = run(systemctl, &["reload", unit])?;
            if said.well {
                return Ok(true);
            }
            return Err(Failure::local(format!("reload {unit}"), &said.complaint));
        }
        Ok(false)
    }

    /// The process, when the number in its file is that of this very program.
    fn running(self) -> Option<Pid> {
        let number: i32 = std::fs::read_to_string(PID_FILE).ok()?.trim().parse().ok()?;
        let is_it = std::fs::read_link(format!("/proc/{number}/exe")).ok()?;
        (is_it == std::fs::canonicalize(self.program).ok()? && number > 1).then(|| Pid::from_raw(number))
    }
}
