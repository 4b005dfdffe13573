//! Successes that are remembered, as front ends see them.

use serde::{Deserialize, Serialize};

use crate::{name::UserId, text::ShownText};

/// One success that is remembered: logins like it are not asked again until it expires.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RememberedRow {
    /// Its number.
    pub row: i64,
    /// Whose.
    pub user: UserId,
    /// For which class of services.
    pub class: ShownText,
    /// From which network (`192.0.2.7/32`), or `local`.
    pub source: ShownText,
    /// With which key (`SHA256:…`); `None` where none was shown.
    pub key: Option<ShownText>,
    /// By which rule.
    pub rule: ShownText,
    /// When it was made, Unix seconds.
    pub created: i64,
    /// Until when it counts, Unix seconds.
    pub expires: i64,
}

/// A page of them.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct RememberedPage {
    /// In order of number.
    pub rows: Vec<RememberedRow>,
    /// There are more: ask again after the last.
    pub more: bool,
}
