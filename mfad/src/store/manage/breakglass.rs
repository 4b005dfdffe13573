//! Codes for an emergency: made by an administrator, gone by their use or by themselves.
//!
//! One for each user; a new one takes the place of the one before. Refuses owners: who could make one for
//! oneself had no second factor.

use mfa_proto::{
    admin::{FactorId, FactorKind, FactorState},
    answer::RecoveryCode,
    name::{FactorLabel, UserId},
    text::ShownText,
};
use zeroize::Zeroizing;

use super::{Answer, Authority, Holding, Order, enroll};
use crate::{
    audit::Context,
    clock::UnixTime,
    factor::{EmergencyHash, Params, Secret},
    seal::SealError,
    store::{
        Refused, StoreError,
        account::Account,
        audit_rows::{self, Event},
        breakglass,
        factor_row::{self, Factor, Fresh},
        factor_tag::Tag,
        tx::{Read, Tx},
    },
};

/// Wherever one may stand; the index of the schema has as many rows as there are such codes.
const HOLDERS: &str = "SELECT account_id FROM factor WHERE kind = 'breakglass' ORDER BY account_id";

/// A wish for a code.
#[derive(Debug)]
pub struct BreakGlass {
    /// Who wants it, for whom. Administrators only.
    pub order: Order,
    /// Minutes that it counts ([`crate::factor::EMERGENCY_MINUTES`]).
    pub minutes: u16,
    /// Why, for the trail.
    pub reason: ShownText,
}

/// A code for an emergency.
#[derive(Debug)]
pub struct NewBreakGlass {
    /// Its id.
    pub factor: FactorId,
    /// The code: to be shown once and forgotten.
    pub code: RecoveryCode,
    /// Until when it counts.
    pub until: UnixTime,
}

/// Makes a code, whatever else is held, locked or switched off.
pub(in crate::store) fn break_glass(tx: &mut Tx<'_>, wanted: &BreakGlass) -> Answer<NewBreakGlass> {
    let BreakGlass { order, minutes, reason } = wanted;
    let params = Params::BreakGlass { minutes: *minutes };
    if let Err(refused) = acceptable(tx, order, params) {
        return Ok(Err(refused));
    }
    let mut held = Holding::of(tx, &order.context.user)?;
    if held.as_ref().is_some_and(|held| held.account.uid != order.uid) {
        return Ok(Err(Refused::Orphaned));
    }
    if let Some(held) = &mut held {
        while let Some(index) = held.factors.iter().position(|factor| factor.params.is_emergency()) {
            held.delete(tx, index)?;
        }
    }
    let label = free_label(held.as_ref())?;
    let code = fresh()?;
    let id = tx.head.take_factor_id();
    let account = enroll::take_in(tx, order, held.map(|held| held.account), id)?;
    let hash = breakglass::hash(&tx.read(), (account.id, id), &code)?;
    let secret = Secret::BreakGlass(EmergencyHash(hash));
    tx.head.active_factors = tx.head.active_factors.saturating_add(1);
    let (state, moving) = (FactorState::Active, params.start(0));
    let factor = Factor::insert(
        tx,
        &account,
        Fresh { id, label, state, params, moving, secret: &secret, tag: Tag::default() },
    )?;
    let until = factor.until().ok_or(StoreError::Internal)?;
    note(tx, (&order.context, "breakglass", reason.as_str()), id)?;
    Ok(Ok(NewBreakGlass { factor: FactorId(id), code, until }))
}

fn acceptable(tx: &Tx<'_>, order: &Order, params: Params) -> Result<(), Refused> {
    if !matches!(order.authority, Authority::Admin) {
        return Err(Refused::Invalid("only an administrator makes a code for an emergency"));
    }
    if !params.is_valid() {
        return Err(Refused::Invalid("a code for an emergency counts for 5 minutes to 24 hours"));
    }
    // Without the time, nothing could say when it ends.
    if tx.now.is_unset() { Err(Refused::ClockUnusable) } else { Ok(()) }
}

