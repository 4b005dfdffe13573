//! Debian's own way to change all services at once: `pam-auth-update` with the profile `mfa`.

use std::path::Path;

use super::program::{first, run};
use crate::failure::Failure;

/// The program.
const PROGRAM: &str = "/usr/sbin/pam-auth-update";
/// Our profile.
const PROFILE: &str = "/usr/share/pam-configs/mfa";
/// Its name.
const NAME: &str = "mfa";
/// The file that it writes the line to.
pub(crate) const COMMON: &str = "common-auth";

/// Whether this host has it.
pub(crate) fn is_there() -> bool {
    Path::new(PROGRAM).exists() && Path::new(PROFILE).exists()
}

/// Switches the profile on.
pub(crate) fn enable() -> Result<(), Failure> {
    update(&["--package", "--enable", NAME])
}

/// Switches it off, where it is on.
pub(crate) fn disable() -> Result<(), Failure> {
    update(&["--package", "--disable", NAME])
}

fn update(arguments: &[&str]) -> Result<(), Failure> {
    let Some(program) = first(&[PROGRAM]) else {
        return Err(Failure::local(format!("run {PROGRAM}"), &"it is not there"));
    };
    let said = run(program, arguments)?;
    if said.well {
        return Ok(());
    }
    Err(Failure::local(format!("run {PROGRAM} {}", arguments.join(" ")), &said.complaint))
}
