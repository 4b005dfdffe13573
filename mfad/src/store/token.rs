//! Signed tokens in logins and changes: whose they may be, whether they were used, and the first of a domain.
//!
//! Refuses to make a difference between a token that nobody signed and one that is for somebody else.

mod newcomer;
mod trial;

use mfa_proto::{
    admin::{FactorKind, FactorState},
    answer::SignedToken,
    name::{FactorLabel, UserId},
    secret::SecretText,
};

use self::{
    newcomer::newcomer,
    trial::{Judged, Trial, secret_of},
};
use super::{
    Refused, StoreError,
    account::Account,
    attempt::{Attempt, Channel, Outcome},
    bench::{Bench, Blame},
    factor_row::Factor,
    nonce::Memory,
    proof::Failed,
    roster,
    tx::{Read, Tx},
    view::{account_gate, most_lenient},
};
use crate::{
    clock::UnixTime,
    factor::{
        Check, Params, TokenSecret, TokenSettings,
        token::{Jid, Signer, check_signing},
    },
    limits::Gate,
};

/// Judges a token for a login or a change. Writes no row in the trail for itself.
pub(super) fn judge(
    tx: &mut Tx<'_>,
    attempt: &Attempt,
    token: &SignedToken,
    (account, session): (Option<Account>, &str),
) -> Result<Outcome, StoreError> {
    let trial = Trial::of(tx, &attempt.context.user, token)?;
    let kind_counts = attempt.counting.kinds.contains(FactorKind::Token);
    let Some(account) = account else {
        let proof =
            if tx.now.is_unset() || !kind_counts { None } else { newcomer(tx, attempt, &trial, &[])? };
        return Ok(proof.map_or(Outcome::NoFactor, Outcome::Accepted));
    };
    let mut bench = Bench::counting(&tx.read(), account, session, &attempt.counting)?;
    bench.begin_waits_anew(tx)?;
    let gate = gate_of(&bench, attempt.channel, tx.now);
    if !gate.is_open() || tx.now.is_unset() {
        return Ok(match without_factor(&bench) {
            Some(outcome) => outcome,
            None if gate.is_open() => Outcome::ClockUnusable,
            None => Outcome::Locked { gate },
        });
    }
    let judged = judge_all(tx, &bench, &trial)?;
    if let Some(outcome) = accept(tx, &mut bench, &trial, judged.rights)? {
        return Ok(outcome);
    }
    let known = domains_of(&tx.read(), &bench)?;
    let first = if kind_counts { newcomer(tx, attempt, &trial, &known)? } else { None };
    if let Some(proof) = first {
        let failed = forgive(tx, attempt, session)?;
        return Ok(Outcome::Accepted(proof.after(failed)));
    }
    if let Some(until) = judged.full {
        return Ok(Outcome::Locked { gate: Gate::Wait { until } });
    }
    if let Some(outcome) = without_factor(&bench) {
        return Ok(outcome);
    }
    if judged.clock_unusable && judged.wrong.is_empty() {
        return Ok(Outcome::ClockUnusable);
    }
    let judged_by = if holds_token(&bench) && kind_counts { judged.wrong } else { open_factors(&bench) };
    let blame = Blame { context: &attempt.context, channel: attempt.channel };
    bench.charge(tx, &judged_by, blame)?;
    let gate = gate_of(&bench, attempt.channel, tx.now);
    let Some(index) = judged.used else { return Ok(Outcome::Wrong { gate }) };
    bench.note_reuse(tx, index, &attempt.context)?;
    Ok(Outcome::Used { gate })
}

fn counts(factor: &Factor) -> bool {
    matches!(factor.state, FactorState::Active | FactorState::Exhausted)
}

fn holds_token(bench: &Bench<'_>) -> bool {
    bench.factors.iter().filter(|factor| counts(factor)).any(|factor| factor.params == Params::Token)
}

/// How the limits stand of the factors that are charged for a wrong token: those of this kind. An account
/// without one is charged for its others, as it is for a wrong code: of people who hold nothing, and whom a
/// decoy plays, a wrong token costs as much.
fn gate_of(bench: &Bench<'_>, channel: Channel, now: UnixTime) -> Gate {
    let tokens = holds_token(bench);
    let charged = |factor: &&Factor| !tokens || factor.params == Params::Token;
    let mut factors = charged_for(bench).filter(|factor| counts(factor)).filter(charged);
    account_gate(&bench.account, channel, now).and(most_lenient(&mut factors, now))
}

fn open_factors(bench: &Bench<'_>) -> Vec<usize> {
    let charged: Vec<i64> = charged_for(bench).map(|factor| factor.id).collect();
    let all = bench.factors.iter().enumerate();
    all.filter(|(_, factor)| charged.contains(&factor.id) && bench.is_open(factor))
        .map(|(index, _)| index)
        .collect()
}

/// The factors that a wrong token may be charged to: an emergency code is there for when the others are
/// locked, so it neither opens what they hold closed nor is worn down with them.
fn charged_for<'b>(bench: &'b Bench<'_>) -> impl Iterator<Item = &'b Factor> {
    let alone = bench.factors.iter().filter(|factor| counts(factor)).all(|f| f.params.is_emergency());
    bench.factors.iter().filter(move |factor| alone || !factor.params.is_emergency())
}

/// What becomes of an account that has no active factor: nobody is told more than of one that is not there.
fn without_factor(bench: &Bench<'_>) -> Option<Outcome> {
    if bench.holds(FactorState::Active) {
        return None;
    }
    let exhausted = bench.holds(FactorState::Exhausted);
    Some(if exhausted { Outcome::Locked { gate: Gate::Exhausted } } else { Outcome::NoFactor })
}

