//! What has to be changed so that a person holds what the directory has. Refuses to change anything.

use mfa_proto::{
    admin::{Algorithm, FactorKind, FactorState, TotpParams},
    name::FactorLabel,
};

use super::{Change, Changed, Entry, Holding};
use crate::{
    factor::{Params, Secret, Seed},
    store::{StoreError, factor_row::Factor, factor_tag::Origin, tx::Read},
};

/// One change.
#[derive(Debug)]
pub(super) enum Step<'e> {
    /// Adds a factor under a label.
    Add(FactorLabel, &'e (Params, Secret)),
    /// Puts another number or address into the factor with this id.
    Exchange(i64, FactorLabel, &'e (Params, Secret)),
    /// Switches a factor on that was gone.
    Back(i64, FactorKind, FactorLabel),
    /// Switches a factor off that is gone.
    Off(i64, FactorKind, FactorLabel),
    /// Deletes one that is long gone, or stood for what did not open.
    Drop(i64, FactorKind, FactorLabel),
    /// Adds one that nobody can use.
    Withhold(FactorLabel),
    /// Adds nothing: there is no room.
    NoRoom(FactorKind),
}

impl Step<'_> {
    /// As it is told.
    pub(super) fn shown(&self) -> Changed {
        let (change, kind, label) = match self {
            Self::Add(label, (params, _)) => (Change::Adopted, params.kind(), Some(label)),
            Self::Exchange(_, label, (params, _)) => (Change::Changed, params.kind(), Some(label)),
            Self::Back(_, kind, label) => (Change::Back, *kind, Some(label)),
            Self::Off(_, kind, label) => (Change::Gone, *kind, Some(label)),
            Self::Drop(_, kind, label) => (Change::Dropped, *kind, Some(label)),
            Self::Withhold(label) => (Change::Withheld, FactorKind::Totp, Some(label)),
            Self::NoRoom(kind) => (Change::NoRoom, *kind, None),
        };
        Changed { change, kind, label: label.cloned() }
    }
}

/// What a factor is like that stands for a secret that does not open.
pub(super) fn unread() -> Result<(Params, Secret), StoreError> {
    let params = Params::Totp(TotpParams { algorithm: Algorithm::Sha256, digits: 8, period: 30 });
    let seed = Seed::generate(Algorithm::Sha256).map_err(|_| crate::seal::SealError::NoRandomness)?;
    Ok((params, seed.into()))
}

/// A factor with its secret, opened for comparing.
struct Open<'h> {
    factor: &'h Factor,
    secret: Secret,
}

impl Open<'_> {
    fn is_directory(&self, kind: FactorKind) -> bool {
        let origin = self.factor.tag.origin;
        self.factor.params.kind() == kind && matches!(origin, Origin::Directory | Origin::Gone)
    }

    /// The same secret, and codes of the same look. How long codes to an address are is ours to say.
    fn is(&self, (params, secret): &(Params, Secret)) -> bool {
        let alike = self.factor.params == *params || params.is_sent();
        alike && self.factor.params.kind() == params.kind() && self.secret.is_of_one_holder(secret)
    }
}

/// A plan being made.
struct Planner<'h, 'e> {
    open: Vec<Open<'h>>,
    entry: &'e Entry,
    most: usize,
    steps: Vec<Step<'e>>,
    /// Ids of factors that the directory has.
    there: Vec<i64>,
}

/// All changes, in order.
pub(super) fn plan<'e>(
    read: &Read<'_>,
    held: Option<&Holding>,
    (entry, most): (&'e Entry, u32),
) -> Result<Vec<Step<'e>>, StoreError> {
    let mut open = Vec::new();
    if let Some(held) = held {
        for factor in &held.factors {
            open.push(Open { factor, secret: factor.open_secret(read, &held.account)? });
        }
    }
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let mut planner = Planner { open, entry, most, steps: Vec::new(), there: Vec::new() };
    for kind in &entry.kinds {
        planner.meet(*kind)?;
    }
    for kind in &entry.kinds {
        planner.part_with(*kind);
    }
    planner.withhold()?;
    Ok(planner.steps)
}

