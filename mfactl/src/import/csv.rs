//! Lists of tokens as their makers give them: a header line that names the columns, then a token on each line.
//!
//! Refuses columns it does not know, and never guesses how keys are written: the header says it, or an option.
//! Text of the header is not repeated in messages: where there is no header, it is a key.

mod columns;
mod record;

use std::borrow::Cow;

use mfa_proto::admin::Algorithm;

pub use self::columns::KeyEncoding;
use self::columns::{Column, Columns};
use super::{
    Options,
    entry::{self, Factor, Found, Name, Params, Parsed, Whose},
    key::Key,
    reason::Reason,
};

/// Whether `line` is a header: columns are known, and one of them is the key.
pub(super) fn is_header(line: &str) -> bool {
    columns::separator(line)
        .and_then(|separator| Columns::of(line, separator, Some(KeyEncoding::Hex)).ok())
        .is_some_and(|columns| columns.has_key())
}

/// Reads all lines.
pub(super) fn read(text: &str, options: &Options) -> Parsed {
    let mut lines =
        (1_usize..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#'));
    let first = match &options.columns {
        Some(columns) => Some((1, columns.as_str())),
        None => lines.next(),
    };
    let Some((line, header)) = first else { return Parsed::nothing(1, Reason::Empty) };
    let mut lines = lines.peekable();
    let body = options.columns.as_ref().and_then(|_| lines.peek()).map_or(header, |(_, first)| *first);
    let separator = columns::separator(body).unwrap_or(',');
    let columns = match Columns::of(header, columns::separator(header).unwrap_or(','), options.key_encoding) {
        Ok(columns) => columns,
        Err(why) => return Parsed::nothing(line, Reason::Header(why)),
    };
    let mut parsed = Parsed::default();
    for (line, text) in lines {
        let (whose, found) = match record::fields(text, separator) {
            Some(fields) => {
                let row = Row { columns: &columns, fields };
                (row.whose(), row.found())
            }
            None => (
                Whose::default(),
                Err(Reason::Csv("a quotation mark is not closed, or stands within a field".into())),
            ),
        };
        parsed.take(line, whose, found);
    }
    parsed
}

/// One line.
struct Row<'c, 't> {
    columns: &'c Columns,
    fields: Vec<Cow<'t, str>>,
}

impl Row<'_, '_> {
    fn get(&self, column: Column) -> Option<&str> {
        let at = self.columns.place(column)?;
        self.fields.get(at).map(|field| field.trim()).filter(|field| !field.is_empty())
    }

    fn whose(&self) -> Whose {
        if self.fields.len() != self.columns.count() {
            return Whose::default();
        }
        let name = self.get(Column::User).map_or(Name::None, |user| Name::Firm(user.to_owned()));
        Whose { serial: self.get(Column::Serial).map(ToOwned::to_owned), name }
    }

    fn found(&self) -> Result<Found, Reason> {
        let (there, wanted) = (self.fields.len(), self.columns.count());
        if there != wanted {
            return Err(Reason::Csv(format!("the line has {there} fields, the header {wanted}")));
        }
        let text = self.get(Column::Key).ok_or(Reason::NoKey)?;
        let key = match self.columns.key_encoding() {
            KeyEncoding::Hex => Key::from_hex(text),
            KeyEncoding::Base32 => Key::from_base32(text),
        };
        let factor = Factor {
            params: self.params()?,
            key: key?,
            label: self.get(Column::Serial).map(ToOwned::to_owned),
        };
        Ok(factor.into())
    }

    fn params(&self) -> Result<Params, Reason> {
        let algorithm = match self.get(Column::Algorithm).map(plain).as_deref() {
            None | Some("SHA1" | "HMACSHA1") => Algorithm::Sha1,
            Some("SHA256" | "HMACSHA256") => Algorithm::Sha256,
            Some("SHA512" | "HMACSHA512") => Algorithm::Sha512,
            Some(_) => return Err(Reason::Algorithm),
        };
        let digits = self.number(Column::Digits)?.unwrap_or(6);
        let either = self.number(Column::CounterOrPeriod)?;
        if self.counted()? {
            let counter = self.number(Column::Counter)?.or(either);
            return entry::hotp(algorithm, digits, counter.unwrap_or(0));
        }
        let period = self.number(Column::Period)?.or(either);
        entry::totp(algorithm, digits, period.unwrap_or(30))
    }

    /// By the type, else by which of counter and period the list has.
    fn counted(&self) -> Result<bool, Reason> {
        let has = |column| self.columns.place(column).is_some();
        match self.get(Column::Type).map(plain).as_deref() {
            Some("HOTP" | "OATHHOTP" | "EVENT") => Ok(true),
            Some("TOTP" | "OATHTOTP" | "TIME") => Ok(false),
            Some(_) => Err(Reason::Kind),
            None if has(Column::Type) => Err(Reason::Kind),
            None => Ok(has(Column::Counter)),
        }
    }

    fn number(&self, column: Column) -> Result<Option<u64>, Reason> {
        let Some(text) = self.get(column) else { return Ok(None) };
        let digits = text.strip_suffix('s').unwrap_or(text);
        let number = digits.bytes().all(|c| c.is_ascii_digit()).then(|| digits.parse().ok()).flatten();
        number.map(Some).ok_or_else(|| Reason::Csv(format!("the column \"{}\" has no number", column.name())))
    }
}

/// Letters and digits alone, in upper case.
fn plain(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}

#[cfg(test)]
mod tests;
