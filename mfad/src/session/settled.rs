//! How a login ended, and why. The constructors are the rules: yes wants a proof.

use mfa_proto::{admin::FactorId, login::Verdict};

use crate::{limits::Gate, policy::Grant, store::Proof};

/// The end of a login. Can be built only by the functions here.
#[derive(Debug)]
#[must_use]
pub struct Settled {
    verdict: Verdict,
    reason: Reason,
    factor: Option<FactorId>,
    rule: Option<String>,
    proofs: Vec<Proof>,
    /// When the next attempt is judged, where that was said.
    gate: Gate,
}

/// Why a login ended as it did; the stable words of the audit trail.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reason {
    /// A factor was proven.
    Ok,
    /// The last code was wrong.
    WrongCode,
    /// A password was wrong that a login page had proven, or its account may not be used.
    WrongPassword,
    /// The last code was right, but had been used.
    UsedCode,
    /// Attempts are used up for now.
    Locked,
    /// Attempts are used up until an administrator or a new enrollment.
    Exhausted,
    /// No active factor takes such a code.
    NoFactor,
    /// The host has no such account.
    UnknownUser,
    /// The account has no active factor.
    NotEnrolled,
    /// The account has active factors, but fewer that count than are needed.
    NotEnoughFactors,
    /// The account has another uid than at enrollment.
    Orphaned,
    /// Stored rows fail their integrity check.
    Tampered,
    /// The host's clock cannot be used to judge codes.
    ClockUnusable,
    /// A policy rule decided.
    Policy,
    /// A success of the same person from the same place is remembered.
    Remembered,
    /// The peer may not ask for this account.
    NotAllowed,
    /// Too many failures from this source.
    Source,
    /// Too many logins are under way, of this account or in all.
    Busy,
    /// What was typed was no code.
    Malformed,
    /// The person or the application gave up.
    Cancelled,
    /// It took too long.
    TimedOut,
    /// sshd refuses this user whatever PAM says.
    SshdRefused,
    /// The client did not keep to the protocol.
    Protocol,
    /// The store cannot be read or written.
    Store,
    /// The account database cannot be asked.
    Lookup,
    /// The outside service that judges could not be asked.
    Unreachable,
    /// The time of grace for users without a factor.
    Grace,
}

impl Reason {
    /// The word in the audit trail.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::WrongCode => "wrong_code",
            Self::WrongPassword => "wrong_password",
            Self::UsedCode => "used_code",
            Self::Locked => "locked",
            Self::Exhausted => "exhausted",
            Self::NoFactor => "no_factor",
            Self::UnknownUser => "unknown_user",
            Self::NotEnrolled => "not_enrolled",
            Self::NotEnoughFactors => "not_enough_factors",
            Self::Orphaned => "orphaned",
            Self::Tampered => "tampered",
            Self::ClockUnusable => "clock_unusable",
            Self::Policy => "policy",
            Self::Remembered => "remembered",
            Self::NotAllowed => "not_allowed",
            Self::Source => "source",
            Self::Busy => "busy",
            Self::Malformed => "malformed",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timeout",
            Self::SshdRefused => "sshd_refused",
            Self::Protocol => "protocol",
            Self::Store => "store",
            Self::Lookup => "lookup",
            Self::Unreachable => "unreachable",
            Self::Grace => "grace",
        }
    }
}

impl Settled {
    /// The one way to yes: proofs of as many different factors of one user as are needed, or an emergency
    /// code. With fewer it is no, whatever they are.
    pub fn accepted(proofs: Vec<Proof>, needed: u8) -> Self {
        let different = |(at, proof): (usize, &Proof)| proofs.iter().take(at).all(|p| p.differs_from(proof));
        let emergency = proofs.iter().any(|proof| proof.emergency().is_some());
        let enough = emergency || proofs.len() >= usize::from(needed.max(1));
        if !enough || !proofs.iter().enumerate().all(different) {
            return Self::denied(Reason::NotEnoughFactors);
        }
        let factor = proofs.last().map(Proof::factor);
        Self { verdict: Verdict::Accept, reason: Reason::Ok, factor, rule: None, proofs, gate: Gate::Open }
    }

    /// No factor is needed, by the policy's word.
    #[expect(clippy::needless_pass_by_value, reason = "a grant is used up: it must not serve twice")]
    pub fn not_applicable(grant: Grant) -> Self {
        let rule = Some(grant.rule().to_owned());
        Self { rule, ..Self::without(Verdict::NotApplicable, grant.reason()) }
    }

    /// No.
    pub const fn denied(reason: Reason) -> Self {
        Self::without(Verdict::Deny, reason)
    }

    /// An end without a factor.
    const fn without(verdict: Verdict, reason: Reason) -> Self {
        Self { verdict, reason, factor: None, rule: None, proofs: Vec::new(), gate: Gate::Open }
    }

    /// No, and attempts are used up.
    pub fn locked(gate: Gate) -> Self {
        let reason = if gate == Gate::Exhausted { Reason::Exhausted } else { Reason::Locked };
        Self::without(Verdict::Locked, reason).until(gate)
    }

    /// No for `reason`, and this attempt was the last for now when the gate is closed.
    pub fn denied_and_locked(reason: Reason, gate: Gate) -> Self {
        let verdict = if gate.is_open() { Verdict::Deny } else { Verdict::Locked };
        Self::without(verdict, reason).until(gate)
    }

    /// The same end, after which the next attempt is judged when the gate opens.
    pub fn until(self, gate: Gate) -> Self {
        Self { gate, ..self }
    }

    /// When the next attempt is judged, as far as that was said.
    pub fn gate(&self) -> Gate {
        self.gate
    }

    /// No, because the daemon cannot judge.
    pub const fn unavailable(reason: Reason) -> Self {
        Self::without(Verdict::Unavailable, reason)
    }

    /// The same refusal for another reason, which only the trail tells. A yes stays what it is.
    pub fn because(self, reason: Reason) -> Self {
        match self.verdict {
            Verdict::Accept | Verdict::NotApplicable => self,
            Verdict::Deny | Verdict::Locked | Verdict::Unavailable => Self { reason, ..self },
        }
    }

    /// The same end, with the rule that led to it.
    pub fn by_rule(self, rule: Option<String>) -> Self {
        Self { rule: rule.or(self.rule), ..self }
    }

    /// What the client is told.
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// Why.
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// The factor that was proven.
    pub fn factor(&self) -> Option<FactorId> {
        self.factor
    }

    /// What it was accepted with; none of any other end.
    pub fn proofs(&self) -> &[Proof] {
        &self.proofs
    }

    /// The rule that led here.
    pub fn rule(&self) -> Option<&str> {
        self.rule.as_deref()
    }

    /// The verdict's word in the audit trail.
    pub const fn verdict_word(&self) -> &'static str {
        match self.verdict {
            Verdict::Accept => "accept",
            Verdict::Deny => "deny",
            Verdict::Locked => "locked",
            Verdict::NotApplicable => "skip",
            Verdict::Unavailable => "unavailable",
        }
    }
}
