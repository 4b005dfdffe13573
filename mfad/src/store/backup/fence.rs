//! Fences against replay: a restored database must not accept again what was used since the copy was made.
//!
//! Where the running database knows a factor, what it says about used codes holds. Where it does not, the
//! codes that could have been used are burnt, or the factor waits for somebody to prove where it stands.

use mfa_proto::admin::{FactorId, FactorKind, FactorState, Restored};

use super::{carry, check::Checked};
use crate::{
    audit::Context,
    clock::UnixTime,
    factor::Moving,
    limits::Counter,
    store::{
        StoreError, StoreSettings,
        account::Account,
        audit_rows::{self, Event},
        factor_row::{self, Factor},
        manage::{self, Sweep},
        nonce,
        open::Database,
        remembered, roster,
        tx::{Read, Tx},
        waiting,
    },
};

/// Accounts taken at once.
const PAGE: u32 = 500;

/// Steps ahead of the present one of which a code may have been used: by a clock a little fast, and by
/// one whose lead was learned.
const LEAD: i64 = 1;
const LEAD_LEARNED: i64 = 11;

/// Puts up the fences in a copy, in one transaction, and closes it.
pub(super) fn apply(
    running: Option<&Database>,
    copy: Checked,
    settings: &StoreSettings,
    now: UnixTime,
) -> Result<Restored, StoreError> {
    let Checked { connection, vault, mut head, users, .. } = copy;
    let before = running.map(|database| Read {
        connection: &database.connection,
        vault: &database.vault,
        head: &database.head,
        now,
    });
    connection.execute_batch("BEGIN EXCLUSIVE")?;
    let mut tx = Tx { connection: &connection, vault: &vault, settings, head: &mut head, now, news: false };
    let mut fence = Fence { before, restored: Restored { users, ..Restored::default() } };
    fence.all(&mut tx)?;
    head.save(&connection, &vault)?;
    connection.execute_batch("COMMIT")?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(fence.restored)
}

struct Fence<'r> {
    /// The running database.
    before: Option<Read<'r>>,
    restored: Restored,
}

