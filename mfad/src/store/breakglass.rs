//! A code for an emergency at a login: compared, and deleted by its use.
//!
//! A hash is bound to the account and the factor, so that no hash serves in another place. Refuses to make
//! codes: [`super::manage`] does.

use mfa_proto::answer::{Answer, RecoveryCode};
use subtle::ConstantTimeEq as _;

use super::{
    StoreError,
    account::Account,
    attempt::{Attempt, Outcome},
    audit_rows::{self, Event},
    bench::{Bench, Checks},
    factor_row::Factor,
    manage, proof,
    tx::{Read, Tx},
};
use crate::{
    factor::{Check, CodeHash, EmergencyHash, Secret},
    seal::Fields,
};

/// Whether an answer claims to be such a code.
pub(super) fn is_emergency(answer: &Answer) -> bool {
    matches!(answer, Answer::Recovery(code) if code.is_emergency())
}

/// The hash of a code of a factor.
pub(super) fn hash(
    read: &Read<'_>,
    (account, factor): (i64, i64),
    code: &RecoveryCode,
) -> Result<CodeHash, StoreError> {
    let mut fields = Fields::new("mfad/breakglass/1");
    fields.int(account).int(factor).text(code.expose());
    read.vault.digest(&fields)
}

/// Judges an answer.
pub(super) fn check(
    read: &Read<'_>,
    account: &Account,
    factor: &Factor,
    answer: &Answer,
) -> Result<Check, StoreError> {
    let (Secret::BreakGlass(EmergencyHash(known)), Answer::Recovery(code)) =
        (factor.open_secret(read, account)?, answer)
    else {
        return Err(StoreError::Internal);
    };
    let right = bool::from(known.ct_eq(&hash(read, (account.id, factor.id), code)?));
    Ok(if right && !factor.is_void(read.now) { Check::Match(factor.moved_on()) } else { Check::Wrong })
}

/// Uses up the code that was right: its row goes, and with it the account that holds nothing else.
pub(super) fn accept(
    tx: &mut Tx<'_>,
    attempt: &Attempt,
    mut bench: Bench<'_>,
    checks: &Checks,
) -> Result<Outcome, StoreError> {
    let right = |(index, check): &(usize, Check)| matches!(check, Check::Match(_)).then_some(*index);
    let index = checks.iter().find_map(right).ok_or(StoreError::Internal)?;
    let factor = bench.factors.get(index).ok_or(StoreError::Internal)?;
    let user = &attempt.context.user;
    let proof = proof::spend(tx, user, factor)?;
    let proof =
        proof.ok_or_else(|| StoreError::Tampered(format!("factor {} changed meanwhile", factor.id)))?;
    let event = Event {
        what: "breakglass_used",
        context: Some(&attempt.context),
        factor: Some(proof.factor()),
        rule: attempt.rule.as_deref(),
        verdict: "done",
        reason: "ok",
    };
    audit_rows::append(tx, &event)?;
    let failed = bench.forgive(tx)?;
    manage::spent(tx, (bench.account, bench.factors), index)?;
    Ok(Outcome::Accepted(proof.after(failed)))
}
