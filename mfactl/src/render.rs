//! What people and programs see: tables, times, locks, QR codes, JSON. Pure: values in, text out.
//!
//! Refuses to print outside text as it came: control and direction characters are escaped on the way.

pub(crate) mod audit;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod factor;
pub(crate) mod json;
pub(crate) mod lost;
pub(crate) mod orphans;
pub(crate) mod recovery;
pub(crate) mod remembered;
pub(crate) mod status;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod time;
pub(crate) mod user;
pub(crate) mod view;

/// A name as one word of a shell.
pub(crate) fn shell_word(name: &str) -> String {
    let safe = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '@' | '+');
    if !name.is_empty() && name.chars().all(safe) && !name.starts_with('-') {
        name.to_owned()
    } else {
        format!("'{}'", mfa_proto::text::escape_for_log(name).replace('\'', "'\\''"))
    }
}

/// Bytes as hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
