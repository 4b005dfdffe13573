//! One login as a state machine: what to show next, what to judge, how it ends.
//!
//! Pure: no socket, no clock, no store. Refuses to say yes by itself: [`Settled::accepted`] wants the
//! store's [`Proof`], [`Settled::not_applicable`] the policy's [`Grant`], and neither can be built
//! elsewhere. Each step consumes the state before it, so no state is used twice.

mod settled;
mod wording;

use mfa_proto::{
    answer::{Answer, AnswerShape, OtpCode},
    login::{ClientMessage, Withheld},
    text::ShownText,
};

pub use self::{
    settled::{Reason, Settled},
    wording::Wording,
};
use crate::{
    clock::UnixTime,
    limits::Gate,
    store::{Outcome, Proof},
};

/// How many prompts, and what they may say.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PromptSettings {
    /// What a code is asked for with.
    pub text: ShownText,
    /// Whether what is typed may be seen. Hidden prompts invite sshd to answer with the login password.
    pub echo: bool,
    /// All refusals look alike: no reason, no wait is told.
    pub conceal: bool,
    /// Prompts in one login, at least 1.
    pub attempts: u32,
}

/// A wait up to this many seconds is told in passing; a longer one ends the login.
const SHORT_WAIT: i64 = 5;

/// What is to happen next.
#[derive(Debug)]
#[must_use]
pub enum Step {
    /// Ask the person.
    Ask(Asking),
    /// Have the store judge a code.
    Judge(Judging, OtpCode),
    /// The login has ended.
    Settle(Settled),
}

/// A prompt is out, its answer is awaited.
#[derive(Debug)]
pub struct Asking {
    dialogue: Dialogue,
    text: ShownText,
    shape: AnswerShape,
    after: After,
}

/// A code is with the store.
#[derive(Debug)]
pub struct Judging {
    dialogue: Dialogue,
}

#[derive(Debug)]
struct Dialogue {
    settings: PromptSettings,
    shape: AnswerShape,
    prompts_left: u32,
}

/// What an answer is for.
#[derive(Debug)]
enum After {
    /// It is a code.
    Judge,
    /// It only shows that the text was read.
    Settle(Settled),
}

/// Begins a login that needs a factor. `gate` is how the limits stood a moment ago: it saves the person
/// from typing a code that would not be judged; the store decides again.
pub fn begin(settings: PromptSettings, shape: AnswerShape, gate: Gate, now: UnixTime) -> Step {
    let dialogue = Dialogue { prompts_left: settings.attempts.max(1), settings, shape };
    if dialogue.settings.conceal || wait_is_short(gate, now) {
        let text = dialogue.settings.text.clone();
        return dialogue.ask(text, Reason::Malformed);
    }
    dialogue.end(Settled::locked(gate), &Wording::refusal(gate, now))
}

fn wait_is_short(gate: Gate, now: UnixTime) -> bool {
    match gate {
        Gate::Open => true,
        Gate::Wait { until } => until.since(now) <= SHORT_WAIT,
        Gate::UntilAdmin | Gate::Exhausted => false,
    }
}

impl Dialogue {
    /// Asks for a code, or ends with `reason` when all prompts are used.
    fn ask(mut self, text: ShownText, reason: Reason) -> Step {
        let Some(left) = self.prompts_left.checked_sub(1) else {
            return Step::Settle(Settled::denied(reason));
        };
        self.prompts_left = left;
        let shape = self.shape;
        Step::Ask(Asking { dialogue: self, text, shape, after: After::Judge })
    }

    /// Asks again with the reason in the prompt, because other messages come late in older sshd.
    fn ask_again(self, why: &str, reason: Reason) -> Step {
        let text = if self.settings.conceal {
            self.settings.text.clone()
        } else {
            ShownText::clean(&format!("{why} {}", self.settings.text))
        };
        self.ask(text, reason)
    }

    /// Ends the login; says why first, in a prompt that wants no code, unless all is concealed.
    fn end(self, settled: Settled, why: &str) -> Step {
        if self.settings.conceal {
            return Step::Settle(settled);
        }
        let text = ShownText::clean(&format!("{why} Press Enter: "));
        Step::Ask(Asking {
            dialogue: self,
            text,
            shape: AnswerShape::ACKNOWLEDGE,
            after: After::Settle(settled),
        })
    }
}

