//! Whether the audit trail is as it was written: each row follows the one before, from where it was pruned to
//! the end that the head knows, and the head is not an older one that was put back.
//!
//! Looks at a stretch of rows in one transaction each, so that the log of the database does not grow
//! meanwhile, and keeps no row. Refuses to mend anything: a trail that is broken stays so for whoever has to
//! find out why.

use rusqlite::{OptionalExtension as _, params};

use super::{
    StoreError,
    audit_rows::{self, columns},
    head::Head,
    tx::Read,
};
use crate::seal::Mac;

/// Rows looked at in one transaction.
const STRETCH: i64 = 10_000;

/// How the trail is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct AuditCheck {
    /// Rows that follow each other as they were written.
    pub sound: u64,
    /// The number of the last row that was pruned; 0 when none was.
    pub cut: i64,
    /// Its link, on which the first row that is left builds.
    pub cut_chain: [u8; 32],
    /// The number of the last row, as the sealed head has it.
    pub last: i64,
    /// Its link.
    pub chain: [u8; 32],
    /// The number of the first row that is not what was written.
    pub broken_at: Option<i64>,
    /// What is wrong there; `None` when nothing is.
    pub fault: Option<Fault>,
}

/// What can be wrong with a trail.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// The row, or the one before it, is not what was written; or rows have changed places.
    Changed,
    /// Rows up to the one before this number are gone.
    Missing {
        /// The first one that is there again.
        until: i64,
    },
    /// Rows at the end are gone, up to this number.
    EndMissing {
        /// The last that was written.
        last: i64,
    },
    /// The row was added by something other than this program.
    Added,
    /// The rows are gone together with what said that there were any: an older head was put back.
    PutBack {
        /// The last row that is known to have been written, where that is known.
        last: Option<i64>,
    },
}

/// The last row that was written, as far as is known apart from the file: its number and its link.
pub(super) type Known = (i64, Mac);

/// How far a check has come.
#[derive(Clone, Copy, Debug)]
struct Mark {
    seq: i64,
    chain: Mac,
    sound: u64,
    /// The greatest time of a row.
    newest: i64,
}

/// A check under way.
#[derive(Debug)]
pub(super) struct Check {
    known: Option<Known>,
    mark: Option<Mark>,
}

impl Check {
    /// Begins; `known` is what has to be in the trail whatever its head says.
    pub(super) fn new(known: Option<Known>) -> Self {
        Self { known, mark: None }
    }

    /// Looks at the next stretch, in a transaction of its own. `None` when there is more.
    pub(super) fn step(&mut self, read: &Read<'_>) -> Result<Option<AuditCheck>, StoreError> {
        let head = read.head;
        let mut mark = match self.mark {
            // What was pruned meanwhile needs no look: the head vouches for where it ends.
            Some(mark) if mark.seq >= head.audit_cut => mark,
            before => {
                if let Some(found) = before_the_cut(read)? {
                    return Ok(Some(report(head, 0, Some((found, Fault::Added)))));
                }
                begin(head, before)
            }
        };
        let from = mark.seq;
        let fault = follow(read, self.known, &mut mark)?;
        self.mark = Some(mark);
        if let Some(fault) = fault {
            return Ok(Some(report(head, mark.sound, Some((mark.seq.saturating_add(1), fault)))));
        }
        if mark.seq.saturating_sub(from) >= STRETCH {
            return Ok(None);
        }
        let fault = self.at_the_end(read, mark)?.map(|fault| (mark.seq.saturating_add(1), fault));
        Ok(Some(report(head, mark.sound, fault)))
    }

    fn at_the_end(&self, read: &Read<'_>, mark: Mark) -> Result<Option<Fault>, StoreError> {
        if mark.seq < read.head.audit_last {
            return Ok(Some(Fault::EndMissing { last: read.head.audit_last }));
        }
        if mark.chain != read.head.audit_chain {
            return Ok(Some(Fault::Changed));
        }
        if let Some((last, _)) = self.known
            && mark.seq < last
        {
            return Ok(Some(Fault::PutBack { last: Some(last) }));
        }
        // Each success is a row of the trail, written in the transaction that marks the factor as used.
        let used: Option<i64> =
            read.connection.query_row("SELECT max(last_used) FROM factor", [], |row| row.get(0))?;
        let unwritten = used.is_some_and(|used| used > mark.newest && used <= read.now.0);
        Ok(unwritten.then_some(Fault::PutBack { last: None }))
    }
}

fn begin(head: &Head, before: Option<Mark>) -> Mark {
    Mark {
        seq: head.audit_cut,
        chain: head.audit_cut_chain,
        sound: before.map_or(0, |mark| mark.sound),
        newest: before.map_or(i64::MIN, |mark| mark.newest),
    }
}

/// A row that should have been pruned, or never was there.
fn before_the_cut(read: &Read<'_>) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT seq FROM audit WHERE seq <= ?1 ORDER BY seq LIMIT 1";
    Ok(read.connection.prepare_cached(sql)?.query_row([read.head.audit_cut], |row| row.get(0)).optional()?)
}

/// Follows the chain for a stretch; `mark` is left at the last sound row.
fn follow(read: &Read<'_>, known: Option<Known>, mark: &mut Mark) -> Result<Option<Fault>, StoreError> {
    let sql = concat!("SELECT ", columns!(), " FROM audit WHERE seq > ?1 ORDER BY seq LIMIT ?2");
    let mut statement = read.connection.prepare_cached(sql)?;
    let mut rows = statement.query(params![mark.seq, STRETCH])?;
    while let Some(row) = rows.next()? {
        let expected = mark.seq.saturating_add(1);
        let seq: i64 = row.get(0)?;
        if seq > read.head.audit_last {
            // Behind the end; or behind a hole at the end.
            let whole = mark.seq == read.head.audit_last;
            return Ok(Some(if whole { Fault::Added } else { Fault::Missing { until: seq } }));
        }
        if seq != expected {
            return Ok(Some(Fault::Missing { until: seq }));
        }
        let row = match audit_rows::from_row(row) {
            Ok(row) => row,
            Err(StoreError::Tampered(_)) => return Ok(Some(Fault::Changed)),
            Err(error) => return Err(error),
        };
        let another = known.is_some_and(|(last, chain)| last == seq && chain != row.chain);
        if another || !audit_rows::follows(read, (mark.seq, &mark.chain), &row) {
            return Ok(Some(Fault::Changed));
        }
        mark.seq = seq;
        mark.chain = row.chain;
        mark.sound = mark.sound.saturating_add(1);
        mark.newest = mark.newest.max(row.time);
    }
    Ok(None)
}

fn report(head: &Head, sound: u64, fault: Option<(i64, Fault)>) -> AuditCheck {
    AuditCheck {
        sound,
        cut: head.audit_cut,
        cut_chain: head.audit_cut_chain,
        last: head.audit_last,
        chain: head.audit_chain,
        broken_at: fault.map(|(seq, _)| seq),
        fault: fault.map(|(_, fault)| fault),
    }
}

/// Checks all of a trail that nobody writes to meanwhile.
pub(super) fn whole(read: &Read<'_>) -> Result<AuditCheck, StoreError> {
    let mut check = Check::new(None);
    loop {
        if let Some(report) = check.step(read)? {
            return Ok(report);
        }
    }
}
