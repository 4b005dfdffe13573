//! Walks the raw tree, takes what is known, and collects everything that is wrong on the way.
//!
//! Refuses to stop: a value that cannot be used is told and its default stands in, so that one look
//! shows all problems. The defaults that stand in never leave this module's callers: with one problem
//! there is no configuration.

use std::collections::BTreeSet;

use super::{
    mention::Mentioned,
    suggest,
    tree::{Entry, Fault, Node, Place, Table, Value},
};

/// The longest name of the administrator's own for a table, in bytes.
const MAX_NAME: usize = 32;
/// The longest name of a domain, in bytes: what a factor may be called.
const MAX_DOMAIN: usize = 64;

/// A value and where it was set.
#[derive(Clone, Debug)]
pub(super) struct Found<T> {
    pub(super) value: T,
    /// `None` for a default.
    pub(super) place: Option<Place>,
    /// What was written could not be used, and has been told.
    pub(super) faulty: bool,
}

impl<T> Found<T> {
    fn default_of(value: T) -> Self {
        Self { value, place: None, faulty: false }
    }
}

/// One table while it is read.
#[derive(Debug)]
pub(super) struct Section {
    path: String,
    /// As `path`, with `NAME` where a name of the administrator's own stands.
    known_as: String,
    table: Table,
    keys: Vec<&'static str>,
    faulty: bool,
}

impl Section {
    fn new(path: impl Into<String>, table: Table) -> Self {
        let path = path.into();
        Self { known_as: path.clone(), path, table, keys: Vec::new(), faulty: false }
    }

    /// A section that nobody wrote.
    pub(super) fn empty(path: &str) -> Self {
        Self::new(path, Table::new())
    }

    /// Whether something is there that has not been, or cannot be, taken.
    pub(super) fn is_unread(&self) -> bool {
        self.faulty || !self.table.is_empty()
    }

    /// The place of `key`, while it has not been taken.
    pub(super) fn place_of(&self, key: &str) -> Option<Place> {
        self.table.get(key).map(|entry| entry.key)
    }

    /// The place of `key` in the table `section`, while neither has been taken.
    pub(super) fn place_within(&self, section: &str, key: &str) -> Option<Place> {
        let Value::Table(table) = &self.table.get(section)?.node.value else { return None };
        table.get(key).map(|entry| entry.key)
    }
}

/// What was found beside values.
#[derive(Debug)]
pub(super) struct Findings {
    /// All that is wrong.
    pub(super) faults: Vec<Fault>,
    /// What deserves a second look.
    pub(super) notes: Vec<Fault>,
    /// Names that mean something elsewhere on the host.
    pub(super) mentions: Vec<(Place, Mentioned, String)>,
    /// Every key that would have been taken.
    pub(super) known: BTreeSet<String>,
}

/// Collects what is wrong, and which keys there are.
#[derive(Debug, Default)]
pub(super) struct Reader {
    faults: Vec<Fault>,
    notes: Vec<Fault>,
    mentions: Vec<(Place, Mentioned, String)>,
    known: BTreeSet<String>,
    strays: Vec<Stray>,
}

/// A key that nobody took.
#[derive(Debug)]
struct Stray {
    section: String,
    key: String,
    place: Place,
    siblings: Vec<&'static str>,
}

impl Reader {
    /// Tells of something wrong at a place; without a place it stems from defaults and is no one's fault.
    pub(super) fn fault(&mut self, place: Option<Place>, message: impl Into<String>) {
        if let Some(place) = place {
            self.faults.push(Fault { place, message: message.into() });
        }
    }

    /// Tells of something that can be meant so, and deserves a second look.
    pub(super) fn note(&mut self, place: Place, message: impl Into<String>) {
        self.notes.push(Fault { place, message: message.into() });
    }

    /// Notes a name that means something elsewhere on the host.
    pub(super) fn mention(&mut self, place: Place, what: Mentioned, name: &str) {
        self.mentions.push((place, what, name.to_owned()));
    }

    /// The whole tree as a section.
    pub(super) fn root(table: Table) -> Section {
        Section::new("", table)
    }

    /// The table `key` within `parent`; an empty one when it is not there.
    pub(super) fn section(&mut self, parent: &mut Section, key: &'static str) -> Section {
        let path = join(&parent.path, key);
        match self.take(parent, key) {
            None => Section::new(path, Table::new()),
            Some(Entry { node: Node { value: Value::Table(table), .. }, .. }) => Section::new(path, table),
            Some(entry) => {
                let message = format!("`{path}` is {}: write a table, [{path}]", entry.node.value.kind());
                self.fault(Some(entry.key), message);
                Section { faulty: true, ..Section::new(path, Table::new()) }
            }
        }
    }

    /// The tables of a list `key`, such as `[[policy.rule]]`, each with its place.
    pub(super) fn sections(&mut self, parent: &mut Section, key: &'static str) -> Vec<(Place, Section)> {
        let path = join(&parent.path, key);
        let Some(entry) = self.take(parent, key) else { return Vec::new() };
        let Value::Array(list) = entry.node.value else {
            let message = format!("`{path}` is {}: write [[{path}]] for each", entry.node.value.kind());
            self.fault(Some(entry.key), message);
            return Vec::new();
        };
        let mut sections = Vec::new();
        for Node { place, value } in list {
            let kind = value.kind();
            if let Value::Table(table) = value {
                sections.push((place, Section::new(path.clone(), table)));
            } else {
                self.fault(Some(place), format!("this is {kind}: write a table"));
            }
        }
        sections
    }

