//! Codes that are sent: fresh random digits. Refuses to remember them: the store keeps a keyed hash.

use mfa_proto::answer::OtpCode;

use super::digits::random_digits;

/// A fresh code of 6 to 8 digits, each value as likely as every other. `None` for other lengths, or when
/// the system gives no random bytes.
pub fn digits(count: u8) -> Option<OtpCode> {
    let digits = matches!(count, 6..=8).then(|| random_digits(count))?;
    OtpCode::parse(&digits.ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_the_digits_asked_for_and_differ() {
        for count in [6, 7, 8] {
            let codes: std::collections::BTreeSet<String> =
                (0..50).map(|_| digits(count).unwrap().expose().to_owned()).collect();
            assert!(codes.iter().all(|code| code.len() == usize::from(count)));
            assert!(codes.len() > 40, "{} of 50 codes differ", codes.len());
        }
        for count in [0, 1, 5, 9, 255] {
            assert!(digits(count).is_none(), "{count}");
        }
    }
}
