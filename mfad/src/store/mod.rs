//! The database: who holds which factor, how far each has moved, how often it failed, and what happened.
//!
//! One thread owns it; many jobs share one durable commit, and no answer leaves before that. A login gets
//! [`Proof`] from here and nowhere else. Refuses to know sockets, policy and people.
//!
//! What the files do: `worker` the thread and its transactions · `reader` the look past it · `open`,
//! `create`, `migrations` the file · `vault` its keys · `roster` who is enrolled and who provably is not ·
//! `account`, `factor_row`, `challenge`, `sent`, `nonce`, `waiting`, `head`, `audit_rows` the rows, each with a
//! code over all its columns · `attempt`, `bench`, `breakglass`, `recovery`, `token` what an answer is and
//! costs · `issue`, `consult` codes that are sent and services that are asked · `carry` codes of others · `counting` which factors count ·
//! `remembered` successes that are remembered · `identify` which device shows a code · `proof`, `view`, `decoy` the login · `manage` changes by
//! administrators and owners · `notable`, `notices` what people are told of · `look`, `audit_query`, `audit_check`, `rekey`, `seed` reading and upkeep · `backup` copies of
//! the whole · `handle` what callers see.

mod account;
mod attempt;
mod audit_check;
mod audit_query;
mod audit_rows;
mod backup;
mod bench;
mod breakglass;
mod call;
mod carry;
mod challenge;
mod consult;
mod counting;
mod create;
mod decoy;
mod error;
mod factor_row;
mod factor_tag;
mod failures;
mod handle;
mod head;
mod identify;
mod issue;
mod login_store;
mod look;
mod manage;
mod migrations;
mod nonce;
mod notable;
mod notices;
mod open;
mod pin;
mod proof;
mod reader;
mod ready_log;
mod recovery;
mod rekey;
mod remembered;
mod roster;
mod seed;
mod sent;
mod token;
mod tx;
mod vault;
mod view;
mod waiting;
mod worker;

pub(crate) use self::look::lock_of;
pub use self::{
    attempt::{Attempt, Channel, Outcome},
    audit_check::{AuditCheck, Fault},
    backup::{Copy, Trail},
    carry::{Addressed, Carry, Hindrance},
    consult::{Consult, Consulted, Judgment, Ticket},
    counting::Counting,
    error::{Refused, StoreError},
    handle::{Device, Store},
    identify::{Among, Asker, Identified, MISSES, MOST_DEVICES, Search},
    issue::{Issue, Issued, MadeCode, SentCode, SentLimits, Undelivered},
    login_store::LoginStore,
    look::{Figures, FoundDevice, Holder},
    manage::{
        Added, Adopt, Authority, BreakGlass, EnrollAll, EnrollFirst, Entry, FirstFactor, Heir, Lost, Member,
        NewBreakGlass, NewFactor, NewRecovery, Order, Reassign, RecoveryNew, Resync, Target, Unusable,
    },
    notices::{News, NewsPage},
    pin::{NewPin, Typed},
    proof::{Failed, Proof},
    remembered::{Forgetting, Recollection, Remembrance},
    seed::Seeded,
    view::{AccountView, Held},
    waiting::{CheckInvitation, GraceLeft, GraceLogin, GraceTerms, Graced, Invitation, InvitationCheck},
};
use std::sync::Arc;

use crate::{
    factor::{Rules, TokenSettings},
    limits::{Profile, ProfileName},
};

/// What the store has to know of the configuration.
#[derive(Clone, Debug)]
pub struct StoreSettings {
    /// Limits on failures.
    pub profile: Profile,
    /// The same for attempts without proven password.
    pub unproven: Profile,
    /// How codes are judged.
    pub rules: Rules,
    /// The most factors of one user, recovery codes not counted.
    pub max_factors: u32,
    /// Bounds on codes that are sent.
    pub sent: SentLimits,
    /// What signed tokens are judged by.
    pub token: Arc<TokenSettings>,
    /// What has remembered successes forgotten.
    pub forget: Forgetting,
}

impl Default for StoreSettings {
    fn default() -> Self {
        let profile = Profile::named(ProfileName::Default);
        Self {
            profile,
            unproven: profile.for_unproven(),
            rules: Rules::default(),
            max_factors: 8,
            sent: SentLimits::default(),
            token: Arc::default(),
            forget: Forgetting::default(),
        }
    }
}
