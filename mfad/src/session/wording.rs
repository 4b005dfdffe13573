//! What a person reads when a code is refused: what is wrong, how long to wait, whom to ask.

use mfa_proto::{
    answer::{Answer, AnswerShape},
    text::ShownText,
};

use super::{Holding, SHORT_WAIT, prompt::listed};
use crate::{clock::UnixTime, limits::Gate, store::Proof};

/// Sentences for prompts.
#[derive(Clone, Copy, Debug)]
pub struct Wording;

impl Wording {
    /// Why nothing is judged now.
    pub fn refusal(gate: Gate, now: UnixTime) -> String {
        match gate {
            Gate::Open => "Access denied.".to_owned(),
            Gate::Wait { until } if until.since(now) <= SHORT_WAIT => {
                format!("Too soon after a wrong code. Try again in {}.", duration(until.since(now)))
            }
            Gate::Wait { until } => {
                format!("Too many wrong codes. Try again in {}.", duration(until.since(now)))
            }
            Gate::UntilAdmin => {
                "Too many wrong codes. An administrator has to unlock this account.".to_owned()
            }
            Gate::Exhausted => {
                "Too many wrong codes. This factor is disabled: ask an administrator to enroll it again."
                    .to_owned()
            }
        }
    }

    /// A wait so short that it is said in passing.
    pub fn short_wait(gate: Gate, now: UnixTime) -> String {
        match gate {
            Gate::Wait { until } if until > now => format!(" Wait {}.", duration(until.since(now))),
            Gate::Open | Gate::Wait { .. } | Gate::UntilAdmin | Gate::Exhausted => String::new(),
        }
    }

    /// The longest sentence, in bytes: with the longest prompt it fits what can be shown.
    pub const MOST: usize = 240;

    /// What is said of a code that was right, but used.
    pub const USED_CODE: &str = "That code was used before: wait for the next one.";

    /// What is said of an answer that was right, but used.
    pub fn used(answer: &Answer) -> &'static str {
        match answer {
            Answer::Recovery(_) => "That recovery code was used before: take another one.",
            Answer::Token(_) => "That token was used before.",
            Answer::Code(_)
            | Answer::Pinned(_)
            | Answer::Text(_)
            | Answer::Acknowledged
            | Answer::Choice(_)
            | Answer::Empty => Self::USED_CODE,
        }
    }

    /// What was typed is nothing that the prompt takes.
    pub fn not_an_answer(shape: AnswerShape) -> String {
        let lengths: Vec<&str> = [
            (AnswerShape::SIX_DIGITS, "6"),
            (AnswerShape::SEVEN_DIGITS, "7"),
            (AnswerShape::EIGHT_DIGITS, "8"),
        ]
        .into_iter()
        .filter_map(|(form, digits)| shape.includes(form).then_some(digits))
        .collect();
        let list = if shape.includes(AnswerShape::WORD) { "; type ? for what else there is" } else { "" };
        match lengths.as_slice() {
            [] if list.is_empty() => "That is no code.".to_owned(),
            [] => "That is no code; type ? for what there is.".to_owned(),
            _ if shape.includes(AnswerShape::PINNED) => {
                format!(
                    "Type your PIN and, right behind it, the {} digits of the code{list}.",
                    lengths.join(" or ")
                )
            }
            _ => format!("A code has {} digits{list}.", lengths.join(" or ")),
        }
    }

    /// No code was sent, because one was a moment ago: `out` is when, if it was for this login.
    pub fn sent_already(out: Option<UnixTime>, until: UnixTime, now: UnixTime) -> String {
        let wait = duration(until.since(now));
        match out {
            Some(sent) => {
                let ago = duration(now.since(sent));
                format!("A code was sent {ago} ago: wait {wait} to have it sent again.")
            }
            None => format!("A code was sent a moment ago, for another login: wait {wait} to have one sent."),
        }
    }

    /// No code was sent, because too many were.
    pub fn sent_too_often(until: UnixTime, now: UnixTime) -> String {
        format!("No code was sent: too many were. The next can be in {}.", duration(until.since(now)))
    }

    /// So many factors were proven; another of what is left is needed.
    pub fn one_more(proven: usize, left: &[&Holding]) -> String {
        let which = match proven {
            1 => "First",
            2 => "Second",
            _ => "Last",
        };
        let words: Vec<String> = left.iter().map(|holding| holding.word(left).to_owned()).collect();
        let front = if words.len() == 1 { " code right. Now: " } else { " code right. Now one of: " };
        match words.as_slice() {
            [] => format!("{which} code right."),
            _ => listed(&format!("{which}{front}"), &words, ".", Self::MOST),
        }
    }

    /// What is told before the end: to whoever used a recovery code how many are left, to whoever was let in
    /// by an emergency code what to do; and what failed since the last login, unless all of that was in this
    /// one: `own` attempts failed here.
    pub fn farewell(proofs: &[Proof], own: u32, now: UnixTime) -> Option<ShownText> {
        let emergency = proofs.iter().rev().find_map(|proof| emergency(proof, now));
        let left = proofs.iter().rev().find_map(codes_left);
        let failed = proofs.iter().find_map(|proof| failures(proof, own));
        let lines: Vec<String> = emergency.or(left).into_iter().chain(failed).collect();
        if lines.is_empty() { None } else { Some(ShownText::clean(&lines.join("\n"))) }
    }
}

