//! Telephone numbers and mail addresses: read once, in one form, masked when shown.
//!
//! Refuses to say whether anybody is reached there: a code that comes back does.

use std::fmt;

use mfa_proto::{egress::Medium, secret::SecretText, text::ShownText};
use zeroize::Zeroizing;

/// The most bytes of a mail address (RFC 5321 §4.5.3.1.3, less the angle brackets).
const MAX_MAIL: usize = 254;

/// Digits of an international number (ITU-T E.164 §6.2.1: at most 15).
const NUMBER_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// Where codes are sent. Redacted when printed, wiped when dropped.
pub struct Address {
    medium: Medium,
    text: Zeroizing<String>,
}

/// Why a text is no address.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AddressError {
    /// Not an international telephone number.
    #[error(
        "a telephone number begins with + and the country code and has 7 to 15 digits, as in +49 30 123456"
    )]
    Number,
    /// Not a mail address.
    #[error("a mail address is like jane@example.org: one @, no spaces, at most 254 ASCII characters")]
    Mail,
}

impl Address {
    /// Reads a telephone number: spaces, dashes, dots and parentheses in it are how people write them.
    pub fn number(text: &SecretText) -> Result<Self, AddressError> {
        let mut clean = Zeroizing::new(String::with_capacity(text.expose().len()));
        clean.extend(text.expose().trim().chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')')));
        let digits = clean.strip_prefix('+').ok_or(AddressError::Number)?;
        // No country code begins with 0 (E.164).
        let sound = NUMBER_DIGITS.contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0');
        if sound { Ok(Self { medium: Medium::Sms, text: clean }) } else { Err(AddressError::Number) }
    }

    /// Reads a mail address. The domain is taken in lower case; the part before it is its host's matter.
    pub fn mail(text: &SecretText) -> Result<Self, AddressError> {
        let typed = text.expose().trim();
        let (local, domain) = typed.split_once('@').ok_or(AddressError::Mail)?;
        let sane = |byte: u8| {
            byte.is_ascii_graphic()
                && !matches!(byte, b'@' | b'<' | b'>' | b'"' | b'\\' | b',' | b';' | b':' | b'(' | b')')
        };
        let label = |label: &str| {
            !label.is_empty()
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        let sound = typed.len() <= MAX_MAIL
            && !local.is_empty()
            && !local.starts_with(['.', '-'])
            && local.bytes().all(sane)
            && domain.split('.').all(label);
        if !sound {
            return Err(AddressError::Mail);
        }
        let mut clean = Zeroizing::new(String::with_capacity(typed.len()));
        clean.push_str(local);
        clean.push('@');
        clean.extend(domain.chars().map(|c| c.to_ascii_lowercase()));
        Ok(Self { medium: Medium::Mail, text: clean })
    }

    /// Reads what a medium takes.
    pub fn of(medium: Medium, text: &SecretText) -> Result<Self, AddressError> {
        match medium {
            Medium::Sms => Self::number(text),
            Medium::Mail => Self::mail(text),
        }
    }

    /// How codes travel there.
    pub const fn medium(&self) -> Medium {
        self.medium
    }

    /// The address itself. Every call is a place where it may leak: keep them few.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// As it may be shown to whoever knows it: `+49 *** **321`, `a***@example.org`.
    pub fn masked(&self) -> ShownText {
        let text: &str = &self.text;
        let shown = match self.medium {
            Medium::Sms => {
                // A short number keeps one more of its digits to itself.
                let tail = if text.len() > 10 { 3 } else { 2 };
                let (begin, end) = (text.get(..3), text.get(text.len().saturating_sub(tail)..));
                format!("{} *** **{}", begin.unwrap_or_default(), end.unwrap_or_default())
            }
            Medium::Mail => {
                let (local, domain) = text.split_once('@').unwrap_or_default();
                let first = if local.len() > 1 { local.get(..1).unwrap_or_default() } else { "" };
                format!("{first}***@{domain}")
            }
        };
        ShownText::clean(&shown)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({:?}, redacted)", self.medium)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(text: &str) -> SecretText {
        SecretText::new(text.to_owned()).unwrap()
    }

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for written in ["+4930123456789", " +49 (30) 123-456.789 "] {
            let number = Address::number(&text(written)).unwrap();
            assert_eq!(number.expose(), "+4930123456789");
            assert_eq!(number.masked().as_str(), "+49 *** **789");
            assert_eq!(format!("{number:?}"), "Address(Sms, redacted)");
        }
        assert_eq!(Address::number(&text("+4912345")).unwrap().masked().as_str(), "+49 *** **45");
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for bad in [
            "",
            "+",
            "030123456",
            "+049301234",
            "+123456",
            "+1234567890123456",
            "+49 30 x",
            "++4930123456",
            "+4930123456\n+4930",
        ] {
            assert_eq!(Address::number(&text(bad)).unwrap_err(), AddressError::Number, "{bad:?}");
        }
    }

    #[test]
    fn mail_addresses_are_read_and_masked() {
        let mail = Address::mail(&text(" Ada.L+x@Example.ORG ")).unwrap();
        assert_eq!(mail.expose(), "Ada.L+x@example.org");
        assert_eq!(mail.masked().as_str(), "A***@example.org");
        assert_eq!(Address::mail(&text("a@localhost")).unwrap().masked().as_str(), "***@localhost");
        assert_eq!(format!("{mail:?}"), "Address(Mail, redacted)");
    }

    #[test]
    fn what_is_no_mail_address_is_refused() {
        let long = format!("{}@example.org", "x".repeat(250));
        for bad in [
            "",
            "@",
            "a@",
            "@b",
            "a b@c",
            "a@b@c",
            "a@b..c",
            "a@-b",
            "a@b_c",
            "-f@b",
            "a\r\nBcc: x@y",
            "ä@b",
            "<a@b>",
            long.as_str(),
        ] {
            assert_eq!(Address::mail(&text(bad)).unwrap_err(), AddressError::Mail, "{bad:?}");
        }
    }

    proptest! {
        /// Whatever is read is one line of ASCII, reads again as itself, and is not shown whole.
        #[test]
        fn an_address_is_one_plain_line(typed in ".*") {
            for medium in [Medium::Sms, Medium::Mail] {
                let Ok(secret) = SecretText::new(typed.clone()) else { continue };
                let Ok(address) = Address::of(medium, &secret) else { continue };
                prop_assert!(address.expose().bytes().all(|byte| byte.is_ascii_graphic()));
                let again = Address::of(medium, &text(address.expose())).unwrap();
                prop_assert_eq!(again.expose(), address.expose());
                let masked = address.masked();
                prop_assert_ne!(masked.as_str(), address.expose());
            }
        }
    }
}