impl Fence<'_> {
    fn all(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        carry::forget_live(tx)?;
        self.head(tx)?;
        self.void_emergency_codes(tx)?;
        waiting::fence(self.before.as_ref(), tx)?;
        let mut last = 0;
        loop {
            let page = Account::after_id(&tx.read(), last, PAGE)?;
            let Some(end) = page.last().map(|account| account.id) else { break };
            for account in page.into_iter().filter(|account| !account.name.is_empty()) {
                let account = account.verified(&tx.read())?;
                self.one(tx, account)?;
            }
            last = end;
        }
        carry::forget_remembered(tx)
    }

    /// Ids go on behind both databases, so that none is given twice; the trail says what was joined here.
    fn head(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let was = |head: &crate::store::head::Head| {
            let link = head.audit_chain.first_chunk().map_or(0, |link| u64::from_be_bytes(*link));
            format!("row {} ({link:016x})", head.audit_last)
        };
        let copy = was(tx.head);
        let running = self.before.as_ref().map_or_else(
            || "no database before could be read".to_owned(),
            |before| format!("the database before at {}", was(before.head)),
        );
        if let Some(before) = &self.before {
            tx.head.next_account = tx.head.next_account.max(before.head.next_account);
            tx.head.next_factor = tx.head.next_factor.max(before.head.next_factor);
            tx.head.floor = tx.head.floor.max(before.head.floor);
            carry::caps(before, tx)?;
            carry::stray_nonces(before, tx)?;
        }
        let reason = format!("the copy ends at {copy}, {running}");
        let event = Event {
            what: "restore",
            context: None,
            factor: None,
            rule: None,
            verdict: "done",
            reason: &reason,
        };
        audit_rows::append(tx, &event)
    }

    /// A code for an emergency was for the hours after it was made.
    fn void_emergency_codes(&mut self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let accounts = tx.head.accounts;
        manage::sweep(tx, Sweep::Restored)?;
        let gone = u64::try_from(accounts.saturating_sub(tx.head.accounts)).unwrap_or(0);
        self.restored.users = self.restored.users.saturating_sub(gone);
        Ok(())
    }

    fn one(&mut self, tx: &mut Tx<'_>, mut account: Account) -> Result<(), StoreError> {
        let known = self.before.as_ref().map(|before| known(before, &account)).transpose()?.flatten();
        if let Some((before, _)) = &known {
            let own = (account.unproven, account.days.clone(), account.window_locked);
            account.unproven = own.0.stricter(before.unproven);
            account.days.take_higher(&before.days);
            account.window_locked |= before.window_locked;
            let limits = (account.unproven, &account.days, account.window_locked) != (own.0, &own.1, own.2);
            let failed = (account.failed, &account.failed_from) != (before.failed, &before.failed_from);
            // What failed since the last login goes on as well.
            account.failed = before.failed;
            account.failed_from.clone_from(&before.failed_from);
            if limits || failed {
                account.update(tx)?;
            }
        }
        self.void_remembered(tx, &mut account, known.as_ref().map(|(before, _)| before))?;
        for mut factor in factor_row::load_all(&tx.read(), &account)? {
            let twin = known.iter().flat_map(|(_, factors)| factors).find(|twin| same(twin, &factor));
            let own = what_moves(&factor);
            match (twin, &self.before) {
                (Some(twin), Some(before)) => {
                    carry_over(&mut factor, twin);
                    carry_pin(before, tx, (&account, &mut factor), twin)?;
                    carry_origin(tx, &mut factor, twin)?;
                    carry::nonces(before, tx, factor.id)?;
                    self.restored.carried_over = self.restored.carried_over.saturating_add(1);
                }
                (Some(_) | None, _) => self.burn(tx, &account, &mut factor)?,
            }
            let active = |state| i64::from(state == FactorState::Active);
            let change = active(factor.state).saturating_sub(active(own.0));
            tx.head.active_factors = tx.head.active_factors.saturating_add(change);
            // Most have not moved since: a row that stays as it is costs nothing.
            if what_moves(&factor) != own {
                factor.update(tx)?;
            }
        }
        Ok(())
    }

    /// Whatever was remembered, in the copy or since, counts no more, even if somebody puts its rows back.
    fn void_remembered(
        &self,
        tx: &Tx<'_>,
        account: &mut Account,
        known: Option<&Account>,
    ) -> Result<(), StoreError> {
        let since = match (&self.before, known) {
            (Some(before), Some(known)) => known.epoch > 0 || carry::remembers(before, known.id)?,
            (Some(_) | None, _) => true,
        };
        if !since && account.epoch == 0 && !carry::remembers(&tx.read(), account.id)? {
            return Ok(());
        }
        account.epoch = account.epoch.max(known.map_or(0, |known| known.epoch));
        remembered::void(tx, account)?;
        account.update(tx)
    }

    /// Nobody knows which codes of this factor were used: none counts that could have been.
    fn burn(&mut self, tx: &mut Tx<'_>, account: &Account, factor: &mut Factor) -> Result<(), StoreError> {
        factor.moving = burnt(factor, tx);
        let active = factor.state == FactorState::Active;
        match factor.params.kind() {
            FactorKind::Hotp if active => {
                factor.state = FactorState::Disabled;
                self.restored.need_resync = self.restored.need_resync.saturating_add(1);
                note(tx, account, factor, ("disable", "restored: needs resync"))
            }
            FactorKind::Recovery => {
                self.restored.recovery_void = self.restored.recovery_void.saturating_add(1);
                note(tx, account, factor, ("recovery_void", "restored"))
            }
            FactorKind::Token => {
                factor.moving = nonce::Memory::of(&tx.read(), factor)?.fence(tx, factor)?;
                Ok(())
            }
            FactorKind::Totp
            | FactorKind::Hotp
            | FactorKind::Sms
            | FactorKind::Mail
            | FactorKind::Rest
            | FactorKind::BreakGlass => Ok(()),
        }
    }
}

