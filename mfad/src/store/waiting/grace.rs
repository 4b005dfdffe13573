//! The time of grace: a user without a factor gets in without one, until a day, or so many times.
//!
//! Refuses whoever has, or had and lost, a factor, and all while the clock is not set.

use mfa_proto::name::UserId;

use super::Waiting;
use crate::{
    audit::Context,
    clock::UnixTime,
    session::Reason,
    store::{
        StoreError,
        audit_rows::{self, Event},
        manage,
        tx::Tx,
    },
};

/// How long users get in without a factor. With neither bound there is no grace.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct GraceTerms {
    /// Before this time.
    pub until: Option<UnixTime>,
    /// So many times.
    pub logins: Option<u32>,
}

/// What is left of it for one user.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct GraceLeft {
    /// Before this time.
    pub until: Option<UnixTime>,
    /// So many times.
    pub logins: Option<u32>,
}

/// A login that wants to go on without a factor.
#[derive(Clone, Debug)]
pub struct GraceLogin {
    /// Who asks, for whom, from where: root, after the password.
    pub context: Context,
    /// The policy rule that asks for a factor, for the trail.
    pub rule: Option<String>,
    /// The account's uid now.
    pub uid: u32,
    /// How long there is grace.
    pub terms: GraceTerms,
}

/// A login was counted as one without a factor. Built here only, and durable by the time it is known.
#[derive(Debug)]
#[must_use]
pub struct Graced {
    user: UserId,
    left: GraceLeft,
}

impl Graced {
    /// Whose login.
    pub fn user(&self) -> &UserId {
        &self.user
    }

    /// What is left.
    pub fn left(&self) -> GraceLeft {
        self.left
    }
}

#[cfg(test)]
impl Graced {
    /// One of nothing: for the tests of what is built on it. Not in any program.
    pub(crate) fn of_nothing(user: UserId) -> Self {
        Self { user, left: GraceLeft { until: None, logins: Some(0) } }
    }
}

impl GraceTerms {
    /// Whether there is grace for anybody.
    pub fn is_on(&self) -> bool {
        self.until.is_some() || self.logins.is_some()
    }

    /// What is left for a user who got in so many times without a factor; `None` when nothing is.
    pub fn left(&self, graced: u32, now: UnixTime) -> Option<GraceLeft> {
        let in_time = self.until.is_none_or(|until| now < until);
        let logins = self.logins.map(|most| most.saturating_sub(graced));
        let some = self.is_on() && in_time && logins != Some(0) && !now.is_unset();
        some.then_some(GraceLeft { until: self.until, logins })
    }
}

/// Counts a login without a factor; `None` when there is no grace for it.
pub(in crate::store) fn grace(tx: &mut Tx<'_>, login: &GraceLogin) -> Result<Option<Graced>, StoreError> {
    let user = &login.context.user;
    if !manage::is_newcomer(tx, user, login.uid)? {
        return Ok(None);
    }
    let mut row = Waiting::of_or_new(tx, user)?;
    if login.terms.left(row.graced, tx.now).is_none() {
        return Ok(None);
    }
    row.graced = row.graced.saturating_add(1);
    row.change(tx)?;
    let event = Event {
        what: "login",
        context: Some(&login.context),
        factor: None,
        rule: login.rule.as_deref(),
        verdict: "skip",
        reason: Reason::Grace.word(),
    };
    audit_rows::append(tx, &event)?;
    let logins = login.terms.logins.map(|most| most.saturating_sub(row.graced));
    Ok(Some(Graced { user: user.clone(), left: GraceLeft { until: login.terms.until, logins } }))
}
