//! Hex, base32, base64 and percent signs, into memory that is wiped.
//!
//! Lenient where programs are: bits at the end that do not fill a byte are dropped, as authenticator apps
//! do with keys that a web page made of random letters.

use zeroize::Zeroizing;

/// Hexadecimal digits, two for a byte.
pub(super) fn hex(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    bits(text, 4, |c| u8::try_from(char::from(c).to_digit(16)?).ok())
}

/// Base32 (RFC 4648 §6) as people have it: any case, grouped by spaces or dashes, padded or not.
pub(super) fn base32(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let text = unpadded(text.trim_end(), 6)?;
    bits(text, 5, |c| match c {
        b' ' | b'-' => Some(SKIP),
        b'A'..=b'Z' => Some(c.wrapping_sub(b'A')),
        b'a'..=b'z' => Some(c.wrapping_sub(b'a')),
        b'2'..=b'7' => Some(c.wrapping_sub(b'2').wrapping_add(26)),
        _ => None,
    })
}

/// Base64 (RFC 4648 §4 and the alphabet of §5), with line breaks, padded or not.
pub(super) fn base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let text = unpadded(text.trim_end(), 2)?;
    bits(text, 6, |c| match c {
        b' ' | b'\t' | b'\r' | b'\n' => Some(SKIP),
        b'A'..=b'Z' => Some(c.wrapping_sub(b'A')),
        b'a'..=b'z' => Some(c.wrapping_sub(b'a').wrapping_add(26)),
        b'0'..=b'9' => Some(c.wrapping_sub(b'0').wrapping_add(52)),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    })
}

/// `%41` and the like; the result must be UTF-8.
pub(super) fn percent(text: &str) -> Option<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let high = char::from(rest.next()?).to_digit(16)?;
        let low = char::from(rest.next()?).to_digit(16)?;
        bytes.push(u8::try_from(high.checked_mul(16)?.checked_add(low)?).ok()?);
    }
    std::str::from_utf8(&bytes).ok().map(|text| Zeroizing::new(text.to_owned()))
}

/// A character between the digits.
const SKIP: u8 = u8::MAX;

/// Takes the padding off; more of it than a text can need is a mistake.
fn unpadded(text: &str, most: usize) -> Option<&str> {
    let bare = text.trim_end_matches('=');
    (text.len().saturating_sub(bare.len()) <= most).then_some(bare)
}

/// Puts digits of `width` bits together; `None` when one is no digit.
fn bits(text: &str, width: u32, value: impl Fn(u8) -> Option<u8>) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let (mut held, mut count) = (0_u16, 0_u32);
    for digit in text.bytes() {
        let digit = value(digit)?;
        if digit == SKIP {
            continue;
        }
        held = (held << width) | u16::from(digit);
        count = count.saturating_add(width);
        if let Some(left) = count.checked_sub(8) {
            let [_, byte] = (held >> left).to_be_bytes();
            bytes.push(byte);
            count = left;
            held &= 0xff >> (8_u32.saturating_sub(left));
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decoded(bytes: Option<Zeroizing<Vec<u8>>>) -> Option<String> {
        bytes.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
    }

    #[test]
    fn the_vectors_of_rfc_4648() {
        for (hexed, b32, b64, plain) in [
            ("", "", "", ""),
            ("66", "MY======", "Zg==", "f"),
            ("666f", "MZXQ====", "Zm8=", "fo"),
            ("666F6f", "MZXW6===", "Zm9v", "foo"),
            ("666f6f62", "MZXW6YQ=", "Zm9vYg==", "foob"),
            ("666f6f6261", "MZXW6YTB", "Zm9vYmE=", "fooba"),
            ("666f6f626172", "MZXW6YTBOI======", "Zm9vYmFy", "foobar"),
        ] {
            let plain = Some(plain.to_owned());
            assert_eq!(decoded(hex(hexed)), plain);
            assert_eq!(decoded(base32(b32)), plain);
            assert_eq!(decoded(base32(&b32.to_lowercase())), plain);
            assert_eq!(decoded(base64(b64)), plain);
        }
    }

    #[test]
    fn groups_line_breaks_and_bits_left_over_are_taken() {
        assert_eq!(decoded(base32("mzxw-6ytb oi")), Some("foobar".into()));
        assert_eq!(decoded(base32("MZXW6YTBOJ")), Some("foobar".into()), "two bits too many");
        assert_eq!(decoded(base64("Zm9v\n  YmFy\r\n")), Some("foobar".into()));
        assert_eq!(percent("a%20b%C3%A9%3d").unwrap().as_str(), "a bé=");
    }

    #[test]
    fn what_is_not_of_the_encoding_is_refused() {
        for text in ["0", "8", "MY=A", "é", "MY=======", "M\u{1b}Y"] {
            assert!(base32(text).is_none(), "{text:?}");
        }
        assert!(hex("6").is_none() && hex("6g").is_none() && hex(" 66").is_none());
        assert!(base64("Zg===").is_none() && base64("Z%").is_none());
        for text in ["%", "%4", "%4g", "%ff", "%c3"] {
            assert!(percent(text).is_none(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(text in ".*") {
            drop((hex(&text), base32(&text), base64(&text), percent(&text)));
        }
    }
}
