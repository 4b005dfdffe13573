//! What every role of the daemon starts from: configuration, log, hardening, sockets and frames.
//!
//! The roles are processes with different dependencies, so what they share is a crate of its own. Refuses
//! to know factors, keys, the database and the network.
#![forbid(unsafe_code)]

pub mod accept;
pub mod config;
pub mod credentials;
pub mod foreign;
pub mod harden;
pub mod listen;
pub mod log;
pub mod peers;
pub mod program;
pub mod prover;
pub mod sandbox;
pub mod service;
pub mod signals;
pub mod wire;
