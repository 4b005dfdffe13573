//! Factors whose account is gone or is another's by now: taken over by an account, or removed.
//!
//! What is bound to the account's number (hashes of recovery codes, what was sent) and to the factor's (codes
//! under way, used tokens) stays as it is; what is bound to name or uid (place in the ring, sealed secrets) is
//! made anew, all in one transaction. Refuses to take factors away from an account that still is theirs.

use mfa_proto::{admin::FactorId, name::UserId};

use super::{Answer, Holding, Order, Target, change};
use crate::{
    identity,
    store::{
        Refused, StoreError,
        audit_rows::{self, Event},
        challenge, roster,
        tx::Tx,
    },
};

/// A wish to let an account take over factors.
#[derive(Debug)]
pub struct Reassign {
    /// Who asks, for whose factors. Administrators only; its uid does not count.
    pub order: Order,
    /// What bears the name of those factors now.
    pub present: identity::Account,
    /// Who takes them over.
    pub heir: Heir,
}

/// An account that takes factors over.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Heir {
    /// The account that bears the name now.
    SameName,
    /// The account of another name, which exists and holds nothing.
    Other {
        /// Its name.
        user: UserId,
        /// Its uid; `None` when names are not accounts of this host.
        uid: Option<u32>,
    },
}

/// Lets an account take over the factors of a user. How many.
pub(in crate::store) fn reassign(tx: &mut Tx<'_>, wish: &Reassign) -> Answer<u32> {
    let Reassign { order, present, heir } = wish;
    let user = &order.context.user;
    let Some(mut held) = Holding::of(tx, user)? else { return Ok(Err(Refused::NotEnrolled)) };
    let orphaned = !present.is_of(held.account.uid);
    let uid = match (heir, *present) {
        (Heir::SameName, identity::Account::Known { uid }) => Some(uid),
        (Heir::SameName, identity::Account::Unchecked) => None,
        (Heir::SameName, identity::Account::Unknown) => {
            return Ok(Err(Refused::Invalid("no account bears the name: name one that takes over")));
        }
        (Heir::Other { uid, .. }, _) => *uid,
    };
    // One account by another name of its own is a change of name, whether the old one still works or not.
    let renamed = matches!(heir, Heir::Other { .. }) && uid == held.account.uid && uid.is_some();
    if !orphaned && !renamed {
        return Ok(Err(Refused::NotOrphaned));
    }
    let before = held.account.clone();
    held.account.uid = uid;
    // Successes that are remembered are those of the account before.
    held.account.epoch = held.account.epoch.saturating_add(1);
    if let Heir::Other { user: other, .. } = heir {
        if roster::find(&tx.read(), other)?.is_some() {
            return Ok(Err(Refused::HeirHolds));
        }
        roster::rename(tx, &mut held.account, other)?;
    } else {
        held.account.update_whose(tx)?;
    }
    for factor in &mut held.factors {
        factor.reseal(tx, (&before, &held.account))?;
        if factor.keeps_challenges() {
            // Codes under way went to whoever it was before.
            for row in challenge::of(&tx.read(), factor)? {
                row.delete(tx, factor)?;
            }
            factor.update(tx)?;
        }
    }
    note(tx, wish, before.uid, uid)?;
    u32::try_from(held.factors.len()).map(Ok).map_err(|_| StoreError::Internal)
}

/// A row for the user whose factors they were, and one for the one whose they are.
fn note(tx: &mut Tx<'_>, wish: &Reassign, before: Option<u32>, now: Option<u32>) -> Result<(), StoreError> {
    let mut context = wish.order.context.clone();
    let append = |tx: &mut Tx<'_>, context: &_, what: &str, reason: &str| {
        let (factor, rule, verdict) = (None::<FactorId>, None, "done");
        audit_rows::append(tx, &Event { what, context: Some(context), factor, rule, verdict, reason })
    };
    let uids = format!("uid {} to {}", shown(before), shown(now));
    match &wish.heir {
        Heir::SameName => append(tx, &context, "reassign", &uids),
        Heir::Other { user: other, .. } => {
            let from = std::mem::replace(&mut context.user, other.clone());
            append(tx, &wish.order.context, "reassign_away", &format!("to {other}, {uids}"))?;
            append(tx, &context, "reassign", &format!("from {from}, {uids}"))
        }
    }
}

fn shown(uid: Option<u32>) -> String {
    uid.map_or_else(|| "none".to_owned(), |uid| uid.to_string())
}

/// Removes all of a user that was found orphaned, if it still is what was judged. How many factors.
pub(in crate::store) fn prune(tx: &mut Tx<'_>, order: Order, present: identity::Account) -> Answer<u32> {
    let Some(held) = Holding::of(tx, &order.context.user)? else { return Ok(Err(Refused::NotEnrolled)) };
    if present.is_of(held.account.uid) {
        return Ok(Err(Refused::NotOrphaned));
    }
    change::remove(tx, order, &Target::default())
}
