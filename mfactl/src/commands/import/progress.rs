//! How far an import is: one line on a terminal, written over and over, and taken away at the end.

use std::io::{self, IsTerminal};

use mfa_proto::text::escape_for_log;

use super::super::Context;

/// The line.
#[derive(Debug)]
pub(super) struct Bar {
    /// Shown at all: standard error is a terminal, and there is more than a moment's work.
    shown: bool,
    done: usize,
    all: usize,
}

/// Users below which no line is shown.
const FEW: usize = 10;
/// Characters of the bar itself.
const WIDTH: usize = 30;

impl Bar {
    /// For so many users.
    pub(super) fn new(context: &Context, all: usize) -> Self {
        Self { shown: all >= FEW && !context.out.json && io::stderr().is_terminal(), done: 0, all }
    }

    /// The turn of `user` has come.
    pub(super) fn step(&mut self, context: &mut Context, user: &str) {
        self.done = self.done.saturating_add(1);
        if self.shown {
            context.out.prompt(&line(self.done, self.all, user));
        }
    }

    /// Takes the line away.
    pub(super) fn clear(&self, context: &mut Context) {
        if self.shown {
            context.out.prompt("\r\u{1b}[K");
        }
    }
}

fn line(done: usize, all: usize, user: &str) -> String {
    let full = done.saturating_mul(WIDTH).checked_div(all).unwrap_or(WIDTH).min(WIDTH);
    let bar: String = (0..WIDTH).map(|at| if at < full { '#' } else { '.' }).collect();
    let user: String = escape_for_log(user).chars().take(24).collect();
    format!("\r\u{1b}[K[{bar}] {done}/{all} {user}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_fits_a_terminal_and_says_how_far_it_is() {
        assert_eq!(line(1, 400, "alice"), format!("\r\u{1b}[K[{}] 1/400 alice", ".".repeat(30)));
        assert_eq!(
            line(200, 400, "bob\n"),
            format!("\r\u{1b}[K[{}{}] 200/400 bob\\u{{a}}", "#".repeat(15), ".".repeat(15))
        );
        assert!(line(400, 400, &"x".repeat(300)).len() < 80);
    }
}
