//! `doctor`: where to look.

use std::path::PathBuf;

use clap::Args;

/// `doctor`.
#[derive(Args, Debug)]
pub(crate) struct DoctorArgs {
    /// Look at the files of a system that is mounted here, in place of this host's
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub(crate) root: PathBuf,
    /// Look for PAM stacks here [default: etc/pam.d and usr/lib/pam.d below --root, else etc/pam.conf]
    #[arg(long, value_name = "DIR")]
    pub(crate) pam_dir: Option<PathBuf>,
    /// Have sshd read this configuration [default: its own]
    #[arg(long, value_name = "FILE")]
    pub(crate) sshd_config: Option<PathBuf>,
    /// Take this for what `sshd -T` prints, in place of running it
    #[arg(long, value_name = "FILE", conflicts_with = "sshd_config")]
    pub(crate) sshd_settings: Option<PathBuf>,
    /// Also have the daemon verify the whole audit trail
    #[arg(long)]
    pub(crate) deep: bool,
    /// Also list what is as it should be
    #[arg(long, short)]
    pub(crate) verbose: bool,
}
