//! The `mfad-password` program: reads the command line and starts. Everything else is in the library.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    mfad_password::role::run(&mfad_password::role::Cli::parse())
}
