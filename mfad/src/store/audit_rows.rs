//! The audit trail: numbered without gaps, each row chained to the one before by a keyed hash.
//!
//! A row that is missing, added or changed breaks the chain; the end of the chain stands in the head, so
//! a trail cut short shows as well. Refuses secrets: no field can hold one.

use mfa_proto::{
    admin::{AuditRow, FactorId},
    name::{RealmName, ServiceName, UserId, UserName},
};
use rusqlite::{Row, ToSql};

use super::{
    StoreError,
    identify::Asker,
    notable,
    tx::{Read, Tx},
};
use crate::{
    audit::Context,
    seal::{Fields, Mac},
    session::Settled,
};

/// What is to be written down.
#[derive(Clone, Debug)]
pub(super) struct Event<'a> {
    pub(super) what: &'a str,
    /// Who asked, for whom, from where; `None` for what the daemon notices by itself.
    pub(super) context: Option<&'a Context>,
    pub(super) factor: Option<FactorId>,
    pub(super) rule: Option<&'a str>,
    pub(super) verdict: &'a str,
    pub(super) reason: &'a str,
}

/// The columns in the order that [`from_row`] takes them.
macro_rules! columns {
    () => {
        "seq, time, event, realm, name, service, source, factor, rule, verdict, reason, session, actor, chain, client"
    };
}
pub(super) use columns;

/// Appends a row.
pub(super) fn append(tx: &mut Tx<'_>, event: &Event<'_>) -> Result<(), StoreError> {
    let row = row_of(tx, event);
    add(tx, row)
}

/// Appends a row about nobody, which says who asked.
pub(super) fn append_of_nobody(tx: &mut Tx<'_>, event: &Event<'_>, asker: &Asker) -> Result<(), StoreError> {
    let row = AuditRow {
        service: Some(ServiceName::administration().as_str().to_owned()),
        source: asker.source.as_ref().map(|source| source.as_str().to_owned()),
        session: asker.session.as_str().to_owned(),
        actor: asker.actor,
        client: asker.client.as_ref().map(|client| client.as_str().to_owned()),
        ..row_of(tx, event)
    };
    add(tx, row)
}

fn row_of(tx: &Tx<'_>, event: &Event<'_>) -> AuditRow {
    let context = event.context;
    AuditRow {
        seq: tx.head.audit_last.saturating_add(1),
        time: tx.now.0,
        event: event.what.to_owned(),
        user: context.map(|c| c.user.clone()),
        service: context.map(|c| c.service.as_str().to_owned()),
        source: context.and_then(|c| c.source.as_ref()).map(|source| source.as_str().to_owned()),
        factor: event.factor,
        rule: event.rule.map(str::to_owned),
        verdict: event.verdict.to_owned(),
        reason: event.reason.to_owned(),
        session: context.map(|c| c.session.as_str().to_owned()).unwrap_or_default(),
        actor: context.map_or_else(|| nix::unistd::geteuid().as_raw(), |c| c.actor),
        client: context.and_then(|c| c.client.as_ref()).map(|client| client.as_str().to_owned()),
        chain: [0; 32],
    }
}

fn add(tx: &mut Tx<'_>, mut row: AuditRow) -> Result<(), StoreError> {
    row.chain = tx.vault.chain(&tx.head.audit_chain, &mut fields(&row));
    insert(tx, &row)?;
    tx.head.audit_last = row.seq;
    tx.head.audit_chain = row.chain;
    tx.news |= notable::kind_of(&row.event, &row.verdict).is_some();
    Ok(())
}

