//! What talks to the network for mfad: takes codes to where they are read, asks outside services.
//!
//! ```text
//! core ──Errand──> server ──> errand ──> sms, mail, rest ──> http, SMTP, D-Bus ──> outside
//!      <──Done───
//! web ──Request──> prover ──> ldap ──> outside
//!     <──Reply───
//! ```
//! Holds the gateways' credentials. Refuses to know a seed, a factor or the database, and to repeat in
//! a log or to core what was sent or what came back.
#![forbid(unsafe_code)]

mod bus;
mod confinement;
pub mod errand;
pub mod fill;
pub mod http;
pub mod json;
pub mod ldap;
pub mod mail;
pub mod modem;
pub mod notify;
pub mod polkit;
pub mod rest;
pub mod role;
pub mod secrets;
pub mod server;
pub mod sms;

pub use mfa_role::program::SetupFault;
