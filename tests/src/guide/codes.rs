//! The reader's device: a new code each time one is asked for. Refuses to give one twice, which no daemon would take.

use std::collections::BTreeMap;

use super::typed::number_of;
use crate::{
    otp::{PERIOD, Seed},
    sys::{unix_now, wait_until},
};

/// A device, if the reader has one yet.
#[derive(Clone, Debug, Default)]
pub struct Codes {
    device: Option<Device>,
    /// The last that was printed of each number.
    paper: BTreeMap<String, String>,
}

#[derive(Clone, Debug)]
enum Device {
    Token { seed: Seed, next: u64 },
    App { seed: Seed, next: u64 },
}

impl Codes {
    /// A token with a button that was not pressed yet.
    pub fn of_token(seed: Seed) -> Self {
        Self { device: Some(Device::Token { seed, next: 0 }), ..Self::default() }
    }

    /// Takes over the key that an app has just been shown, and codes that were printed.
    pub(super) fn scan(&mut self, seen: &str) {
        let printed = seen.lines().map(str::trim).filter_map(|line| Some((number_of(line)?, line)));
        self.paper.extend(printed.map(|(number, code)| (number.to_owned(), code.to_owned())));
        let Some(key) = by_mfactl(seen).or_else(|| in_login(seen)) else { return };
        let scanned = Seed::from_base32(&key);
        if !matches!(&self.device, Some(Device::App { seed: known, .. }) if known.bytes() == scanned.bytes())
        {
            self.device = Some(Device::App { seed: scanned, next: 0 });
        }
    }

    /// A code that was printed.
    #[track_caller]
    pub(super) fn on_paper(&self, number: &str) -> String {
        self.paper.get(number).unwrap_or_else(|| panic!("no code {number} was printed")).clone()
    }

    /// A code that was not given before.
    #[track_caller]
    pub(super) fn fresh(&mut self, seen: &str) -> String {
        self.scan(seen);
        match self
            .device
            .as_mut()
            .unwrap_or_else(|| panic!("a code is asked for, and no key was seen in:\n{seen}"))
        {
            Device::Token { seed, next } => {
                *next += 1;
                seed.hotp(*next - 1)
            }
            Device::App { seed, next } => {
                // The daemon takes the code of the next step, too.
                let step = || unix_now() / PERIOD;
                wait_until("there is a code that was not used", || *next <= step() + 1);
                let taken = (*next).max(step());
                *next = taken + 1;
                seed.totp(taken * PERIOD)
            }
        }
    }
}

/// The key as `mfactl enroll` shows it.
fn by_mfactl(seen: &str) -> Option<String> {
    let (_, rest) = seen.split_once("or type in this key:\n")?;
    Some(rest.lines().find(|line| !line.is_empty())?.split_whitespace().collect())
}

/// The key as a login shows it.
fn in_login(seen: &str) -> Option<String> {
    let (_, rest) = seen.split_once("otpauth://totp/")?.1.split_once("secret=")?;
    Some(rest.split('&').next()?.to_owned())
}
