//! One attempt, in one transaction: gates, judgment, charge or consumption, audit row.
//!
//! A locked factor is not judged, so its codes stay unknown; an attempt that is judged is counted in the
//! same transaction, so no crash and no parallel attempt judges one for free. Refuses to enroll.

use mfa_proto::{
    admin::{FactorId, FactorState},
    answer::Answer,
    name::UserId,
};

use super::{
    StoreError,
    audit_rows::{self, Event},
    bench::{Bench, Blame},
    breakglass::{self, is_emergency},
    counting::Counting,
    notable,
    pin::Typed,
    proof::Proof,
    roster, token,
    tx::Tx,
};
use crate::{audit::Context, factor::Check, limits::Gate, session::Reason};

/// Whether the password was proven before the code, which decides whose budget a failure is charged to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Channel {
    /// It was: root's PAM stack asks after its first factor. Failures count for factors and account.
    Proven,
    /// It was not: combined password and code, or a caller that is not root. Failures count for a
    /// budget of their own, so that nobody without the password can lock the owner out.
    Unproven,
}

/// A code to judge.
#[derive(Debug)]
pub struct Attempt {
    /// Who asks, for whom, from where.
    pub context: Context,
    /// The policy rule that asks for a factor, for the trail.
    pub rule: Option<String>,
    /// The account's uid now; `None` when names are not accounts of this host.
    pub uid: Option<u32>,
    /// The code, recovery code, token or text. Nothing else is right.
    pub answer: Typed,
    /// Whether the password was proven.
    pub channel: Channel,
    /// Which factors count. An answer that is right for another one is wrong, and not used up.
    pub counting: Counting,
}

/// What became of an attempt. By the time it is known it is durable.
#[derive(Debug)]
#[must_use]
pub enum Outcome {
    /// Right, and used up now.
    Accepted(Proof),
    /// Not right, and counted.
    Wrong {
        /// When the next attempt may be judged.
        gate: Gate,
    },
    /// Right, but used before; counted.
    Used {
        /// When the next attempt may be judged.
        gate: Gate,
    },
    /// Not judged and not counted, because attempts are used up.
    Locked {
        /// When the next attempt may be judged.
        gate: Gate,
    },
    /// An outside service could not be asked; counted all the same.
    Unreachable {
        /// When the next attempt may be judged.
        gate: Gate,
    },
    /// The user has no active factor.
    NoFactor,
    /// The account has another uid than at enrollment.
    Orphaned,
    /// The stored rows fail their integrity check.
    Tampered,
    /// The host's clock cannot be used to judge codes; not counted.
    ClockUnusable,
}

impl Outcome {
    /// The verdict's and the reason's words in the audit trail. One of several factors that are needed is
    /// no login: `partial`.
    pub(crate) fn words(&self) -> (&'static str, Reason) {
        match self {
            Self::Accepted(proof) if !proof.is_last() => ("partial", Reason::Ok),
            Self::Accepted(_) => ("accept", Reason::Ok),
            Self::Wrong { .. } => ("deny", Reason::WrongCode),
            Self::Used { .. } => ("deny", Reason::UsedCode),
            Self::Locked { gate: Gate::Exhausted } => ("locked", Reason::Exhausted),
            Self::Locked { gate: Gate::Open | Gate::Wait { .. } | Gate::UntilAdmin } => {
                ("locked", Reason::Locked)
            }
            Self::Unreachable { .. } => ("deny", Reason::Unreachable),
            Self::NoFactor => ("deny", Reason::NoFactor),
            Self::Orphaned => ("deny", Reason::Orphaned),
            Self::Tampered => ("deny", Reason::Tampered),
            Self::ClockUnusable => ("deny", Reason::ClockUnusable),
        }
    }

    /// Whether the row in the trail that came with it says how the login ended, if it ends so. A factor that
    /// is one of several does not.
    pub fn ends_in_trail(&self) -> bool {
        !matches!(self, Self::Accepted(proof) if !proof.is_last())
    }

    fn factor(&self) -> Option<FactorId> {
        match self {
            Self::Accepted(proof) => Some(proof.factor()),
            Self::Wrong { .. }
            | Self::Used { .. }
            | Self::Locked { .. }
            | Self::Unreachable { .. }
            | Self::NoFactor
            | Self::Orphaned
            | Self::Tampered
            | Self::ClockUnusable => None,
        }
    }
}

