//! What would decide a login, and what it would see, without logging in.

use serde::{Deserialize, Serialize};

use super::{
    factor::{FactorId, FactorKind},
    status::LockState,
};
use crate::{
    name::{Claim, ClientName, FactorLabel, ServiceName, UserId},
    text::ShownText,
};

/// A login to think through.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Explain {
    /// Who would log in.
    pub user: UserId,
    /// Through what.
    pub service: ServiceName,
    /// From where (`PAM_RHOST`); `None` at the host itself.
    pub source: Option<Claim>,
    /// The key that sshd would have accepted.
    pub key: Option<KeyClaim>,
    /// When, Unix seconds; `None` now.
    pub at: Option<i64>,
}

/// A login to think through that a client of mfad-web would have verified.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ExplainClient {
    /// Who would log in.
    pub user: UserId,
    /// The client, as the configuration calls it.
    pub client: ClientName,
    /// From where, as far as the client would say.
    pub source: Option<Claim>,
    /// When, Unix seconds; `None` now.
    pub at: Option<i64>,
}

/// What is known of a key.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct KeyClaim {
    /// Its type: `ssh-ed25519`, `sk-ssh-ed25519@openssh.com`, …
    pub key_type: Claim,
    /// Its fingerprint: `SHA256:…`.
    pub fingerprint: Option<Claim>,
}

/// How such a login would go.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Outlook {
    /// A second factor would be asked for.
    Asked,
    /// None would be asked for.
    Skipped,
    /// It would be asked like others, and denied whatever the answer.
    Denied,
    /// A first factor would be enrolled on the way.
    Enrolled,
}

/// What a login would meet.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Explanation {
    /// The rule that decides; `None` when none matches.
    pub rule: Option<String>,
    /// How it would go.
    pub outlook: Outlook,
    /// Why, in a few sentences for people.
    pub why: Vec<ShownText>,
    /// The user's active factors.
    pub factors: Vec<Counting>,
    /// How many different factors are needed.
    pub needed: u8,
    /// Seconds that a success is remembered; `None` where it is not.
    pub remember: Option<u32>,
    /// What keeps the account from being used now.
    pub lock: LockState,
    /// The first text that the user would see; `None` when nothing would be asked.
    pub sees: Option<ShownText>,
}

/// One active factor, in the light of the rule.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Counting {
    /// Its id.
    pub factor: FactorId,
    /// Its kind.
    pub kind: FactorKind,
    /// Its label.
    pub label: FactorLabel,
    /// Whether it counts for this rule.
    pub counts: bool,
    /// What keeps it from being used now.
    pub lock: LockState,
}
