//! The wire between `pam_mfa`, `mfad` and `mfactl`: frames, versions, messages and validated names.
//!
//! Refuses to do I/O, to know policy, and to hold state: every function here maps bytes to values or
//! values to bytes. A login is a short conversation that the daemon drives:
//!
//! ```text
//! module                                   daemon
//!   Hello{Login, 1..=1}, Start{user, …} ->
//!                                       <- Welcome{1}
//!                                       <- Prompt{"Verification code: ", echo, 6 digits}
//!   Answer("123456")                    ->
//!                                       <- Settled(Accept)
//! ```
//! The administration protocol ([`admin`]) shares frames and handshake, with one typed request and one
//! typed reply per verb. `docs/protocol.md` is the prose, `golden` tests pin the bytes.
#![forbid(unsafe_code)]

pub mod admin;
pub mod answer;
pub mod auth_info;
pub mod codec;
pub mod egress;
pub mod foreign;
pub mod frame;
pub mod front;
pub mod hello;
pub mod login;
pub mod module;
pub mod name;
pub mod password;
pub mod pattern;
pub mod place;
pub mod secret;
pub mod tag;
pub mod text;
