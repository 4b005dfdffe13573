//! The daemon that holds the secrets, checks the second factor and counts attempts.
//!
//! Data flows one way: `server` (bytes) → `session` (one login) → `policy` (who needs what) →
//! `factor` and `limits` (pure judgment) → `store` (consume, count, seal) → `audit` (say so).
//! `docs/architecture.md` is the map.
#![forbid(unsafe_code)]

pub mod admin;
pub mod audit;
mod boot;
pub mod clock;
pub mod confinement;
pub mod core;
pub mod decoy;
pub mod factor;
pub mod identity;
pub mod keys;
pub mod ldap;
pub mod limits;
pub mod metrics;
pub mod notices;
pub mod outgoing;
pub mod policy;
pub mod roles;
pub mod seal;
pub mod server;
pub mod session;
pub mod settings;
pub mod signers;
pub mod store;
pub mod upkeep;

pub use mfa_role::{config, harden, log};
