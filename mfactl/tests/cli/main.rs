//! Drives the real binary against a fake daemon: what is sent, what is shown, and the exit code.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]
#![forbid(unsafe_code)]

mod apply;
mod authselect;
mod breakglass;
mod copies;
mod daemon;
mod devices;
mod doctor;
mod factors;
mod generate;
mod golden;
mod import;
mod ldap;
mod lost;
mod orphans;
mod pty;
mod remembered;
mod run;
mod sample;
mod secrets;
mod terminal;
mod transport;
mod trust;
mod verbs;
