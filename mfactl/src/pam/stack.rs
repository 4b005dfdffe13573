//! The stack of one service and kind, with all that its files include, as libpam puts it together.

use super::control::Control;
use super::line::{logical, words};

/// Files included one in the other, and stacks below stacks: more, libpam refuses.
const DEEPEST: usize = 16;
/// Lines of a stack that are looked at; a file that includes itself twice would grow without end.
const MOST: usize = 1000;

/// The four kinds of stack.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// Who is it?
    Auth,
    /// May they, now?
    Account,
    /// Set up and clean up.
    Session,
    /// Change the password.
    Password,
}

impl Kind {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Account => "account",
            Self::Session => "session",
            Self::Password => "password",
        }
    }

    fn of_word(word: &str) -> Option<Self> {
        [Self::Auth, Self::Account, Self::Session, Self::Password]
            .into_iter()
            .find(|kind| kind.word().eq_ignore_ascii_case(word))
    }
}

/// Where a line stands.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Place {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// What a line runs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Run {
    /// A module, by name or path.
    Module(String),
    /// The stack that follows one level deeper.
    Substack(String),
    /// Nothing: libpam takes it for a module that always fails. Why.
    MustFail(String),
}

/// One line of a stack.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// What it runs.
    pub run: Run,
    /// The control field.
    pub control: Control,
    /// The control field as it is written.
    pub written: String,
    /// What follows the module.
    pub arguments: Vec<String>,
    /// Substacks around it.
    pub level: usize,
    /// A missing module is not logged (`-auth`).
    pub quiet: bool,
    /// Where it stands.
    pub place: Place,
}

impl Entry {
    /// The module's file name; empty where there is none.
    pub fn module(&self) -> &str {
        match &self.run {
            Run::Module(path) => path.rsplit('/').next().unwrap_or(path),
            Run::Substack(_) | Run::MustFail(_) => "",
        }
    }
}

/// A file of PAM.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its path, to be shown.
    pub path: String,
    /// What it says.
    pub text: String,
}

/// Why there is no stack.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NotRead {
    /// Neither the service nor `other` has a file with lines of this kind.
    #[error("there are no lines for it, and none in `other`")]
    Absent,
    /// It has more lines than any stack that is meant.
    #[error("it has more than 1000 lines with all that it includes")]
    TooLong,
}

/// A stack.
#[derive(Clone, Debug)]
pub struct Stack {
    /// Its lines.
    pub entries: Vec<Entry>,
    /// It is that of `other`: the service has no lines of this kind.
    pub fallback: bool,
    /// libpam gives up on the files: one names another for all kinds (`@include`) that cannot be read. Nobody is
    /// let in, whatever the lines say.
    pub aborts: bool,
}

impl Stack {
    /// The stack of `service`. `files` gives a service's file by its name.
    pub fn read(service: &str, kind: Kind, files: &dyn Fn(&str) -> Option<Source>) -> Result<Self, NotRead> {
        let mut chosen: Option<Self> = None;
        let mut gives_up = false;
        for (name, fallback) in [(service, false), ("other", true)] {
            let mut reader = Reader { files, found: Vec::new(), full: false, aborts: false };
            if let Some(source) = files(name) {
                reader.file(&source, None, 0, 0);
            }
            if reader.full {
                return Err(NotRead::TooLong);
            }
            // It reads both, and gives up on both.
            gives_up |= reader.aborts;
            let own = reader.found.into_iter().filter(|(of, _)| *of == kind);
            let entries: Vec<Entry> = own.map(|(_, entry)| entry).collect();
            if chosen.is_none() && !entries.is_empty() {
                chosen = Some(Self { entries, fallback, aborts: false });
            }
        }
        chosen.map(|stack| Self { aborts: gives_up, ..stack }).ok_or(NotRead::Absent)
    }
}

struct Reader<'a> {
    files: &'a dyn Fn(&str) -> Option<Source>,
    found: Vec<(Kind, Entry)>,
    full: bool,
    aborts: bool,
}

