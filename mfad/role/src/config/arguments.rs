//! What calls of outside services are told beside user and code.
//!
//! Refuses names under which user and code are sent: of two values of one name, who knows which is taken.

use super::{
    kinds::{Checked, line},
    reader::{Reader, Section},
    suggest::printable,
    template::Fact,
    tree::Value,
    web::MAX_FIELDS,
};

/// What a call for an outside service is told beside user and code.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Argument {
    /// What it is at that time.
    Fact(Fact),
    /// Always the same.
    Literal(String),
}

/// The facts an argument may be.
const ARGUMENTS: &[Fact] = &[Fact::User, Fact::RemoteUser, Fact::Service, Fact::Source, Fact::Host];

/// Names under which user and code are sent by one contract or another.
const SENT_ANYWAY: [&str; 3] = ["user", "code", "pass"];

/// The arguments of a table such as `verify_args = { ip = "source", realm = "'corp'" }`.
pub(super) fn arguments(
    reader: &mut Reader,
    section: &mut Section,
    key: &'static str,
) -> Vec<(String, Argument)> {
    let mut arguments = Vec::new();
    for (name, entry) in reader.entries(section, key) {
        let word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
        if name.is_empty() || name.len() > 64 || !name.bytes().all(word) {
            let shown = printable(&name);
            reader.fault(
                Some(entry.key),
                format!("`{key}` holds `{shown}`, no name of an argument: write letters and digits"),
            );
        }
        if SENT_ANYWAY.contains(&name.as_str()) {
            let message = format!("`{key}.{name}` is sent anyway: remove it");
            reader.fault(Some(entry.key), message);
        }
        match argument(&entry.node.value) {
            Ok(value) => arguments.push((name, value)),
            Err(message) => {
                reader.fault(Some(entry.node.place), format!("`{key}.{}` {message}", printable(&name)));
            }
        }
    }
    if arguments.len() > MAX_FIELDS {
        let place = section.place_of(key);
        reader.fault(place, format!("`{key}` has too many entries: keep {MAX_FIELDS}"));
    }
    arguments
}

fn argument(value: &Value) -> Checked<Argument> {
    let text = line(256)(value)?;
    let quoted = |quote| text.strip_prefix(quote).and_then(|rest: &str| rest.strip_suffix(quote));
    if let Some(literal) = quoted('\'').or_else(|| quoted('"')) {
        return Ok(Argument::Literal(literal.to_owned()));
    }
    Fact::of(&text, ARGUMENTS).map(Argument::Fact).ok_or_else(|| {
        let list = Fact::list(ARGUMENTS, |name| format!("\"{name}\""));
        format!(
            "cannot be \"{}\": write one of {list}, or a fixed text in quotes of its own, as \"'text'\"",
            printable(&text)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_is_a_fact_or_has_quotes_of_its_own() {
        let read = |text: &str| argument(&Value::Text(text.to_owned()));
        assert_eq!(read("source").unwrap(), Argument::Fact(Fact::Source));
        assert_eq!(read("'corp'").unwrap(), Argument::Literal("corp".into()));
        assert_eq!(read("\"corp\"").unwrap(), Argument::Literal("corp".into()));
        for bad in ["corp", "code", "'", "number", ""] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }
}
