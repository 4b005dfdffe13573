//! Codes that are sent: made and counted in one transaction, before anything leaves the host.
//!
//! A new code kills the one before. Refuses to send: the caller has egress do that, with no transaction
//! open, and says when it could not be done.

use mfa_proto::{
    admin::{FactorId, FactorState},
    answer::OtpCode,
    egress::Medium,
    secret::SecretText,
    text::ShownText,
};

use super::{
    Channel, StoreError,
    account::Account,
    audit_rows::{self, Event},
    challenge::{self, Challenge, Term},
    counting::Counting,
    factor_row::{self, Factor},
    roster, sent,
    tx::Tx,
    view::account_gate,
};
use crate::{
    audit::Context,
    clock::UnixTime,
    factor::{self, Address, Outside, Secret},
    limits::Gate,
    seal::SealError,
};

/// Bounds on codes that are sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SentLimits {
    /// Digits of a code where the factor does not say: 6 to 8.
    pub digits: u8,
    /// Seconds that a code counts: at most [`Self::LONGEST`].
    pub lifetime: i64,
    /// Seconds before a code that was not used is sent again.
    pub resend_interval: i64,
    /// Codes to one user in 24 hours.
    pub per_user_day: u32,
    /// Codes to one number or address in 24 hours, whoever holds it.
    pub per_number_day: u32,
    /// Codes in all in 24 hours.
    pub global_day: u32,
}

impl SentLimits {
    /// NIST SP 800-63B-4 §3.1.3.2: no code counts for longer than ten minutes.
    pub const LONGEST: i64 = 600;
    /// Wrong answers that a code survives, less one.
    pub const TRIES: u32 = 5;
}

impl Default for SentLimits {
    fn default() -> Self {
        Self {
            digits: 6,
            lifetime: 300,
            resend_interval: 60,
            per_user_day: 20,
            per_number_day: 20,
            global_day: 1000,
        }
    }
}

/// A code that the caller made for an outside service to deliver, in the form which that service wants.
#[derive(Debug)]
pub struct MadeCode {
    /// The code: 4 to 64 printable ASCII characters without spaces.
    pub code: SecretText,
    /// Seconds that it counts.
    pub lifetime: i64,
    /// Seconds before a code that was not used is sent again.
    pub resend_interval: i64,
}

/// A code wanted for a login.
#[derive(Debug)]
pub struct Issue {
    /// Who asks, for whom, from where; the code is bound to its session.
    pub context: Context,
    /// The policy rule that asks for a factor, for the trail.
    pub rule: Option<String>,
    /// The account's uid now; `None` when names are not accounts of this host.
    pub uid: Option<u32>,
    /// Which factor.
    pub factor: FactorId,
    /// Whether the password was proven.
    pub channel: Channel,
    /// The code for an outside service; `None` for numbers and addresses, whose codes the store makes.
    pub made: Option<MadeCode>,
    /// Which factors count: no code is made for another.
    pub counting: Counting,
}

/// What became of the wish for a code. By the time it is known it is durable.
#[derive(Debug)]
#[must_use]
pub enum Issued {
    /// The code counts from now on: send it.
    Code(Box<SentCode>),
    /// The code that the caller made counts from now on: have the outside service deliver it.
    Begin {
        /// Which service, and the user's name there.
        outside: Outside,
        /// Until when it counts.
        until: UnixTime,
    },
    /// One was sent a moment ago, and has not been used.
    TooSoon {
        /// When another may be sent.
        until: UnixTime,
    },
    /// Too many were sent.
    Capped {
        /// When another may be sent.
        until: UnixTime,
    },
    /// Attempts are used up: no answer would be judged.
    Locked {
        /// When one may be.
        gate: Gate,
    },
    /// The user has no such active factor that codes are sent for.
    Gone,
    /// The account has another uid than at enrollment.
    Orphaned,
    /// The stored rows fail their integrity check.
    Tampered,
}

/// A code to send, and all that is needed for that.
#[derive(Debug)]
pub struct SentCode {
    /// Of which factor.
    pub factor: FactorId,
    /// The telephone number or mail address.
    pub to: SecretText,
    /// The same, as it may be shown.
    pub masked: ShownText,
    /// How it travels.
    pub medium: Medium,
    /// The code.
    pub code: OtpCode,
    /// Digits of the code.
    pub digits: u8,
    /// Until when it counts.
    pub until: UnixTime,
}

/// A code that could not be sent.
#[derive(Debug)]
pub struct Undelivered {
    /// The context it was issued in.
    pub context: Context,
    /// Of which factor.
    pub factor: FactorId,
}

/// Issues a code for a login.
pub(super) fn issue(tx: &mut Tx<'_>, wanted: Issue) -> Result<Issued, StoreError> {
    let user = wanted.context.user.clone();
    match try_issue(tx, wanted) {
        Err(StoreError::Tampered(what)) => {
            tracing::error!("{what}: no code is sent to {user}");
            Ok(Issued::Tampered)
        }
        other => other,
    }
}

