//! A login in which a first factor is enrolled, as a state machine: an invitation where one is needed, then
//! the key is shown, then a code that the new factor shows proves it and the login.
//!
//! Pure, like [`super::begin`]. Refuses to say yes by itself, and to let go on without a factor: the first
//! wants the store's proof, the second the policy's grant of grace.

use mfa_proto::{
    answer::{Answer, AnswerShape, OtpCode, RecoveryCode},
    login::{ClientMessage, Withheld},
    secret::SecretText,
    text::ShownText,
};

use super::{PromptSettings, Reason, Settled, Wording, prompt::joined, wait_is_short};
use crate::{clock::UnixTime, limits::Gate, policy::Grant, store::Outcome};

/// What is known when such a login begins.
#[derive(Debug)]
pub struct FirstOpening {
    /// How to ask.
    pub settings: PromptSettings,
    /// How the limits stood a moment ago.
    pub gate: Gate,
    /// How many different factors the login needs: the one that is enrolled is one.
    pub needed: u8,
    /// An invitation is needed.
    pub invitation: bool,
    /// Signed tokens are taken as well: an application signs for all its users.
    pub tokens: bool,
    /// The time of grace is not over: nothing typed takes it. What is left, in words.
    pub grace: Option<String>,
}

/// What is to happen next.
#[derive(Debug)]
#[must_use]
pub enum FirstStep {
    /// Ask the person.
    Ask(FirstAsking),
    /// Have the store look at an invitation.
    Check(Checking, RecoveryCode),
    /// Make a factor and show it.
    Show(Showing),
    /// Have the store judge a code of the new factor.
    Prove(Proving, OtpCode),
    /// Have the store judge a signed token, which makes a factor by itself.
    Judge(Proving, Answer),
    /// Have the store count a login of grace.
    Grace(Gracing),
    /// Show a text, then end.
    Tell(ShownText, Settled),
    /// The login has ended.
    Settle(Settled),
}

/// What has happened so far.
#[derive(Debug)]
struct Enrolling {
    opening: FirstOpening,
    attempts_left: u32,
    /// The key that was shown, in groups; `None` before.
    key: Option<SecretText>,
}

/// A prompt is out.
#[derive(Debug)]
pub struct FirstAsking {
    enrolling: Enrolling,
    text: ShownText,
    shape: AnswerShape,
    /// It only says why the login ends.
    last: Option<Settled>,
}

/// An invitation is with the store.
#[derive(Debug)]
pub struct Checking(Enrolling);

/// A factor is being made and shown.
#[derive(Debug)]
pub struct Showing(Enrolling);

/// A code is with the store.
#[derive(Debug)]
pub struct Proving(Enrolling);

/// A login of grace is being counted.
#[derive(Debug)]
pub struct Gracing(());

/// Begins a login in which a first factor may be enrolled.
pub fn begin_first(opening: FirstOpening, now: UnixTime) -> FirstStep {
    let (gate, invitation) = (opening.gate, opening.invitation);
    let attempts_left = opening.settings.attempts.max(1);
    let enrolling = Enrolling { opening, attempts_left, key: None };
    if !wait_is_short(gate, now) {
        return enrolling.end(Settled::locked(gate), &Wording::refusal(gate, now));
    }
    if invitation { enrolling.ask("") } else { FirstStep::Show(Showing(enrolling)) }
}

/// Begins a login that goes on without a factor, where none can be enrolled on the way.
pub fn begin_grace() -> FirstStep {
    FirstStep::Grace(Gracing(()))
}

impl FirstAsking {
    /// What to show.
    pub fn text(&self) -> &ShownText {
        &self.text
    }

    /// Whether what is typed may be seen.
    pub fn echo(&self) -> bool {
        self.enrolling.opening.settings.echo
    }

    /// What may be answered.
    pub fn shape(&self) -> AnswerShape {
        self.shape
    }

    /// The client's next message.
    pub fn answered(self, message: &ClientMessage) -> FirstStep {
        let Self { enrolling, shape, last, .. } = self;
        match (last, message) {
            (Some(settled), ClientMessage::Answer(_) | ClientMessage::Withheld(_)) => {
                FirstStep::Settle(settled)
            }
            (_, ClientMessage::Start(_)) => FirstStep::Settle(Settled::denied(Reason::Protocol)),
            (None, ClientMessage::Withheld(Withheld::SshdRefusal)) => {
                FirstStep::Settle(Settled::denied(Reason::SshdRefused))
            }
            (None, ClientMessage::Withheld(Withheld::NoAnswer)) => {
                FirstStep::Settle(Settled::denied(Reason::Cancelled))
            }
            (None, ClientMessage::Withheld(Withheld::Shape)) => enrolling.not_an_answer(),
            (None, ClientMessage::Answer(typed)) => match shape.parse(typed.expose()) {
                Some(answer) => enrolling.answered(answer),
                None => enrolling.not_an_answer(),
            },
        }
    }
}

impl Checking {
    /// The invitation counts, or not.
    pub fn checked(self, right: bool, gate: Gate, now: UnixTime) -> FirstStep {
        if right {
            return FirstStep::Show(Showing(self.0));
        }
        let why = "This invitation does not count: it is wrong, was used, or is too old.";
        self.0.refused((Reason::WrongCode, why), gate, now)
    }
}

impl Showing {
    /// It was shown; `key` is what can be typed into an authenticator.
    pub fn shown(self, key: SecretText) -> FirstStep {
        Enrolling { key: Some(key), ..self.0 }.ask("")
    }
}

