//! The raw shape: all files as one tree of values, each with the place it came from.
//!
//! Refuses to decide what a value means. Says which lines are not TOML, and which key stands in two
//! files: a later file adds, it never overrides, so that what is read in one file is what holds.

use std::collections::BTreeMap;

use mfa_proto::text::escape_for_log;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{source::Source, suggest::printable};

/// A place in one of the files.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Place {
    /// The index of the file.
    pub(super) file: usize,
    /// The byte within its text.
    pub(super) offset: usize,
}

/// Something wrong at a place.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) place: Place,
    pub(super) message: String,
}

/// A value as written.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    /// `None` when it does not fit 64 bits.
    Integer(Option<i64>),
    Float,
    Boolean(bool),
    /// As it was written.
    Datetime(String),
    Array(Vec<Node>),
    Table(Table),
}

impl Value {
    /// What a person calls it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Integer(_) => "a whole number",
            Self::Float => "a number with a fraction",
            Self::Boolean(_) => "true or false",
            Self::Datetime(_) => "a date",
            Self::Array(_) => "a list",
            Self::Table(_) => "a table",
        }
    }
}

/// A value and its place.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) value: Value,
}

/// A key with its place, and the value it names.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: Place,
    pub(super) node: Node,
}

/// Keys with their values.
pub(super) type Table = BTreeMap<String, Entry>;

/// Parses and joins all files. What cannot be parsed is told and left out.
pub(super) fn join(sources: &[Source]) -> (Table, Vec<Fault>) {
    let mut joiner = Joiner { sources, faults: Vec::new() };
    let mut whole = Table::new();
    for (file, source) in sources.iter().enumerate() {
        let (table, errors) = DeTable::parse_recoverable(&source.text);
        for error in errors {
            let offset = error.span().map_or(0, |span| span.start);
            let message = format!("this is not valid TOML: {}", one_line(error.message()));
            joiner.faults.push(Fault { place: Place { file, offset }, message });
        }
        joiner.add(&mut whole, table_of(file, table.get_ref()), "");
    }
    (whole, joiner.faults)
}

struct Joiner<'a> {
    sources: &'a [Source],
    faults: Vec<Fault>,
}

impl Joiner<'_> {
    fn add(&mut self, into: &mut Table, more: Table, path: &str) {
        for (key, entry) in more {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            match into.get_mut(&key) {
                None => {
                    into.insert(key, entry);
                }
                Some(present) => self.unite(present, entry, &path),
            }
        }
    }

    fn unite(&mut self, present: &mut Entry, more: Entry, path: &str) {
        match (&mut present.node.value, more.node.value) {
            (Value::Table(into), Value::Table(table)) => self.add(into, table, path),
            (Value::Array(into), Value::Array(list)) if of_tables(into) && of_tables(&list) => {
                into.extend(list);
            }
            _ => {
                let Place { file, offset } = present.key;
                let first = self.sources.get(file).map_or_else(String::new, |source| {
                    let at = super::problem::Position::of(&source.text, offset);
                    format!("{}:{}:{}", source.path.display(), at.line, at.column)
                });
                let path = printable(path);
                let message = format!("`{path}` is already set at {first}: a key may stand in one file only");
                self.faults.push(Fault { place: more.key, message });
            }
        }
    }
}

fn of_tables(list: &[Node]) -> bool {
    list.iter().all(|node| matches!(node.value, Value::Table(_)))
}

fn table_of(file: usize, table: &DeTable<'_>) -> Table {
    table
        .iter()
        .map(|(key, value)| {
            let place = Place { file, offset: key.span().start };
            (key.get_ref().clone().into_owned(), Entry { key: place, node: node_of(file, value) })
        })
        .collect()
}

fn node_of(file: usize, value: &Spanned<DeValue<'_>>) -> Node {
    let place = Place { file, offset: value.span().start };
    let value = match value.get_ref() {
        DeValue::String(text) => Value::Text(text.clone().into_owned()),
        DeValue::Integer(number) => Value::Integer(i64::from_str_radix(number.as_str(), number.radix()).ok()),
        DeValue::Float(_) => Value::Float,
        DeValue::Boolean(truth) => Value::Boolean(*truth),
        DeValue::Datetime(date) => Value::Datetime(date.to_string()),
        DeValue::Array(list) => Value::Array(list.iter().map(|value| node_of(file, value)).collect()),
        DeValue::Table(table) => Value::Table(table_of(file, table)),
    };
    Node { place, value }
}

fn one_line(message: &str) -> String {
    escape_for_log(&message.split_whitespace().collect::<Vec<_>>().join(" "))
}
