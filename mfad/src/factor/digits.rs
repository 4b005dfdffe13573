//! Random decimal digits: of codes that are sent, and of the nonces of tokens. Refuses to remember them.

use zeroize::Zeroizing;

use super::SeedError;

/// Random digits, each as likely as any other. An error when the system gives no random bytes.
pub(super) fn random_digits(count: u8) -> Result<Zeroizing<String>, SeedError> {
    let mut digits = Zeroizing::new(String::with_capacity(usize::from(count)));
    while digits.len() < usize::from(count) {
        let mut bytes = Zeroizing::new([0_u8; 64]);
        getrandom::fill(bytes.as_mut_slice()).map_err(|_| SeedError::NoRandomness)?;
        let room = usize::from(count).saturating_sub(digits.len());
        // 250 is the largest multiple of ten in a byte: what is above would favor small digits.
        let fair = bytes.iter().filter(|byte| **byte < 250).take(room);
        digits.extend(fair.map(|byte| char::from(b'0'.saturating_add(byte % 10))));
    }
    Ok(digits)
}
