//! One attempt, in one transaction: gates, judgment, charge or consumption, audit row.
//!
//! A locked factor is not judged, so its codes stay unknown; an attempt that is judged is counted in the
//! same transaction, so no crash and no parallel attempt judges one for free. Refuses to enroll.

use mfa_proto::{
    admin::{FactorId, FactorState},
    answer::{Answer, OtpCode},
    name::UserId,
};

use super::{
    StoreError,
    account::Account,
    audit_rows::{self, Event},
    factor_row::{self, Factor},
    proof::{self, Proof},
    roster,
    tx::Tx,
    view::{account_gate, most_lenient},
};
use crate::{
    audit::Context,
    factor::{Check, Moving, Trial},
    limits::Gate,
    session::Reason,
};

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
    pub answer: Answer,
    /// Whether the password was proven.
    pub channel: Channel,
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
    /// The verdict's and the reason's words in the audit trail.
    pub(crate) fn words(&self) -> (&'static str, Reason) {
        match self {
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

/// Judges a code for a login.
pub(super) fn attempt(tx: &mut Tx<'_>, attempt: &Attempt) -> Result<Outcome, StoreError> {
    judge_and_record(tx, attempt, "login")
}

/// Judges a code; `what` is what the trail says it was for.
pub(super) fn judge_and_record(
    tx: &mut Tx<'_>,
    attempt: &Attempt,
    what: &str,
) -> Result<Outcome, StoreError> {
    let outcome = match judge(tx, attempt) {
        Err(StoreError::Tampered(what)) => {
            tracing::error!("{what}: the login of {} is denied", attempt.context.user);
            Outcome::Tampered
        }
        other => other?,
    };
    let (verdict, reason) = outcome.words();
    let event = Event {
        what,
        context: Some(&attempt.context),
        factor: outcome.factor(),
        rule: attempt.rule.as_deref(),
        verdict,
        reason: reason.word(),
    };
    audit_rows::append(tx, &event)?;
    Ok(outcome)
}

/// An account with its factors while a code is judged.
struct Bench {
    account: Account,
    factors: Vec<Factor>,
}

fn judge(tx: &mut Tx<'_>, attempt: &Attempt) -> Result<Outcome, StoreError> {
    let Some(account) = roster::find(&tx.read(), &attempt.context.user)? else {
        return Ok(Outcome::NoFactor);
    };
    if account.uid != attempt.uid {
        return Ok(Outcome::Orphaned);
    }
    let factors = factor_row::load_all(&tx.read(), &account)?;
    let mut bench = Bench { account, factors };
    if !bench.factors.iter().any(|f| f.state == FactorState::Active) {
        let exhausted = bench.factors.iter().any(|f| f.state == FactorState::Exhausted);
        return Ok(if exhausted { Outcome::Locked { gate: Gate::Exhausted } } else { Outcome::NoFactor });
    }
    bench.begin_waits_anew(tx)?;
    let Answer::Code(code) = &attempt.answer else { return Ok(Outcome::NoFactor) };
    let gate = account_gate(&bench.account, attempt.channel, tx.now).and(bench.gate(code, tx));
    if !gate.is_open() {
        return Ok(Outcome::Locked { gate });
    }
    let checks = bench.check(tx, code)?;
    if checks.iter().any(|(_, check)| matches!(check, Check::Match(_))) {
        return bench.accept(tx, &attempt.context.user, &checks);
    }
    if !checks.is_empty() && checks.iter().all(|(_, check)| *check == Check::ClockUnusable) {
        return Ok(Outcome::ClockUnusable);
    }
    bench.charge(tx, &checks, attempt)?;
    let gate = account_gate(&bench.account, attempt.channel, tx.now).and(bench.gate(code, tx));
    let used = checks.iter().any(|(_, check)| *check == Check::Used);
    Ok(if used { Outcome::Used { gate } } else { Outcome::Wrong { gate } })
}

/// Indexes of judged factors with what the code turned out to be.
type Checks = Vec<(usize, Check)>;

impl Bench {
    /// A clock that was set back begins waits anew; that has to be remembered, or it would do so at each
    /// attempt.
    fn begin_waits_anew(&mut self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let mut unproven = self.account.unproven;
        let _ = unproven.gate(tx.now);
        if unproven != self.account.unproven {
            self.account.unproven = unproven;
            self.account.update(tx)?;
        }
        for factor in self.factors.iter_mut().filter(|f| f.state == FactorState::Active) {
            let mut counter = factor.counter;
            let _ = counter.gate(tx.now);
            if counter != factor.counter {
                factor.counter = counter;
                factor.update(tx)?;
            }
        }
        Ok(())
    }

    /// How the limits of the factors that such a code could be of stand.
    fn gate(&self, code: &OtpCode, tx: &Tx<'_>) -> Gate {
        let of_shape = |f: &&Factor| f.params.digits() == code.digits();
        let counts = |f: &&Factor| matches!(f.state, FactorState::Active | FactorState::Exhausted);
        most_lenient(&mut self.factors.iter().filter(counts).filter(of_shape), tx.now)
    }

    /// Judges the code for every active factor that is open and has such codes; no early exit.
    fn check(&self, tx: &Tx<'_>, code: &OtpCode) -> Result<Checks, StoreError> {
        let mut checks = Vec::new();
        for (index, factor) in self.factors.iter().enumerate() {
            let open = factor.state == FactorState::Active && factor.counter.clone().gate(tx.now).is_open();
            if !open || factor.params.digits() != code.digits() {
                continue;
            }
            let seed = factor.open_seed(&tx.read(), &self.account)?;
            let trial =
                Trial { seed: &seed, moving: factor.moving, code, now: tx.now, rules: tx.settings.rules };
            checks.push((index, factor.params.check(&trial)));
        }
        Ok(checks)
    }

    /// Uses the code up for every factor it was right for: two factors with one seed share their codes.
    fn accept(&mut self, tx: &Tx<'_>, user: &UserId, checks: &Checks) -> Result<Outcome, StoreError> {
        let matched: Vec<(usize, Moving)> = checks
            .iter()
            .filter_map(
                |(index, check)| if let Check::Match(moved) = check { Some((*index, *moved)) } else { None },
            )
            .collect();
        let mut proof = None;
        for (index, moved) in matched {
            let Some(factor) = self.factors.get_mut(index) else { continue };
            let Some(consumed) = proof::consume(tx, user, factor, moved)? else {
                return Err(StoreError::Tampered(format!("factor {} changed meanwhile", factor.id)));
            };
            proof.get_or_insert(consumed);
        }
        self.forgive(tx)?;
        proof.map(Outcome::Accepted).ok_or(StoreError::Internal)
    }

    /// A success forgets the failures without proven password too. A channel that is closed gets here
    /// only by a success with proven password.
    fn forgive(&mut self, tx: &Tx<'_>) -> Result<(), StoreError> {
        let unproven = &mut self.account.unproven;
        if unproven.failures == 0 && !unproven.until_admin {
            return Ok(());
        }
        unproven.succeed();
        self.account.update(tx)
    }

    /// Counts a failure, once per factor it was judged for, or for the budget without password.
    fn charge(&mut self, tx: &mut Tx<'_>, checks: &Checks, attempt: &Attempt) -> Result<(), StoreError> {
        if attempt.channel == Channel::Unproven {
            self.account.unproven.fail(&tx.settings.unproven, tx.now);
            return self.account.update(tx);
        }
        for (index, check) in checks {
            let Some(factor) = self.factors.get_mut(*index) else { continue };
            if !matches!(check, Check::Wrong | Check::Used) {
                continue;
            }
            if factor.counter.fail(&tx.settings.profile, tx.now) == Gate::Exhausted {
                factor.state = FactorState::Exhausted;
                tx.head.active_factors = tx.head.active_factors.saturating_sub(1);
            }
            factor.update(tx)?;
        }
        self.account.days.add(tx.now);
        if self.account.days.total(tx.now) >= tx.settings.profile.window_failures {
            self.account.window_locked = true;
        }
        self.account.update(tx)
    }
}
