//! The `mfad-egress` program: reads the command line and starts the role. Everything else is in the library.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    mfad_egress::role::run(&mfad_egress::role::Cli::parse())
}
