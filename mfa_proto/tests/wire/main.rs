//! The wire as others have to speak it: its bytes, its strictness and its sizes.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod golden;
mod samples;
mod sizes;
mod strategies;
mod strict;