fn try_issue(tx: &mut Tx<'_>, wanted: Issue) -> Result<Issued, StoreError> {
    let Issue { context, rule, uid, factor: FactorId(id), channel, made, counting } = wanted;
    let Some(account) = roster::find(&tx.read(), &context.user)? else { return Ok(Issued::Gone) };
    if account.uid != uid {
        return Ok(Issued::Orphaned);
    }
    let mut factors = factor_row::load_all(&tx.read(), &account)?;
    let barred = counting.barred(&tx.read(), &account, &factors)?;
    let active = |f: &&mut Factor| f.id == id && f.state == FactorState::Active && !barred.contains(&f.id);
    let Some(factor) = factors.iter_mut().find(active) else { return Ok(Issued::Gone) };
    let gate = account_gate(&account, channel, tx.now).and(factor.counter.clone().gate(tx.now));
    if !gate.is_open() {
        return Ok(Issued::Locked { gate });
    }
    let order = Making { account: &account, session: context.session.as_str(), made };
    let issued = make(tx, factor, order)?;
    record(tx, &issued, (&context, rule.as_deref()), factor)?;
    Ok(issued)
}

/// For whom a code is made, and in which session it counts.
pub(super) struct Making<'a> {
    pub(super) account: &'a Account,
    pub(super) session: &'a str,
    pub(super) made: Option<MadeCode>,
}

/// Makes a code in place of the one before, if the limits on sending allow it. Failures stay counted.
pub(super) fn make(tx: &mut Tx<'_>, factor: &mut Factor, order: Making<'_>) -> Result<Issued, StoreError> {
    let Making { account, session, made } = order;
    if !factor.keeps_challenges() || factor.params.is_sent() != made.is_none() {
        return Ok(Issued::Gone);
    }
    let before = challenge::of(&tx.read(), factor)?.into_iter().find(Challenge::is_code);
    let interval = made.as_ref().map_or(tx.settings.sent.resend_interval, |made| made.resend_interval);
    if let Some(before) = &before
        && (0..interval).contains(&tx.now.since(before.sent))
    {
        return Ok(Issued::TooSoon { until: before.sent.plus(interval) });
    }
    let secret = factor.open_secret(&tx.read(), account)?;
    let number = sent::number_of(&tx.read(), &secret)?;
    if let Err(until) = sent::count(tx, account, number)? {
        tracing::warn!("no more codes are sent for factor {} before {}: too many were", factor.id, until.0);
        return Ok(Issued::Capped { until });
    }
    if let Some(before) = before {
        before.delete(tx, factor)?;
    }
    factor.moving = factor.moved_on();
    let term =
        Term { session, lifetime: made.as_ref().map_or(tx.settings.sent.lifetime, |made| made.lifetime) };
    let issued = match (secret, made) {
        (Secret::Address(to), None) => to_address(tx, factor, &term, &to)?,
        (Secret::Outside(outside), Some(made)) => {
            let until = Challenge::code(tx, factor, &term, made.code.expose())?.expires;
            Issued::Begin { outside, until }
        }
        (
            Secret::Seed(_)
            | Secret::Address(_)
            | Secret::Outside(_)
            | Secret::Token(_)
            | Secret::Recovery(_),
            _,
        ) => return Err(StoreError::Internal),
    };
    factor.update(tx)?;
    Ok(issued)
}

fn to_address(tx: &Tx<'_>, factor: &mut Factor, term: &Term<'_>, to: &Address) -> Result<Issued, StoreError> {
    let digits = factor.params.digits();
    let code = factor::sent_digits(digits).ok_or(SealError::NoRandomness)?;
    let until = Challenge::code(tx, factor, term, code.expose())?.expires;
    let (masked, medium) = (to.masked(), to.medium());
    let to = SecretText::new(to.expose().to_owned()).map_err(|_| StoreError::Internal)?;
    let factor = FactorId(factor.id);
    Ok(Issued::Code(Box::new(SentCode { factor, to, masked, medium, code, digits, until })))
}

/// Writes to the trail that a code was made.
pub(super) fn record(
    tx: &mut Tx<'_>,
    issued: &Issued,
    (context, rule): (&Context, Option<&str>),
    factor: &Factor,
) -> Result<(), StoreError> {
    if !matches!(issued, Issued::Code(_) | Issued::Begin { .. }) {
        return Ok(());
    }
    let event = Event {
        what: "send",
        context: Some(context),
        factor: Some(FactorId(factor.id)),
        rule,
        verdict: "done",
        reason: factor.params.kind().word(),
    };
    audit_rows::append(tx, &event)
}

/// Kills a code that could not be sent. What was counted stays counted.
pub(super) fn undelivered(tx: &mut Tx<'_>, wanted: &Undelivered) -> Result<(), StoreError> {
    kill(tx, &wanted.context, wanted.factor, wanted.context.session.as_str())
}

/// Kills the code of a session, if it has not been used or replaced.
pub(super) fn kill(
    tx: &mut Tx<'_>,
    context: &Context,
    factor: FactorId,
    session: &str,
) -> Result<(), StoreError> {
    let Some(account) = roster::find(&tx.read(), &context.user)? else { return Ok(()) };
    let mut factors = factor_row::load_all(&tx.read(), &account)?;
    let meant = |held: &&mut Factor| FactorId(held.id) == factor && held.keeps_challenges();
    if let Some(held) = factors.iter_mut().find(meant) {
        let rows = challenge::of(&tx.read(), held)?;
        if let Some(code) = rows.into_iter().find(|row| row.is_code() && row.session == session) {
            code.delete(tx, held)?;
            held.update(tx)?;
        }
    }
    let event = Event {
        what: "send",
        context: Some(context),
        factor: Some(factor),
        rule: None,
        verdict: "unavailable",
        reason: "undelivered",
    };
    audit_rows::append(tx, &event)
}
