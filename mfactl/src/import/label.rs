//! Names out of files, fit to be shown.

use mfa_proto::text::escape_for_log;

/// `name` for a message, or nothing when it may be a key that stands in the wrong column.
pub fn shown_name(name: &str) -> Option<String> {
    // 80 bits and more.
    let hex = name.len() >= 20 && name.bytes().all(|c| c.is_ascii_hexdigit());
    let base32 = name.len() >= 16 && name.bytes().all(|c| matches!(c, b'A'..=b'Z' | b'2'..=b'7' | b'='));
    let key = hex || base32;
    (!key && !name.is_empty() && name.len() <= 256).then(|| escape_for_log(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_key_is_not_shown() {
        for key in ["JBSWY3DPEHPK3PXP", "3132333435363738393031323334353637383930", "DEADBEEFdeadbeefDEAD"] {
            assert_eq!(shown_name(key), None);
        }
        assert_eq!(shown_name("9876543210987654").as_deref(), Some("9876543210987654"), "a serial number");
        assert_eq!(shown_name("alice@example.org").as_deref(), Some("alice@example.org"));
        assert_eq!(shown_name("a\u{1b}[2J").as_deref(), Some("a\\u{1b}[2J"));
    }
}
