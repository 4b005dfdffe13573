//! Codes that are sent: fresh random digits. Refuses to remember them: the store keeps a keyed hash.

use mfa_proto::answer::OtpCode;
use zeroize::Zeroizing;

/// A fresh code of 6 to 8 digits, each value as likely as every other. `None` for other lengths, or when
/// the system gives no random bytes.
pub fn digits(count: u8) -> Option<OtpCode> {
    let values = 10_u32.checked_pow(u32::from(count)).filter(|_| matches!(count, 6..=8))?;
    // The part of the range that holds every value equally often: a number beyond it is thrown away.
    let fair = u32::MAX.checked_sub(u32::MAX.checked_rem(values)?)?;
    let mut bytes = Zeroizing::new([0_u8; 4]);
    // Each round fails with a chance of less than one in 40.
    for _ in 0..64 {
        getrandom::fill(&mut *bytes).ok()?;
        let number = u32::from_be_bytes(*bytes);
        if number < fair {
            let text = Zeroizing::new(format!(
                "{:0width$}",
                number.checked_rem(values)?,
                width = usize::from(count)
            ));
            return OtpCode::parse(&text);
        }
    }
    None
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