/// What the running database has of an account. Rows that fail their check say nothing.
fn known(before: &Read<'_>, account: &Account) -> Result<Option<(Account, Vec<Factor>)>, StoreError> {
    let found = || {
        let slot = before.vault.slot(&account.realm, &account.name);
        let Some(found) = Account::at(before, &slot)? else { return Ok(None) };
        let same = (&found.realm, &found.name) == (&account.realm, &account.name);
        let factors = factor_row::load_all(before, &found)?;
        Ok(same.then_some((found, factors)))
    };
    match found() {
        Err(StoreError::Tampered(what)) => {
            tracing::error!("{what}: what was used of {account} is not known, its factors are fenced");
            Ok(None)
        }
        other => other,
    }
}

/// All of a factor that fences change.
fn what_moves(factor: &Factor) -> (FactorState, Moving, Counter, Option<UnixTime>) {
    (factor.state, factor.moving, factor.counter, factor.last_used)
}

fn same(twin: &Factor, factor: &Factor) -> bool {
    (twin.id, twin.created, twin.params) == (factor.id, factor.created, factor.params)
}

/// What the running database knows of a factor goes on: used codes, failures, and that it was switched off.
fn carry_over(factor: &mut Factor, twin: &Factor) {
    factor.moving = further(factor, twin.moving);
    factor.counter = factor.counter.stricter(twin.counter);
    factor.last_used = factor.last_used.max(twin.last_used);
    let switched_off = matches!(twin.state, FactorState::Disabled | FactorState::Exhausted);
    if switched_off && factor.state != FactorState::Exhausted {
        factor.state = twin.state;
    }
}

/// The PIN that the running database has goes on, and where that has none, the copy's: a copy must not open what asks
/// for more by now.
fn carry_pin(
    before: &Read<'_>,
    tx: &Tx<'_>,
    (account, factor): (&Account, &mut Factor),
    twin: &Factor,
) -> Result<(), StoreError> {
    let owner = roster::find_by_id(before, twin.account_id)?.ok_or(StoreError::Internal)?;
    let Some(pin) = twin.open_pin(before, &owner)? else { return Ok(()) };
    factor.seal_pin(tx, account, &pin)?;
    factor.update_tag(tx)
}

/// Who switched a factor off goes on with that: what a directory has no more is not what nobody enrolled.
fn carry_origin(tx: &Tx<'_>, factor: &mut Factor, twin: &Factor) -> Result<(), StoreError> {
    if twin.state != FactorState::Disabled || twin.tag.origin == factor.tag.origin {
        return Ok(());
    }
    factor.tag.origin = twin.tag.origin;
    factor.update_tag(tx)
}

/// The further of the two: behind every code that was used by either.
fn further(factor: &Factor, twin: Moving) -> Moving {
    let own = factor.moving;
    match factor.params.kind() {
        FactorKind::Totp | FactorKind::Hotp => {
            Moving { position: own.position.max(twin.position), drift: twin.drift }
        }
        FactorKind::Recovery => Moving { position: own.position | twin.position, drift: 0 },
        FactorKind::Sms | FactorKind::Mail | FactorKind::Rest => {
            Moving { position: own.position.max(twin.position), drift: 0 }
        }
        // As it is: the nonces go with it.
        FactorKind::Token | FactorKind::BreakGlass => twin,
    }
}

/// Behind every code that could have been used until now.
fn burnt(factor: &Factor, tx: &Tx<'_>) -> Moving {
    let own = factor.moving;
    match factor.params.kind() {
        FactorKind::Totp => {
            let lead = if tx.settings.rules.learn_drift { LEAD_LEARNED } else { LEAD };
            let present = factor.params.fenced(own, tx.now).position;
            Moving { position: own.position.max(present.saturating_add(lead)), ..own }
        }
        FactorKind::Recovery => Moving { position: i64::MAX, drift: 0 },
        FactorKind::Hotp | FactorKind::Token | FactorKind::BreakGlass => own,
        FactorKind::Sms | FactorKind::Mail | FactorKind::Rest => Moving { drift: 0, ..own },
    }
}

fn note(
    tx: &mut Tx<'_>,
    account: &Account,
    factor: &Factor,
    (what, reason): (&str, &str),
) -> Result<(), StoreError> {
    let context = Context::of_daemon(account.user()?);
    let factor = Some(FactorId(factor.id));
    let event = Event { what, context: Some(&context), factor, rule: None, verdict: "done", reason };
    audit_rows::append(tx, &event)
}