/// Judges an answer for a login.
pub(super) fn attempt(tx: &mut Tx<'_>, attempt: &Attempt) -> Result<Outcome, StoreError> {
    judge_and_record(tx, attempt, (attempt.context.session.as_str(), "login"))
}

/// Judges an answer. Of codes that were sent, those of `session` count; `what` is what the trail says it
/// was for.
pub(super) fn judge_and_record(
    tx: &mut Tx<'_>,
    attempt: &Attempt,
    (session, what): (&str, &str),
) -> Result<Outcome, StoreError> {
    let outcome = denied_if_tampered(judge(tx, attempt, session), &attempt.context.user)?;
    if let Outcome::Accepted(proof) = &outcome
        && let Some(left) = proof.recovery_left()
    {
        let what = (notable::RECOVERY_USED, &attempt.context);
        notable::note(tx, what, Some(proof.factor()), &format!("{left} left"))?;
    }
    record(tx, &outcome, (&attempt.context, attempt.rule.as_deref(), what))?;
    Ok(outcome)
}

/// Rows that were changed deny, and are told in the log.
pub(super) fn denied_if_tampered(
    outcome: Result<Outcome, StoreError>,
    user: &UserId,
) -> Result<Outcome, StoreError> {
    match outcome {
        Err(StoreError::Tampered(what)) => {
            tracing::error!("{what}: the login of {user} is denied");
            Ok(Outcome::Tampered)
        }
        other => other,
    }
}

/// Writes an outcome to the trail.
pub(super) fn record(
    tx: &mut Tx<'_>,
    outcome: &Outcome,
    (context, rule, what): (&Context, Option<&str>, &str),
) -> Result<(), StoreError> {
    let (verdict, reason) = outcome.words();
    let event = Event {
        what,
        context: Some(context),
        factor: outcome.factor(),
        rule,
        verdict,
        reason: reason.word(),
    };
    audit_rows::append(tx, &event)
}

fn judge(tx: &mut Tx<'_>, attempt: &Attempt, session: &str) -> Result<Outcome, StoreError> {
    if attempt.context.user.realm.is_unassigned() {
        return Ok(Outcome::NoFactor);
    }
    let account = roster::find(&tx.read(), &attempt.context.user)?;
    if account.as_ref().is_some_and(|account| account.uid != attempt.uid) {
        return Ok(Outcome::Orphaned);
    }
    // Before all that needs a factor: a domain's first token makes one.
    if let Answer::Token(token) = &attempt.answer.answer {
        return token::judge(tx, attempt, token, (account, session));
    }
    let Some(account) = account else { return Ok(Outcome::NoFactor) };
    let (typed, channel) = (&attempt.answer, attempt.channel);
    let answer = &typed.answer;
    let blame = Blame { context: &attempt.context, channel };
    let mut bench = Bench::counting(&tx.read(), account, session, &attempt.counting)?;
    if !bench.may_be_of(FactorState::Active) {
        let exhausted = bench.may_be_of(FactorState::Exhausted);
        return Ok(if exhausted { Outcome::Locked { gate: Gate::Exhausted } } else { Outcome::NoFactor });
    }
    bench.begin_waits_anew(tx)?;
    let gate = bench.gate(answer, channel);
    if !gate.is_open() {
        return Ok(Outcome::Locked { gate });
    }
    if typed.is_raw() {
        return Ok(Outcome::Locked { gate: Gate::Wait { until: tx.now.plus(1) } });
    }
    let checks = bench.check(tx, typed)?;
    if checks.iter().any(|(_, check)| matches!(check, Check::Match(_))) {
        if is_emergency(answer) {
            return breakglass::accept(tx, attempt, bench, &checks);
        }
        return bench.accept(tx, &attempt.context.user, &checks);
    }
    if !checks.is_empty() && checks.iter().all(|(_, check)| *check == Check::ClockUnusable) {
        return Ok(Outcome::ClockUnusable);
    }
    bench.charge_wrong(tx, &checks, (answer, blame))?;
    let gate = bench.gate(answer, channel);
    let used = checks.iter().find(|(_, check)| *check == Check::Used);
    let Some((index, _)) = used else { return Ok(Outcome::Wrong { gate }) };
    bench.note_reuse(tx, *index, &attempt.context)?;
    Ok(Outcome::Used { gate })
}
