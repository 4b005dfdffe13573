//! How many wrong codes are too many: pure arithmetic on counts and timestamps.
//!
//! Refuses to store, to sleep and to know who is asking. A wait is a time before which nothing is
//! judged, never a worker that sleeps. Sources: NIST SP 800-63B-4 §3.2.2 (100 consecutive failures
//! disable an authenticator; growing waits), PCI DSS 4.0.1 §8.3.4, DISA STIG (see [`Profile`]).

mod counter;
mod profile;
mod rate;
mod source;
mod window;

pub use self::{
    counter::{Counter, Gate},
    profile::{Profile, ProfileName},
    rate::GlobalRate,
    source::{Charge, SourceKey, Sources},
    window::FailureDays,
};
