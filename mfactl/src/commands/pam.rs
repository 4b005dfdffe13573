//! `pam`: the second factor into logins and out again.

mod disable;
mod enable;
mod revert;
mod status;
mod wait;

use std::path::Path;

use super::Context;
use crate::cli::PamVerb;
use crate::doctor::host::Host;
use crate::failure::Failure;

/// Does what the verb says.
pub(super) fn run(context: &mut Context, verb: PamVerb) -> Result<u8, Failure> {
    match verb {
        PamVerb::Enable(arguments) => enable::run(context, &arguments),
        PamVerb::Disable(arguments) => disable::run(context, &arguments),
        PamVerb::Status => status::run(context),
        PamVerb::Confirm(arguments) => revert::confirm(context, arguments.service.as_ref()),
        PamVerb::Revert(arguments) => revert::run(context, &arguments),
    }
}

/// This host.
fn here() -> Host {
    Host::below(Path::new("/"))
}

/// Refuses whoever cannot change what is to be changed.
fn as_root() -> Result<(), Failure> {
    if nix::unistd::geteuid().is_root() {
        return Ok(());
    }
    Err(Failure::withheld("only root changes how people log in", "sudo mfactl pam …"))
}

/// Now, by the host's clock: what is due is not decided by what is only shown.
fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}
