//! Drives a login of somebody without a factor who may enroll the first one, or go on without for a time.
//!
//! Refuses to decide who may: `subject` does, and [`crate::store`] once more, in the transaction that counts.

use std::sync::Arc;

use mfa_proto::{
    admin::{NewParams, TotpParams},
    answer::{OtpCode, RecoveryCode},
    login::ServerMessage,
    name::FactorLabel,
    secret::SecretText,
    text::ShownText,
};
use mfa_qr::{Ink, Qr, Screen};
use tokio::net::UnixStream;
use tracing::{error, info};
use zeroize::Zeroizing;

use super::{
    Halt, Login, Wire,
    subject::{AccountUid, Subject},
};
use crate::{
    admin::draft::{Draft, Origin, Shown},
    audit,
    config::SelfEnrollment,
    limits::Gate,
    server::wire::WireError,
    session::{self, FirstAsking, FirstOpening, FirstStep, Reason, Settled, Wording},
    settings::Settings,
    store::{
        CheckInvitation, EnrollFirst, FirstFactor, GraceLeft, GraceLogin, InvitationCheck, Member, Outcome,
        StoreError,
    },
};

/// Lines of a terminal: a code that is higher gets a smaller margin.
const ROWS: u16 = 24;
/// Digits of the key that stand together.
const GROUP: usize = 4;

/// Somebody without a factor, as far as that is allowed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Newcomer {
    /// The account's uid now.
    pub(super) uid: u32,
    /// A first factor may be enrolled in this login.
    pub(super) enrolls: bool,
    /// What is left of the time of grace.
    pub(super) grace: Option<GraceLeft>,
}

/// What of the enrollment the driver keeps between steps.
#[derive(Debug, Default)]
struct Held {
    invitation: Option<RecoveryCode>,
    factor: Option<Arc<FirstFactor>>,
}

