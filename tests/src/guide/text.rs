//! What a guide has its reader do, in order, taken from its Markdown. Refuses a block that begins with anything but
//! a command.

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
            (true, line) => match command(line) {
                Some((place, words)) => {
                    let mut command = words.to_owned();
                    if words.contains("<<'END'") {
                        for (_, more) in lines.by_ref() {
                            command = command + "\n" + more;
                            if more == "END" {
                                break;
                            }
                        }
                    }
                    steps.push(Step { line: at + 1, place, command, shown: Vec::new(), fails: false });
                }
                None => {
                    let step = steps.last_mut().unwrap_or_else(|| panic!("line {}: no command yet", at + 1));
                    step.shown.push(line.trim_end().to_owned());
                }
            },
        }
    }
    assert!(!inside, "a block does not end");
    steps
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
