//! Has core judge what a call of `/validate` asks: about a user, a device, or in answer to a challenge.
//!
//! Refuses to have a PIN judged by itself: what is typed before a challenge is kept, and goes before the code.

use mfa_proto::{
    answer::{Answer as Typed, AnswerShape},
    name::UserId,
    secret::SecretText,
    tag::Serial,
};

use super::Visit;
use crate::verify::{DeviceQuestion, Question, Verified};

/// What can be judged by itself. What an outside service wants to hear is like no PIN of somebody's either.
const ANSWERS: AnswerShape = AnswerShape::SIX_DIGITS
    .or(AnswerShape::SEVEN_DIGITS)
    .or(AnswerShape::EIGHT_DIGITS)
    .or(AnswerShape::RECOVERY)
    .or(AnswerShape::TOKEN)
    .or(AnswerShape::PINNED);

/// Like any wrong answer.
const NO: Verified = Verified::Reject { wait: 0, open: false };

/// What came of a call.
pub(super) struct Judged {
    pub(super) verified: Verified,
    /// Whom it was about, as far as the call says.
    pub(super) user: Option<UserId>,
    /// The device that it was about.
    pub(super) serial: Option<Serial>,
}

impl Visit<'_> {
    /// What becomes of it. What cannot be asked is a no, and counted for nobody.
    pub(super) async fn judge(&self) -> Judged {
        let serial = self.asked.get("serial").map(Serial::new).transpose();
        let (Ok(user), Ok(serial)) = (self.asked.user(self.terms), serial) else {
            return Judged { verified: NO, user: None, serial: None };
        };
        let typed = self.asked.raw("pass").map(|pass| SecretText::new(pass.to_owned()));
        // Told by nobody, once it is answered.
        let about = self.transaction().and_then(|number| self.desk.user_of(number));
        let about = about.filter(|user| !user.realm.is_unassigned());
        let verified = match (self.transaction(), typed) {
            (Some(number), Some(Ok(typed))) => {
                self.in_answer(number, typed, (user.as_ref(), serial.as_ref())).await
            }
            (None, Some(Ok(typed))) => self.afresh(typed, (user.clone(), serial.clone())).await,
            (_, None | Some(Err(_))) => NO,
        };
        Judged { verified, user: user.or(about), serial }
    }

    /// An answer to a challenge, which has to be about whom the call names.
    async fn in_answer(
        &self,
        number: &str,
        typed: SecretText,
        (user, serial): (Option<&UserId>, Option<&Serial>),
    ) -> Verified {
        if self.desk.is_about(number, user, serial) { self.desk.answer(number, typed).await } else { NO }
    }

    async fn afresh(&self, typed: SecretText, (user, serial): (Option<UserId>, Option<Serial>)) -> Verified {
        let pin = (self.terms.challenge_response && !is_answer(&typed)).then(|| typed.again());
        let answer = pin.is_none().then_some(typed);
        let source = self.asked.get("source").map(str::to_owned);
        let verified = match (user, serial) {
            (user, Some(serial)) => {
                self.desk.verify_device(DeviceQuestion { serial, user, answer, source }).await
            }
            (Some(user), None) => self.desk.verify(Question { user, answer, choose: None, source }).await,
            (None, None) => NO,
        };
        if let (Verified::Challenge(challenge), Some(pin)) = (&verified, pin.filter(is_some_text)) {
            self.desk.keep_pin(&challenge.transaction, pin);
        }
        verified
    }
}

fn is_some_text(typed: &SecretText) -> bool {
    !typed.expose().is_empty()
}

/// Whether what was typed can be right or wrong by itself.
fn is_answer(typed: &SecretText) -> bool {
    match ANSWERS.parse(typed.expose()) {
        Some(Typed::Code(_) | Typed::Pinned(_) | Typed::Recovery(_) | Typed::Token(_)) => true,
        Some(Typed::Acknowledged | Typed::Choice(_) | Typed::Text(_) | Typed::Empty) | None => false,
    }
}
