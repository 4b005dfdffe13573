//! Gateways and services for tests: they keep what they were sent, and answer as they are told to, which
//! may be in any wrong way.
//!
//! Each runs on a thread of its own, on a port of 127.0.0.1; slapd is a process. Nothing here is meant for anything but tests.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a test that fails should say where"
)]

mod authority;
mod reply;
mod server;
mod slapd;

pub use self::{
    authority::{Authority, Identity, Names, Time},
    reply::{Reply, Then},
    server::{Seen, Server},
    slapd::{SLAPD_PASSWORD, Slapd},
};
