//! What speaks HTTP for mfad: its own API, and the dialects that other systems speak already.
//!
//! ```text
//! client ──HTTP──> server ──> router ──> a dialect ──Question──> link ──Ask──> core
//!                  limits     clients                transactions     <──Ended──
//! ```
//! Holds no key, no seed and no database, so a taken-over web can do at most what the rights of all clients
//! together allow. Refuses to decide: it knows who a client is, core what that client may and who is let in.
#![forbid(unsafe_code)]

pub mod access;
pub mod answer;
mod attended;
pub mod call;
pub mod ceptor;
pub mod clients;
mod confinement;
mod image;
pub mod lemonldap;
pub mod link;
pub mod linotp;
pub mod ntopng;
pub mod origin;
pub mod prover;
pub mod role;
pub mod router;
pub mod server;
pub mod transactions;
pub mod v1;
pub mod verify;

pub use mfa_role::program::SetupFault;