    /// The tables within the table `key` whose names are the administrator's own, such as
    /// `[sms.gateway.NAME]`, each with its name and place.
    pub(super) fn tables(
        &mut self,
        parent: &mut Section,
        key: &'static str,
    ) -> Vec<(String, Place, Section)> {
        let path = join(&parent.path, key);
        let known_as = format!("{}.NAME", join(&parent.known_as, key));
        let entries = self.entries(parent, key);
        entries
            .into_iter()
            .filter_map(|(name, entry)| self.table(name, entry, (&path, &known_as), MAX_NAME))
            .collect()
    }

    /// The tables within a section whose own keys have been taken, for sections that have both. Their names are
    /// those of domains.
    pub(super) fn tables_beside_keys(&mut self, section: &mut Section) -> Vec<(String, Place, Section)> {
        let (path, known_as) = (section.path.clone(), format!("{}.NAME", section.known_as));
        let is_table = |entry: &Entry| matches!(entry.node.value, Value::Table(_));
        let all = std::mem::take(&mut section.table);
        let (tables, keys): (Table, Table) = all.into_iter().partition(|(_, entry)| is_table(entry));
        section.table = keys;
        tables
            .into_iter()
            .filter_map(|(name, entry)| self.table(name, entry, (&path, &known_as), MAX_DOMAIN))
            .collect()
    }

    fn table(
        &mut self,
        name: String,
        entry: Entry,
        (path, known_as): (&str, &str),
        most: usize,
    ) -> Option<(String, Place, Section)> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        if name.is_empty() || name.len() > most || !name.bytes().all(plain) {
            let shown = suggest::printable(&name);
            let message =
                format!("[{path}.{shown}]: write a name of at most {most} letters, digits, `-`, `_`");
            self.fault(Some(entry.key), message);
            return None;
        }
        let path = format!("{path}.{name}");
        let Value::Table(table) = entry.node.value else {
            let message = format!("`{path}` is {}: write a table, [{path}]", entry.node.value.kind());
            self.fault(Some(entry.key), message);
            return None;
        };
        let section = Section { known_as: known_as.to_owned(), ..Section::new(path, table) };
        Some((name, entry.key, section))
    }

    /// What stands in the table `key`, whose keys are the administrator's own, in order of name.
    pub(super) fn entries(&mut self, parent: &mut Section, key: &'static str) -> Vec<(String, Entry)> {
        let path = join(&parent.path, key);
        match self.take(parent, key) {
            None => Vec::new(),
            Some(Entry { node: Node { value: Value::Table(table), .. }, .. }) => table.into_iter().collect(),
            Some(entry) => {
                let message = format!("`{path}` is {}: write a table", entry.node.value.kind());
                self.fault(Some(entry.key), message);
                Vec::new()
            }
        }
    }

    /// The value of `key` as it stands.
    pub(super) fn node(&mut self, section: &mut Section, key: &'static str) -> Option<Node> {
        self.take(section, key).map(|entry| entry.node)
    }

    /// The value of `key`, or `default`.
    pub(super) fn value<T>(
        &mut self,
        section: &mut Section,
        key: &'static str,
        default: T,
        parse: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Found<T> {
        let found = self.optional(section, key, parse);
        match found.value {
            Some(value) => Found { value, place: found.place, faulty: found.faulty },
            None => Found { place: found.place, faulty: found.faulty, ..Found::default_of(default) },
        }
    }

    /// The value of `key`, when it is there.
    pub(super) fn optional<T>(
        &mut self,
        section: &mut Section,
        key: &'static str,
        parse: impl FnOnce(&Value) -> Result<T, String>,
    ) -> Found<Option<T>> {
        let path = join(&section.path, key);
        let Some(Entry { node, .. }) = self.take(section, key) else { return Found::default_of(None) };
        match parse(&node.value) {
            Ok(value) => Found { value: Some(value), place: Some(node.place), faulty: false },
            Err(message) => {
                self.fault(Some(node.place), format!("`{path}` {message}"));
                Found { value: None, place: Some(node.place), faulty: true }
            }
        }
    }

    /// Ends the reading of a section: what is left in it is not known.
    pub(super) fn close(&mut self, section: Section) {
        let Section { path, table, keys, .. } = section;
        for (key, entry) in table {
            let place = entry.key;
            self.strays.push(Stray { section: path.clone(), key, place, siblings: keys.clone() });
        }
    }

    /// All that was found beside values.
    pub(super) fn finish(mut self) -> Findings {
        for stray in std::mem::take(&mut self.strays) {
            let message = suggest::unknown_key(&stray.section, &stray.key, &stray.siblings, &self.known);
            self.fault(Some(stray.place), message);
        }
        let Self { faults, notes, mentions, known, .. } = self;
        Findings { faults, notes, mentions, known }
    }

    fn take(&mut self, section: &mut Section, key: &'static str) -> Option<Entry> {
        self.known.insert(join(&section.known_as, key));
        section.keys.push(key);
        section.table.remove(key)
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