fn insert(tx: &Tx<'_>, row: &AuditRow) -> Result<(), StoreError> {
    let sql = concat!(
        "INSERT INTO audit (",
        columns!(),
        ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"
    );
    let (realm, name) =
        (row.user.as_ref().map(|u| u.realm.as_str()), row.user.as_ref().map(|u| u.name.as_str()));
    let factor = row.factor.map(|FactorId(id)| id);
    let values: [&dyn ToSql; 15] = [
        &row.seq,
        &row.time,
        &row.event,
        &realm,
        &name,
        &row.service,
        &row.source,
        &factor,
        &row.rule,
        &row.verdict,
        &row.reason,
        &row.session,
        &row.actor,
        &row.chain,
        &row.client,
    ];
    tx.connection.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

/// All columns but the link itself, in order.
fn fields(row: &AuditRow) -> Fields {
    let mut fields = Fields::new("mfad/audit/1");
    fields
        .int(row.seq)
        .int(row.time)
        .text(&row.event)
        .maybe_text(row.user.as_ref().map(|u| u.realm.as_str()))
        .maybe_text(row.user.as_ref().map(|u| u.name.as_str()))
        .maybe_text(row.service.as_deref())
        .maybe_text(row.source.as_deref())
        .maybe_int(row.factor.map(|FactorId(id)| id))
        .maybe_text(row.rule.as_deref())
        .text(&row.verdict)
        .text(&row.reason)
        .text(&row.session)
        .int(row.actor);
    // Rows without one are as schema 3 had them.
    if let Some(client) = &row.client {
        fields.text(client);
    }
    fields
}

/// Reads a row in the order of [`columns`].
pub(super) fn from_row(row: &Row<'_>) -> Result<AuditRow, StoreError> {
    let (realm, name): (Option<String>, Option<String>) = (row.get(3)?, row.get(4)?);
    let user = match (realm, name) {
        (None, None) => None,
        (realm, name) => {
            let realm = RealmName::new(realm.unwrap_or_default());
            let name = UserName::new(name.unwrap_or_default());
            let (Ok(realm), Ok(name)) = (realm, name) else {
                return Err(StoreError::Tampered("an audit row names no valid user".to_owned()));
            };
            Some(UserId { realm, name })
        }
    };
    Ok(AuditRow {
        seq: row.get(0)?,
        time: row.get(1)?,
        event: row.get(2)?,
        user,
        service: row.get(5)?,
        source: row.get(6)?,
        factor: row.get::<_, Option<i64>>(7)?.map(FactorId),
        rule: row.get(8)?,
        verdict: row.get(9)?,
        reason: row.get(10)?,
        session: row.get(11)?,
        actor: row.get(12)?,
        chain: row.get(13)?,
        client: row.get(14)?,
    })
}

/// Whether a row is the one that follows `before` in the chain.
pub(super) fn follows(read: &Read<'_>, before: (i64, &Mac), row: &AuditRow) -> bool {
    let (seq, chain) = before;
    let expected = read.vault.chain(chain, &mut fields(row));
    row.seq == seq.saturating_add(1) && expected == row.chain
}

/// How a login ended, without the proof.
#[derive(Clone, Debug)]
pub(super) struct Ending {
    factor: Option<FactorId>,
    rule: Option<String>,
    verdict: &'static str,
    reason: &'static str,
}

impl Ending {
    pub(super) fn of(settled: &Settled) -> Self {
        Self {
            factor: settled.factor(),
            rule: settled.rule().map(str::to_owned),
            verdict: settled.verdict_word(),
            reason: settled.reason().word(),
        }
    }
}

/// Writes down how a login ended.
pub(super) fn append_login(tx: &mut Tx<'_>, context: &Context, ending: &Ending) -> Result<(), StoreError> {
    let event = Event {
        what: "login",
        context: Some(context),
        factor: ending.factor,
        rule: ending.rule.as_deref(),
        verdict: ending.verdict,
        reason: ending.reason,
    };
    append(tx, &event)
}

/// Writes down a change made by an administrator or owner.
pub(super) fn append_change(
    tx: &mut Tx<'_>,
    context: &Context,
    what: &str,
    factor: Option<i64>,
) -> Result<(), StoreError> {
    let event = Event {
        what,
        context: Some(context),
        factor: factor.map(FactorId),
        rule: None,
        verdict: "done",
        reason: "ok",
    };
    append(tx, &event)
}
