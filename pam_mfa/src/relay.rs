//! The conversation: shows what the daemon says, sends what the person answers, until the verdict.
//!
//! Refuses to go on without end: prompts and texts of one login are counted. Refuses to let a login that
//! has asked the person something end as if nobody were there: else a person could wait for the deadline
//! where an administrator has chosen `unavailable=ignore`.

use mfa_proto::{
    answer::AnswerShape,
    codec,
    login::{ClientMessage, Dialogue, ServerMessage, Verdict, Withheld},
    secret::SecretText,
    text::ShownText,
};
use zeroize::Zeroizing;

use crate::{answer, channel::Channel, fault::Fault};

/// The most prompts in one login: several times what resending and choosing between factors takes.
pub(crate) const MOST_PROMPTS: u32 = 16;
/// The most texts without an answer in one login: a QR code has a line for two of its modules, and the widest
/// that the daemon draws 100 of them.
pub(crate) const MOST_TEXTS: u32 = 64;

/// What the conversation needs of the program that the person logs in with.
pub(crate) trait Host {
    /// Asks the person; `None` when that is not possible or nothing came.
    fn ask(&mut self, text: &str, echo: bool) -> Option<Zeroizing<Vec<u8>>>;
    /// Shows a text, if possible.
    fn inform(&mut self, text: &str);
    /// The password that an earlier module has asked for.
    fn password(&self) -> Option<Zeroizing<Vec<u8>>>;
    /// Keeps the password for the modules that follow.
    fn keep_password(&mut self, password: &SecretText) -> Result<(), Fault>;
}

/// Relays until the daemon settles.
pub(crate) fn converse(
    channel: &mut Channel,
    host: &mut impl Host,
    dialogue: Dialogue,
) -> Result<Verdict, Fault> {
    let mut relay = Relay { host, dialogue, prompts: 0, texts: 0, field_used: false };
    loop {
        let message = match channel.receive() {
            Err(Fault::Silent) if relay.prompts > 0 => return Err(Fault::TimedOut),
            other => codec::decode(&other?)?,
        };
        match message {
            ServerMessage::Info(text) => relay.inform(&text)?,
            ServerMessage::Prompt { text, echo, shape } => {
                let reply = relay.reply(&text, echo, shape)?;
                channel.send(&codec::encode(&reply).map_err(Fault::Unsayable)?)?;
                if matches!(reply, ClientMessage::Withheld(Withheld::NoAnswer)) {
                    return Err(Fault::NoAnswer);
                }
            }
            ServerMessage::Settled(verdict) => {
                channel.expect_nothing_more()?;
                return relay.settled(verdict);
            }
        }
    }
}

struct Relay<'h, H> {
    host: &'h mut H,
    dialogue: Dialogue,
    prompts: u32,
    texts: u32,
    /// Combined: the person has been asked, once and for all.
    field_used: bool,
}

impl<H: Host> Relay<'_, H> {
    fn inform(&mut self, text: &ShownText) -> Result<(), Fault> {
        self.texts = self.texts.saturating_add(1);
        if self.texts > MOST_TEXTS {
            return Err(Fault::OutOfTurn("it sent more than 64 texts in one login"));
        }
        self.host.inform(text.as_str());
        Ok(())
    }

    fn reply(&mut self, text: &ShownText, echo: bool, shape: AnswerShape) -> Result<ClientMessage, Fault> {
        self.prompts = self.prompts.saturating_add(1);
        if self.prompts > MOST_PROMPTS {
            return Err(Fault::OutOfTurn("it sent more than 16 prompts in one login"));
        }
        match self.dialogue {
            Dialogue::Interactive => {
                let typed = self.host.ask(text.as_str(), echo);
                let password = self.host.password();
                Ok(answer::to_prompt(bytes(typed.as_ref()), bytes(password.as_ref()), shape))
            }
            Dialogue::Combined if shape.includes(AnswerShape::ACKNOWLEDGE) => {
                self.host.inform(text.as_str());
                Ok(answer::acknowledged())
            }
            Dialogue::Combined => self.reply_from_field(text, shape),
        }
    }

    /// Takes password and code out of one text: what an earlier module has asked for, else what the person
    /// types, never shown since the password is in it. A client with one field has nothing more to say at a
    /// second prompt, and would only repeat itself.
    fn reply_from_field(&mut self, text: &ShownText, shape: AnswerShape) -> Result<ClientMessage, Fault> {
        if self.field_used {
            return Ok(ClientMessage::Withheld(Withheld::NoAnswer));
        }
        self.field_used = true;
        let typed = self.host.password().or_else(|| self.host.ask(text.as_str(), false));
        let (message, password) = answer::to_combined(bytes(typed.as_ref()), shape);
        // Before the code is judged, whatever comes of it: a stack that goes on to pam_unix then takes the
        // same time for a wrong code as for a right one.
        if let Some(password) = password {
            self.host.keep_password(&password)?;
        }
        Ok(message)
    }

    fn settled(&self, verdict: Verdict) -> Result<Verdict, Fault> {
        if verdict == Verdict::Unavailable && self.prompts > 0 {
            return Err(Fault::CannotJudge);
        }
        Ok(verdict)
    }
}

fn bytes(text: Option<&Zeroizing<Vec<u8>>>) -> Option<&[u8]> {
    text.map(|text| text.as_slice())
}

#[cfg(test)]
mod tests;
