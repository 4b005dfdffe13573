//! What TOTP and HOTP share: the code for one counter, and comparing it in constant time.

use std::fmt::Write as _;

use mfa_proto::{admin::Algorithm, answer::OtpCode};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::Seed;

/// Makes codes of one seed.
pub(super) struct Generator(totp_rs::Totp);

impl Generator {
    /// `None` for other lengths than 6 to 8 digits.
    pub(super) fn new(algorithm: Algorithm, digits: u8, seed: &Seed) -> Option<Self> {
        let builder = totp_rs::Builder::new()
            .with_algorithm(algorithm_of(algorithm))
            .with_digits(digits)
            .with_secret(seed.to_totp_rs())
            // A step of one second makes totp-rs's time the counter itself, which serves RFC 4226 too.
            .with_step_duration(1);
        // What `build` checks beside these is the seed's length, which is `Seed`'s to judge: one that was
        // brought along may be shorter.
        matches!(digits, 6..=8).then(|| Self(builder.build_noncompliant()))
    }

    /// Whether `code` is the one for `counter`; the time taken does not depend on either.
    pub(super) fn matches(&self, counter: i64, code: &OtpCode) -> bool {
        let Ok(counter) = u64::try_from(counter) else { return false };
        let mut expected = Zeroizing::new(String::with_capacity(8));
        let token = self.0.generate(counter);
        if write!(expected, "{token}").is_err() {
            return false;
        }
        expected.as_bytes().ct_eq(code.expose().as_bytes()).into()
    }

    /// The code for `counter`; `None` for counters that there are not.
    pub(super) fn code(&self, counter: i64) -> Option<OtpCode> {
        let mut digits = Zeroizing::new(String::with_capacity(8));
        write!(digits, "{}", self.0.generate(u64::try_from(counter).ok()?)).ok()?;
        OtpCode::parse(&digits)
    }
}

pub(super) fn algorithm_of(algorithm: Algorithm) -> totp_rs::Algorithm {
    match algorithm {
        Algorithm::Sha1 => totp_rs::Algorithm::SHA1,
        Algorithm::Sha256 => totp_rs::Algorithm::SHA256,
        Algorithm::Sha512 => totp_rs::Algorithm::SHA512,
    }
}

/// The link for authenticator apps, with a period of its own.
pub(super) fn uri(
    algorithm: Algorithm,
    digits: u8,
    period: u16,
    seed: &Seed,
    (issuer, account): (&str, &str),
) -> Option<Zeroizing<String>> {
    let totp = totp_rs::Builder::new()
        .with_algorithm(algorithm_of(algorithm))
        .with_digits(digits)
        .with_secret(seed.to_totp_rs())
        .with_step_duration(u64::from(period))
        .with_issuer(Some(issuer.replace(':', "-")))
        .with_account_name(account)
        .build()
        .ok()?;
    totp.to_url().ok().map(Zeroizing::new)
}
