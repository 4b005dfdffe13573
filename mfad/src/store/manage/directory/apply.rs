//! Carries out what has to be changed, in the caller's transaction.

use mfa_proto::{
    admin::{FactorKind, FactorState},
    name::FactorLabel,
    tag::Description,
};

use super::{
    Adopt, Holding, event, note,
    plan::{Step, unread},
};
use crate::{
    factor::{Params, Secret},
    store::{
        StoreError,
        account::Account,
        challenge,
        factor_row::{Factor, Fresh},
        factor_tag::{Origin, Tag},
        manage::enroll,
        tx::Tx,
        waiting,
    },
};

/// What `mfactl show` says of a factor, by who keeps it.
const fn description(origin: Origin) -> &'static str {
    match origin {
        Origin::Own => "",
        Origin::Directory => "from the directory",
        Origin::Gone => "gone from the directory",
        Origin::Unread => "in the directory, and does not open",
    }
}

/// A user while the changes are made.
pub(super) struct Work<'w, 't> {
    tx: &'w mut Tx<'t>,
    adopt: &'w Adopt,
    held: Option<Holding>,
    changed: bool,
}

impl<'w, 't> Work<'w, 't> {
    pub(super) fn new(tx: &'w mut Tx<'t>, adopt: &'w Adopt, held: Option<Holding>) -> Self {
        Self { tx, adopt, held, changed: false }
    }

    /// Takes one step, and writes it down.
    pub(super) fn take(&mut self, step: Step<'_>) -> Result<(), StoreError> {
        let shown = step.shown();
        let (id, verdict, reason) = match step {
            Step::Add(label, (params, secret)) => {
                (Some(self.add(label, (*params, secret), Origin::Directory)?), "done", shown.kind.word())
            }
            Step::Withhold(label) => {
                let (params, secret) = unread()?;
                (Some(self.add(label, (params, &secret), Origin::Unread)?), "done", shown.kind.word())
            }
            Step::Exchange(id, _, (_, secret)) => {
                (Some(self.exchange(id, secret)?), "done", shown.kind.word())
            }
            Step::Back(id, ..) => (Some(self.turn(id, Origin::Directory)?), "done", shown.kind.word()),
            Step::Off(id, ..) => (Some(self.turn(id, Origin::Gone)?), "done", shown.kind.word()),
            Step::Drop(id, ..) => (Some(self.drop(id)?), "done", shown.kind.word()),
            Step::NoRoom(kind) => (None, "noticed", no_room(kind)),
        };
        note(self.tx, &self.adopt.order, (event(shown.change), verdict, reason), id)
    }

    /// Writes the account; what was remembered of it is void.
    pub(super) fn end(self) -> Result<(), StoreError> {
        let Self { tx, held, changed, .. } = self;
        match held {
            Some(mut held) if changed => held.settle(tx),
            Some(_) | None => Ok(()),
        }
    }

    fn add(
        &mut self,
        label: FactorLabel,
        (params, secret): (Params, &Secret),
        origin: Origin,
    ) -> Result<i64, StoreError> {
        let id = self.tx.head.take_factor_id();
        let (account, mut factors) = match self.held.take() {
            Some(Holding { account, factors }) => (Some(account), factors),
            None => (None, Vec::new()),
        };
        let account = enroll::take_in(self.tx, &self.adopt.order, account, id)?;
        let state = if origin == Origin::Directory { FactorState::Active } else { FactorState::Disabled };
        // The code of this moment may have been used wherever else the secret is.
        let moving = match params.kind() {
            FactorKind::Totp => params.fenced(params.start(0), self.tx.now),
            FactorKind::Hotp
            | FactorKind::Recovery
            | FactorKind::Sms
            | FactorKind::Mail
            | FactorKind::Rest
            | FactorKind::Token
            | FactorKind::BreakGlass => params.start(0),
        };
        let fresh = Fresh { id, label, state, params, moving, secret, tag: tag(origin)? };
        let factor = Factor::insert(self.tx, &account, fresh)?;
        factors.push(factor);
        self.held = Some(Holding { account, factors });
        if state == FactorState::Active {
            self.switched(1)?;
        }
        self.changed = true;
        Ok(id)
    }

    /// Another number or address in the place of the one before: with its failures, without codes under way.
    fn exchange(&mut self, id: i64, secret: &Secret) -> Result<i64, StoreError> {
        let gone = self.with(id, |tx, account, factor| {
            for code in challenge::of(&tx.read(), factor)? {
                code.delete(tx, factor)?;
            }
            factor.exchange(tx, account, secret)?;
            let gone = factor.tag.origin == Origin::Gone && factor.state == FactorState::Disabled;
            if gone {
                factor.state = FactorState::Active;
            }
            put(tx, factor, Origin::Directory)?;
            Ok(gone)
        })?;
        if gone {
            self.switched(1)?;
        }
        Ok(id)
    }

    /// Switches a factor off, because it is gone, or on again.
    fn turn(&mut self, id: i64, origin: Origin) -> Result<i64, StoreError> {
        let on = origin == Origin::Directory;
        self.with(id, |tx, _, factor| {
            factor.state = if on { FactorState::Active } else { FactorState::Disabled };
            put(tx, factor, origin)
        })?;
        self.switched(if on { 1 } else { -1 })?;
        Ok(id)
    }

    fn drop(&mut self, id: i64) -> Result<i64, StoreError> {
        let held = self.held.as_mut().ok_or(StoreError::Internal)?;
        let index = held.factors.iter().position(|factor| factor.id == id).ok_or(StoreError::Internal)?;
        held.delete(self.tx, index)?;
        self.changed = true;
        Ok(id)
    }

    fn with<T>(
        &mut self,
        id: i64,
        change: impl FnOnce(&Tx<'_>, &Account, &mut Factor) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let Holding { account, factors } = self.held.as_mut().ok_or(StoreError::Internal)?;
        let factor = factors.iter_mut().find(|factor| factor.id == id).ok_or(StoreError::Internal)?;
        self.changed = true;
        change(self.tx, account, factor)
    }

    /// Counts a factor that counts from now on, or no more.
    fn switched(&mut self, change: i64) -> Result<(), StoreError> {
        self.tx.head.active_factors = self.tx.head.active_factors.saturating_add(change);
        if change > 0 { waiting::settled(self.tx, &self.adopt.order.context.user) } else { Ok(()) }
    }
}

/// Writes a factor as it is now, kept by `origin`.
fn put(tx: &Tx<'_>, factor: &mut Factor, origin: Origin) -> Result<(), StoreError> {
    factor.tag.origin = origin;
    factor.tag.description = tag(origin)?.description;
    factor.update_tag(tx)?;
    factor.update(tx)
}

fn tag(origin: Origin) -> Result<Tag, StoreError> {
    let description = Description::new(description(origin)).map_err(|_| StoreError::Internal)?;
    Ok(Tag { description, origin, ..Tag::default() })
}

const fn no_room(kind: FactorKind) -> &'static str {
    match kind {
        FactorKind::Sms => "sms no_room",
        FactorKind::Mail => "mail no_room",
        FactorKind::Totp
        | FactorKind::Hotp
        | FactorKind::Recovery
        | FactorKind::Rest
        | FactorKind::Token
        | FactorKind::BreakGlass => "totp no_room",
    }
}
