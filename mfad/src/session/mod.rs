//! One login as a state machine: what to show next, what to judge, send or ask outside, how it ends.
//!
//! One prompt serves all factors: the form of an answer says what it is for, words choose, nothing typed
//! has a code sent again. Pure: no socket, no clock, no store. Refuses to say yes by itself:
//! [`Settled::accepted`] wants the store's [`Proof`](crate::store::Proof), [`Settled::not_applicable`] the
//! policy's [`Grant`](crate::policy::Grant), and neither can be built elsewhere. Each step consumes the
//! state before it, so no state is used twice.

mod answers;
mod asking;
mod dialogue;
mod first;
mod holding;
mod judging;
mod prompt;
mod settled;
mod wording;

use mfa_proto::{admin::FactorId, answer::Answer, secret::SecretText, text::ShownText};

use self::dialogue::Dialogue;
pub use self::{
    answers::Issued,
    asking::Asking,
    dialogue::MOST_ROUNDS,
    first::{
        Checking, FirstAsking, FirstOpening, FirstStep, Gracing, Proving, Showing, begin_first, begin_grace,
    },
    holding::{Holding, Way, carried_by},
    judging::{Consulting, Issuing, Judging},
    settled::{Reason, Settled},
    wording::Wording,
};
use crate::{clock::UnixTime, limits::Gate, policy::Kinds};

/// How many prompts, and what they may say.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PromptSettings {
    /// What a code is asked for with.
    pub text: ShownText,
    /// Whether what is typed may be seen. Hidden prompts invite sshd to answer with the login password.
    pub echo: bool,
    /// All refusals look alike: no reason, no wait is told.
    pub conceal: bool,
    /// Answers in one login that may fail, at least 1.
    pub attempts: u32,
}

/// What is known when a login begins.
#[derive(Debug)]
pub struct Opening {
    /// How to ask.
    pub settings: PromptSettings,
    /// What may be answered with; with nothing that counts, what nobody holds is asked for.
    pub held: Vec<Holding>,
    /// Signed tokens are taken though none is held: an application signs for all its users.
    pub tokens: bool,
    /// How the limits stood a moment ago: it saves the person from typing a code that would not be
    /// judged; the store decides again.
    pub gate: Gate,
    /// The password is proven: only then is a code sent without being asked for.
    pub proven: bool,
    /// What is sent without being asked for: a label, a service or a kind.
    pub preferred: Option<String>,
    /// Kinds of factor that count.
    pub kinds: Kinds,
    /// How many different factors have to be proven: at least 1.
    pub needed: u8,
}

/// A wait up to this many seconds is told in passing; a longer one ends the login.
const SHORT_WAIT: i64 = 5;

/// What is to happen next.
#[derive(Debug)]
#[must_use]
pub enum Step {
    /// Ask the person.
    Ask(Asking),
    /// Have the store judge an answer.
    Judge(Judging, Answer),
    /// Have a code of this factor made and sent, or its outside service begin.
    Issue(Issuing, FactorId),
    /// Have the outside service of this factor judge an answer.
    Consult(Consulting, FactorId, SecretText),
    /// Show a text that wants no answer.
    Inform(Informing, ShownText),
    /// The login has ended.
    Settle(Settled),
}

/// A text is being shown before the end.
#[derive(Debug)]
pub struct Informing(Settled);

impl Informing {
    const fn new(settled: Settled) -> Self {
        Self(settled)
    }

    /// It was shown, or could not be.
    pub fn informed(self) -> Step {
        Step::Settle(self.0)
    }
}

/// Begins a login that needs a factor.
pub fn begin(opening: Opening, now: UnixTime) -> Step {
    let gate = opening.gate;
    let dialogue = Dialogue::new(opening);
    if !wait_is_short(gate, now) {
        if dialogue.settings.conceal {
            return dialogue.ask(None);
        }
        return dialogue.end(Settled::locked(gate), &Wording::refusal(gate, now));
    }
    dialogue.go_on()
}

fn wait_is_short(gate: Gate, now: UnixTime) -> bool {
    match gate {
        Gate::Open => true,
        Gate::Wait { until } => until.since(now) <= SHORT_WAIT,
        Gate::UntilAdmin | Gate::Exhausted => false,
    }
}

#[cfg(test)]
mod tests;
