//! Edits of one PAM file, as text: lines put in, lines set aside, and all of it taken back byte for byte.
//!
//! What is put in ends with [`MARK`], what is set aside stays as a comment behind [`ASIDE`], so that an edit can be
//! taken out of a file that somebody changed since. Refuses to judge: whether an edit is right is for who walks the
//! stack.

use super::line::logical;

/// The end of each line that was put in.
pub const MARK: &str = "# mfactl pam enable";
/// The beginning of each line that was set aside.
pub const ASIDE: &str = "# mfactl pam enable set aside: ";
/// The module whose lines these are.
const MODULE: &str = "pam_mfa.so";

/// One way to change a file: after the line with this number, put others in.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Insertion {
    /// The number, from 1, at which the logical line begins that the new ones follow.
    pub after: usize,
    /// That line itself is set aside.
    pub aside: bool,
    /// What is put in, without marks.
    pub lines: Vec<String>,
}

/// The numbers, from 1, at which lines of kind `auth` and `@include`s begin, in order, with what they say.
pub fn places(text: &str) -> Vec<(usize, String)> {
    logical(text).into_iter().filter(|(_, line)| may_authenticate(line)).collect()
}

fn may_authenticate(line: &str) -> bool {
    let first = line.split_whitespace().next().unwrap_or_default();
    let kind = first.strip_prefix('-').unwrap_or(first);
    kind.eq_ignore_ascii_case("auth") || first.eq_ignore_ascii_case("@include")
}

/// The text with all `insertions` made.
pub fn insert(text: &str, insertions: &[Insertion]) -> String {
    let raw: Vec<&str> = text.split_inclusive('\n').collect();
    let mut made = String::with_capacity(text.len().saturating_add(256));
    let mut number = 0_usize;
    while let Some(line) = raw.get(number) {
        number = number.saturating_add(1);
        let Some(insertion) = insertions.iter().find(|one| one.after == number) else {
            made.push_str(line);
            continue;
        };
        let end = end_of(&raw, number);
        for part in raw.get(number.saturating_sub(1)..end).unwrap_or_default() {
            if insertion.aside {
                made.push_str(ASIDE);
            }
            made.push_str(part);
        }
        number = end;
        put(&mut made, &insertion.lines);
    }
    made
}

/// A file whose last line has no end gets its new last line without one, which says so when it is taken back.
fn put(made: &mut String, lines: &[String]) {
    let whole = made.ends_with('\n') || made.is_empty();
    if !whole {
        made.push('\n');
    }
    for line in lines {
        made.push_str(line);
        made.push(' ');
        made.push_str(MARK);
        made.push('\n');
    }
    if !whole {
        made.pop();
    }
}

/// Where the logical line ends that begins at `number`.
fn end_of(raw: &[&str], number: usize) -> usize {
    let goes_on = |line: &&str| !line.contains('#') && line.trim_end().ends_with('\\');
    let mut end = number;
    while raw.get(end.saturating_sub(1)).is_some_and(goes_on) && end < raw.len() {
        end = end.saturating_add(1);
    }
    end
}

/// The text without what was put in, and with what was set aside back in place.
pub fn take_back(text: &str) -> String {
    let mut made = String::with_capacity(text.len());
    let mut open = false;
    for line in text.split_inclusive('\n') {
        if let Some(kept) = line.strip_prefix(ASIDE) {
            made.push_str(kept);
        } else if line.trim_end().ends_with(MARK) {
            open = !line.ends_with('\n');
        } else {
            made.push_str(line);
        }
    }
    if open && made.ends_with('\n') {
        made.pop();
    }
    made
}

/// What stands in the place of a line of the module that somebody wrote by hand, when the module goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Instead {
    /// Nothing.
    Nothing,
    /// A line that counts for nothing, so that jumps over it end where they did.
    Neutral,
    /// A line that denies: what is left would let in by itself.
    Deny,
}

/// The text without any line of kind `auth` that runs the module, whoever wrote it.
pub fn without_module(text: &str, instead: Instead) -> String {
    let text = take_back(text);
    let raw: Vec<&str> = text.split_inclusive('\n').collect();
    let ours: Vec<usize> =
        logical(&text).into_iter().filter(|(_, line)| runs_module(line)).map(|(number, _)| number).collect();
    let mut made = String::with_capacity(text.len());
    let mut number = 0_usize;
    while let Some(line) = raw.get(number) {
        number = number.saturating_add(1);
        if !ours.contains(&number) {
            made.push_str(line);
            continue;
        }
        number = end_of(&raw, number);
        made.push_str(match instead {
            Instead::Nothing => "",
            Instead::Neutral => "auth [default=ignore] pam_permit.so # in the place of pam_mfa.so\n",
            Instead::Deny => "auth requisite pam_deny.so # in the place of pam_mfa.so\n",
        });
    }
    made
}

/// Whether a logical line runs the module, in whatever kind of stack.
fn runs_module(line: &str) -> bool {
    super::line::words(line).get(2).is_some_and(|module| module.rsplit('/').next() == Some(MODULE))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn after(after: usize, aside: bool) -> Insertion {
        Insertion { after, aside, lines: vec!["auth required pam_mfa.so".to_owned()] }
    }

    #[test]
    fn a_line_goes_in_after_the_one_that_is_named() {
        let text = "# x\n@include common-auth\n\naccount required pam_nologin.so\n";
        let made = insert(text, &[after(2, false)]);
        assert_eq!(
            made,
            "# x\n@include common-auth\nauth required pam_mfa.so # mfactl pam enable\n\naccount required pam_nologin.so\n"
        );
        assert_eq!(take_back(&made), text);
    }

    #[test]
    fn a_line_that_goes_on_is_not_torn() {
        let text = "auth required \\\n  pam_unix.so\nauth optional pam_cap.so\n";
        let made = insert(text, &[after(1, true)]);
        assert!(made.starts_with(&format!(
            "{ASIDE}auth required \\\n{ASIDE}  pam_unix.so\nauth required pam_mfa.so"
        )));
        assert_eq!(logical(&made).len(), 2, "{made}");
        assert_eq!(take_back(&made), text);
    }

    #[test]
    fn what_was_changed_since_stays() {
        let made = insert("@include common-auth\n", &[after(1, false)]);
        let edited = format!("# mine\n{made}account required pam_unix.so\n");
        assert_eq!(take_back(&edited), "# mine\n@include common-auth\naccount required pam_unix.so\n");
    }

    #[test]
    fn lines_of_the_module_go_whoever_wrote_them() {
        let text = "auth [success=1 default=ignore] pam_unix.so\nauth requisite pam_deny.so\n\
                    auth required /x/pam_mfa.so \\\n timeout=3\naccount required pam_mfa.so\nauth required pam_env.so\n";
        let left = without_module(text, Instead::Nothing);
        assert!(!left.contains("pam_mfa") && left.lines().count() == 3, "{left}");
        assert!(without_module(text, Instead::Deny).contains("auth requisite pam_deny.so # in the place"));
    }

    proptest! {
        #[test]
        fn what_is_put_in_comes_out_byte_for_byte(
            lines in prop::collection::vec("(auth|account|@include|#|)[ a-z\\\\.=#]{0,12}", 0..8),
            ended: bool,
            at in 1_usize..9,
            aside: bool,
        ) {
            let mut text = lines.join("\n");
            if ended { text.push('\n'); }
            prop_assert_eq!(take_back(&insert(&text, &[after(at, aside)])), text);
        }
    }
}
