//! What the process gives up at its start: core files, being traced, files that others may read.

use nix::sys::{
    prctl,
    resource::{Resource, getrlimit, setrlimit},
    stat::{Mode, umask},
};

/// Gives it all up. A failure is an error: a daemon that can be dumped must not open its key.
pub fn harden() -> Result<(), nix::Error> {
    umask(Mode::from_bits_truncate(0o077));
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    prctl::set_dumpable(false)
}

/// Lets the process open `wanted` files, as far as its hard limit goes. How many it may open now.
pub fn allow_descriptors(wanted: u64) -> Result<u64, nix::Error> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft >= wanted {
        return Ok(soft);
    }
    let allowed = wanted.min(hard);
    setrlimit(Resource::RLIMIT_NOFILE, allowed, hard)?;
    Ok(allowed)
}
