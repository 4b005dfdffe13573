//! The daemon that holds the secrets, checks the second factor and counts attempts.
//!
//! Data flows one way: `server` (bytes) → `session` (one login) → `policy` (who needs what) →
//! `factor` and `limits` (pure judgment) → `store` (consume, count, seal) → `audit` (say so).
//! `docs/architecture.md` is the map.
#![forbid(unsafe_code)]

pub mod audit;
pub mod clock;
pub mod config;
pub mod factor;
pub mod limits;
pub mod policy;
pub mod seal;
pub mod session;
pub mod store;
