//! Where output goes: results to standard output, all talk with the person to standard error.
//!
//! With `--json` standard output holds JSON and nothing else. Refuses to buffer: texts with secrets pass
//! in one write, so that no copy stays behind in a buffer that is not wiped.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use crate::{failure::Failure, render::json, render::style::Style};

/// The two outputs of a command.
pub(crate) struct Out {
    stdout: Box<dyn Write>,
    stderr: Box<dyn Write>,
    /// Whether results are wanted as JSON.
    pub(crate) json: bool,
    /// Colors and width of standard output.
    pub(crate) style: Style,
}

impl std::fmt::Debug for Out {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Out").field("json", &self.json).field("style", &self.style).finish_non_exhaustive()
    }
}

impl Out {
    /// The outputs of this process.
    pub(crate) fn of_process(json: bool) -> Self {
        let style = Style::detect(&io::stdout(), io::stdout().is_terminal());
        Self { stdout: Box::new(io::stdout()), stderr: Box::new(io::stderr()), json, style }
    }

    /// Writes text meant for people; whole lines. Nothing when JSON is wanted.
    pub(crate) fn text(&mut self, text: &str) -> Result<(), Failure> {
        if self.json { Ok(()) } else { self.raw(text.as_bytes()) }
    }

    /// Writes `value` as one line of JSON when that is wanted.
    pub(crate) fn json<T: Serialize>(&mut self, value: &T) -> Result<(), Failure> {
        if !self.json {
            return Ok(());
        }
        let line = json::line(value).map_err(|e| Failure::Output(e.into()))?;
        self.raw(&line)
    }

    /// Writes bytes whatever the format: scripts for shells, man pages.
    pub(crate) fn raw(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.stdout.write_all(bytes).and_then(|()| self.stdout.flush()).map_err(Failure::Output)
    }

    /// Tells the person something beside the result. A lost note is no failure: the result counts.
    pub(crate) fn note(&mut self, text: &str) {
        let _lost_note_is_fine = writeln!(self.stderr, "{text}").and_then(|()| self.stderr.flush());
    }

    /// Starts a line that the person ends by an answer.
    pub(crate) fn prompt(&mut self, text: &str) {
        let _lost_prompt_is_fine = write!(self.stderr, "{text}").and_then(|()| self.stderr.flush());
    }
}
