//! What a parser gives: factors with the place they stand at, and places that hold none and why.

use mfa_proto::{
    admin::{Algorithm, HotpParams, NewParams, TotpParams},
    secret::SecretText,
};

use super::{key::Key, key::WEAK_BELOW, note::Note, reason::Reason};

/// All of one input.
#[derive(Debug, Default)]
pub struct Parsed {
    /// Factors.
    pub entries: Vec<Entry>,
    /// What cannot be imported.
    pub rejected: Vec<Rejected>,
}

/// One factor of someone.
#[derive(Debug)]
pub struct Entry {
    /// The line it begins on, counted from 1.
    pub line: usize,
    /// Whose it is, as far as the input says.
    pub whose: Whose,
    /// The factor.
    pub factor: Factor,
    /// One-time codes that came along with it.
    pub recovery: Vec<SecretText>,
    /// What is different from now on.
    pub notes: Vec<Note>,
}

/// Kind and parameters of a factor: the kinds that other programs know.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Params {
    /// Time-based.
    Totp(TotpParams),
    /// Counter-based.
    Hotp(HotpParams),
}

impl From<Params> for NewParams {
    fn from(params: Params) -> Self {
        match params {
            Params::Totp(totp) => Self::Totp(totp),
            Params::Hotp(hotp) => Self::Hotp(hotp),
        }
    }
}

/// A factor.
#[derive(Debug)]
pub struct Factor {
    /// Kind and parameters.
    pub params: Params,
    /// The shared secret.
    pub key: Key,
    /// What to call it: an issuer, the serial number of a token.
    pub label: Option<String>,
}

/// Something that is no factor, or none that can be imported.
#[derive(Debug, Eq, PartialEq)]
pub struct Rejected {
    /// The line it begins on, counted from 1.
    pub line: usize,
    /// Whose it is, as far as the input says.
    pub whose: Whose,
    /// Why not.
    pub why: Reason,
}

/// Whose something is, as far as the input says.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Whose {
    /// The serial number of a token.
    pub serial: Option<String>,
    /// A name.
    pub name: Name,
}

/// A name in the input.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Name {
    /// There is none.
    #[default]
    None,
    /// The name of an account, by the rules of the format.
    Firm(String),
    /// Text for people, which may be the name of an account here or anywhere.
    Loose(String),
}

impl Whose {
    /// The account `name`.
    pub(super) fn firm(name: &str) -> Self {
        Self { serial: None, name: Name::Firm(name.to_owned()) }
    }
}

impl Parsed {
    /// Nothing at all, because of `why`.
    pub(super) fn nothing(line: usize, why: Reason) -> Self {
        Self { entries: Vec::new(), rejected: vec![Rejected { line, whose: Whose::default(), why }] }
    }

    /// Takes up what became of one line.
    pub(super) fn take(&mut self, line: usize, whose: Whose, read: Result<Found, Reason>) {
        match read {
            Ok(found) => self.entries.push(found.at(line, whose)),
            Err(why) => self.rejected.push(Rejected { line, whose, why }),
        }
    }
}

/// An [`Entry`] that does not know its place yet.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) factor: Factor,
    pub(super) recovery: Vec<SecretText>,
    pub(super) notes: Vec<Note>,
}

impl Found {
    /// With its place, and a note where the key is weak.
    pub(super) fn at(self, line: usize, whose: Whose) -> Entry {
        let Self { factor, recovery, mut notes } = self;
        let bits = factor.key.bits();
        if bits < WEAK_BELOW {
            notes.insert(0, Note::WeakKey { bits });
        }
        Entry { line, whose, factor, recovery, notes }
    }
}

impl From<Factor> for Found {
    fn from(factor: Factor) -> Self {
        Self { factor, recovery: Vec::new(), notes: Vec::new() }
    }
}

/// Time-based parameters that the daemon takes.
pub(super) fn totp(algorithm: Algorithm, digits: u64, period: u64) -> Result<Params, Reason> {
    let period = u16::try_from(period).ok().filter(|seconds| (15..=120).contains(seconds));
    let period = period.ok_or(Reason::Period)?;
    Ok(Params::Totp(TotpParams { algorithm, digits: checked(digits)?, period }))
}

/// Counter-based parameters that the daemon takes; `counter` is the first that has not been used.
pub(super) fn hotp(algorithm: Algorithm, digits: u64, counter: u64) -> Result<Params, Reason> {
    // The daemon keeps counters in signed columns, and there must be room to go on.
    if counter >= 1 << 62 {
        return Err(Reason::Counter);
    }
    Ok(Params::Hotp(HotpParams { algorithm, digits: checked(digits)?, counter }))
}

fn checked(digits: u64) -> Result<u8, Reason> {
    u8::try_from(digits).ok().filter(|d| matches!(d, 6 | 8)).ok_or(Reason::Digits(digits))
}
