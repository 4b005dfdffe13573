//! Who stands behind the name that logs in, as far as factors are concerned, and what a prompt has to know
//! of them.
//!
//! Refuses to tell the client which it is: a name without a factor is asked like one with.

use mfa_proto::{
    admin::FactorKind,
    answer::{Answer, AnswerShape},
};
use tracing::{error, warn};

use super::{Login, first::Newcomer};
use crate::{
    audit::Context,
    config::{Judge, RestTerms},
    identity::{Account, Membership},
    limits::Gate,
    policy::{Decision, Grant, Need, Policy, Request, Undecided, Unenrolled},
    session::{Holding, Opening, Reason, Settled, Way},
    settings::Settings,
    store::{AccountView, Held, StoreError},
};

/// The uid of an account now; `None` when names are not accounts of this host.
#[derive(Clone, Copy, Debug)]
pub(super) struct AccountUid(pub(super) Option<u32>);

/// All that was looked up of a name.
pub(super) struct Found {
    pub(super) account: Account,
    pub(super) membership: Membership,
    pub(super) view: Result<AccountView, StoreError>,
}

/// What stands behind the name that logs in.
pub(super) enum Subject {
    /// An account with at least one active factor.
    Enrolled {
        /// Its uid now.
        uid: AccountUid,
        /// Its active factors.
        held: Vec<Held>,
        /// How its limits stand.
        gate: Gate,
    },
    /// No account, or none that holds a factor: asked like any other, and refused.
    Decoy {
        /// Why, for the trail.
        reason: Reason,
        /// There is such an account, which merely holds nothing: its uid now. An application that signs for
        /// all its users may sign for this one.
        account: Option<AccountUid>,
    },
    /// An account without a factor, which may enroll the first one or go on without for a time.
    Newcomer(Newcomer),
    /// An account whose factors failed too often: no code is right until one is enrolled again.
    Exhausted,
}

impl Subject {
    const fn nobody(reason: Reason) -> Self {
        Self::Decoy { reason, account: None }
    }

    /// The uid to judge `answer` for by the store; `None` when no store has to be asked.
    pub(super) fn judged_by_store(&self, answer: &Answer) -> Option<AccountUid> {
        match self {
            Self::Enrolled { uid, .. } => Some(*uid),
            Self::Decoy { account, .. } => account.filter(|_| matches!(answer, Answer::Token(_))),
            Self::Newcomer(_) | Self::Exhausted => None,
        }
    }

    /// For the trail only: a decoy's refusal looks like any other to the client.
    pub(super) fn explain(&self, settled: Settled) -> Settled {
        match self {
            Self::Decoy { reason, .. } => settled.because(*reason),
            Self::Exhausted => settled.because(Reason::Exhausted),
            Self::Enrolled { .. } | Self::Newcomer(_) => settled,
        }
    }
}