impl Login<'_> {
    /// The whole login after the look-up.
    pub(super) async fn enroll_first(
        &mut self,
        wire: &mut Wire<UnixStream>,
        newcomer: Newcomer,
    ) -> Result<Settled, WireError> {
        let mut held = Held::default();
        let mut step = if newcomer.enrolls {
            session::begin_first(self.first_opening(newcomer), self.core.now())
        } else {
            session::begin_grace()
        };
        loop {
            step = match self.first_step(wire, newcomer, (step, &mut held)).await {
                Ok(step) => step,
                Err(Halt::End(settled)) => return Ok(settled),
                Err(Halt::Wire(error)) => return Err(error),
            };
        }
    }

    /// What the session has to know of it.
    pub(super) fn first_opening(&self, newcomer: Newcomer) -> FirstOpening {
        let (settings, now) = (self.settings.for_store(), self.core.now());
        FirstOpening {
            settings: self.settings.prompt().clone(),
            needed: self.need.count,
            gate: self.core.decoys().gate(&self.context.user, self.channel, &settings, now),
            invitation: self.settings.config().enrollment().first_by_self != SelfEnrollment::Open,
            tokens: self.settings.has_token_domains(),
            grace: newcomer.grace.map(|left| self.in_words(left)),
        }
    }

    /// What is left of the time of grace, as people are told.
    pub(super) fn in_words(&self, left: GraceLeft) -> String {
        let day = self.settings.config().enrollment().enroll_by.map(|day| day.to_string());
        Wording::grace_left(left.logins, day.as_deref())
    }

    async fn first_step(
        &mut self,
        wire: &mut Wire<UnixStream>,
        newcomer: Newcomer,
        (step, held): (FirstStep, &mut Held),
    ) -> Result<FirstStep, Halt> {
        let now = self.core.now();
        Ok(match step {
            FirstStep::Settle(settled) => return Err(settled.into()),
            FirstStep::Tell(text, settled) => {
                // A courtesy: a client that cannot be told is told the verdict all the same.
                drop(tokio::time::timeout(super::GRACE, self.say(wire, ServerMessage::Info(text))).await);
                return Err(settled.into());
            }
            FirstStep::Ask(asking) => self.ask_first(wire, asking).await?,
            FirstStep::Check(checking, code) => {
                let right = self.check(newcomer, code).await?;
                let gate = if right.is_some() { Gate::Open } else { self.count_wrong().await };
                let is_right = right.is_some();
                held.invitation = right;
                checking.checked(is_right, gate, now)
            }
            FirstStep::Show(showing) => {
                let invitation = held.invitation.take();
                let (factor, key) = self.show(wire, invitation).await?;
                held.factor = Some(factor);
                showing.shown(key)
            }
            FirstStep::Prove(proving, code) => {
                let outcome = self.prove(newcomer, held, code).await?;
                let wrong = matches!(outcome, Outcome::Wrong { .. } | Outcome::Used { .. });
                let gate = if wrong { self.count_wrong().await } else { Gate::Open };
                proving.proven(outcome, gate, now)
            }
            FirstStep::Judge(proving, answer) => {
                let account = Some(AccountUid(Some(newcomer.uid)));
                let subject = Subject::Decoy { reason: Reason::NotEnrolled, account };
                let outcome = self.judge(&subject, answer, Vec::new()).await?;
                let gate = if let Outcome::Wrong { gate } = &outcome { *gate } else { Gate::Open };
                proving.proven(outcome, gate, now)
            }
            FirstStep::Grace(gracing) => match self.grace(newcomer).await? {
                Some((grant, left)) => gracing.graced(grant, &left),
                None => gracing.refused(Reason::NotEnrolled),
            },
        })
    }

    async fn ask_first(
        &mut self,
        wire: &mut Wire<UnixStream>,
        asking: FirstAsking,
    ) -> Result<FirstStep, Halt> {
        self.asked = true;
        let (text, echo, shape) = (asking.text().clone(), asking.echo(), asking.shape());
        wire.write(&ServerMessage::Prompt { text, echo, shape }).await?;
        Ok(asking.answered(&wire.read().await?))
    }

    /// Counts a wrong answer as one of a name without factor, and against its source.
    async fn count_wrong(&mut self) -> Gate {
        let (settings, now) = (self.settings.for_store(), self.core.now());
        let judged = self.core.decoys().judge(&self.context.user, self.channel, &settings, now);
        self.slow_down(&judged).await;
        if let Outcome::Wrong { gate } | Outcome::Locked { gate } = judged { gate } else { Gate::UntilAdmin }
    }

    async fn check(&self, newcomer: Newcomer, code: RecoveryCode) -> Result<Option<RecoveryCode>, Halt> {
        let typed = CheckInvitation { context: self.context.clone(), uid: newcomer.uid, code };
        match self.core.login_store().check_invitation(typed).await {
            Ok(InvitationCheck::Right(code)) => Ok(Some(code)),
            Ok(InvitationCheck::Wrong) => Ok(None),
            Err(error) => Err(self.denied_by(&error)),
        }
    }

    /// Makes a factor, which counts for nothing yet, and shows it.
    async fn show(
        &self,
        wire: &mut Wire<UnixStream>,
        invitation: Option<RecoveryCode>,
    ) -> Result<(Arc<FirstFactor>, SecretText), Halt> {
        let params = NewParams::Totp(TotpParams::default());
        let made = Draft::new(&self.settings, &self.context.user, (params, None), Origin::Ours);
        let unavailable = || Halt::from(Settled::unavailable(Reason::Store));
        let Ok(Draft { params, start, secret, shown }) = made else { return Err(unavailable()) };
        let label = FactorLabel::new("totp").map_err(|_| unavailable())?;
        let Shown { key: Some(key), link: Some(link), .. } = shown else { return Err(unavailable()) };
        for line in lines_of(&link, self.settings.config().enrollment().qr_width) {
            wire.write(&ServerMessage::Info(line)).await?;
        }
        let factor = FirstFactor { member: Member { label, params, start, secret }, invitation };
        let key = grouped(key.expose()).ok_or_else(unavailable)?;
        Ok((Arc::new(factor), key))
    }

    async fn prove(&mut self, newcomer: Newcomer, held: &Held, code: OtpCode) -> Result<Outcome, Halt> {
        let Some(factor) = held.factor.clone() else {
            return Err(Settled::denied(Reason::Protocol).into());
        };
        let (context, rule, uid) = (self.context.clone(), self.rule.clone(), newcomer.uid);
        let proven = EnrollFirst { context, rule, uid, factor, code };
        let outcome = self.core.login_store().enroll_first(proven).await;
        let outcome = outcome.map_err(|error| self.denied_by(&error))?;
        self.recorded = true;
        audit::log_attempt(&self.context, &outcome);
        if matches!(outcome, Outcome::Accepted(_)) {
            let (session, user) = (self.context.session.as_str(), &self.context.user);
            info!(session, event = "enroll", "enroll: user={user}, the first factor, at a login");
        }
        Ok(outcome)
    }

    async fn grace(&mut self, newcomer: Newcomer) -> Result<Option<(crate::policy::Grant, String)>, Halt> {
        let login = GraceLogin {
            context: self.context.clone(),
            rule: self.rule.clone(),
            uid: newcomer.uid,
            terms: self.settings.grace(),
        };
        let graced = self.core.login_store().grace(login).await;
        let Some(graced) = graced.map_err(|error| self.denied_by(&error))? else { return Ok(None) };
        self.recorded = true;
        let left = self.in_words(graced.left());
        Ok(Some((self.settings.policy().graced(graced), left)))
    }

    /// Rows that were changed deny; a store that does not work is another matter.
    fn denied_by(&self, error: &StoreError) -> Halt {
        if matches!(error, StoreError::Tampered(_)) {
            error!(session = self.context.session.as_str(), "{} is denied: {error}", self.context.user);
            return Settled::denied(Reason::Tampered).into();
        }
        self.store_failed(error)
    }
}

