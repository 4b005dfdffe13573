//! Adding many factors of one user at once, all or none: what was brought along from elsewhere.

use mfa_proto::{answer::OtpCode, name::FactorLabel};

use super::{Answer, Order};
use crate::{
    factor::{Moving, Params, Secret},
    store::{Refused, tx::Tx},
};

/// One of the factors to add.
#[derive(Debug)]
pub struct Member {
    /// What the person calls it.
    pub label: FactorLabel,
    /// Kind and parameters.
    pub params: Params,
    /// Where it starts ([`Params::start`]).
    pub start: Moving,
    /// Its secret.
    pub secret: Secret,
}

/// Factors and recovery codes to add, all or none of them.
#[derive(Debug)]
pub struct EnrollAll {
    /// Who wants it, for whom. Administrators only.
    pub order: Order,
    /// The factors: active at once. Not those that codes are sent for, whose address has to be proven.
    pub factors: Vec<Member>,
    /// Single-use codes of 8 digits, at most [`mfa_proto::answer::RecoveryCode::MOST`].
    pub recovery: Vec<OtpCode>,
    /// Takes the place of factors with the same labels, and of the recovery codes before.
    pub replace: bool,
}

/// Adds all of them.
pub(in crate::store) fn enroll_all(_tx: &mut Tx<'_>, _all: EnrollAll) -> Answer<u32> {
    Ok(Err(Refused::Invalid("this is not known here")))
}