impl Asking {
    /// What to show.
    pub fn text(&self) -> &ShownText {
        &self.text
    }

    /// Whether what is typed may be seen.
    pub fn echo(&self) -> bool {
        self.dialogue.settings.echo
    }

    /// What may be answered.
    pub fn shape(&self) -> AnswerShape {
        self.shape
    }

    /// The client's next message.
    pub fn answered(self, message: &ClientMessage) -> Step {
        let shape = self.shape;
        match (self.after, message) {
            (After::Settle(settled), ClientMessage::Answer(_) | ClientMessage::Withheld(_)) => {
                Step::Settle(settled)
            }
            (_, ClientMessage::Start(_)) => Step::Settle(Settled::denied(Reason::Protocol)),
            (After::Judge, ClientMessage::Withheld(why)) => withheld(self.dialogue, *why),
            (After::Judge, ClientMessage::Answer(typed)) => match shape.parse(typed.expose()) {
                Some(Answer::Code(code)) => Step::Judge(Judging { dialogue: self.dialogue }, code),
                // The module should not have sent it: it is not judged, so it costs no attempt.
                Some(
                    Answer::Acknowledged
                    | Answer::Recovery(_)
                    | Answer::Token(_)
                    | Answer::Choice(_)
                    | Answer::Text(_)
                    | Answer::Empty,
                )
                | None => withheld(self.dialogue, Withheld::Shape),
            },
        }
    }
}

fn withheld(dialogue: Dialogue, why: Withheld) -> Step {
    match why {
        Withheld::Shape => {
            let hint = Wording::not_a_code(dialogue.shape);
            dialogue.ask_again(&hint, Reason::Malformed)
        }
        Withheld::SshdRefusal => Step::Settle(Settled::denied(Reason::SshdRefused)),
        Withheld::NoAnswer => Step::Settle(Settled::denied(Reason::Cancelled)),
    }
}

impl Judging {
    /// The store's word.
    pub fn judged(self, outcome: Outcome, now: UnixTime) -> Step {
        match outcome {
            Outcome::Accepted(proof) => Step::Settle(accept(proof)),
            Outcome::Wrong { gate } => self.refused(Reason::WrongCode, "Wrong code.", gate, now),
            Outcome::Used { gate } => {
                let why = "That code was used before: wait for the next one.";
                self.refused(Reason::UsedCode, why, gate, now)
            }
            // Not judged, so the same code may be typed again.
            Outcome::Locked { gate } if wait_is_short(gate, now) => {
                self.refused(Reason::Locked, "Too soon after a wrong code.", gate, now)
            }
            Outcome::Locked { gate } => {
                self.dialogue.end(Settled::locked(gate), &Wording::refusal(gate, now))
            }
            Outcome::Unreachable { gate } => {
                self.refused(Reason::Unreachable, "The code could not be checked.", gate, now)
            }
            Outcome::NoFactor => self.refused(Reason::NoFactor, "Wrong code.", Gate::Open, now),
            Outcome::Orphaned => Step::Settle(Settled::denied(Reason::Orphaned)),
            Outcome::Tampered => Step::Settle(Settled::denied(Reason::Tampered)),
            Outcome::ClockUnusable => {
                let why = "This host's clock is wrong, so codes cannot be checked. Tell an administrator.";
                self.dialogue.end(Settled::denied(Reason::ClockUnusable), why)
            }
        }
    }

    fn refused(self, reason: Reason, why: &str, gate: Gate, now: UnixTime) -> Step {
        let dialogue = self.dialogue;
        if !wait_is_short(gate, now) {
            return dialogue.end(Settled::denied_and_locked(reason, gate), &Wording::refusal(gate, now));
        }
        let wait = Wording::short_wait(gate, now);
        dialogue.ask_again(&format!("{why}{wait}"), reason)
    }
}

fn accept(proof: Proof) -> Settled {
    Settled::accepted(proof)
}

#[cfg(test)]
mod tests;
