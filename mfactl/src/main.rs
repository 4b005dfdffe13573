//! `mfactl`: enroll, look and repair. The command line of mfad.
//!
//! Asks the daemon and shows what it answers. Refuses to decide: who may do what, which code is right and
//! what is stored is the daemon's business. Keeps secrets out of arguments, environment, logs and files. Runs
//! other programs and keeps state only where it changes PAM stacks and sshd ([`apply`]); `doctor` has sshd tell its
//! settings.
//!
//! ```text
//! # mfactl enroll totp alice
//! (QR code, key as text)
//! Code that the app shows now (Ctrl-C to confirm later): 492039
//! Confirmed: factor 3 of alice is active.
//! ```
#![forbid(unsafe_code)]

mod apply;
mod cli;
mod client;
mod commands;
mod doctor;
mod failure;
mod new_file;
mod out;
mod render;
mod terminal;

use std::process::ExitCode;

fn main() -> ExitCode {
    commands::run(std::env::args_os())
}
