//! JSON on one line, with nothing in it that steers a terminal.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::Formatter;
use zeroize::Zeroizing;

/// The most bytes a line may need without growing: growing would leave copies of secrets behind. A frame
/// is at most 4 KiB, and escapes make it at most six times as long.
const ROOM: usize = 32 * 1024;

/// `value` as one line, wiped when dropped.
pub(crate) fn line<T: Serialize>(value: &T) -> Result<Zeroizing<Vec<u8>>, serde_json::Error> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(ROOM));
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut *bytes, Escaping))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Compact JSON that also escapes the control and direction characters which JSON itself lets pass.
struct Escaping;

impl Formatter for Escaping {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut units = [0_u16; 2];
        for part in fragment.split_inclusive(steers) {
            let kept = part.trim_end_matches(steers);
            writer.write_all(kept.as_bytes())?;
            for unit in part.chars().filter(|c| steers(*c)).flat_map(|c| c.encode_utf16(&mut units).to_vec())
            {
                write!(writer, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }
}

fn steers(character: char) -> bool {
    mfa_proto::text::escape_for_log(character.encode_utf8(&mut [0; 4])).starts_with('\\') && character != '\\'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_escaped_and_means_the_same() {
        let text = "a\u{1b}[2J\u{9b}31m\u{202e}\n\"\\é\u{1F600}\u{2066}\u{2066}z";
        let bytes = line(&text).unwrap();
        let written = std::str::from_utf8(&bytes).unwrap();
        assert_eq!(written, "\"a\\u001b[2J\\u009b31m\\u202e\\n\\\"\\\\é\u{1F600}\\u2066\\u2066z\"\n");
        assert_eq!(serde_json::from_slice::<String>(&bytes).unwrap(), text);
    }
}
