//! Rows as CSV (RFC 4180), for spreadsheets and for programs that read what those write.
//!
//! Refuses to hand a spreadsheet a formula: text that one might take for one has an apostrophe in front.

use std::borrow::Borrow;

use hyper::{StatusCode, header::CONTENT_DISPOSITION};
use serde_json::Value;

use super::{admin::unusable, asked::Asked, envelope::Fault};
use crate::answer::Answer;

/// Its type.
const CSV: &str = "text/csv; charset=utf-8";
/// What a formula begins with, in letters of both widths.
const FORMULA: [char; 8] = ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// What stands between two fields, where a call wants CSV (`outform=csv`, `delimiter`).
pub(super) fn wanted(asked: &Asked) -> Result<Option<char>, Fault> {
    match asked.get("outform") {
        None => return Ok(None),
        Some(form) if form.eq_ignore_ascii_case("json") => return Ok(None),
        Some(form) if form.eq_ignore_ascii_case("csv") => {}
        Some(_) => return Err(unusable("outform", "it is json or csv")),
    }
    match asked.get("delimiter") {
        None | Some(",") => Ok(Some(',')),
        Some(";") => Ok(Some(';')),
        Some("\t") => Ok(Some('\t')),
        Some(_) => Err(unusable("delimiter", "it is a comma, a semicolon or a tab")),
    }
}

/// A file that is made of rows.
#[derive(Debug)]
pub(super) struct Sheet {
    name: &'static str,
    delimiter: char,
    text: String,
}

impl Sheet {
    /// An empty one, which is stored under a name.
    pub(super) const fn new(name: &'static str, delimiter: char) -> Self {
        Self { name, delimiter, text: String::new() }
    }

    /// Names of columns.
    pub(super) fn head(&mut self, names: impl IntoIterator<Item: AsRef<str>>) {
        self.line(names.into_iter().map(|name| quoted(name.as_ref())));
    }

    /// A row.
    pub(super) fn row(&mut self, values: impl IntoIterator<Item: Borrow<Value>>) {
        self.line(values.into_iter().map(|value| field(value.borrow())));
    }

    fn line(&mut self, fields: impl Iterator<Item = String>) {
        for (place, field) in fields.enumerate() {
            if place > 0 {
                self.text.push(self.delimiter);
            }
            self.text.push_str(&field);
        }
        self.text.push('\n');
    }

    /// As it is sent.
    pub(super) fn answer(self) -> Answer {
        let name = format!("attachment; filename={}", self.name);
        Answer::body(StatusCode::OK, CSV, self.text).with(CONTENT_DISPOSITION, &name)
    }
}

/// Numbers stand as they are, all else is text.
fn field(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) => quoted(text),
        Value::Array(parts) => {
            let parts: Vec<_> = parts.iter().map(|part| part.as_str().unwrap_or_default()).collect();
            quoted(&parts.join(" "))
        }
        Value::Object(_) => quoted(&value.to_string()),
    }
}

fn quoted(text: &str) -> String {
    let guard = if is_formula(text) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

/// White space before a formula keeps no spreadsheet from it, and some of it makes one.
fn is_formula(text: &str) -> bool {
    let behind = text.trim_start_matches(|c: char| c.is_whitespace() || c.is_control());
    behind.starts_with(FORMULA) || text.starts_with(['\t', '\r', '\n'])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn line(delimiter: char, values: &[Value]) -> String {
        let mut sheet = Sheet::new("x.csv", delimiter);
        sheet.row(values);
        sheet.text
    }

    #[test]
    fn fields_are_quoted_and_numbers_are_not() {
        let values = [json!(1), json!("a,\"b\"\nc"), json!(true), json!(null), json!(["x", "y"]), json!("")];
        assert_eq!(line(',', &values), "1,\"a,\"\"b\"\"\nc\",true,,\"x y\",\"\"\n");
        assert_eq!(line(';', &[json!("a"), json!("b;c")]), "\"a\";\"b;c\"\n");
    }

    #[test]
    fn no_field_is_a_formula() {
        for formula in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(1)",
            " =1",
            "\u{a0}=1",
            "\t=1",
            "\r=1",
            "\n=1",
            "\u{ff1d}1",
            "\tx",
            "\u{1}=1",
        ] {
            assert_eq!(line(',', &[json!(formula)]), format!("\"'{formula}\"\n"), "{formula:?}");
        }
        for text in ["a=1", "1-1", "'=1", "{\"a\": -1}", ""] {
            assert_eq!(line(',', &[json!(text)]), format!("\"{}\"\n", text.replace('"', "\"\"")));
        }
    }
}
