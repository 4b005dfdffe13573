//! Whether what was seen is what a guide shows. Refuses to forgive: what is not said to differ has to be the same,
//! save for blank lines and blanks at the end of a line.

/// Stands for what differs.
pub(super) const ANY: &str = "…";

/// Whether `seen` is as `shown` has it.
pub(super) fn is_as_shown(shown: &[String], seen: &str) -> bool {
    let shown: Vec<&str> = shown.iter().map(|line| line.trim_end()).filter(|line| !line.is_empty()).collect();
    let seen: Vec<&str> = seen.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    lines(&shown, &seen)
}

fn lines(shown: &[&str], seen: &[&str]) -> bool {
    match (shown.split_first(), seen.split_first()) {
        (None, _) => seen.is_empty(),
        (Some((&ANY, rest)), _) => (0..=seen.len()).any(|from| lines(rest, &seen[from..])),
        (Some(_), None) => false,
        (Some((first, rest)), Some((line, others))) => is_like(first, line) && lines(rest, others),
    }
}

/// Whether a line is as one with `…` in it.
fn is_like(shown: &str, seen: &str) -> bool {
    let Some((before, after)) = shown.split_once(ANY) else {
        return shown == seen;
    };
    seen.strip_prefix(before).is_some_and(|rest| {
        let from = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
        from.filter_map(|at| rest.get(at..)).any(|rest| is_like(after, rest))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_said_to_differ_may() {
        let shown = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        for (guide, seen, same) in [
            ("one\n", "one \n\n", true),
            ("one", "two", false),
            ("one", "one\ntwo", false),
            ("one\n…", "one", true),
            ("…\nthree", "one\ntwo\nthree", true),
            ("…\nthree", "one\nthree\ntwo", false),
            ("key … made", "key 12af made", true),
            ("key … made", "key 12af lost", false),
            ("a … b … c", "a 1 b 2 c", true),
            ("a … b … c", "a 1 c", false),
        ] {
            assert_eq!(is_as_shown(&shown(guide), seen), same, "{guide:?} and {seen:?}");
        }
    }
}
