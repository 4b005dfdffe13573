//! Lines of PAM files: comments, continuations, words.

/// The lines that say something, each with the number (from 1) at which it begins. Comments are cut off, and
/// lines that end in a backslash go on in the next.
pub fn logical(text: &str) -> Vec<(usize, String)> {
    let mut lines = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (number, raw) in text.lines().enumerate() {
        let raw = raw.trim_start();
        if raw.is_empty() || raw.starts_with('#') {
            continue;
        }
        let (said, goes_on) = match raw.split_once('#') {
            Some((said, _)) => (said.trim_end(), false),
            None => match raw.trim_end().strip_suffix('\\') {
                Some(said) => (said, true),
                None => (raw.trim_end(), false),
            },
        };
        let (begun, mut whole) = open.take().unwrap_or_else(|| (number.saturating_add(1), String::new()));
        if !whole.is_empty() {
            whole.push(' ');
        }
        whole.push_str(said);
        if goes_on {
            open = Some((begun, whole));
        } else if !whole.trim().is_empty() {
            lines.push((begun, whole));
        }
    }
    lines.extend(open);
    lines
}

/// The lines of `/etc/pam.conf` for one service, as a file of `/etc/pam.d` would have them, at the same
/// places.
pub fn in_pam_conf(text: &str, service: &str) -> Option<String> {
    let mut own = String::new();
    let mut written = 0_usize;
    for (number, line) in logical(text) {
        let line = line.trim_start();
        let (name, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        if name.eq_ignore_ascii_case(service) {
            while written < number.saturating_sub(1) {
                own.push('\n');
                written = written.saturating_add(1);
            }
            own.push_str(rest);
            own.push('\n');
            written = written.saturating_add(1);
        }
    }
    (!own.is_empty()).then_some(own)
}

/// The words of a line. What stands between brackets is one, without them; `\]` is a bracket in it.
pub(super) fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let bare = || {
            let (word, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            (word.to_owned(), after)
        };
        let (word, after) = rest.strip_prefix('[').map_or_else(bare, bracketed);
        words.push(word);
        rest = after.trim_start();
    }
    words
}

fn bracketed(inside: &str) -> (String, &str) {
    let mut word = String::new();
    let mut letters = inside.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            ']' => return (word, inside.get(at.saturating_add(1)..).unwrap_or_default()),
            '\\' if letters.peek().is_some_and(|(_, next)| *next == ']') => {
                letters.next();
                word.push(']');
            }
            other => word.push(other),
        }
    }
    (word, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_joined_and_comments_cut() {
        let text = "# all\n\n  auth required \\\n# in between\n   pam_a.so  # why\nauth x \\";
        assert_eq!(logical(text), [(3, "auth required  pam_a.so".to_owned()), (6, "auth x ".to_owned())]);
    }

    #[test]
    fn brackets_hold_words_together() {
        let line = "auth [success=1 default=ignore] pam_x.so [cond=a [b\\] c] last";
        assert_eq!(words(line), ["auth", "success=1 default=ignore", "pam_x.so", "cond=a [b] c", "last"]);
        assert_eq!(words("auth [open"), ["auth", "open"]);
    }

    #[test]
    fn one_file_for_all_services_keeps_its_line_numbers() {
        let text = "# x\nlogin auth required pam_a.so\nSSHD auth required pam_b.so\nlogin account required pam_c.so\n";
        assert_eq!(
            in_pam_conf(text, "login").as_deref(),
            Some("\nauth required pam_a.so\n\naccount required pam_c.so\n")
        );
        assert_eq!(in_pam_conf(text, "sshd").as_deref(), Some("\n\nauth required pam_b.so\n"));
        assert_eq!(in_pam_conf(text, "su"), None);
    }
}
