//! What a guide has its reader do, in order, taken from its Markdown. Refuses a block that begins with anything but
//! a command.

use std::{iter::Enumerate, str::Lines};

/// One thing that is typed, and what the guide shows then.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Step {
    /// Where it stands in the guide, for who has to mend it.
    pub(super) line: usize,
    pub(super) place: Place,
    pub(super) command: String,
    pub(super) shown: Vec<String>,
    pub(super) fails: bool,
}

/// Where it is typed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Place {
    Root,
    Account(String),
    Laptop,
    LaptopRoot,
    Console,
    Rescue,
}

/// All steps of a guide.
#[track_caller]
pub(super) fn steps(markdown: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let (mut inside, mut fails) = (false, false);
    let mut lines = markdown.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        match (inside, line) {
            (false, "<!-- fails -->") => fails = true,
            (false, "```console") => inside = true,
            (true, "```") => {
                if let Some(last) = steps.last_mut() {
                    last.fails = std::mem::take(&mut fails);
                }
                inside = false;
            }
            (false, _) => {}
            (true, line) => {
                if let Some((place, words)) = command(line) {
                    let reads = words.contains("<<'END'");
                    let command = if reads { with_input(words, &mut lines) } else { words.to_owned() };
                    steps.push(Step { line: at + 1, place, command, shown: Vec::new(), fails: false });
                } else {
                    let step = steps.last_mut().unwrap_or_else(|| panic!("line {}: no command yet", at + 1));
                    step.shown.push(line.trim_end().to_owned());
                }
            }
        }
    }
    assert!(!inside, "a block does not end");
    steps
}

/// A command with the lines that it reads, up to `END`.
fn with_input(words: &str, lines: &mut Enumerate<Lines<'_>>) -> String {
    let mut command = words.to_owned();
    for (_, line) in lines {
        command = command + "\n" + line;
        if line == "END" {
            break;
        }
    }
    command
}

/// Whose prompt a line begins with, and what is typed there.
fn command(line: &str) -> Option<(Place, &str)> {
    for (prompt, place) in [
        ("# ", Place::Root),
        ("$ ", Place::Laptop),
        ("laptop# ", Place::LaptopRoot),
        ("host login: ", Place::Console),
        ("rescue# ", Place::Rescue),
    ] {
        if let Some(words) = line.strip_prefix(prompt) {
            return Some((place, words));
        }
    }
    let (name, words) = line.split_once("@host$ ")?;
    name.bytes().all(|byte| byte.is_ascii_lowercase()).then(|| (Place::Account(name.to_owned()), words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guide_is_read_into_its_steps() {
        let guide = "# Title\n\n```\n# not tried\n```\n<!-- fails -->\n```console\n# cat >x <<'END'\n# y\nEND\n\
                     jane@host$ false\nno\n…\n```\n\n```console\n$ ssh host\n```\n";
        let step = |line, place, command: &str, shown: &[&str], fails| Step {
            line,
            place,
            command: command.into(),
            shown: shown.iter().map(|&line| line.into()).collect(),
            fails,
        };
        assert_eq!(
            steps(guide),
            [
                step(8, Place::Root, "cat >x <<'END'\n# y\nEND", &[], false),
                step(11, Place::Account("jane".into()), "false", &["no", "…"], true),
                step(17, Place::Laptop, "ssh host", &[], false),
            ]
        );
    }
}
