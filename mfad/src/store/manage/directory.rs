//! What a directory has of a person, made into factors that the store counts and limits like all others.
//!
//! What it says is held against what is here by the secrets themselves: the same again changes nothing, an old
//! secret that comes back stands where it stood, and its used codes stay used. Refuses to forget: what the directory
//! has no more is switched off, and keeps its owner from passing for one who never enrolled. What a person has
//! switched off stays off.

mod apply;
mod plan;

use mfa_proto::admin::{DirectoryChange as Change, FactorId, FactorKind, PulledFactor as Changed};

use self::{apply::Work, plan::plan};
use super::{Answer, Holding, Order};
use crate::{
    factor::{Params, Secret},
    store::{
        Refused, StoreError,
        audit_rows::{self, Event},
        tx::{Read, Tx},
    },
};

/// What a directory has of a person.
#[derive(Debug)]
pub struct Entry {
    /// What it was asked for: factors of other kinds stay as they are.
    pub kinds: Vec<FactorKind>,
    /// What it has.
    pub has: Vec<(Params, Secret)>,
    /// What it has and nobody can use: factors of that kind stay as they are.
    pub unusable: Vec<Unusable>,
}

/// A value of the directory that nobody can use.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unusable {
    /// What it should be.
    pub kind: FactorKind,
    /// Why it is not, in a word for the trail.
    pub word: &'static str,
    /// The same in a sentence, without what the value holds.
    pub why: String,
}

/// A wish to take in what a directory has of a person.
#[derive(Debug)]
pub struct Adopt {
    /// Who asks, for whom. As an administrator.
    pub order: Order,
    /// What was looked up.
    pub entry: Entry,
    /// The most factors of one user.
    pub most: u32,
    /// Write down what cannot be used: not where it was written down a moment ago.
    pub notes: bool,
}

/// The row of the trail.
const fn event(change: Change) -> &'static str {
    match change {
        Change::Adopted => "directory_adopt",
        Change::Changed => "directory_change",
        Change::Back => "directory_back",
        Change::Gone => "directory_gone",
        Change::Dropped => "directory_drop",
        Change::Withheld => "directory_withhold",
        Change::NoRoom => "directory_refused",
    }
}

/// What would be changed.
pub(in crate::store) fn foresee(read: &Read<'_>, adopt: &Adopt) -> Answer<Vec<Changed>> {
    let held = Holding::seen(read, &adopt.order.context.user)?;
    if held.as_ref().is_some_and(|held| held.account.uid != adopt.order.uid) {
        return Ok(Err(Refused::Orphaned));
    }
    let steps = plan(read, held.as_ref(), (&adopt.entry, adopt.most))?;
    Ok(Ok(steps.iter().map(plan::Step::shown).collect()))
}

/// Takes it in, all of it or nothing, each change with its row of the trail.
pub(in crate::store) fn adopt(tx: &mut Tx<'_>, adopt: &Adopt) -> Answer<Vec<Changed>> {
    let held = Holding::of(tx, &adopt.order.context.user)?;
    if held.as_ref().is_some_and(|held| held.account.uid != adopt.order.uid) {
        return Ok(Err(Refused::Orphaned));
    }
    let steps = plan(&tx.read(), held.as_ref(), (&adopt.entry, adopt.most))?;
    if adopt.notes {
        for unusable in &adopt.entry.unusable {
            let reason = format!("{} {}", unusable.kind.word(), unusable.word);
            note(tx, &adopt.order, ("directory_refused", "noticed", &reason), None)?;
        }
    }
    let changed = steps.iter().map(plan::Step::shown).collect();
    let mut work = Work::new(tx, adopt, held);
    steps.into_iter().try_for_each(|step| work.take(step))?;
    work.end()?;
    Ok(Ok(changed))
}

fn note(
    tx: &mut Tx<'_>,
    order: &Order,
    (what, verdict, reason): (&str, &str, &str),
    factor: Option<i64>,
) -> Result<(), StoreError> {
    let (context, factor) = (Some(&order.context), factor.map(FactorId));
    audit_rows::append(tx, &Event { what, context, factor, rule: None, verdict, reason })
}