fn fresh() -> Result<RecoveryCode, StoreError> {
    let mut random = Zeroizing::new([0; RecoveryCode::RANDOM_BYTES]);
    getrandom::fill(&mut *random).map_err(|_| SealError::NoRandomness)?;
    Ok(RecoveryCode::emergency(&random))
}

/// The word for the kind, or with a number where a person called something else so: a label must not keep
/// an administrator from helping.
fn free_label(held: Option<&Holding>) -> Result<FactorLabel, StoreError> {
    let word = FactorKind::BreakGlass.word();
    let numbered = (2_u32..).map(|number| format!("{word}-{number}"));
    let taken = |label: &str| held.is_some_and(|held| held.factors.iter().any(|f| f.label.as_str() == label));
    let free = std::iter::once(word.to_owned()).chain(numbered).find(|label| !taken(label));
    FactorLabel::new(free.unwrap_or_default()).map_err(|_| StoreError::Internal)
}

/// A code was used and its row deleted: it leaves the manifest, and an account that holds nothing else goes.
pub(in crate::store) fn spent(
    tx: &mut Tx<'_>,
    (account, factors): (Account, Vec<Factor>),
    index: usize,
) -> Result<(), StoreError> {
    let mut held = Holding { account, factors };
    held.forget(tx, index);
    held.settle(tx)
}

/// Which codes are to go.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::store) enum Sweep {
    /// Those whose time is over.
    Expired,
    /// All: they are older than the database they are in.
    Restored,
}

/// Whether there is a code whose time is over.
pub(in crate::store) fn any_expired(read: &Read<'_>) -> Result<bool, StoreError> {
    for account in holders(read)? {
        if holding(read, account)?.is_some_and(|held| doomed(&held, Sweep::Expired, read.now).is_some()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Deletes codes. Whose they were.
pub(in crate::store) fn sweep(tx: &mut Tx<'_>, which: Sweep) -> Result<Vec<UserId>, StoreError> {
    let mut users = Vec::new();
    for account in holders(&tx.read())? {
        let Some(mut held) = holding(&tx.read(), account)? else { continue };
        while let Some(index) = doomed(&held, which, tx.now) {
            let id = held.factors.get(index).map_or(0, |factor| factor.id);
            let context = Context::of_daemon(held.account.user()?);
            held.delete(tx, index)?;
            let reason = if which == Sweep::Restored { "restored" } else { "ok" };
            note(tx, (&context, "breakglass_expired", reason), id)?;
            users.push(context.user);
            if held.factors.is_empty() {
                break;
            }
        }
        held.settle(tx)?;
    }
    Ok(users)
}

fn doomed(held: &Holding, which: Sweep, now: UnixTime) -> Option<usize> {
    // Not those that a clock set back makes void: they may count again.
    held.factors.iter().position(|factor| match which {
        Sweep::Expired => factor.is_over(now),
        Sweep::Restored => factor.params.is_emergency(),
    })
}

fn holders(read: &Read<'_>) -> Result<Vec<i64>, StoreError> {
    let mut statement = read.connection.prepare_cached(HOLDERS)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A user by id. Rows that fail their check are told where they are met otherwise: here they stay.
fn holding(read: &Read<'_>, account: i64) -> Result<Option<Holding>, StoreError> {
    let found = || {
        let page = Account::after_id(read, account.saturating_sub(1), 1)?;
        let Some(found) = page.into_iter().find(|found| found.id == account) else { return Ok(None) };
        let account = found.verified(read)?;
        let factors = factor_row::load_all(read, &account)?;
        Ok(Some(Holding { account, factors }))
    };
    match found() {
        Err(StoreError::Tampered(what)) => {
            tracing::debug!("{what}: its codes for an emergency are left as they are");
            Ok(None)
        }
        other => other,
    }
}

fn note(
    tx: &mut Tx<'_>,
    (context, what, reason): (&Context, &str, &str),
    factor: i64,
) -> Result<(), StoreError> {
    let (context, factor) = (Some(context), Some(FactorId(factor)));
    audit_rows::append(tx, &Event { what, context, factor, rule: None, verdict: "done", reason })
}
