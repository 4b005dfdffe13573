//! `backup` and `restore`.

use std::path::PathBuf;

use clap::Args;

/// `backup`.
#[derive(Args, Debug)]
pub(crate) struct BackupArgs {
    /// The file to write, which must not exist; it will be readable by its owner alone
    pub(crate) file: PathBuf,
}

/// `restore`.
#[derive(Args, Debug)]
pub(crate) struct RestoreArgs {
    /// A file that `mfactl backup` wrote
    pub(crate) file: PathBuf,
    /// Do not ask whether it is meant
    #[arg(long, short)]
    pub(crate) yes: bool,
}
