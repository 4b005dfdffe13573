//! After a rotation: seals the rows of a few users at a time with the current key.
//!
//! Each step is a transaction and moves a mark in the head, so that whoever is killed goes on where it
//! was. Rows made meanwhile are sealed with the current key anyway. The store's own keys are re-wrapped
//! with the first step.

use super::{
    StoreError,
    account::Account,
    audit_rows::{self, Event},
    challenge, factor_row, nonce, remembered, sent,
    tx::Tx,
    waiting,
};
use crate::factor::Params;

/// Does one step of at most `limit` users. How many; none when nothing is left to do.
pub(super) fn step(tx: &mut Tx<'_>, limit: u32) -> Result<u32, StoreError> {
    let current = tx.vault.current();
    if tx.head.rekey_left(current) == 0 {
        return Ok(0);
    }
    if tx.head.rekey_key != current {
        tx.vault.save(tx.connection)?;
        sent::rekey(tx)?;
        tx.head.rekey_key = current;
        tx.head.rekey_account = 0;
        tx.head.rekey_end = tx.head.next_account.saturating_sub(1);
    }
    let waiting = waiting::rekey(tx, limit.max(1))?;
    if waiting > 0 {
        return Ok(waiting);
    }
    let accounts = Account::after_id(&tx.read(), tx.head.rekey_account, limit.max(1))?;
    let end = tx.head.rekey_end;
    let mut done = 0_u32;
    for account in accounts.into_iter().take_while(|account| account.id <= end) {
        tx.head.rekey_account = account.id;
        done = done.saturating_add(1);
        match one(tx, account) {
            // Nobody can vouch for such rows: they keep their key, and deny with it or without.
            Err(StoreError::Tampered(what)) => tracing::error!("not sealed with the new key: {what}"),
            other => other?,
        }
    }
    if done == 0 {
        tx.head.rekey_account = end;
        let event =
            Event { what: "rekey", context: None, factor: None, rule: None, verdict: "done", reason: "ok" };
        audit_rows::append(tx, &event)?;
    }
    Ok(done)
}

fn one(tx: &Tx<'_>, account: Account) -> Result<(), StoreError> {
    let current = tx.vault.current();
    let mut account = account.verified(&tx.read())?;
    for mut factor in factor_row::load_all(&tx.read(), &account)? {
        if factor.keeps_challenges() {
            for mut row in challenge::of(&tx.read(), &factor)? {
                row.rekey(tx)?;
            }
        }
        if factor.params == Params::Token {
            nonce::Memory::of(&tx.read(), &factor)?.rekey(tx)?;
        }
        if factor.key_id != current {
            factor.rekey(tx, &account)?;
        }
    }
    remembered::rekey(tx, &account)?;
    if account.key_id == current { Ok(()) } else { account.update_under(tx, current) }
}
