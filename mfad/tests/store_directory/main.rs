//! What a directory has of people as factors here: first every way in which that must let nobody in.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod common;
mod lasting;
mod off;
#[path = "../store_common/mod.rs"]
mod store_common;
mod taken_in;
mod whose;
