//! A search for the device that shows a code. Refuses to say how codes are compared: core does.

use serde::{Deserialize, Serialize};

use super::FactorKind;
use crate::{name::RealmName, secret::SecretText};

/// Which device shows a code, of those that may be meant.
#[derive(Debug, Deserialize, Serialize)]
pub struct Identify {
    /// What it shows.
    pub code: SecretText,
    /// Only devices of this kind.
    pub kind: Option<FactorKind>,
    /// Only devices that somebody has, or that nobody has.
    pub assigned: Option<bool>,
    /// Only devices of users of this realm.
    pub realm: Option<RealmName>,
    /// Only devices with such a serial number ([`crate::pattern::fits`]).
    pub serial: Option<String>,
}
