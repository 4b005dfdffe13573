//! PINs of factors: sealed beside the secret, and told right only together with a code.
//!
//! What is sealed is a salt and a keyed hash of the stretched PIN, with a key that is not in the database. A PIN is
//! stretched before the transaction that judges it ([`Plan`], [`Typed`]); that one merely compares. Refuses to stretch
//! on the store's thread, and to say of a wrong answer whether the PIN or the code was wrong.

use std::fmt;

use mfa_proto::{
    answer::{Answer, AnswerShape, OtpCode, Pin},
    name::UserId,
};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{
    StoreError,
    account::Account,
    factor_row::{self, Factor},
    roster,
    tx::{Read, Tx},
};
use crate::{
    factor::{PinSalt, StretchedPin},
    seal::{Fields, SealError},
};

/// What the sealed bytes begin with: how the PIN was stretched.
const FORM: u8 = 1;
const SALT: usize = size_of::<PinSalt>();
const HASH: usize = 32;

/// An answer, and what was made of it before the transaction that judges it.
#[derive(Debug)]
pub struct Typed {
    pub(super) answer: Answer,
    stretched: Vec<Stretched>,
}

/// One reading of a PIN and code: with so many digits at the end, under one salt.
struct Stretched {
    salt: PinSalt,
    digits: u8,
    pin: StretchedPin,
}

impl fmt::Debug for Stretched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stretched({} digits, redacted)", self.digits)
    }
}

impl From<Answer> for Typed {
    fn from(answer: Answer) -> Self {
        Self { answer, stretched: Vec::new() }
    }
}

impl Typed {
    /// Whether a PIN was typed that nobody has stretched: it cannot be judged.
    pub(super) fn is_raw(&self) -> bool {
        matches!(self.answer, Answer::Pinned(_)) && self.stretched.is_empty()
    }

    /// The readings of the answer that a plan asks for: one at least, so that it costs the same to guess for names
    /// that hold no PIN.
    pub(super) fn stretch(self, plan: &Plan) -> Self {
        let Answer::Pinned(pinned) = &self.answer else { return self };
        let read = |salt: &PinSalt, digits: u8| {
            let (pin, _) = pinned.split(digits)?;
            StretchedPin::of(&pin, salt).map(|pin| Stretched { salt: *salt, digits, pin })
        };
        let mut stretched: Vec<Stretched> =
            plan.readings.iter().filter_map(|(salt, digits)| read(salt, *digits)).collect();
        if stretched.is_empty() {
            let any = OtpCode::LENGTHS.iter().rev().find_map(|digits| read(&plan.other, *digits));
            stretched.extend(any);
        }
        Self { stretched, ..self }
    }

    /// The code of an answer for a factor with codes of so many digits, and whether the PIN before it is the
    /// factor's, or neither has one.
    pub(super) fn taken_apart(
        &self,
        read: &Read<'_>,
        account: &Account,
        factor: &Factor,
    ) -> Result<Option<(OtpCode, bool)>, StoreError> {
        let known = factor.open_pin(read, account)?;
        let digits = factor.params.digits();
        let (code, fits) = match &self.answer {
            Answer::Code(code) if code.digits() == digits => (OtpCode::parse(code.expose()), known.is_none()),
            Answer::Pinned(pinned) => {
                let Some((_, code)) = pinned.split(digits) else { return Ok(None) };
                let fits = match &known {
                    Some(known) => self.is_pin(read, factor, known)?,
                    None => false,
                };
                (Some(code), fits)
            }
            Answer::Code(_)
            | Answer::Acknowledged
            | Answer::Recovery(_)
            | Answer::Token(_)
            | Answer::Choice(_)
            | Answer::Text(_)
            | Answer::Empty => return Ok(None),
        };
        Ok(code.map(|code| (code, fits)))
    }

    fn is_pin(&self, read: &Read<'_>, factor: &Factor, known: &SealedPin) -> Result<bool, StoreError> {
        let digits = factor.params.digits();
        let own = |made: &&Stretched| made.digits == digits && made.salt == known.salt;
        let Some(made) = self.stretched.iter().find(own) else { return Ok(false) };
        Ok(bool::from(hash(read, factor.id, &made.pin)?.ct_eq(known.hash.as_slice())))
    }
}

/// What has to be stretched of an answer for a user.
#[derive(Debug)]
pub(super) struct Plan {
    readings: Vec<(PinSalt, u8)>,
    /// A salt for names that hold no PIN, and for the first PIN of those that do not yet.
    other: PinSalt,
}

