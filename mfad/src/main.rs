//! The `mfad` program: reads the command line and starts a role. Everything else is in the library.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    mfad::roles::run(mfad::roles::Cli::parse())
}
