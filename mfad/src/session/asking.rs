//! A prompt that is out, and what its answer leads to.
//!
//! Refuses to trust the module: an answer that the prompt did not ask for is taken for none.

use mfa_proto::{
    answer::{Answer, AnswerShape, Choice},
    login::{ClientMessage, Withheld},
    secret::SecretText,
    text::ShownText,
};

use super::{
    Consulting, Judging, Reason, Settled, Step, Wording,
    dialogue::Dialogue,
    holding::{Choosing, choose},
    prompt::listed,
};

/// A prompt is out, its answer is awaited.
#[derive(Debug)]
pub struct Asking {
    pub(super) dialogue: Dialogue,
    pub(super) text: ShownText,
    pub(super) shape: AnswerShape,
    pub(super) after: After,
}

/// What an answer is for.
#[derive(Debug)]
pub(super) enum After {
    /// It is to be judged, or chooses.
    Judge,
    /// It only shows that the text was read.
    Settle(Settled),
}

impl Asking {
    /// What to show.
    pub fn text(&self) -> &ShownText {
        &self.text
    }

    /// Whether what is typed may be seen.
    pub fn echo(&self) -> bool {
        // What is asked for is a secret that stays. Concealed, every prompt is the same.
        let pin = self.dialogue.held.iter().any(|held| held.holding.pin);
        self.dialogue.settings.echo && (self.dialogue.settings.conceal || !pin)
    }

    /// What may be answered.
    pub fn shape(&self) -> AnswerShape {
        self.shape
    }

    /// Whether no answer is wanted: the text only says why it ends.
    pub fn is_last(&self) -> bool {
        matches!(self.after, After::Settle(_))
    }

    /// Whether an answer could be right or wrong here: neither a word that chooses nor nothing.
    pub fn takes(&self, answer: &SecretText) -> bool {
        match self.shape.parse(answer.expose()) {
            Some(
                Answer::Code(_)
                | Answer::Pinned(_)
                | Answer::Recovery(_)
                | Answer::Token(_)
                | Answer::Text(_),
            ) => true,
            Some(Answer::Choice(_) | Answer::Empty | Answer::Acknowledged) | None => false,
        }
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
                Some(answer) => answered(self.dialogue, answer),
                // The module should not have sent it: it is not judged, so it costs no failure.
                None => withheld(self.dialogue, Withheld::Shape),
            },
        }
    }
}

fn withheld(dialogue: Dialogue, why: Withheld) -> Step {
    match why {
        Withheld::Shape => {
            let hint = Wording::not_an_answer(dialogue.shape());
            dialogue.ask_again(&hint, Reason::Malformed)
        }
        Withheld::SshdRefusal => Step::Settle(Settled::denied(Reason::SshdRefused)),
        Withheld::NoAnswer => Step::Settle(Settled::denied(Reason::Cancelled)),
    }
}

/// The form of an answer says what it is for.
fn answered(dialogue: Dialogue, answer: Answer) -> Step {
    match answer {
        Answer::Code(code) => {
            let form = code.shape();
            judge(dialogue, Answer::Code(code), form)
        }
        Answer::Pinned(pinned) => judge(dialogue, Answer::Pinned(pinned), AnswerShape::PINNED),
        Answer::Text(text) => judge(dialogue, Answer::Text(text), AnswerShape::TEXT),
        Answer::Recovery(_) | Answer::Token(_) => Step::Judge(Judging::new(dialogue, &answer), answer),
        Answer::Choice(Choice::List) => dialogue.ask_with_list(),
        Answer::Choice(Choice::Factor(word)) => chosen(dialogue, &word),
        Answer::Empty => match dialogue.chosen().map(|held| held.holding.factor) {
            Some(factor) => dialogue.issue(factor),
            None => withheld(dialogue, Withheld::Shape),
        },
        Answer::Acknowledged => withheld(dialogue, Withheld::Shape),
    }
}

/// A code or text: for the store, unless it is for an outside service alone, or that one was chosen.
fn judge(dialogue: Dialogue, answer: Answer, form: AnswerShape) -> Step {
    let here = dialogue.judges_here(form) && !dialogue.outside_is_chosen();
    if here {
        return Step::Judge(Judging::new(dialogue, &answer), answer);
    }
    let outside = dialogue.outside().map(|held| held.holding.factor);
    match (outside, answer.canonical()) {
        (Some(factor), Some(text)) => Step::Consult(Consulting::new(dialogue), factor, text),
        _ => withheld(dialogue, Withheld::Shape),
    }
}

/// A word: the name of something held, else perhaps what an outside service wants to hear.
fn chosen(dialogue: Dialogue, word: &SecretText) -> Step {
    let several = match choose(&dialogue.holdings(), word.expose()) {
        Choosing::One(one) => Ok(one.factor),
        Choosing::Many(many) => Err(many.iter().map(|one| one.label.to_string()).collect::<Vec<_>>()),
        Choosing::Nothing => Err(Vec::new()),
    };
    match several {
        Ok(factor) => dialogue.choose(factor),
        Err(labels) if !labels.is_empty() => {
            let why = listed("Several fit that: ", &labels, ".", Wording::MOST);
            dialogue.ask(Some(&why))
        }
        Err(_) => {
            let text = Some(AnswerShape::TEXT).filter(|form| dialogue.shape().includes(*form));
            match text.and_then(|form| form.parse(word.expose())) {
                Some(Answer::Text(text)) => judge(dialogue, Answer::Text(text), AnswerShape::TEXT),
                _ => dialogue.ask(Some("That chooses nothing: type ? for what there is.")),
            }
        }
    }
}
