//! Invitations: one for a user at a time, kept as a keyed hash over user, uid and code.
//!
//! Refuses one that is older than its time, was typed wrong too often, or is for another uid; whoever asks
//! is not told which it was.

use mfa_proto::{answer::RecoveryCode, name::UserId};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::Waiting;
use crate::{
    audit::Context,
    clock::UnixTime,
    seal::{Fields, Mac, SealError},
    store::{
        Refused, StoreError,
        audit_rows::{self, Event},
        manage::{self, Answer, Order},
        tx::Tx,
    },
};

/// Wrong invitations after which the one there is counts no more.
const MOST_TRIES: u32 = 5;

/// An invitation that was made.
#[derive(Debug)]
pub struct Invitation {
    /// The code: to be shown once and forgotten.
    pub code: RecoveryCode,
    /// Until when it counts.
    pub until: UnixTime,
}

/// What was typed as an invitation.
#[derive(Debug)]
pub struct CheckInvitation {
    /// Who asks, for whom, from where.
    pub context: Context,
    /// The account's uid now.
    pub uid: u32,
    /// The code.
    pub code: RecoveryCode,
}

/// What it is. When it is wrong, that was counted.
#[derive(Debug)]
#[must_use]
pub enum InvitationCheck {
    /// It counts: given back, for it is used up only with the factor that is enrolled by it.
    Right(RecoveryCode),
    /// It does not count.
    Wrong,
}

/// Makes an invitation in place of the one before.
pub(in crate::store) fn invite(tx: &mut Tx<'_>, order: &Order, seconds: u32) -> Answer<Invitation> {
    let Some(uid) = order.uid else {
        return Ok(Err(Refused::Invalid("only accounts of this host can be invited")));
    };
    if tx.now.is_unset() {
        return Ok(Err(Refused::ClockUnusable));
    }
    let user = &order.context.user;
    if !manage::is_newcomer(tx, user, uid)? {
        return Ok(Err(Refused::Invalid(
            "the user has a factor: invitations are for the first one (`mfactl remove` takes those there are)",
        )));
    }
    let mut random = Zeroizing::new([0; RecoveryCode::RANDOM_BYTES]);
    getrandom::fill(&mut *random).map_err(|_| SealError::NoRandomness)?;
    let code = RecoveryCode::new(1, &random).ok_or(StoreError::Internal)?;
    let mut row = Waiting::of_or_new(tx, user)?;
    let until = tx.now.plus(i64::from(seconds));
    row.invite_hash = hash(tx, user, uid, &code)?.to_vec();
    row.invite_until = until;
    row.invite_tries = 0;
    row.change(tx)?;
    audit_rows::append_change(tx, &order.context, "invite", None)?;
    Ok(Ok(Invitation { code, until }))
}

/// Takes an invitation back, and what was begun by it. How many.
pub(in crate::store) fn uninvite(tx: &mut Tx<'_>, order: &Order) -> Answer<u32> {
    let user = &order.context.user;
    if !spend(tx, user)? {
        return Ok(Err(Refused::Invalid("the user has no invitation")));
    }
    manage::drop_pending_of_newcomer(tx, order)?;
    audit_rows::append_change(tx, &order.context, "uninvite", None)?;
    Ok(Ok(1))
}

/// Looks at an invitation that was typed at a login.
pub(in crate::store) fn check_invitation(
    tx: &mut Tx<'_>,
    typed: CheckInvitation,
) -> Result<InvitationCheck, StoreError> {
    let CheckInvitation { context, uid, code } = typed;
    let right = is_invited(tx, &context, uid, &code)?;
    Ok(if right { InvitationCheck::Right(code) } else { InvitationCheck::Wrong })
}

/// Whether an invitation counts; a wrong one is counted, and told in the trail.
pub(in crate::store) fn is_invited(
    tx: &mut Tx<'_>,
    context: &Context,
    uid: u32,
    code: &RecoveryCode,
) -> Result<bool, StoreError> {
    let row = super::proven(tx, &context.user)?;
    let hash = hash(tx, &context.user, uid, code)?;
    if row.as_ref().is_some_and(|row| row.invited_until(tx.now).is_some() && row.is_hash(&hash)) {
        return Ok(true);
    }
    if let Some(mut row) = row.filter(|row| row.invited_until(tx.now).is_some()) {
        row.invite_tries = row.invite_tries.saturating_add(1);
        row.change(tx)?;
    }
    let event = Event {
        what: "invitation",
        context: Some(context),
        factor: None,
        rule: None,
        verdict: "deny",
        reason: "wrong_code",
    };
    audit_rows::append(tx, &event)?;
    Ok(false)
}

/// Uses an invitation up, if there is one: the user has a factor now, or shall not get one by it.
pub(in crate::store) fn spend(tx: &mut Tx<'_>, user: &UserId) -> Result<bool, StoreError> {
    // Who has no row and no factor costs no more than a look-up here.
    let Some(mut row) = super::of(&tx.read(), tx.head, user)?.filter(|row| !row.invite_hash.is_empty())
    else {
        return Ok(false);
    };
    row.forget_invitation();
    row.change(tx)?;
    Ok(true)
}

/// [`spend`], for a user who has a factor now. Rows that fail their check are no reason to refuse it: the
/// invitation counts for nothing any more, with such rows or without.
pub(in crate::store) fn settled(tx: &mut Tx<'_>, user: &UserId) -> Result<(), StoreError> {
    match spend(tx, user) {
        Err(StoreError::Tampered(what)) => {
            tracing::error!("{what}: users without a factor are denied");
            Ok(())
        }
        other => other.map(drop),
    }
}

fn hash(tx: &Tx<'_>, user: &UserId, uid: u32, code: &RecoveryCode) -> Result<Mac, StoreError> {
    let mut fields = Fields::new("mfad/invitation/1");
    fields.text(user.realm.as_str()).text(user.name.as_str()).int(uid).text(code.expose());
    tx.vault.digest(&fields)
}

impl Waiting {
    /// Until when the invitation counts; `None` when there is none that does.
    pub(in crate::store) fn invited_until(&self, now: UnixTime) -> Option<UnixTime> {
        let live = !self.invite_hash.is_empty()
            && self.invite_tries < MOST_TRIES
            && now < self.invite_until
            && !now.is_unset();
        live.then_some(self.invite_until)
    }

    fn is_hash(&self, hash: &Mac) -> bool {
        self.invite_hash.as_slice().ct_eq(hash.as_slice()).into()
    }
}