impl Login<'_> {
    /// Looks up all that is known of the name. An error is the end of the login.
    pub(super) async fn find(&self) -> Result<Found, Settled> {
        let user = &self.context.user;
        let groups = self.settings.policy().groups_wanted(&self.request(None));
        // Side by side: neither needs the other, and each costs a thread's time. What the store says is
        // looked at only once the account and the policy ask for it.
        let (account, view) = tokio::join!(
            self.settings.directory().find_in_groups(user, groups),
            self.core.login_store().view(user.clone(), self.channel)
        );
        let (account, membership) = account.map_err(|error| {
            error!(session = self.context.session.as_str(), "cannot look up {user}: {error}");
            Settled::unavailable(Reason::Lookup)
        })?;
        Ok(Found { account, membership, view })
    }

    /// What the rules are asked.
    pub(super) fn request<'a>(&'a self, membership: Option<&'a Membership>) -> Request<'a> {
        let Context { user, service, client, .. } = &self.context;
        Request { user, service, client: client.as_ref(), origin: &self.origin, membership, now: self.began }
    }

    /// What the rules say; where they cannot say anything, the login ends.
    pub(super) fn decision(&self, membership: &Membership) -> Result<Decision, Settled> {
        let decided = self.settings.policy().decide(&self.request(Some(membership)));
        decided.map_err(|undecided| {
            error!(
                session = self.context.session.as_str(),
                "cannot decide on {}: {undecided}", self.context.user
            );
            Settled::unavailable(match undecided {
                Undecided::Group { .. } => Reason::Lookup,
                Undecided::Time { .. } => Reason::ClockUnusable,
            })
        })
    }

    /// Who this is, as far as factors are concerned; an error is the end of the login.
    pub(super) fn subject(&mut self, found: Found) -> Result<Subject, Settled> {
        let Found { account, membership, view } = found;
        let (need, grant) = match self.decision(&membership)? {
            Decision::Require(need) => (need, None),
            Decision::Skip(grant) => (Need::default(), Some(grant)),
            Decision::Deny { rule } => {
                self.rule = Some(rule);
                // The same answer whether the account exists; only the reason in the log differs.
                let unknown = account == Account::Unknown;
                return Err(Settled::denied(if unknown { Reason::UnknownUser } else { Reason::Policy }));
            }
        };
        self.rule.clone_from(&need.rule);
        self.need = need;
        let uid = match account {
            Account::Unknown => return Ok(Subject::nobody(Reason::UnknownUser)),
            Account::Known { uid } => Some(uid),
            Account::Unchecked => None,
        };
        if let Some(grant) = grant {
            return Err(self.without_factor(grant));
        }
        self.uid = uid;
        let view = view.map_err(|error| {
            error!(
                session = self.context.session.as_str(),
                "cannot read the factors of {}: {error}", self.context.user
            );
            Settled::unavailable(Reason::Store)
        })?;
        self.of_account(view, uid)
    }

    /// The end of a login that needs no factor. Where nobody has proven a password it would be a yes to nothing.
    fn without_factor(&self, grant: Grant) -> Settled {
        if self.may_skip() { Settled::not_applicable(grant) } else { Settled::denied(Reason::Policy) }
    }

    fn of_account(&self, view: AccountView, uid: Option<u32>) -> Result<Subject, Settled> {
        if view.tampered {
            error!(
                session = self.context.session.as_str(),
                "the stored rows of {} fail their integrity check: denied; run `mfactl show`",
                self.context.user
            );
            return Err(Settled::denied(Reason::Tampered));
        }
        if !view.held.is_empty() && self.falls_short(&view.held) {
            // Asked like others and told nothing: not even that a code was right. A signed token may make the
            // only factor that is needed.
            let account = Some(AccountUid(uid)).filter(|_| self.need.count <= 1);
            return Ok(Subject::Decoy { reason: Reason::NotEnoughFactors, account });
        }
        if !view.held.is_empty() {
            return Ok(Subject::Enrolled { uid: AccountUid(uid), held: view.held, gate: view.gate });
        }
        if view.exhausted {
            return Ok(Subject::Exhausted);
        }
        // Whoever is this account now did not enroll what it holds, and must not pass for new.
        if view.uid.is_some() && view.uid != uid {
            return Ok(Subject::nobody(Reason::Orphaned));
        }
        if let Some(newcomer) = self.newcomer(&view, uid) {
            return Ok(Subject::Newcomer(newcomer));
        }
        match Policy::without_factor(&self.need) {
            Some(grant) if self.may_skip() => Err(Settled::not_applicable(grant)),
            Some(_) | None => {
                Ok(Subject::Decoy { reason: Reason::NotEnrolled, account: Some(AccountUid(uid)) })
            }
        }
    }

    /// Whether fewer factors are held that count than are needed. An emergency code is enough by itself.
    fn falls_short(&self, held: &[Held]) -> bool {
        if held.iter().any(|held| held.kind == FactorKind::BreakGlass) {
            return false;
        }
        let counting = held.iter().filter(|held| self.need.kinds.contains(held.kind)).count();
        counting < usize::from(self.need.count)
    }

    /// Whether such an account may enroll a first factor now, or go on without: only when the password is
    /// proven, and there is an account.
    fn newcomer(&self, view: &AccountView, uid: Option<u32>) -> Option<Newcomer> {
        let uid = uid.filter(|_| self.is_proven() && view.newcomer)?;
        if self.need.unenrolled == Unenrolled::Skip {
            return None;
        }
        // What can be enrolled on the way is one app: where that does not do, it would only be in the way.
        let does = self.need.count == 1 && self.need.kinds.contains(FactorKind::Totp);
        let enrolls = does
            && self.front.is_none()
            && self.need.unenrolled == Unenrolled::Enroll
            && self.settings.lets_enroll_at_login();
        // As for the rules, so that an explanation of another day has its grace; the store looks at its clock.
        let grace = self.settings.grace().left(view.graced, self.began);
        (enrolls || grace.is_some()).then_some(Newcomer { uid, enrolls, grace })
    }

    /// What the session has to know of it.
    pub(super) fn opening(&self, subject: &Subject) -> Opening {
        let (held, gate) = match subject {
            Subject::Enrolled { held, gate, .. } => (self.holdings(held), *gate),
            // Newcomers have an opening of their own.
            Subject::Exhausted | Subject::Newcomer(_) => (Vec::new(), Gate::Exhausted),
            Subject::Decoy { .. } => {
                let (settings, now) = (self.settings.for_store(), self.core.now());
                let gate = self.core.decoys().gate(&self.context.user, self.channel, &settings, now);
                (Vec::new(), gate)
            }
        };
        self.fronted(Opening {
            settings: self.settings.prompt().clone(),
            held,
            tokens: self.settings.has_token_domains(),
            gate,
            proven: self.is_proven(),
            preferred: self.need.preferred.clone(),
            kinds: self.need.kinds,
            needed: self.need.count,
        })
    }

    pub(super) fn holdings(&self, held: &[Held]) -> Vec<Holding> {
        let session = self.context.session.as_str();
        let known = |held: &Held| {
            let holding = holding(held, &self.settings);
            if holding.is_none() {
                warn!(session, "factor {} cannot be asked for: its service is not configured", held.label);
            }
            holding
        };
        held.iter().filter_map(known).collect()
    }
}