fn emergency(proof: &Proof, now: UnixTime) -> Option<String> {
    let ago = duration(now.since(proof.emergency()?));
    Some(format!(
        "You were let in by an emergency code of {ago} ago. Enroll a factor now: mfactl enroll totp"
    ))
}

fn codes_left(proof: &Proof) -> Option<String> {
    let left = proof.recovery_left()?;
    let more = if left <= FEW_CODES { " Make new ones: mfactl recovery new" } else { "" };
    Some(format!("Recovery code used: {left} left.{more}"))
}

/// Whoever mistyped a code a moment ago knows that; failures of others make it worth telling.
fn failures(proof: &Proof, own: u32) -> Option<String> {
    let failed = proof.failed().filter(|failed| failed.count > own)?;
    // A source is the word of whoever asked, and has been cleaned; it is cut so that the sentence ends.
    let from = mfa_proto::name::Claim::clean_to(&failed.from, MOST_SOURCE);
    let from = match (from.as_str(), failed.count) {
        ("", _) => String::new(),
        (from, 1) => format!(", from {from}"),
        (from, _) => format!(", the last from {from}"),
    };
    let attempts = if failed.count == 1 { "attempt" } else { "attempts" };
    Some(format!("{} failed {attempts} since your last login{from}.", failed.count))
}

/// The most bytes of a source that are shown.
const MOST_SOURCE: usize = 128;

/// So many recovery codes left are a reason to make new ones.
const FEW_CODES: u32 = 2;

/// Seconds as people say them: the two largest units.
fn duration(seconds: i64) -> String {
    let seconds = seconds.max(1);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    let units = [(days, "d"), (hours, "h"), (minutes, "min"), (seconds % 60, "s")];
    let said: Vec<String> = units
        .iter()
        .skip_while(|(count, _)| *count == 0)
        .take(2)
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    said.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_not_told_like_a_lock() {
        let now = UnixTime(1_800_000_000);
        let wait = |seconds| Wording::refusal(Gate::Wait { until: now.plus(seconds) }, now);
        assert_eq!(wait(2), "Too soon after a wrong code. Try again in 2 s.");
        assert_eq!(wait(900), "Too many wrong codes. Try again in 15 min.");
    }

    #[test]
    fn waits_are_said_in_two_units() {
        for (seconds, said) in [
            (0, "1 s"),
            (59, "59 s"),
            (60, "1 min"),
            (899, "14 min 59 s"),
            (3_600, "1 h"),
            (90_061, "1 d 1 h"),
        ] {
            assert_eq!(duration(seconds), said);
        }
    }
}
