//! The `mfad-web` program: reads the command line and starts the role. Everything else is in the library.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    mfad_web::role::run(&mfad_web::role::Cli::parse())
}