/// A factor as a prompt sees it; `None` when the configuration does not know its service.
fn holding(held: &Held, settings: &Settings) -> Option<Holding> {
    let digits = held.digits.and_then(AnswerShape::of_digits);
    // Without its PIN, a code is judged all the same: wrong, and counted.
    let digits = digits.map(|form| if held.pin { form.or(AnswerShape::PINNED) } else { form });
    let (form, way) = match held.kind {
        FactorKind::Totp | FactorKind::Hotp => (digits?, Way::Own),
        FactorKind::Recovery => (digits.unwrap_or(AnswerShape::RECOVERY), Way::Own),
        FactorKind::BreakGlass => (AnswerShape::RECOVERY, Way::Own),
        FactorKind::Token => (AnswerShape::TOKEN, Way::Own),
        FactorKind::Sms | FactorKind::Mail => (digits?, Way::Sent),
        FactorKind::Rest => outside(settings.outside(held.rest_service.as_ref()?)?),
    };
    Some(Holding {
        factor: held.factor,
        kind: held.kind,
        label: held.label.clone(),
        form,
        way,
        target: held.target.clone(),
        service: held.rest_service.clone(),
        pin: held.pin,
    })
}

fn outside(terms: &RestTerms) -> (AnswerShape, Way) {
    match &terms.judge {
        Judge::Service => (Holding::OUTSIDE, Way::Outside { begins: terms.begins }),
        Judge::Core { pattern, .. } => {
            let digits = u8::try_from(pattern.length()).ok().filter(|_| pattern.is_digits());
            let digits = digits.and_then(AnswerShape::of_digits).unwrap_or(AnswerShape::NONE);
            (AnswerShape::TEXT.or(digits), Way::Sent)
        }
    }
}
