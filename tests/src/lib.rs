//! Tests that log in for real: libpam, sshd, su and sudo as Debian ships them, `mfad`, `mfactl` and
//! `pam_mfa.so` as built, in namespaces of their own, so that nothing of the host changes.
//!
//! A test is one function that enters a [`world`]:
//!
//! ```no_run
//! use mfa_tests::{daemon::Daemon, otp::Seed, pam, world};
//!
//! // #[test]
//! fn a_code_logs_in() {
//!     world::enter("a_code_logs_in", |world| {
//!         world.add_user("jane");
//!         let daemon = Daemon::start(world);
//!         let seed = Seed::of("jane");
//!         daemon.enroll_totp("jane", &seed);
//!         pam::service("app", &[&daemon.module_line("required", "")]);
//!         let outcome = pam::Driver::new("app").login("jane", &[&seed.totp_now()]);
//!         assert_eq!(outcome.result, "PAM_SUCCESS");
//!     });
//! }
//! ```
//!
//! The same parts make the demo and the benchmarks. It refuses to be careful: whatever is not as a test
//! needs it panics, and says where.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "this crate is a test harness: a test that cannot go on should say where"
)]

pub mod daemon;
pub mod egress;
pub mod gateway;
pub mod guide;
pub mod host;
pub mod mail;
pub mod otp;
pub mod pam;
pub mod password;
pub mod phone;
pub mod polkit;
pub mod pty;
mod role;
pub mod ssh;
pub mod sys;
pub mod web;
pub mod world;