impl Plan {
    /// For a user, enrolled or not. Different readings are few: all PINs of a user have one salt, and codes have 6 to
    /// 8 digits.
    pub(super) fn of(read: &Read<'_>, user: &UserId) -> Result<Self, StoreError> {
        let mut plan = Self::of_nobody()?;
        let Some(account) = roster::find(read, user)? else { return Ok(plan) };
        for factor in factor_row::load_all(read, &account)? {
            let Some(pin) = factor.open_pin(read, &account)? else { continue };
            let reading = (pin.salt, factor.params.digits());
            if !plan.readings.contains(&reading) {
                plan.readings.push(reading);
            }
        }
        Ok(plan)
    }

    /// For names without account: the work is done all the same.
    pub(super) fn of_nobody() -> Result<Self, StoreError> {
        let mut other = PinSalt::default();
        getrandom::fill(&mut other).map_err(|_| SealError::NoRandomness)?;
        Ok(Self { readings: Vec::new(), other })
    }

    /// A PIN that is to be set, stretched.
    pub(super) fn stretch_new(&self, pin: &Pin) -> Option<NewPin> {
        let salt = self.readings.first().map_or(self.other, |(salt, _)| *salt);
        StretchedPin::of(pin, &salt).map(|pin| NewPin { salt, pin })
    }
}

/// A PIN that is to be set.
#[derive(Debug)]
pub struct NewPin {
    salt: PinSalt,
    pin: StretchedPin,
}

impl NewPin {
    /// As a factor keeps it.
    pub(super) fn hashed(&self, read: &Read<'_>, factor: i64) -> Result<SealedPin, StoreError> {
        Ok(SealedPin { salt: self.salt, hash: Zeroizing::new(hash(read, factor, &self.pin)?) })
    }
}

/// The PIN of a factor, opened.
pub(super) struct SealedPin {
    salt: PinSalt,
    hash: Zeroizing<[u8; HASH]>,
}

impl SealedPin {
    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(1 + SALT + HASH));
        bytes.push(FORM);
        bytes.extend_from_slice(&self.salt);
        bytes.extend_from_slice(self.hash.as_slice());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (form, rest) = bytes.split_first()?;
        let (salt, rest) = rest.split_first_chunk::<SALT>()?;
        let hash = <[u8; HASH]>::try_from(rest).ok()?;
        (*form == FORM).then(|| Self { salt: *salt, hash: Zeroizing::new(hash) })
    }
}

/// Bound to the factor: no hash serves in another place.
fn hash(read: &Read<'_>, factor: i64, pin: &StretchedPin) -> Result<[u8; HASH], StoreError> {
    let mut fields = Fields::new("mfad/pin/1");
    fields.int(factor).bytes(pin.expose());
    read.vault.digest(&fields)
}

impl Factor {
    /// Whether a PIN has to be typed before its codes.
    pub(super) fn has_pin(&self) -> bool {
        self.tag.pin.is_some()
    }

    /// The answers that may be right for it, and those of the same form that lack its PIN: they are judged, and wrong.
    pub(super) fn shape(&self) -> Option<AnswerShape> {
        let shape = self.params.shape()?;
        Some(if self.has_pin() { shape.or(AnswerShape::PINNED) } else { shape })
    }

    /// The PIN, opened.
    pub(super) fn open_pin(
        &self,
        read: &Read<'_>,
        account: &Account,
    ) -> Result<Option<SealedPin>, StoreError> {
        let Some(sealed) = &self.tag.pin else { return Ok(None) };
        let broken = |why: &dyn fmt::Display| {
            StoreError::Tampered(format!("the PIN of factor {} of {account}: {why}", self.id))
        };
        let opened = read.vault.open(self.key_id, self.bound(PIN, account)?, sealed);
        let opened = opened.map_err(|error| broken(&error))?;
        SealedPin::from_bytes(&opened).map(Some).ok_or_else(|| broken(&"it is not what is kept"))
    }

    /// Seals a PIN with the key of the row, which still has to be written.
    pub(super) fn seal_pin(
        &mut self,
        tx: &Tx<'_>,
        account: &Account,
        pin: &SealedPin,
    ) -> Result<(), StoreError> {
        let sealed = tx.vault.seal(self.key_id, self.bound(PIN, account)?, &pin.to_bytes())?;
        self.tag.pin = Some(sealed);
        Ok(())
    }
}

/// What the sealed PIN of a row is bound by, beside the row.
const PIN: &str = "factor pin";
