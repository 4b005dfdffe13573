//! What talks to the network for mfad: takes codes to where they are read, asks outside services.
//!
//! Holds the gateways' credentials. Refuses to know a seed, a factor or the database.
#![forbid(unsafe_code)]

pub mod mail;
pub mod modem;
