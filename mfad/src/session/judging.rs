//! What the store, a gateway or an outside service said, and what that leads to.
//!
//! Refuses a yes without the store's proof; whatever else came back leads to another prompt or to the end.

use mfa_proto::{admin::FactorId, answer::Answer};

use super::{Issued, Reason, Settled, Step, Wording, dialogue::Dialogue, wait_is_short};
use crate::{clock::UnixTime, limits::Gate, store::Outcome};

/// An answer is with the store.
#[derive(Debug)]
pub struct Judging {
    dialogue: Dialogue,
    /// What is said of an answer that was used before.
    used: &'static str,
}

/// A code is being sent, or an outside service told that a login begins.
#[derive(Debug)]
pub struct Issuing {
    dialogue: Dialogue,
}

/// An answer is with an outside service.
#[derive(Debug)]
pub struct Consulting {
    dialogue: Dialogue,
}

impl Judging {
    pub(super) fn new(dialogue: Dialogue, answer: &Answer) -> Self {
        Self { dialogue, used: Wording::used(answer) }
    }

    /// The factors that this login has proven already: an answer may not be of them.
    pub fn proven(&self) -> Vec<FactorId> {
        self.dialogue.proven_so_far()
    }

    /// The store's word.
    pub fn judged(self, outcome: Outcome, now: UnixTime) -> Step {
        settle(self.dialogue, self.used, outcome, now)
    }
}

impl Consulting {
    pub(super) const fn new(dialogue: Dialogue) -> Self {
        Self { dialogue }
    }

    /// See [`Judging::proven`].
    pub fn proven(&self) -> Vec<FactorId> {
        self.dialogue.proven_so_far()
    }

    /// The store's word on what the service said.
    pub fn consulted(self, outcome: Outcome, now: UnixTime) -> Step {
        settle(self.dialogue, Wording::USED_CODE, outcome, now)
    }
}

impl Issuing {
    pub(super) const fn new(dialogue: Dialogue) -> Self {
        Self { dialogue }
    }

    /// See [`Judging::proven`].
    pub fn proven(&self) -> Vec<FactorId> {
        self.dialogue.proven_so_far()
    }

    /// What became of it, for the factor that the step named.
    pub fn issued(mut self, factor: FactorId, issued: Issued, now: UnixTime) -> Step {
        let out = self.dialogue.held.iter().find(|held| held.holding.factor == factor).and_then(|h| h.out);
        match issued {
            Issued::Out => {
                self.dialogue.note_out(factor, now);
                self.dialogue.ask(None)
            }
            Issued::TooSoon { until } => self.dialogue.ask(Some(&Wording::sent_already(out, until, now))),
            Issued::Capped { until } => self.dialogue.ask(Some(&Wording::sent_too_often(until, now))),
            Issued::Locked { gate } if self.dialogue.held.len() > 1 || wait_is_short(gate, now) => {
                self.dialogue.ask(Some(&Wording::refusal(gate, now)))
            }
            Issued::Locked { gate } => self.dialogue.end(Settled::locked(gate), &Wording::refusal(gate, now)),
            Issued::Failed => self.dialogue.ask(Some("No code was sent: the gateway does not answer.")),
            Issued::Busy => {
                self.dialogue.ask(Some("No code was sent: too many are on their way. Try again in a moment."))
            }
            Issued::Impossible(reason) => Step::Settle(Settled::denied(reason)),
        }
    }
}

fn settle(mut dialogue: Dialogue, used: &str, outcome: Outcome, now: UnixTime) -> Step {
    dialogue.note_failure(&outcome);
    match outcome {
        Outcome::Accepted(proof) => dialogue.proven(proof, now),
        Outcome::Wrong { gate } => refused(dialogue, (Reason::WrongCode, "Wrong code."), gate, now),
        Outcome::Used { gate } => refused(dialogue, (Reason::UsedCode, used), gate, now),
        // Not judged, so the same code may be typed again.
        Outcome::Locked { gate } if wait_is_short(gate, now) => {
            refused(dialogue, (Reason::Locked, "Too soon after a wrong code."), gate, now)
        }
        // Something else that is held may still be open.
        Outcome::Locked { gate } if dialogue.held.len() > 1 => {
            dialogue.ask_again_or(&Wording::refusal(gate, now), Settled::locked(gate))
        }
        Outcome::Locked { gate } => dialogue.end(Settled::locked(gate), &Wording::refusal(gate, now)),
        Outcome::Unreachable { gate } => {
            let why = "The service does not answer: your code was not checked.";
            refused(dialogue, (Reason::Unreachable, why), gate, now)
        }
        Outcome::NoFactor => refused(dialogue, (Reason::NoFactor, "Wrong code."), Gate::Open, now),
        Outcome::Orphaned => Step::Settle(Settled::denied(Reason::Orphaned)),
        Outcome::Tampered => Step::Settle(Settled::denied(Reason::Tampered)),
        Outcome::ClockUnusable => {
            let why = "This host's clock is wrong, so codes cannot be checked. Tell an administrator.";
            dialogue.end(Settled::denied(Reason::ClockUnusable), why)
        }
    }
}

fn refused(dialogue: Dialogue, (reason, why): (Reason, &str), gate: Gate, now: UnixTime) -> Step {
    if !wait_is_short(gate, now) {
        return dialogue.end(Settled::denied_and_locked(reason, gate), &Wording::refusal(gate, now));
    }
    let wait = Wording::short_wait(gate, now);
    dialogue.ask_again_or(&format!("{why}{wait}"), Settled::denied(reason).until(gate))
}
