//! Codes as an authenticator app makes them, with `oathtool` as a second opinion. Refuses to keep count of
//! what was used: a test says which step or counter it means.

use totp_rs::{Builder, Secret};
use zeroize::Zeroizing;

use crate::sys::{must, unix_now};

/// Seconds a TOTP step lasts unless asked otherwise.
pub const PERIOD: u64 = 30;

/// A shared secret.
#[derive(Clone, Debug)]
pub struct Seed(Vec<u8>);

impl Seed {
    /// A seed of 160 bits that is the same for the same name, and another for another.
    pub fn of(name: &str) -> Self {
        // FNV-1a to begin, then one step of it per byte: no secret, only different.
        let mut state = 0xcbf2_9ce4_8422_2325_u64;
        let mut step = |byte: u8| {
            state = (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
            state.to_be_bytes()[1]
        };
        name.bytes().for_each(|byte| {
            step(byte);
        });
        Self((0..20).map(|_| step(0x5a)).collect())
    }

    /// What authenticator apps take.
    #[track_caller]
    pub fn from_base32(text: &str) -> Self {
        Self(Secret::try_from_base32(text).expect("this is base32").as_bytes().to_vec())
    }

    /// The secret itself, to be wiped by who takes it.
    pub fn bytes(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.clone())
    }

    /// As authenticator apps take it.
    pub fn base32(&self) -> String {
        Secret::from(self.0.clone()).to_base32()
    }

    /// As `oathtool` and `pam_oath` take it.
    pub fn hex(&self) -> String {
        use std::fmt::Write as _;
        self.0.iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").expect("a String takes all");
            hex
        })
    }

    /// The six-digit TOTP code at a time in Unix seconds.
    pub fn totp(&self, unix: u64) -> String {
        self.code(unix, PERIOD)
    }

    /// The code of the current step. The daemon takes it now and for one step more.
    pub fn totp_now(&self) -> String {
        self.totp(unix_now())
    }

    /// The code of the step after the current one. The daemon takes it now and for two steps more.
    pub fn totp_next(&self) -> String {
        self.totp(unix_now() + PERIOD)
    }

    /// A six-digit code that is right in no step or counter a daemon would look at: not those around now,
    /// not the counters below 64.
    pub fn wrong(&self) -> String {
        let now = unix_now();
        let near: Vec<String> = (0..=8)
            .map(|step| self.totp(now - 4 * PERIOD + step * PERIOD))
            .chain((0..64).map(|counter| self.hotp(counter)))
            .collect();
        (0..1_000_000)
            .map(|n| format!("{n:06}"))
            .find(|code| !near.contains(code))
            .expect("few codes are near")
    }

    /// The six-digit HOTP code of a counter.
    pub fn hotp(&self, counter: u64) -> String {
        self.code(counter, 1) // a step of one second makes the time the counter
    }

    fn code(&self, time: u64, period: u64) -> String {
        Builder::new()
            .with_secret(self.0.clone())
            .with_step_duration(period)
            .with_account_name("test")
            .build()
            .expect("these parameters are valid")
            .generate(time)
            .to_string()
    }

    /// What `oathtool` makes of the current step.
    pub fn oathtool_totp(&self, unix: u64) -> String {
        must(&["oathtool", "--totp", "--now", &format!("@{unix}"), &self.hex()]).trim().to_owned()
    }

    /// What `oathtool` makes of a counter.
    pub fn oathtool_hotp(&self, counter: u64) -> String {
        must(&["oathtool", "--hotp", "--counter", &counter.to_string(), &self.hex()]).trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238 appendix B and RFC 4226 appendix D, cut to six digits.
    #[test]
    fn codes_are_those_of_the_rfcs() {
        let seed = Seed(b"12345678901234567890".to_vec());
        assert_eq!(seed.totp(59), "287082");
        assert_eq!(seed.totp(20_000_000_000), "353130");
        assert_eq!(seed.hotp(0), "755224");
        assert_eq!(seed.hotp(9), "520489");
    }

    #[test]
    fn oathtool_is_of_the_same_opinion() {
        let seed = Seed::of("second opinion");
        for at in [0, 59, 1_111_111_109, 20_000_000_000] {
            assert_eq!(seed.totp(at), seed.oathtool_totp(at));
        }
        for counter in [0, 1, 255, 4_294_967_296] {
            assert_eq!(seed.hotp(counter), seed.oathtool_hotp(counter));
        }
    }

    #[test]
    fn names_have_seeds_of_their_own() {
        assert_ne!(Seed::of("a").0, Seed::of("b").0);
        assert_eq!(Seed::of("a").0, Seed::of("a").0);
        assert_ne!(Seed::of("a").wrong(), Seed::of("a").totp_now());
    }
}
