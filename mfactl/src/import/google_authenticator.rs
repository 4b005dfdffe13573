//! `~/.google_authenticator`: one user's key, options and scratch codes, as libpam-google-authenticator keeps
//! them (its FILEFORMAT).

use mfa_proto::{admin::Algorithm, secret::SecretText};

use super::{
    entry::{self, Factor, Found, Params, Parsed, Whose},
    key::Key,
    note::Note,
    reason::Reason,
};

/// Bytes above which the module itself refuses a file.
const MOST: usize = 64 * 1024;

/// Reads the one factor that such a file holds.
pub(super) fn read(text: &str) -> Parsed {
    match file(text) {
        Ok(found) => Parsed { entries: vec![found.at(1, Whose::default())], rejected: Vec::new() },
        Err((line, why)) => Parsed::nothing(line, why),
    }
}

fn file(text: &str) -> Result<Found, (usize, Reason)> {
    if text.len() > MOST {
        return Err((1, Reason::TooLarge { most: MOST }));
    }
    let mut lines = super::lines(text);
    let (_, first) = lines.next().ok_or((1, Reason::Empty))?;
    let key = Key::from_base32(first).map_err(|why| (1, why.into()))?;
    let (mut options, mut recovery) = (Options::default(), Vec::new());
    for (line, text) in lines {
        if let Some(option) = text.strip_prefix("\" ") {
            options.take(option).map_err(|why| (line, why))?;
        } else if text.len() == 8 && text.bytes().all(|c| c.is_ascii_digit()) {
            recovery.extend(SecretText::new(text.to_owned()).ok());
        } else if !text.is_empty() {
            return Err((line, Reason::NeitherOptionNorCode));
        }
    }
    let params = options.params().map_err(|why| (1, why))?;
    let notes = options.notes(!recovery.is_empty());
    Ok(Found { factor: Factor { params, key, label: None }, recovery, notes })
}

/// The options that mean something here.
#[derive(Debug, Default)]
struct Options {
    totp: bool,
    no_reuse: bool,
    rate_limit: bool,
    counter: Option<u64>,
    window: Option<u64>,
    step: Option<u64>,
    skew: Option<i64>,
    unknown: Vec<Note>,
}

impl Options {
    fn take(&mut self, option: &str) -> Result<(), Reason> {
        let (name, rest) = option.split_once(' ').unwrap_or((option, ""));
        match name {
            "TOTP_AUTH" => once(&mut self.totp, "TOTP_AUTH"),
            "DISALLOW_REUSE" => once(&mut self.no_reuse, "DISALLOW_REUSE"),
            "RATE_LIMIT" => once(&mut self.rate_limit, "RATE_LIMIT"),
            "HOTP_COUNTER" => number(&mut self.counter, rest, "HOTP_COUNTER"),
            "WINDOW_SIZE" => number(&mut self.window, rest, "WINDOW_SIZE"),
            "STEP_SIZE" => number(&mut self.step, rest, "STEP_SIZE"),
            "TIME_SKEW" => number(&mut self.skew, rest, "TIME_SKEW"),
            // What the module remembers between logins.
            "RESETTING_TIME_SKEW" => Ok(()),
            _ if name.strip_prefix("LAST").is_some_and(|n| n.bytes().all(|c| c.is_ascii_digit())) => Ok(()),
            _ => self.unknown(name),
        }
    }

    fn unknown(&mut self, name: &str) -> Result<(), Reason> {
        let is_name = name.len() <= 32 && name.contains('_');
        if !is_name || !name.bytes().all(|c| matches!(c, b'A'..=b'Z' | b'0'..=b'9' | b'_')) {
            return Err(Reason::NeitherOptionNorCode);
        }
        self.unknown.push(Note::UnknownOption { name: name.to_owned() });
        Ok(())
    }

    /// A counter of 1 or more makes it HOTP, whatever else is set: as the module decides.
    fn params(&self) -> Result<Params, Reason> {
        match self.counter {
            Some(counter) if counter >= 1 => entry::hotp(Algorithm::Sha1, 6, counter),
            _ if self.totp => entry::totp(Algorithm::Sha1, 6, self.step.unwrap_or(30)),
            _ => Err(Reason::NoMode),
        }
    }

    fn notes(self, scratch_codes: bool) -> Vec<Note> {
        let hotp = self.counter.is_some_and(|counter| counter >= 1);
        let mut notes = self.unknown;
        notes.extend(self.skew.filter(|steps| *steps != 0 && !hotp).map(|steps| Note::Skew { steps }));
        let wide = self.window.filter(|codes| *codes > 3 && !hotp);
        notes.extend(wide.map(|codes| Note::WideWindow { codes }));
        notes.extend(scratch_codes.then_some(Note::ScratchCodes));
        notes.extend((self.rate_limit || self.window.is_some()).then_some(Note::OwnLimits));
        notes.extend((!self.no_reuse && !hotp).then_some(Note::ReuseEnds));
        notes
    }
}

fn once(flag: &mut bool, name: &'static str) -> Result<(), Reason> {
    if std::mem::replace(flag, true) { Err(Reason::Option { name, what: "stands twice" }) } else { Ok(()) }
}