impl Proving {
    /// The store's word. A wrong code is counted against the name like any other: `gate` is what came of it.
    pub fn proven(self, outcome: Outcome, gate: Gate, now: UnixTime) -> FirstStep {
        match outcome {
            Outcome::Accepted(proof) => {
                let told = ShownText::clean("Enrolled. Make recovery codes with: mfactl recovery new");
                FirstStep::Tell(told, Settled::accepted(vec![proof], self.0.opening.needed))
            }
            Outcome::Wrong { .. } => self.0.refused((Reason::WrongCode, "Wrong code."), gate, now),
            Outcome::Used { .. } => self.0.refused((Reason::UsedCode, Wording::USED_CODE), gate, now),
            Outcome::Locked { gate } => self.0.end(Settled::locked(gate), &Wording::refusal(gate, now)),
            Outcome::ClockUnusable => {
                let why = "This host's clock is wrong, so codes cannot be checked. Tell an administrator.";
                self.0.end(Settled::denied(Reason::ClockUnusable), why)
            }
            // Somebody was faster, or the invitation is gone: nothing of what was shown counts.
            Outcome::NoFactor | Outcome::Unreachable { .. } => {
                FirstStep::Settle(Settled::denied(Reason::NoFactor))
            }
            Outcome::Orphaned => FirstStep::Settle(Settled::denied(Reason::Orphaned)),
            Outcome::Tampered => FirstStep::Settle(Settled::denied(Reason::Tampered)),
        }
    }
}

impl Gracing {
    /// It was counted, and `left` says what is left.
    pub fn graced(self, grant: Grant, left: &str) -> FirstStep {
        let told = format!("You have to enroll a second factor: mfactl enroll totp. {left}");
        FirstStep::Tell(ShownText::clean(&told), Settled::not_applicable(grant))
    }

    /// There is no grace.
    pub fn refused(self, reason: Reason) -> FirstStep {
        FirstStep::Settle(Settled::denied(reason))
    }
}

impl Enrolling {
    fn shape(&self) -> AnswerShape {
        let code = if self.key.is_some() { AnswerShape::SIX_DIGITS } else { AnswerShape::RECOVERY };
        let tokens = if self.opening.tokens { AnswerShape::TOKEN } else { AnswerShape::NONE };
        let later = if self.opening.grace.is_some() { AnswerShape::EMPTY } else { AnswerShape::NONE };
        code.or(tokens).or(later)
    }

    /// All that matters stands in the prompt: older sshd shows other texts late.
    fn ask(self, why: &str) -> FirstStep {
        let later = match &self.opening.grace {
            Some(left) => format!(" (Enter: not now. {left})"),
            None => String::new(),
        };
        let question = match &self.key {
            None => format!("You have no second factor yet. Invitation from your administrator{later}: "),
            Some(key) => format!(
                "Add this account to your authenticator app, key {}. Code that it shows{later}: ",
                key.expose()
            ),
        };
        let (text, shape) = (joined(why, &question), self.shape());
        FirstStep::Ask(FirstAsking { enrolling: self, text, shape, last: None })
    }

    fn answered(self, answer: Answer) -> FirstStep {
        match answer {
            Answer::Recovery(code) => FirstStep::Check(Checking(self), code),
            Answer::Code(code) => FirstStep::Prove(Proving(self), code),
            Answer::Token(_) => FirstStep::Judge(Proving(self), answer),
            // The shape allows it only while there is grace.
            Answer::Empty => begin_grace(),
            Answer::Acknowledged | Answer::Choice(_) | Answer::Pinned(_) | Answer::Text(_) => {
                self.not_an_answer()
            }
        }
    }

    fn not_an_answer(self) -> FirstStep {
        let why = match self.key {
            Some(_) => "A code has 6 digits.",
            None => "An invitation looks like 01-ABCD-EFGH-IJKL-MNOP.",
        };
        self.again(why, Settled::denied(Reason::Malformed))
    }

    fn refused(self, (reason, why): (Reason, &str), gate: Gate, now: UnixTime) -> FirstStep {
        if !wait_is_short(gate, now) {
            return self.end(Settled::denied_and_locked(reason, gate), &Wording::refusal(gate, now));
        }
        let why = format!("{why}{}", Wording::short_wait(gate, now));
        self.again(&why, Settled::denied(reason))
    }

    fn again(mut self, why: &str, last: Settled) -> FirstStep {
        self.attempts_left = self.attempts_left.saturating_sub(1);
        if self.attempts_left == 0 { FirstStep::Settle(last) } else { self.ask(why) }
    }

    fn end(self, settled: Settled, why: &str) -> FirstStep {
        if self.opening.settings.conceal {
            return FirstStep::Settle(settled);
        }
        let text = joined(why, "Press Enter: ");
        let shape = AnswerShape::ACKNOWLEDGE;
        FirstStep::Ask(FirstAsking { enrolling: self, text, shape, last: Some(settled) })
    }
}

impl Wording {
    /// What is left of the time of grace: `day` is the last one.
    pub fn grace_left(logins: Option<u32>, day: Option<&str>) -> String {
        let logins = logins.map(|left| match left {
            0 => "No more logins without one".to_owned(),
            1 => "1 more login without one".to_owned(),
            more => format!("{more} more logins without one"),
        });
        match (logins, day) {
            (Some(logins), Some(day)) => format!("{logins}, until {day}."),
            (Some(logins), None) => format!("{logins}."),
            (None, Some(day)) => format!("Logins without one end on {day}."),
            (None, None) => String::new(),
        }
    }
}
