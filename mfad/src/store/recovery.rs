//! Keyed hashes of recovery codes: made for a new set, compared for an answer.
//!
//! A hash is bound to the account, the set and the number, so that no hash serves in another place.

use mfa_proto::answer::{Answer, OtpCode, RecoveryCode};

use super::{StoreError, account::Account, factor_row::Factor, tx::Read};
use crate::{
    factor::{Check, CodeHash, RecoveryHashes, RecoverySet, Secret},
    seal::Fields,
};

/// What a code without number is hashed with in place of one.
const NO_NUMBER: u8 = 0;

/// Whose set it is: account and factor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Set {
    pub(super) account: i64,
    pub(super) factor: i64,
}

impl Set {
    fn hash(self, read: &Read<'_>, number: u8, code: &str) -> Result<CodeHash, StoreError> {
        let mut fields = Fields::new("mfad/recovery/1");
        fields.int(self.account).int(self.factor).int(number).text(code);
        read.vault.digest(&fields)
    }

    /// The hashes of codes that were made here, in order of number.
    pub(super) fn of_numbered(self, read: &Read<'_>, codes: &[RecoveryCode]) -> Result<Secret, StoreError> {
        let hash = |code: &RecoveryCode| self.hash(read, code.number(), code.expose());
        let hashes = codes.iter().map(hash).collect::<Result<_, _>>()?;
        Ok(Secret::Recovery(RecoveryHashes(hashes)))
    }

    /// The hashes of codes that were brought along, which have no number.
    pub(super) fn of_digits(self, read: &Read<'_>, codes: &[OtpCode]) -> Result<Secret, StoreError> {
        let hash = |code: &OtpCode| self.hash(read, NO_NUMBER, code.expose());
        let hashes = codes.iter().map(hash).collect::<Result<_, _>>()?;
        Ok(Secret::Recovery(RecoveryHashes(hashes)))
    }
}

/// Judges an answer for a set: one hash.
pub(super) fn check(
    read: &Read<'_>,
    account: &Account,
    factor: &Factor,
    answer: &Answer,
) -> Result<Check, StoreError> {
    let Secret::Recovery(hashes) = factor.open_secret(read, account)? else {
        return Err(StoreError::Internal);
    };
    let set = RecoverySet { hashes: &hashes, moving: factor.moving };
    let bound = Set { account: account.id, factor: factor.id };
    match (answer, factor.params.digits()) {
        (Answer::Recovery(code), 0) => {
            let number = code.number();
            Ok(set.check_numbered(number, &bound.hash(read, number, code.expose())?))
        }
        (Answer::Code(code), 8) => Ok(set.check_any(&bound.hash(read, NO_NUMBER, code.expose())?)),
        _ => Ok(Check::Wrong),
    }
}
