//! What of a change goes outside: a code is sent, a service begins or judges.
//!
//! No transaction is open meanwhile. Refuses to tell others than root what is wrong with a gateway.

use mfa_proto::{
    admin::{FactorDetail, FactorId, FactorKind, FactorRef, Refusal, RefusalCode, Reply},
    name::{FactorLabel, UserId},
    secret::SecretText,
    text::ShownText,
};
use tracing::{info, warn};

use super::{
    Desk,
    refusal::{not_done, refused},
    state::taken_apart,
};
use crate::{
    clock::UnixTime,
    factor::Outside,
    outgoing::{Line, OutsideCode, Said, Undone, consultation, delivery, outside_code},
    settings::Settings,
    store::{Issued, Judgment, Order, SentCode, StoreError, Target},
};

/// A code on its way.
struct Sent {
    factor: FactorId,
    to: ShownText,
    digits: u8,
    until: UnixTime,
}

impl Desk<'_> {
    pub(super) async fn send(&self, target: FactorRef) -> Result<Reply, Refusal> {
        let (user, target) = taken_apart(target);
        let uid = self.root_or_self(&user).await?;
        let Sent { to, digits, until, .. } = self.send_code(&user, uid, target).await?;
        self.log_change("send", &user);
        Ok(Reply::Sent { to, digits, until: until.0 })
    }

    /// Sends the code that confirms a factor just added, or takes it back. Where it went.
    pub(super) async fn send_first(
        &self,
        user: &UserId,
        uid: Option<u32>,
        factor: FactorId,
    ) -> Result<ShownText, Refusal> {
        match self.send_code(user, uid, Target { factor: Some(factor), label: None }).await {
            Ok(sent) => Ok(sent.to),
            Err(refusal) => {
                self.take_back(user, uid, factor).await;
                Err(refusal)
            }
        }
    }

    async fn send_code(&self, user: &UserId, uid: Option<u32>, target: Target) -> Result<Sent, Refusal> {
        let settings = self.core.settings();
        let Some(line) = settings.line() else {
            return Err(refused(
                RefusalCode::Invalid,
                "nothing can be sent: [sms], [mail] and [rest] are not configured",
            ));
        };
        let made = self.made(&settings, user, &target).await?;
        let passed = made.as_ref().map(|(_, made)| made.for_store());
        let issued = self.core.store().send_code(self.order(user, uid, None)?, target, passed).await;
        let issued = issued.map_err(|e| not_done(user, "make a code", self.core.now(), &e))?;
        let (sent, went) = match (issued, made) {
            (Issued::Code(code), _) => self.deliver(line, user, *code).await,
            (Issued::Begin { outside, until }, Some((factor, made))) => {
                self.begin(line, user, (&outside, until), (factor, made)).await
            }
            // The store refuses in all other cases.
            _ => return Err(refused(RefusalCode::Unavailable, "no code was made")),
        };
        match went {
            Ok(via) => {
                info!(session = self.session.as_str(), "a code for {user} was sent to {} by {via}", sent.to);
                Ok(sent)
            }
            Err(undone) => Err(self.unsent(user, uid, (sent.factor, &undone)).await?),
        }
    }

    /// The code for an outside service, which is made here, and its factor; `None` for other kinds.
    async fn made(
        &self,
        settings: &Settings,
        user: &UserId,
        target: &Target,
    ) -> Result<Option<(FactorId, OutsideCode)>, Refusal> {
        let named = target.factor.is_some() || target.label.is_some();
        let meant = |f: &FactorDetail| {
            target.factor.is_none_or(|id| f.factor == id)
                && target.label.as_ref().is_none_or(|label| f.label == *label)
                && (named || matches!(f.kind, FactorKind::Sms | FactorKind::Mail | FactorKind::Rest))
        };
        let Some(detail) = self.one(user, meant).await? else { return Ok(None) };
        let service = service_of(&detail);
        let made = outside_code(service.as_ref().and_then(|service| settings.outside(service)));
        let made = made.map_err(|error| refused(RefusalCode::Unavailable, &error.to_string()))?;
        Ok(made.map(|made| (detail.factor, made)))
    }

    async fn deliver(&self, line: &Line, user: &UserId, code: SentCode) -> (Sent, Result<String, Undone>) {
        let sent =
            Sent { factor: code.factor, to: code.masked.clone(), digits: code.digits, until: code.until };
        let went = match delivery(&self.context(user), code, self.core.now()) {
            Some(delivery) => self.core.outgoing().deliver(line, delivery).await,
            None => Err(Undone::Senseless),
        };
        (sent, went)
    }

    async fn begin(
        &self,
        line: &Line,
        user: &UserId,
        (outside, until): (&Outside, UnixTime),
        (factor, made): (FactorId, OutsideCode),
    ) -> (Sent, Result<String, Undone>) {
        let to = ShownText::clean(outside.service.as_str());
        let code = made.told.then_some(made.code);
        let begun = self.core.outgoing().begin(line, consultation(&self.context(user), outside, code)).await;
        (Sent { factor, to: to.clone(), digits: 0, until }, begun.map(|()| to.to_string()))
    }

    /// A code that did not leave is of no use: it must not be found later, nor be guessed.
    async fn unsent(
        &self,
        user: &UserId,
        uid: Option<u32>,
        (factor, undone): (FactorId, &Undone),
    ) -> Result<Refusal, Refusal> {
        warn!(session = self.session.as_str(), "no code was sent for {user}: {undone}");
        let noted = self.core.store().code_unsent(self.order(user, uid, None)?, factor).await;
        noted.map_err(|e| not_done(user, "void a code", self.core.now(), &e))?;
        let why = if self.acts_for_any() {
            format!("the code could not be sent: {undone}")
        } else {
            "the code could not be sent: try again later, or tell an administrator".to_owned()
        };
        Ok(refused(RefusalCode::NotSent, &why))
    }

    /// Has the outside service of a pending factor judge an answer.
    pub(super) async fn confirm_outside(
        &self,
        order: Order,
        factor: Option<FactorId>,
        answer: Option<SecretText>,
    ) -> Result<Result<FactorId, StoreError>, Refusal> {
        let settings = self.core.settings();
        let Some(line) = settings.line() else {
            return Err(refused(RefusalCode::Invalid, "no service can be asked: [rest] is not configured"));
        };
        let context = order.context.clone();
        let ticket = match self.core.store().consult_pending(order, factor).await {
            Ok(ticket) => ticket,
            Err(error) => return Ok(Err(error)),
        };
        let asked = consultation(&context, ticket.outside(), answer);
        let judgment = match self.core.outgoing().judge(line, asked).await {
            Ok(Said::Yes) => Judgment::Yes,
            Ok(Said::No) => Judgment::No,
            Err(undone) => {
                warn!(session = self.session.as_str(), "no answer of {} was judged: {undone}", context.user);
                Judgment::Unreachable
            }
        };
        Ok(self.core.store().settle_pending(ticket, judgment).await)
    }
}

/// The outside service of a factor, by what is shown of it: `corp: jane`. No label holds a colon.
pub(super) fn service_of(detail: &FactorDetail) -> Option<FactorLabel> {
    let shown = detail.target.as_ref().filter(|_| detail.kind == FactorKind::Rest)?;
    let (service, _) = shown.as_str().split_once(':')?;
    FactorLabel::new(service).ok()
}
