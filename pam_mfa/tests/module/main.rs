//! The built module, loaded by the real libpam of this host, against a daemon that follows a script.
//!
//! Every stack also holds `pam_permit.so`, so that an error which the module ignored would show as a
//! login. Nothing of the host is touched: PAM reads a private directory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod absence;
#[path = "../built/mod.rs"]
mod built;
mod combined;
mod hosts;
mod misspeaking;
mod panics;
mod places;
mod rig;
mod verdicts;
