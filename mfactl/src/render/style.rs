//! Whether standard output takes colors, and how wide it is.

use std::os::fd::AsFd;

use mfa_qr::Screen;

/// What standard output can show.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    /// Escape sequences for colors may be used.
    pub(crate) color: bool,
    /// Its size, when it is a terminal.
    pub(crate) screen: Option<Screen>,
}

/// What a piece of text means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Tone {
    /// Nothing to see.
    Plain,
    /// As it should be.
    Good,
    /// Worth a look.
    Warn,
    /// Not as it should be.
    Bad,
    /// A heading.
    Strong,
}

impl Style {
    /// Looks at the terminal and at `NO_COLOR` (any value but the empty one turns colors off).
    pub(crate) fn detect(stdout: &impl AsFd, terminal: bool) -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let size = |(width, height): (terminal_size::Width, terminal_size::Height)| Screen {
            columns: width.0,
            rows: height.0,
        };
        let screen =
            || terminal_size::terminal_size_of(stdout).map_or(Screen { columns: 80, rows: 24 }, size);
        Self { color: terminal && !dumb && !set("NO_COLOR"), screen: terminal.then(screen) }
    }

    /// `text` in the color of `tone`.
    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Plain => "",
            Tone::Good => "32",
            Tone::Warn => "33",
            Tone::Bad => "31",
            Tone::Strong => "1",
        };
        if self.color && !code.is_empty() && !text.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

#[cfg(test)]
impl Style {
    /// A file.
    pub(crate) const PLAIN: Self = Self { color: false, screen: None };
    /// A terminal with colors.
    pub(crate) const COLOR: Self = Self { color: true, screen: Some(Screen { columns: 80, rows: 24 }) };
}
