//! LinOTP's `/validate` from HTTP to the store and back: what is a yes, and that everything else is none.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod challenge;
mod check;
mod common;
mod recorded;
#[path = "../rig/mod.rs"]
mod rig;
#[expect(unreachable_pub, reason = "it is the tests' of core")]
#[path = "../../../tests/support/mod.rs"]
mod support;
