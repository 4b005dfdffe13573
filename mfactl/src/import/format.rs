//! The formats, and which one an input has by the look of it.

use super::{csv, lines};

/// A format.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// `~/.google_authenticator` of libpam-google-authenticator.
    GoogleAuthenticator,
    /// `users.oath` of `pam_oath` and mod-authn-otp.
    Oath,
    /// `otpauth://` links, one on a line.
    Otpauth,
    /// `otpauth-migration://` links of Google Authenticator, one on a line.
    Migration,
    /// PSKC (RFC 6030).
    Pskc,
    /// Lists of tokens, as makers give them.
    Csv,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 6] =
        [Self::GoogleAuthenticator, Self::Oath, Self::Otpauth, Self::Migration, Self::Pskc, Self::Csv];

    /// The format that `bytes` can only be, if any.
    pub fn detect(bytes: &[u8]) -> Option<Self> {
        let text = super::text(bytes).ok()?;
        let first =
            lines(text).map(|(_, line)| line).find(|line| !line.is_empty() && !line.starts_with('#'))?;
        if first.starts_with('<') {
            return text.contains("KeyContainer").then_some(Self::Pskc);
        }
        let scheme = first.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
        match scheme.as_deref() {
            Some("otpauth") => return Some(Self::Otpauth),
            Some("otpauth-migration") => return Some(Self::Migration),
            Some(_) | None => {}
        }
        if first == "HOTP" || ["HOTP ", "HOTP\t", "HOTP/"].iter().any(|start| first.starts_with(start)) {
            return Some(Self::Oath);
        }
        if csv::is_header(first) {
            return Some(Self::Csv);
        }
        let key = first.len() >= 16 && first.bytes().all(|c| matches!(c, b'A'..=b'Z' | b'2'..=b'7'));
        let options = lines(text).skip(1).all(|(_, line)| {
            line.is_empty() || line.starts_with("\" ") || line.bytes().all(|c| c.is_ascii_digit())
        });
        (key && options).then_some(Self::GoogleAuthenticator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_is_known_by_its_first_line() {
        for (text, format) in [
            ("JBSWY3DPEHPK3PXP\n\" TOTP_AUTH\n12345678\n", Format::GoogleAuthenticator),
            ("\u{feff}# users\n\nHOTP\talice - 00\n", Format::Oath),
            ("HOTP/T30/8 alice - 00", Format::Oath),
            ("OTPAUTH://totp/x?secret=A", Format::Otpauth),
            ("otpauth-migration://offline?data=A", Format::Migration),
            ("<?xml version='1.0'?><KeyContainer/>", Format::Pskc),
            ("<pskc:KeyContainer/>", Format::Pskc),
            ("upn,serial number,secret key,time interval,manufacturer,model\n", Format::Csv),
            ("Serial;Key (hex)\n", Format::Csv),
            ("serial,key,user\n", Format::Csv),
        ] {
            assert_eq!(Format::detect(text.as_bytes()), Some(format), "{text:?}");
        }
    }

    #[test]
    fn what_may_be_anything_is_not_guessed() {
        for text in ["", "hello", "JBSWY3DPEHPK3PXP\nhello", "2300001,3132333435363738", "<html/>", "HOTPX a"]
        {
            assert_eq!(Format::detect(text.as_bytes()), None, "{text:?}");
        }
        assert_eq!(Format::detect(b"\xff\xfeH\0"), None);
    }
}