impl Reader<'_> {
    /// Takes the lines of `source`, those of one kind when it is `wanted`.
    fn file(&mut self, source: &Source, wanted: Option<Kind>, depth: usize, level: usize) {
        for (line, text) in logical(&source.text) {
            if self.found.len() >= MOST {
                self.full = true;
                return;
            }
            let place = Place { file: source.path.clone(), line };
            self.line(&words(&text), place, wanted, (depth, level));
        }
    }

    fn line(&mut self, words: &[String], place: Place, wanted: Option<Kind>, at: (usize, usize)) {
        let mut words = words.iter();
        let first = words.next().map_or("", String::as_str);
        // Debian's way to include all kinds at once.
        if first.eq_ignore_ascii_case("@include") {
            let name = words.next().cloned().unwrap_or_default();
            if !self.included(&name, wanted, (at.0.saturating_add(1), at.1)) {
                let why = format!("it includes {name}, which cannot be read");
                self.aborts |= wanted.is_none();
                // Below an `include` libpam 1.5 passes over it in some stacks and not in others: so that no way is
                // missed, it counts for nothing here.
                if let Some(kind) = wanted {
                    let entry = line_of(Run::MustFail(why), place, at.1);
                    return self.found.push((kind, Entry { control: Control::read("optional"), ..entry }));
                }
                self.fails(Kind::Auth, why, place, at.1);
            }
            return;
        }
        let (quiet, word) = first.strip_prefix('-').map_or((false, first), |word| (true, word));
        // What libpam does not know it takes for the most sensitive kind.
        let known = Kind::of_word(word);
        let kind = known.or(wanted).unwrap_or(Kind::Auth);
        if wanted.is_some_and(|wanted| wanted != kind) {
            return;
        }
        let Some(written) = words.next().cloned() else {
            return self.fails(kind, "it has no control field".to_owned(), place, at.1);
        };
        let path = words.next().cloned();
        let substack = written.eq_ignore_ascii_case("substack");
        if substack || written.eq_ignore_ascii_case("include") {
            return self.include(kind, &path.unwrap_or_default(), substack, (place, at));
        }
        let run = match (known, path) {
            (None, _) => Run::MustFail(format!("{word:?} is no kind of stack")),
            (_, None) => Run::MustFail("it names no module".to_owned()),
            (Some(_), Some(path)) => Run::Module(path),
        };
        let entry = Entry {
            run,
            // The control counts for lines that must fail, too: `sufficient` ignores that they do.
            control: Control::read(&written),
            written,
            arguments: words.cloned().collect(),
            level: at.1,
            quiet,
            place,
        };
        self.found.push((kind, entry));
    }

    fn include(&mut self, kind: Kind, name: &str, substack: bool, (place, at): (Place, (usize, usize))) {
        let level = if substack {
            let head = Run::Substack(name.to_owned());
            self.found.push((kind, line_of(head, place.clone(), at.1)));
            at.1.saturating_add(1)
        } else {
            at.1
        };
        if !self.included(name, Some(kind), (at.0.saturating_add(1), level)) {
            self.fails(kind, format!("it includes {name}, which cannot be read"), place, at.1);
        }
    }

    fn included(&mut self, name: &str, wanted: Option<Kind>, (depth, level): (usize, usize)) -> bool {
        let source = if depth < DEEPEST && !name.is_empty() { (self.files)(name) } else { None };
        source.map(|source| self.file(&source, wanted, depth, level)).is_some()
    }

    fn fails(&mut self, kind: Kind, why: String, place: Place, level: usize) {
        self.found.push((kind, line_of(Run::MustFail(why), place, level)));
    }
}

fn line_of(run: Run, place: Place, level: usize) -> Entry {
    Entry {
        run,
        control: Control::FAIL,
        written: String::new(),
        arguments: Vec::new(),
        level,
        quiet: false,
        place,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(name: &str) -> Option<Source> {
        let text = match name {
            "sshd" => {
                "@include common\nauth required pam_b.so x [y z]\naccount include acc\n-session optional pam_s.so\n"
            }
            "common" => "auth substack deep\nauth required pam_a.so\naccount required pam_acc.so\n",
            "deep" => "auth sufficient pam_deep.so\nsession required pam_never.so\n",
            "loop" => "auth include loop\n",
            "wide" => "auth include wide\nauth include wide\nauth required pam_a.so\n",
            "bad" => {
                "atuh required pam_a.so\nauth\nauth required\nauth include\nauth include nowhere\n@include nowhere\n"
            }
            "other" => "auth required pam_deny.so\n",
            _ => return None,
        };
        Some(Source { path: format!("/etc/pam.d/{name}"), text: text.to_owned() })
    }

    fn shown(service: &str, kind: Kind) -> Vec<String> {
        let stack = Stack::read(service, kind, &files).unwrap();
        stack.entries.iter().map(|e| format!("{} {} {}", e.level, e.place, e.module())).collect()
    }

    #[test]
    fn included_lines_stand_where_they_are_included() {
        assert_eq!(
            shown("sshd", Kind::Auth),
            [
                "0 /etc/pam.d/common:1 ",
                "1 /etc/pam.d/deep:1 pam_deep.so",
                "0 /etc/pam.d/common:2 pam_a.so",
                "0 /etc/pam.d/sshd:2 pam_b.so",
            ]
        );
        let stack = Stack::read("sshd", Kind::Auth, &files).unwrap();
        assert_eq!(stack.entries.last().unwrap().arguments, ["x", "y z"]);
        assert!(Stack::read("sshd", Kind::Session, &files).unwrap().entries.first().unwrap().quiet);
    }

    #[test]
    fn a_kind_without_lines_is_that_of_other() {
        assert!(Stack::read("sshd", Kind::Password, &files).is_err());
        let stack = Stack::read("unheard-of", Kind::Auth, &files).unwrap();
        assert!(stack.fallback);
        assert_eq!(stack.entries.first().unwrap().module(), "pam_deny.so");
    }

    #[test]
    fn what_cannot_be_read_always_fails() {
        let stack = Stack::read("bad", Kind::Auth, &files).unwrap();
        assert_eq!(stack.entries.len(), 6);
        assert!(stack.entries.iter().all(|entry| matches!(entry.run, Run::MustFail(_))));
        let stack = Stack::read("loop", Kind::Auth, &files).unwrap();
        assert!(matches!(stack.entries.last().unwrap().run, Run::MustFail(_)), "files include each other");
        assert_eq!(Stack::read("wide", Kind::Auth, &files).unwrap_err(), NotRead::TooLong);
    }
}