impl<'e> Planner<'_, 'e> {
    /// What the directory has of a kind.
    fn meet(&mut self, kind: FactorKind) -> Result<(), StoreError> {
        let entry = self.entry;
        for item in entry.has.iter().filter(|(params, _)| params.kind() == kind) {
            // What its owner brought here counts by itself, or was switched off: it must not count twice, or again.
            if self.is_own(item) || self.is_planned(item) {
                continue;
            }
            let known = self.open.iter().find(|open| open.is_directory(kind) && open.is(item));
            if let Some(known) = known {
                let (id, label) = (known.factor.id, known.factor.label.clone());
                let off =
                    known.factor.tag.origin == Origin::Gone && known.factor.state == FactorState::Disabled;
                self.there.push(id);
                if off {
                    self.steps.push(Step::Back(id, kind, label));
                }
                continue;
            }
            let other = self.open.iter().find(|open| item.0.is_sent() && open.is_directory(kind));
            if let Some(other) = other {
                let (id, label) = (other.factor.id, other.factor.label.clone());
                self.there.push(id);
                self.steps.push(Step::Exchange(id, label, item));
                continue;
            }
            self.add(item)?;
        }
        Ok(())
    }

    /// Whether its owner holds the same secret, brought here by other ways.
    fn is_own(&self, (_, secret): &(Params, Secret)) -> bool {
        self.open.iter().any(|open| {
            open.factor.tag.origin == Origin::Own
                && open.factor.state != FactorState::Pending
                && open.secret.is_of_one_holder(secret)
        })
    }

    fn is_planned(&self, (_, secret): &(Params, Secret)) -> bool {
        self.steps.iter().any(|step| match step {
            Step::Add(_, (_, planned)) | Step::Exchange(_, _, (_, planned)) => {
                planned.is_of_one_holder(secret)
            }
            Step::Back(..) | Step::Off(..) | Step::Drop(..) | Step::Withhold(_) | Step::NoRoom(_) => false,
        })
    }

    fn add(&mut self, item: &'e (Params, Secret)) -> Result<(), StoreError> {
        let kind = item.0.kind();
        if self.counted() >= self.most {
            let Some(oldest) = self.long_gone() else {
                self.steps.push(Step::NoRoom(kind));
                return Ok(());
            };
            self.steps.push(oldest);
        }
        let label = self.free_label(kind)?;
        self.steps.push(Step::Add(label, item));
        Ok(())
    }

    /// Factors that count towards the most, as they will be.
    fn counted(&self) -> usize {
        let held = self.open.iter().filter(|open| open.factor.counts()).count();
        let count = |is: fn(&Step<'e>) -> bool| self.steps.iter().filter(|step| is(step)).count();
        let (added, dropped) =
            (count(|step| matches!(step, Step::Add(..))), count(|step| matches!(step, Step::Drop(..))));
        held.saturating_add(added).saturating_sub(dropped)
    }

    /// What makes room: of a secret that the directory has no more, the one that is here the longest. Should it come
    /// back, it begins behind every code of before, as any.
    fn long_gone(&self) -> Option<Step<'e>> {
        let dropped =
            |id: i64| self.steps.iter().any(|step| matches!(step, Step::Drop(other, ..) if *other == id));
        let meant = |open: &&Open<'_>| {
            open.factor.tag.origin == Origin::Gone
                && open.factor.state == FactorState::Disabled
                && !open.factor.params.is_sent()
                && !self.there.contains(&open.factor.id)
                && !dropped(open.factor.id)
                && !self.entry.has.iter().any(|item| open.is(item))
        };
        let factor = self.open.iter().find(meant)?.factor;
        Some(Step::Drop(factor.id, factor.params.kind(), factor.label.clone()))
    }

    /// `directory`, `directory-sms`, `directory-2`, …: what nobody calls a factor yet.
    fn free_label(&self, kind: FactorKind) -> Result<FactorLabel, StoreError> {
        let word = match kind {
            FactorKind::Sms | FactorKind::Mail => format!("directory-{}", kind.word()),
            FactorKind::Totp
            | FactorKind::Hotp
            | FactorKind::Recovery
            | FactorKind::Rest
            | FactorKind::Token
            | FactorKind::BreakGlass => "directory".to_owned(),
        };
        let planned = self.steps.iter().filter_map(|step| match step {
            Step::Add(label, _) => Some(label),
            Step::Exchange(..)
            | Step::Back(..)
            | Step::Off(..)
            | Step::Drop(..)
            | Step::Withhold(_)
            | Step::NoRoom(_) => None,
        });
        let taken: Vec<&FactorLabel> =
            self.open.iter().map(|open| &open.factor.label).chain(planned).collect();
        let numbered = (2_u32..).map(|number| format!("{word}-{number}"));
        let free = |label: &String| taken.iter().all(|taken| taken.as_str() != label);
        let label = std::iter::once(word.clone()).chain(numbered).find(free);
        FactorLabel::new(label.unwrap_or_default()).map_err(|_| StoreError::Internal)
    }

    /// What the directory has no more of a kind; not where it has something of that kind that cannot be used.
    fn part_with(&mut self, kind: FactorKind) {
        if self.entry.unusable.iter().any(|unusable| unusable.kind == kind) {
            return;
        }
        let gone = |open: &&Open<'_>| {
            open.is_directory(kind)
                && open.factor.tag.origin == Origin::Directory
                && open.factor.state == FactorState::Active
                && !self.there.contains(&open.factor.id)
        };
        let off = |open: &Open<'_>| Step::Off(open.factor.id, kind, open.factor.label.clone());
        let steps: Vec<_> = self.open.iter().filter(gone).map(off).collect();
        self.steps.extend(steps);
    }

    /// One for whom the directory has a secret that does not open, and who holds nothing else, has not enrolled and
    /// must not pass for that. When all of it opens, what stood for it goes.
    fn withhold(&mut self) -> Result<(), StoreError> {
        let unread = self.entry.unusable.iter().any(|unusable| unusable.kind == FactorKind::Totp);
        let stands = self.open.iter().find(|open| open.factor.tag.origin == Origin::Unread);
        let adds = self.steps.iter().any(|step| matches!(step, Step::Add(..)));
        let counts = |open: &Open<'_>| {
            // An emergency code ends by itself.
            open.factor.state != FactorState::Pending
                && open.factor.tag.origin != Origin::Unread
                && !open.factor.params.is_emergency()
        };
        let others = adds || self.open.iter().any(counts);
        match (unread, stands) {
            (true, None) if !others => {
                let label = self.free_label(FactorKind::Totp)?;
                self.steps.push(Step::Withhold(label));
            }
            (false, Some(open)) if others && self.entry.kinds.contains(&FactorKind::Totp) => {
                let label = open.factor.label.clone();
                let step = Step::Drop(open.factor.id, FactorKind::Totp, label);
                self.steps.push(step);
            }
            (true | false, _) => {}
        }
        Ok(())
    }
}
