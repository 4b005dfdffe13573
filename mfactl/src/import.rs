//! Second factors out of the files of other programs, one module for each format.
//!
//! Pure: bytes in, values out. Refuses to guess: what is not understood becomes a [`Rejected`] with its line,
//! never a factor that might be right. No message repeats text that may be a key.

mod csv;
mod encoding;
mod entry;
mod format;
mod google_authenticator;
mod key;
mod label;
mod migration;
mod note;
mod oath;
mod otpauth;
mod protobuf;
mod pskc;
mod reason;

pub use self::{
    csv::KeyEncoding,
    entry::{Entry, Factor, Name, Params, Parsed, Rejected, Whose},
    format::Format,
    key::{Key, KeyError},
    label::shown_name,
    note::Note,
    pskc::{PreSharedKey, PreSharedKeyError},
    reason::Reason,
};

/// What cannot be told from the input alone.
#[derive(Debug, Default)]
pub struct Options {
    /// How keys in CSV are written, over what the header says.
    pub key_encoding: Option<KeyEncoding>,
    /// The columns of CSV that has no header line, as a header line would name them.
    pub columns: Option<String>,
    /// The key that encrypted PSKC was made with.
    pub pre_shared_key: Option<PreSharedKey>,
}

/// Reads `bytes` as `format`. What is wrong is in the result, so that all of it can be told at once.
pub fn parse(format: Format, bytes: &[u8], options: &Options) -> Parsed {
    let text = match text(bytes) {
        Ok(text) => text,
        Err(why) => return Parsed::nothing(1, why),
    };
    match format {
        Format::GoogleAuthenticator => google_authenticator::read(text),
        Format::Oath => oath::read(text),
        Format::Otpauth | Format::Migration => otpauth::read(text),
        Format::Pskc => pskc::read(text, options.pre_shared_key.as_ref()),
        Format::Csv => csv::read(text, options),
    }
}

/// As text, without the mark that some editors put first.
fn text(bytes: &[u8]) -> Result<&str, Reason> {
    let text = std::str::from_utf8(bytes).map_err(|_| Reason::NotText)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() { Err(Reason::Empty) } else { Ok(text) }
}

/// The lines of `text`, counted from 1, without white space around them.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1_usize..).zip(text.lines().map(str::trim))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SAMPLES: [&[u8]; 6] = [
        include_bytes!("../tests/import/google-authenticator/totp"),
        include_bytes!("../tests/import/google-authenticator/hotp"),
        include_bytes!("../tests/import/users.oath"),
        include_bytes!("../tests/import/pskc/plain.xml"),
        include_bytes!("../tests/import/pskc/encrypted.xml"),
        b"otpauth://totp/A:b?secret=JBSWY3DPEHPK3PXP&issuer=A\nserial,key (hex),user\n",
    ];

    /// Every input is told of in some way, by all parsers.
    fn all(bytes: &[u8]) -> Result<(), TestCaseError> {
        let options = Options {
            pre_shared_key: PreSharedKey::from_hex(b"12345678901234567890123456789012").ok(),
            ..Options::default()
        };
        let _any = Format::detect(bytes);
        for format in Format::ALL {
            let parsed = parse(format, bytes, &options);
            let lines = bytes.split(|byte| *byte == b'\n').count();
            for line in parsed
                .entries
                .iter()
                .map(|e| e.line)
                .chain(parsed.rejected.iter().map(|rejected| rejected.line))
            {
                prop_assert!((1..=lines).contains(&line), "line {line} of {lines} ({format:?})");
            }
            for entry in &parsed.entries {
                prop_assert!(entry.factor.key.to_base32().is_some());
            }
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn no_parser_panics_on_anything(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "\\PC*\n\\PC*") {
            all(&bytes)?;
            all(text.as_bytes())?;
        }

        #[test]
        fn no_parser_panics_on_what_is_nearly_right(
            which in any::<prop::sample::Index>(),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut bytes = which.get(&SAMPLES).to_vec();
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            all(&bytes)?;
            bytes.truncate(cut.index(bytes.len()));
            all(&bytes)?;
        }
    }
}