fn number<T: std::str::FromStr>(place: &mut Option<T>, text: &str, name: &'static str) -> Result<(), Reason> {
    let number = text.trim().parse().map_err(|_| Reason::Option { name, what: "has no number" })?;
    match place.replace(number) {
        None => Ok(()),
        Some(_) => Err(Reason::Option { name, what: "stands twice" }),
    }
}

#[cfg(test)]
mod tests {
    use mfa_proto::admin::{HotpParams, TotpParams};

    use super::*;

    /// Written by Debian's google-authenticator 20191231: `-t -d -f -r 3 -R 30 -w 3`.
    const TOTP: &str = include_str!("../../tests/import/google-authenticator/totp");
    /// `-c -f -r 3 -R 30 -w 5 -e 10`.
    const HOTP: &str = include_str!("../../tests/import/google-authenticator/hotp");
    /// `-t -D -f -u -w 17 -S 60 -e 0`.
    const SLOW: &str = include_str!("../../tests/import/google-authenticator/step-60");

    fn one(text: &str) -> entry::Entry {
        let mut parsed = read(text);
        assert_eq!(parsed.rejected, []);
        assert_eq!(parsed.entries.len(), 1);
        parsed.entries.remove(0)
    }

    fn why(text: &str) -> (usize, Reason) {
        let mut parsed = read(text);
        assert!(parsed.entries.is_empty());
        let rejected = parsed.rejected.remove(0);
        (rejected.line, rejected.why)
    }

    #[test]
    fn files_that_the_program_wrote() {
        let totp = one(TOTP);
        assert_eq!(totp.factor.params, Params::Totp(TotpParams::default()));
        assert_eq!(totp.factor.key.to_base32().unwrap().expose(), "PR5BEGOEFM2MTFYEVCVH4D2MBI");
        let codes: Vec<&str> = totp.recovery.iter().map(SecretText::expose).collect();
        assert_eq!(codes, ["86258181", "43315624", "71994485", "43733764", "73130781"]);
        assert_eq!(totp.notes, [Note::ScratchCodes, Note::OwnLimits]);
        let hotp = one(HOTP);
        let counted = HotpParams { algorithm: Algorithm::Sha1, digits: 6, counter: 1 };
        assert_eq!(hotp.factor.params, Params::Hotp(counted));
        assert_eq!(hotp.recovery.len(), 10);
        let slow = one(SLOW);
        assert_eq!(slow.factor.params, Params::Totp(TotpParams { period: 60, ..TotpParams::default() }));
        assert_eq!(slow.notes, [Note::WideWindow { codes: 17 }, Note::OwnLimits, Note::ReuseEnds]);
    }

    #[test]
    fn an_old_file_with_state_in_it() {
        let entry = one(
            "JBSWY3DPEHPK3PXP\n\" RESETTING_TIME_SKEW 1 2 3\n\" TIME_SKEW -2\n\" DISALLOW_REUSE 47 48\n\" RATE_LIMIT 3 30 1700000000\n\" TOTP_AUTH\n\" LAST0 192.0.2.1 1700000000\n\" NEW_THING 7\n",
        );
        let unknown = Note::UnknownOption { name: "NEW_THING".into() };
        assert_eq!(
            entry.notes,
            [Note::WeakKey { bits: 80 }, unknown, Note::Skew { steps: -2 }, Note::OwnLimits]
        );
    }

    #[test]
    fn a_counter_decides_as_the_module_does() {
        let with = |options: &str| one(&format!("{}\n{options}", "A".repeat(26))).factor.params;
        let counted = |counter| Params::Hotp(HotpParams { algorithm: Algorithm::Sha1, digits: 6, counter });
        assert_eq!(with("\" TOTP_AUTH\n\" HOTP_COUNTER 12\n"), counted(12));
        assert_eq!(with("\" TOTP_AUTH\n\" HOTP_COUNTER 0\n"), Params::Totp(TotpParams::default()));
    }

    #[test]
    fn what_is_not_understood_is_told_by_its_line() {
        let key = "A".repeat(26);
        let with = |rest: &str| why(&format!("{key}\n{rest}"));
        assert_eq!(with(""), (1, Reason::NoMode));
        assert_eq!(with("\" HOTP_COUNTER 0"), (1, Reason::NoMode));
        assert_eq!(with("\" TOTP_AUTH\nJBSWY3DP"), (3, Reason::NeitherOptionNorCode));
        assert_eq!(with("\" TOTP_AUTH\n123456789"), (3, Reason::NeitherOptionNorCode));
        assert_eq!(with("\" SECRETKEY"), (2, Reason::NeitherOptionNorCode));
        assert_eq!(with("\" TOTP_AUTH\n\" STEP_SIZE 5"), (1, Reason::Period));
        let what = |what| Reason::Option { name: "HOTP_COUNTER", what };
        assert_eq!(with("\" HOTP_COUNTER -1"), (2, what("has no number")));
        assert_eq!(with("\" HOTP_COUNTER 1\n\" HOTP_COUNTER 2"), (3, what("stands twice")));
        assert_eq!(with("\" HOTP_COUNTER 9000000000000000000"), (1, Reason::Counter));
        assert!(matches!(why("hunter2!\n\" TOTP_AUTH"), (1, Reason::Key(_))));
        assert!(matches!(why("JBSWY3DP\n\" TOTP_AUTH"), (1, Reason::Key(_))));
        assert_eq!(with(&"12345678\n".repeat(9000)), (1, Reason::TooLarge { most: MOST }));
    }
}
