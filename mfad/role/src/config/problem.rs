//! What is wrong with the configuration, told like a compiler does: file, line, column, and what to
//! write instead. Refuses to stop at the first: a [`ConfigErrors`] holds all there is to say.

use std::{
    fmt,
    path::{Path, PathBuf},
};

/// A place in a file, both counted from one; columns are characters.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The character within the line.
    pub column: usize,
}

impl Position {
    /// Where byte `offset` of `text` is; an offset past the end is the end.
    pub fn of(text: &str, offset: usize) -> Self {
        let mut end = offset.min(text.len());
        while !text.is_char_boundary(end) {
            end = end.saturating_sub(1);
        }
        let before = text.get(..end).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at.saturating_add(1));
        let in_line = before.get(line_start..).unwrap_or_default();
        Self {
            line: before.matches('\n').count().saturating_add(1),
            column: in_line.chars().count().saturating_add(1),
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    /// The file it is in.
    pub file: PathBuf,
    /// Where in the file; `None` when it is the file itself.
    pub position: Option<Position>,
    /// What is wrong and what to do.
    pub message: String,
}

impl Problem {
    /// A problem with a file or directory as a whole.
    pub(super) fn with_file(file: &Path, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), position: None, message: message.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(at) = self.position {
            write!(f, ":{}:{}", at.line, at.column)?;
        }
        write!(f, ": {}", self.message)
    }
}

/// All that is wrong with a configuration: at least one problem. Shown with one line for each.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigErrors {
    problems: Vec<Problem>,
}

impl ConfigErrors {
    /// `None` when nothing is wrong.
    pub(super) fn of(problems: Vec<Problem>) -> Option<Self> {
        if problems.is_empty() { None } else { Some(Self { problems }) }
    }

    /// Each problem, by file in the order they are read, then by place.
    pub fn iter(&self) -> std::slice::Iter<'_, Problem> {
        self.problems.iter()
    }
}

impl<'a> IntoIterator for &'a ConfigErrors {
    type Item = &'a Problem;
    type IntoIter = std::slice::Iter<'a, Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(line: usize, column: usize) -> Position {
        Position { line, column }
    }

    #[test]
    fn lines_and_columns_count_characters_from_one() {
        let text = "a = 1\nüü = x\n";
        assert_eq!(Position::of(text, 0), at(1, 1));
        assert_eq!(Position::of(text, 4), at(1, 5));
        assert_eq!(Position::of(text, 6), at(2, 1));
        assert_eq!(Position::of(text, text.find('x').unwrap()), at(2, 6));
        assert_eq!(Position::of(text, 7), at(2, 1), "inside a character is its start");
        assert_eq!(Position::of(text, 999), at(3, 1));
        assert_eq!(Position::of("", 0), at(1, 1));
    }

    #[test]
    fn a_problem_reads_like_a_compiler_error() {
        let mut problem = Problem::with_file(Path::new("/etc/mfad/mfad.toml"), "it is not readable");
        assert_eq!(problem.to_string(), "/etc/mfad/mfad.toml: it is not readable");
        problem.position = Some(at(3, 7));
        assert_eq!(problem.to_string(), "/etc/mfad/mfad.toml:3:7: it is not readable");
        let errors = ConfigErrors::of(vec![problem.clone(), problem]).unwrap();
        assert_eq!(errors.to_string().lines().count(), 2);
        assert!(ConfigErrors::of(Vec::new()).is_none());
    }

    proptest! {
        #[test]
        fn every_offset_has_a_place_in_the_text(text in "\\PC*(\n\\PC*){0,3}", offset in 0_usize..200) {
            let found = Position::of(&text, offset);
            let line = text.split('\n').nth(found.line - 1);
            prop_assert!(line.is_some_and(|line| found.column <= line.chars().count() + 1));
        }
    }
}