/// What a token turned out to be for the factors of an account.
#[derive(Default)]
struct AllJudged {
    rights: Vec<(usize, Memory, i64)>,
    /// To be charged: also those that it was used with.
    wrong: Vec<usize>,
    /// One that it was used with.
    used: Option<usize>,
    full: Option<UnixTime>,
    clock_unusable: bool,
}

/// Judges for every active factor that is open; no early exit.
fn judge_all(tx: &Tx<'_>, bench: &Bench<'_>, trial: &Trial<'_>) -> Result<AllJudged, StoreError> {
    let mut all = AllJudged::default();
    for (index, factor) in bench.factors.iter().enumerate() {
        if factor.params != Params::Token || !bench.is_open(factor) {
            continue;
        }
        match trial.judge(tx, &bench.account, factor)? {
            Judged::Right { memory, step } => all.rights.push((index, memory, step)),
            Judged::Wrong => all.wrong.push(index),
            Judged::Used => {
                all.wrong.push(index);
                all.used = all.used.or(Some(index));
            }
            Judged::Full { until } => all.full = Some(until),
            Judged::ClockUnusable => all.clock_unusable = true,
        }
    }
    Ok(all)
}

/// Uses the token up for every factor it was right for; `None` when there is none.
fn accept(
    tx: &Tx<'_>,
    bench: &mut Bench<'_>,
    trial: &Trial<'_>,
    rights: Vec<(usize, Memory, i64)>,
) -> Result<Option<Outcome>, StoreError> {
    let mut proof = None;
    for (index, memory, step) in rights {
        let factor = bench.factors.get(index).ok_or(StoreError::Internal)?;
        let moved = memory.remember(tx, factor, trial.hash, step)?;
        proof.get_or_insert(bench.consume(tx, trial.user, index, moved)?);
    }
    let Some(proof) = proof else { return Ok(None) };
    let failed = bench.forgive(tx)?;
    Ok(Some(Outcome::Accepted(proof.after(failed))))
}

/// The domains that an account has factors of, in whatever state: one that is switched off keeps its domain
/// out.
fn domains_of(read: &Read<'_>, bench: &Bench<'_>) -> Result<Vec<FactorLabel>, StoreError> {
    let mut domains = Vec::new();
    for factor in bench.factors.iter().filter(|factor| factor.params == Params::Token) {
        if let TokenSecret::Domain(name) = secret_of(read, &bench.account, factor)? {
            domains.push(name);
        }
    }
    Ok(domains)
}

/// As any other success does. The account's row is another one since the factor was added.
fn forgive(tx: &Tx<'_>, attempt: &Attempt, session: &str) -> Result<Option<Failed>, StoreError> {
    match roster::find(&tx.read(), &attempt.context.user)? {
        Some(account) => Bench::counting(&tx.read(), account, session, &attempt.counting)?.forgive(tx),
        None => Err(StoreError::Internal),
    }
}

/// Judges a token that is to prove a pending factor, and uses it up when it is right.
pub(super) fn prove(
    tx: &Tx<'_>,
    user: &UserId,
    account: &Account,
    (pending, token): (&Factor, &SignedToken),
) -> Result<Check, StoreError> {
    if tx.now.is_unset() {
        return Ok(Check::ClockUnusable);
    }
    let trial = Trial::of(tx, user, token)?;
    Ok(match trial.judge(tx, account, pending)? {
        Judged::Right { memory, step } => Check::Match(memory.remember(tx, pending, trial.hash, step)?),
        Judged::Wrong | Judged::Full { .. } => Check::Wrong,
        Judged::Used => Check::Used,
        Judged::ClockUnusable => Check::ClockUnusable,
    })
}

/// Whether tokens can be judged by such a secret.
pub(super) fn sound(settings: &TokenSettings, secret: &TokenSecret) -> Result<(), Refused> {
    match secret {
        TokenSecret::Domain(name) if settings.domains.iter().all(|domain| domain.name != *name) => {
            Err(Refused::Invalid("there is no such domain in the configuration: see [token]"))
        }
        TokenSecret::Own { signing, .. } if check_signing(signing).is_err() => Err(Refused::Invalid(
            "a signing secret has 16 to 128 characters (32 recommended), all of them visible ASCII",
        )),
        TokenSecret::Domain(_) | TokenSecret::Own { .. } => Ok(()),
    }
}

/// Makes a fresh token for a factor; `None` when its domain is not in the configuration.
pub(super) fn issue(
    tx: &Tx<'_>,
    user: &UserId,
    account: &Account,
    factor: &Factor,
) -> Result<Option<SecretText>, StoreError> {
    let settings = &tx.settings.token;
    let made = |signer: Signer<'_>, host: &str| {
        let token = signer.issue(&Jid::new(user.name.as_str(), host), tx.now);
        token.map(Some).map_err(|error| StoreError::Unavailable(error.to_string()))
    };
    match secret_of(&tx.read(), account, factor)? {
        TokenSecret::Own { seed, signing } => made(Signer { seed: &seed, signing: &signing }, &settings.host),
        TokenSecret::Domain(name) => match settings.domains.iter().find(|domain| domain.name == name) {
            Some(domain) => made(Signer { seed: &domain.seed, signing: &domain.signing }, name.as_str()),
            None => Ok(None),
        },
    }
}
