//! New factors: added pending, active once an answer has proven that the person has them.

use mfa_proto::{
    admin::{
        Enrolled, FactorDetail, FactorId, FactorKind, FactorState, NewFactor, Refusal, RefusalCode, Reply,
    },
    answer::{OtpCode, RecoveryCode},
    name::{FactorLabel, UserId},
    secret::SecretText,
};

use super::{
    Desk,
    device::device,
    draft::{Draft, Origin},
    outside::service_of,
    refusal::{not_done, refused},
    rights::{parsed, parsed_as},
};
use crate::{
    config::{Judge, SelfEnrollment},
    store::{self, Channel, EnrollAll, Member, Refused, StoreError, Target},
};

impl Desk<'_> {
    pub(super) async fn enroll(&self, new: NewFactor) -> Result<Reply, Refusal> {
        let NewFactor { user, label, params, secret, activate, replace, current_code, invitation, tag } = new;
        let uid = self.may_hold(&user, activate).await?;
        if tag.serial.is_some() {
            self.root_only("give a factor a serial number")?;
        }
        let device = device(tag)?;
        if activate {
            self.root_only("make a factor active without a code that proves it")?;
        }
        let begins = self.may_begin(&user, invitation).await?;
        let (kind, settings) = (params.kind(), self.core.settings());
        let Draft { params, start, secret, shown } =
            Draft::new(&settings, &user, (params, secret), Origin::Ours)?;
        let label = label.map_or_else(|| default_label(kind), Ok)?;
        // Whoever hands out the secrets has nothing to prove by a token.
        let activate = activate || (kind == FactorKind::Token && self.acts_for_any());
        let order = match begins {
            Begins::Invited(invitation) => {
                let context = self.context(&user);
                store::Order { context, uid, authority: store::Authority::Invited { invitation } }
            }
            Begins::OfRight => self.order(&user, uid, current_code)?,
        };
        let new = store::NewFactor { order, label: label.clone(), params, start, secret, activate, replace };
        let added = self.core.store().enroll_device(new, device).await;
        let added = added.map_err(|e| not_done(&user, "add a factor", self.core.now(), &e))?;
        self.log_change("enroll", &user);
        let (factor, state) = (added.factor, added.state);
        let sent_to = if state == FactorState::Pending && self.is_begun(&user, factor).await? {
            let sent = self.send_first(&user, uid, factor).await?;
            (kind != FactorKind::Rest).then_some(sent)
        } else {
            None
        };
        Ok(Reply::Enrolled(Box::new(Enrolled {
            factor,
            label,
            state,
            secret: shown.key,
            uri: shown.link,
            signing_secret: shown.signing,
            sent_to,
        })))
    }

    /// The uid of who is to hold a new factor; nobody, for a device that is enrolled under its serial number.
    async fn may_hold(&self, user: &UserId, activate: bool) -> Result<Option<u32>, Refusal> {
        if !user.realm.is_unassigned() {
            return self.root_or_self(user).await;
        }
        self.root_only("enroll a device for nobody")?;
        if !activate {
            let why = "nobody has this device who could prove it by a code: enroll it active";
            return Err(refused(RefusalCode::Invalid, why));
        }
        Ok(None)
    }

    /// A first factor is added by its owner only where the administrator lets owners do so, because a
    /// password alone must not be enough to get a second factor. (For a further one the store wants a code.)
    async fn may_begin(&self, user: &UserId, given: Option<SecretText>) -> Result<Begins, Refusal> {
        let settings = self.core.settings();
        let owners = settings.config().enrollment().first_by_self;
        if self.acts_for_any() || owners == SelfEnrollment::Open {
            return Ok(Begins::OfRight);
        }
        let view = self.core.store().view(user.clone(), Channel::Unproven).await;
        let view = view.map_err(|e| not_done(user, "read the factors", self.core.now(), &e))?;
        if view.shape.is_some() && !view.tampered {
            return Ok(Begins::OfRight);
        }
        if owners == SelfEnrollment::Never {
            return Err(refused(
                RefusalCode::NotAllowed,
                "first factors are added by root on this host ([enrollment] self = \"never\"): ask an administrator",
            ));
        }
        let Some(given) = given else {
            let why = "a first factor needs an invitation here: ask an administrator for one (mfactl invite)";
            return Err(refused(RefusalCode::Invitation, why));
        };
        let parsed = RecoveryCode::parse(given.expose()).map(Begins::Invited);
        parsed.ok_or_else(|| {
            refused(RefusalCode::Invitation, "that is no invitation: it looks like 01-ABCD-EFGH-IJKL-MNOP")
        })
    }

    /// Whether something has to be sent before the factor can be proven.
    async fn is_begun(&self, user: &UserId, factor: FactorId) -> Result<bool, Refusal> {
        let Some(detail) = self.one(user, |f| f.factor == factor).await? else { return Ok(false) };
        Ok(match detail.kind {
            FactorKind::Sms | FactorKind::Mail => true,
            FactorKind::Rest => {
                let settings = self.core.settings();
                service_of(&detail).and_then(|s| settings.outside(&s).map(|t| t.begins)).unwrap_or(false)
            }
            FactorKind::Totp
            | FactorKind::Hotp
            | FactorKind::Recovery
            | FactorKind::Token
            | FactorKind::BreakGlass => false,
        })
    }

    pub(super) async fn confirm(
        &self,
        user: UserId,
        factor: Option<FactorId>,
        code: &SecretText,
    ) -> Result<Reply, Refusal> {
        let uid = self.root_or_self(&user).await?;
        let order = self.order(&user, uid, None)?;
        let meant = |f: &FactorDetail| {
            f.state == FactorState::Pending && factor.is_none_or(|factor| f.factor == factor)
        };
        let pending = self.one(&user, meant).await?;
        let kind = pending.as_ref().map(|pending| pending.kind);
        let answer = parsed_as(kind, code)?;
        let settings = self.core.settings();
        let judged_outside = pending.as_ref().and_then(service_of).is_some_and(|service| {
            settings.outside(&service).is_none_or(|terms| terms.judge == Judge::Service)
        });
        let done = if judged_outside {
            self.confirm_outside(order, factor, answer.canonical()).await?
        } else {
            self.core.store().confirm(order, factor, answer).await
        };
        done.map_err(|error| {
            if error == StoreError::Refused(Refused::WrongCode) {
                return refused(RefusalCode::WrongCode, wrong_first(kind));
            }
            not_done(&user, "confirm the factor", self.core.now(), &error)
        })?;
        self.log_change("confirm", &user);
        Ok(Reply::Done { factors: 1 })
    }

    /// All of it or nothing, active at once: what was in use elsewhere.
    pub(super) async fn enroll_all(
        &self,
        user: UserId,
        factors: Vec<NewFactor>,
        recovery: Vec<SecretText>,
        replace: bool,
    ) -> Result<Reply, Refusal> {
        self.root_only("add factors without a code that proves them")?;
        let uid = self.root_or_self(&user).await?;
        let settings = self.core.settings();
        let member = |new: NewFactor| {
            if new.tag.serial.is_some() || new.tag.pin.is_some() || new.tag.description.is_some() {
                let why = "factors that are brought along have no serial number, description or PIN yet";
                return Err(refused(RefusalCode::Invalid, why));
            }
            if new.user != user {
                return Err(refused(RefusalCode::Invalid, "one of the factors is another user's"));
            }
            let label = new.label.map_or_else(|| default_label(new.params.kind()), Ok)?;
            let draft = Draft::new(&settings, &user, (new.params, new.secret), Origin::Elsewhere)?;
            if draft.shown.key.is_some() {
                return Err(refused(RefusalCode::Invalid, "a factor that is brought along has a key"));
            }
            Ok(Member { label, params: draft.params, start: draft.start, secret: draft.secret })
        };
        let factors = factors.into_iter().map(member).collect::<Result<Vec<_>, _>>()?;
        let recovery = recovery.iter().map(parsed).collect::<Result<Vec<OtpCode>, _>>()?;
        let order = self.order(&user, uid, None)?;
        let all = EnrollAll { order, factors, recovery, replace };
        let done = self.core.store().enroll_all(all).await;
        self.changed("enroll", &user, done)
    }

    /// Takes back what was just added and could not be begun: nobody would know why it is there.
    pub(super) async fn take_back(&self, user: &UserId, uid: Option<u32>, factor: FactorId) {
        let order = store::Order { context: self.context(user), uid, authority: store::Authority::Admin };
        let target = Target { factor: Some(factor), label: None };
        if let Err(error) = self.core.store().remove(order, target).await {
            tracing::warn!("factor {} of {user} stays, pending: {error}", factor.0);
        }
    }

    /// The only factor of a user that is meant; `None` when there is none, or more than one.
    pub(super) async fn one(
        &self,
        user: &UserId,
        meant: impl Fn(&FactorDetail) -> bool,
    ) -> Result<Option<FactorDetail>, Refusal> {
        let detail = match self.core.store().show(user.clone()).await {
            Err(StoreError::Refused(_)) => return Ok(None),
            other => other.map_err(|e| not_done(user, "read the factors", self.core.now(), &e))?,
        };
        let mut found = detail.factors.into_iter().filter(|factor| meant(factor));
        Ok(found.next().filter(|_| found.next().is_none()))
    }
}

/// By what right a factor is begun.
enum Begins {
    /// As any other change: root's, or by a current code, or open to all.
    OfRight,
    /// By an invitation, which the store judges.
    Invited(RecoveryCode),
}

fn default_label(kind: FactorKind) -> Result<FactorLabel, Refusal> {
    FactorLabel::new(kind.word()).map_err(|error| refused(RefusalCode::Invalid, &error.to_string()))
}

const fn wrong_first(kind: Option<FactorKind>) -> &'static str {
    match kind {
        Some(FactorKind::Sms | FactorKind::Mail) => "wrong code: it has to be the one that was sent last",
        Some(FactorKind::Rest) => "the service did not say yes to that",
        Some(FactorKind::Token) => "wrong token: it is of another minute, another name, or other secrets",
        Some(FactorKind::Totp | FactorKind::Hotp | FactorKind::Recovery | FactorKind::BreakGlass) | None => {
            "wrong code: it has to be one that the new factor shows now"
        }
    }
}
