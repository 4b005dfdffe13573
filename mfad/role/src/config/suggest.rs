//! Words for a key or value that is not known: what may have been meant, and what there is.

use std::collections::BTreeSet;

/// The longest foreign word repeated in a message, in characters.
const MAX_WORD: usize = 64;

/// What to say of `key` in `section`, whose keys are `siblings`; `known` are the paths of all keys.
pub(super) fn unknown_key(section: &str, key: &str, siblings: &[&str], known: &BTreeSet<String>) -> String {
    let shown = printable(key);
    let home = if section.is_empty() { "a section".to_owned() } else { format!("a key of [{section}]") };
    let start = format!("`{shown}` is not {home}");
    if let Some(near) = nearest(key, siblings) {
        return format!("{start}: did you mean `{near}`?");
    }
    let elsewhere = known.iter().find_map(|path| {
        let (table, last) = path.rsplit_once('.')?;
        (last == key).then_some(table)
    });
    match elsewhere {
        Some(table) => format!("{start}: it belongs in [{table}]"),
        None => format!("{start}: remove it, or use one of {}", siblings.join(", ")),
    }
}

/// What to say of `word` where one of `choices` is wanted.
pub(super) fn unknown_choice(word: &str, choices: impl Iterator<Item = &'static str>) -> String {
    let choices: Vec<_> = choices.collect();
    let list = choices.iter().map(|c| format!("\"{c}\"")).collect::<Vec<_>>().join(", ");
    match nearest(word, &choices) {
        Some(near) => format!("cannot be \"{}\": did you mean \"{near}\"?", printable(word)),
        None => format!("cannot be \"{}\": write one of {list}", printable(word)),
    }
}

/// A foreign word made fit for a terminal and a log, and cut.
pub(super) fn printable(word: &str) -> String {
    let mut shown = mfa_proto::text::escape_for_log(&word.chars().take(MAX_WORD).collect::<String>());
    if word.chars().count() > MAX_WORD {
        shown.push('…');
    }
    shown
}

/// The nearest of `choices`, when it is near enough to be what was meant.
fn nearest<'a>(word: &str, choices: &[&'a str]) -> Option<&'a str> {
    let length = word.chars().count();
    if length > MAX_WORD {
        return None;
    }
    let bound = (length / 3).clamp(1, 3);
    let measured = choices.iter().map(|choice| (distance(&word.to_lowercase(), choice), *choice));
    measured.filter(|(d, _)| *d <= bound).min().map(|(_, choice)| choice)
}

/// Insertions, deletions, replacements and swaps of neighbors that lead from `a` to `b`.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    let mut last = None;
    for (i, letter) in a.chars().enumerate() {
        let next = next_row((i, letter, last), &b, &row, &before);
        before = std::mem::replace(&mut row, next);
        last = Some(letter);
    }
    row.last().copied().unwrap_or(usize::MAX)
}

/// One row of the table: costs for all prefixes of `b`, from the two rows above.
fn next_row(
    (i, letter, last): (usize, char, Option<char>),
    b: &[char],
    above: &[usize],
    two_above: &[usize],
) -> Vec<usize> {
    let cost = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX / 2);
    let mut row = vec![i.saturating_add(1)];
    let mut previous = None;
    for (j, other) in b.iter().copied().enumerate() {
        let replace = cost(above, j).saturating_add(usize::from(letter != other));
        let delete = cost(above, j.saturating_add(1)).saturating_add(1);
        let insert = cost(&row, j).saturating_add(1);
        let mut best = replace.min(delete).min(insert);
        if last == Some(other) && previous == Some(letter) {
            let swap = j.checked_sub(1).map_or(usize::MAX / 2, |at| cost(two_above, at));
            best = best.min(swap.saturating_add(1));
        }
        row.push(best);
        previous = Some(other);
    }
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_typing() {
        for (a, b, expected) in [
            ("", "abc", 3),
            ("socket", "socket", 0),
            ("sokcet", "socket", 1),
            ("soket", "socket", 1),
            ("sockett", "socket", 1),
            ("sacket", "socket", 1),
            ("ca", "abc", 3),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn the_answer_names_what_was_meant_or_what_there_is() {
        let known = BTreeSet::from(["limits.burst".to_owned(), "core.socket".to_owned()]);
        let told = |section: &str, key: &str| unknown_key(section, key, &["socket", "state_dir"], &known);
        assert_eq!(told("core", "Sokcet"), "`Sokcet` is not a key of [core]: did you mean `socket`?");
        assert_eq!(told("core", "burst"), "`burst` is not a key of [core]: it belongs in [limits]");
        assert!(told("", "x").ends_with("not a section: remove it, or use one of socket, state_dir"));
        assert!(told("core", &"\u{1b}".repeat(999)).len() < 700);
        let choice = |word| unknown_choice(word, ["deny", "skip"].into_iter());
        assert_eq!(choice("dney"), "cannot be \"dney\": did you mean \"deny\"?");
        assert_eq!(choice("enroll"), "cannot be \"enroll\": write one of \"deny\", \"skip\"");
    }
}
