//! What every answer of LinOTP is wrapped in, its errors, and their form as a page (`httperror`).
//!
//! Refuses statuses for errors that programs would take for a success.

use std::fmt;

use hyper::StatusCode;
use mfa_role::config::LinOtp;
use serde::Serialize;
use serde_json::{Value, ser::PrettyFormatter};

use crate::answer::{Answer, JSON};

/// What LinOTP says that it speaks.
const JSONRPC: &str = "2.0802";
/// How far each level is indented.
const INDENT: &[u8] = b"   ";
/// The type of an error as a page.
const HTML: &str = "text/html; charset=utf-8";

/// What went wrong, in LinOTP's words.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Fault {
    code: i32,
    message: String,
}

impl Fault {
    /// An error with a number of its own: its text has it in front.
    pub(super) fn new(code: i32, message: impl fmt::Display) -> Self {
        Self { code, message: format!("ERR{code}: {message}") }
    }

    /// Any other error.
    pub(super) fn other(message: impl Into<String>) -> Self {
        Self { code: -311, message: message.into() }
    }

    /// A parameter is missing.
    pub(super) fn missing(parameter: &str) -> Self {
        Self::new(905, format_args!("Missing parameter: '{parameter}'"))
    }
}

/// Wraps answers as one version of LinOTP does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Envelope<'a> {
    terms: &'a LinOtp,
    /// The number that this call's answers have.
    id: u8,
}

#[derive(Serialize)]
struct Wrapped<'a> {
    version: &'a str,
    #[serde(rename = "versionNumber", skip_serializing_if = "Option::is_none")]
    number: Option<&'a str>,
    jsonrpc: &'a str,
    result: Outcome<'a>,
    id: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Value>,
}

#[derive(Serialize)]
struct Outcome<'a> {
    status: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Told<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    queried: Option<usize>,
}

#[derive(Serialize)]
struct Told<'a> {
    code: i32,
    message: &'a str,
}

impl<'a> Envelope<'a> {
    /// For calls whose answers have this number: 0 for most of `/validate`, 1 for what manages.
    pub(super) fn new(terms: &'a LinOtp, id: u8) -> Self {
        Self { terms, id }
    }

    /// An answer that was understood.
    pub(super) fn value(self, value: impl Into<Value>, detail: Option<Value>) -> Answer {
        let outcome = Outcome { status: true, value: Some(value.into()), error: None, queried: None };
        self.wrap(StatusCode::OK, outcome, detail)
    }

    /// A list of which more was looked through than it has. It never has `versionNumber`.
    pub(super) fn list(self, value: Vec<Value>, queried: usize) -> Answer {
        let value = Some(Value::Array(value));
        let outcome = Outcome { status: true, value, error: None, queried: Some(queried) };
        self.wrap(StatusCode::OK, outcome, None)
    }

    /// A no to what cannot be asked that way: neither `status` nor `value` is true.
    pub(super) fn neither(self) -> Answer {
        let value = Some(Value::Bool(false));
        let outcome = Outcome { status: false, value, error: None, queried: None };
        self.wrap(StatusCode::OK, outcome, None)
    }

    /// An error, with the status that says so to those who look at nothing else.
    pub(super) fn fault_with(self, status: StatusCode, fault: &Fault) -> Answer {
        let told = Told { code: fault.code, message: &fault.message };
        let outcome = Outcome { status: false, value: None, error: Some(told), queried: None };
        self.wrap(status, outcome, None)
    }

    /// An error of a call that manages: as a page with a status of its own, where the call wants that
    /// (`httperror`) and the configuration does not want it otherwise for that error.
    pub(super) fn fault(self, fault: &Fault, httperror: Option<&str>) -> Answer {
        match httperror.filter(|_| self.terms.makes_a_page(fault.code)) {
            None => self.fault_with(StatusCode::OK, fault),
            Some(wanted) => self.page(wanted, fault),
        }
    }

    fn page(self, wanted: &str, fault: &Fault) -> Answer {
        let status = error_status(wanted);
        let (number, reason) = (status.as_u16(), status.canonical_reason().unwrap_or("LinOTP Error"));
        let line = format!("{number} {number} {reason}");
        let text = format!("[{}] {}: {}", self.version(), fault.code, escaped(&fault.message));
        let page = format!(
            "\n<html>\n<head>\n<title>{line}</title>\n</head>\n<body>\n<h1>{line}</h1>\n{text}\n<br>\n<br>\n\
             </body>\n</html>\n"
        );
        Answer::body(status, HTML, page)
    }

    fn version(self) -> String {
        format!("LinOTP {}", self.terms.version)
    }

    fn wrap(self, status: StatusCode, result: Outcome<'_>, detail: Option<Value>) -> Answer {
        let numbered = self.terms.numbers_version() && result.queried.is_none();
        let number = numbered.then_some(self.terms.version.as_str());
        let (version, id) = (self.version(), self.id);
        let wrapped = Wrapped { version: &version, number, jsonrpc: JSONRPC, result, id, detail };
        let mut body = Vec::new();
        let formatter = PrettyFormatter::with_indent(INDENT);
        match wrapped.serialize(&mut serde_json::Serializer::with_formatter(&mut body, formatter)) {
            Ok(()) => Answer::body(status, JSON, body),
            Err(_) => Answer::status(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}

/// The status that `httperror` asks for; 500 for what is none of an error.
fn error_status(wanted: &str) -> StatusCode {
    let number = wanted.trim().parse::<u16>().ok().filter(|number| *number >= 400);
    let status = number.and_then(|number| StatusCode::from_u16(number).ok());
    status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_error_is_500() {
        for (wanted, status) in [
            ("400", 400),
            ("777", 777),
            (" 503 ", 503),
            ("", 500),
            ("abc", 500),
            ("200", 500),
            ("204", 500),
            ("-1", 500),
            ("99999", 500),
        ] {
            assert_eq!(error_status(wanted).as_u16(), status, "{wanted:?}");
        }
    }

    #[test]
    fn a_page_cannot_be_written_into() {
        assert_eq!(escaped("<b>&</b>"), "&lt;b&gt;&amp;&lt;/b&gt;");
    }
}