impl Settings {
    /// Whether somebody without a factor may enroll the first one in a login, where the policy wants that.
    pub(super) fn lets_enroll_at_login(&self) -> bool {
        self.config().enrollment().first_by_self != SelfEnrollment::Never
    }
}

/// The code of a link, a text for each line, and the link: what does not fit the width is left out.
fn lines_of(link: &SecretText, width: u16) -> Vec<ShownText> {
    let screen = Screen { columns: width, rows: ROWS };
    let code = Qr::of(link.expose()).filter(|_| width > 0).map(|code| code.fitted(screen));
    let drawn = code.filter(|code| code.fits_columns(screen)).map(|code| code.draw(Ink::LightDrawn));
    let mut lines: Vec<ShownText> =
        drawn.iter().flat_map(|drawn| drawn.lines()).map(ShownText::clean).collect();
    // A link that would be cut is of no use.
    lines.extend(ShownText::try_from(link.expose().to_owned()));
    lines
}

/// The key in groups, as it is typed.
fn grouped(key: &str) -> Option<SecretText> {
    let mut text = Zeroizing::new(String::with_capacity(key.len().saturating_mul(2)));
    for (place, character) in key.chars().enumerate() {
        if place > 0 && place % GROUP == 0 {
            text.push(' ');
        }
        text.push(character);
    }
    SecretText::new(std::mem::take(&mut *text)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(user: &str) -> SecretText {
        let key = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
        SecretText::new(format!("otpauth://totp/host:{user}?secret={key}&issuer=host")).unwrap()
    }

    #[test]
    fn what_is_shown_fits_the_texts_of_a_login() {
        for user in ["a", "jane", &"x".repeat(200)] {
            for width in [0, 20, 40, 80, 100] {
                let lines = lines_of(&link(user), width);
                // The module takes 64, and two more are told.
                assert!(lines.len() <= 60, "{} lines at {width}", lines.len());
                let (last, code) = lines.split_last().unwrap();
                assert_eq!(last.as_str(), link(user).expose());
                assert!(code.iter().all(|line| line.as_str().chars().count() <= usize::from(width)));
                assert_eq!(code.is_empty(), width < 40 || (user.len() > 100 && width < 61), "{user} {width}");
            }
        }
    }

    #[test]
    fn the_key_is_shown_in_groups() {
        assert_eq!(grouped("ABCDEFGHIJ").unwrap().expose(), "ABCD EFGH IJ");
    }
}
