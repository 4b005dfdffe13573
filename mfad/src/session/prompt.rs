//! What a prompt asks: the sentence at its end, and how a reason is put before it.
//!
//! Every prompt fits what can be shown, and its end is never what is cut.

use mfa_proto::{
    admin::FactorKind,
    text::{MAX_SHOWN, ShownText},
};

use super::{
    Dialogue,
    holding::{Holding, Way},
};

/// The most bytes of the words that a prompt offers; `?` tells the others.
const MAX_WORDS: usize = 96;

impl Dialogue {
    /// The prompt with `why` before it. Concealed, every prompt is the same.
    pub(super) fn prompt(&self, why: Option<&str>) -> ShownText {
        if self.settings.conceal {
            return self.settings.text.clone();
        }
        joined(why.unwrap_or_default(), &self.question())
    }

    /// The list that `?` asks for.
    pub(super) fn list(&self) -> ShownText {
        if self.settings.conceal {
            return self.settings.text.clone();
        }
        let question = self.question();
        let room = MAX_SHOWN.saturating_sub(question.len());
        let entries: Vec<String> = self.holdings().iter().map(|holding| holding.entry()).collect();
        joined(&listed("You hold: ", &entries, ". Type a name to choose.", room), &question)
    }

    /// What is asked now.
    fn question(&self) -> String {
        let others = if self.held.len() > 1 { ", ?: other ways" } else { "" };
        let code = match self.chosen() {
            Some(held) if held.holding.pin => "PIN and code",
            Some(_) | None => "Code",
        };
        match self.chosen() {
            Some(held) if held.out.is_some() => match (&held.holding.way, &held.holding.target) {
                (Way::Sent, Some(target)) => format!("{code} sent to {target} (Enter: send again{others}): "),
                (Way::Sent | Way::Outside { .. } | Way::Own, _) => {
                    format!("{code} for {} (Enter: send again{others}): ", held.holding.label)
                }
            },
            Some(held) if !held.holding.must_be_chosen() => format!("{code} of {}: ", held.holding.label),
            Some(_) | None => self.open_question(),
        }
    }

    /// What codes in hand are asked for with.
    fn plain_question(&self) -> &str {
        let in_hand = || self.held.iter().map(|held| &held.holding).filter(|holding| holding.takes_code());
        match (in_hand().any(|holding| holding.pin), in_hand().all(|holding| holding.pin)) {
            (false, _) => self.settings.text.as_str(),
            (true, true) => "PIN and code: ",
            (true, false) => "Code, or PIN and code: ",
        }
    }

    /// What is asked when nothing is chosen: codes that the person has, and words for those to be sent.
    fn open_question(&self) -> String {
        let holdings = self.holdings();
        let offered: Vec<&str> = self
            .held
            .iter()
            .filter(|held| held.out.is_none() && !self.answerable_unchosen(&held.holding))
            .map(|held| held.holding.word(&holdings))
            .collect();
        let plain = self.plain_question();
        if offered.is_empty() {
            return plain.to_owned();
        }
        let any =
            holdings.iter().any(|holding| self.answerable_unchosen(holding) && !holding.is_last_resort());
        let more = self.held.len() > offered.len();
        if any {
            let words = few(&offered, ", ", true);
            return match plain.trim_end().strip_suffix(':') {
                Some(stem) => format!("{stem} (or: {words}): "),
                None => format!("{} (or: {words}) ", plain.trim_end()),
            };
        }
        let words = few(&offered, " or ", false);
        let hint = if more { " (?: other ways)" } else { "" };
        format!("Type {words} to have a code sent{hint}: ")
    }
}

impl Holding {
    /// Whether it is answered by a code that the person has in hand.
    fn takes_code(&self) -> bool {
        self.way == Way::Own && !self.is_last_resort()
    }

    /// Recovery and emergency codes are for when all else is lost: they do not make a prompt one for codes in
    /// hand.
    pub(super) fn is_last_resort(&self) -> bool {
        matches!(self.kind, FactorKind::Recovery | FactorKind::BreakGlass)
    }
}

/// As many of `words` as fit into a prompt, and `?` when asked for or when not all of them do.
fn few(words: &[&str], between: &str, list: bool) -> String {
    let mut said = String::new();
    let mut left_out = false;
    for word in words {
        let longer = said.len().saturating_add(between.len()).saturating_add(word.len());
        if longer > MAX_WORDS {
            left_out = true;
            continue;
        }
        if !said.is_empty() {
            said.push_str(between);
        }
        said.push_str(word);
    }
    if list || left_out {
        if !said.is_empty() {
            said.push_str(between);
        }
        said.push('?');
    }
    said
}

/// As many of `entries` as fit into `room` bytes, between `front` and `end`, and how many were left out.
pub(super) fn listed(front: &str, entries: &[String], end: &str, room: usize) -> String {
    // What stands around the entries in the worst case, the count of those left out and a space included.
    let frame = front.len().saturating_add(end.len()).saturating_add(", and 99 more ".len());
    let mut room = room.saturating_sub(frame);
    let mut kept: Vec<&str> = Vec::new();
    for entry in entries {
        let needed = entry.len().saturating_add(2);
        if needed > room {
            break;
        }
        room = room.saturating_sub(needed);
        kept.push(entry);
    }
    let left_out = entries.len().saturating_sub(kept.len());
    let rest = match left_out {
        0 => String::new(),
        _ if kept.is_empty() => format!("{left_out} more"),
        _ => format!(", and {left_out} more"),
    };
    format!("{front}{}{rest}{end}", kept.join(", "))
}

/// `why` before `question`, cut so that all of the question is shown.
pub(super) fn joined(why: &str, question: &str) -> ShownText {
    if why.is_empty() {
        return ShownText::clean(question);
    }
    let room = MAX_SHOWN.saturating_sub(question.len()).saturating_sub(1);
    let mut end = why.len().min(room);
    while !why.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    ShownText::clean(&format!("{} {question}", why.get(..end).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_does_not_fit_is_counted() {
        let entries: Vec<String> = (0..9).map(|n| format!("{n}{}", "x".repeat(30))).collect();
        let said = listed("You hold: ", &entries, ".", 130);
        assert!(said.ends_with(", and 6 more."), "{said}");
        assert_eq!(listed("You hold: ", &entries[..1], ".", 20), "You hold: 1 more.");
    }

    proptest! {
        #[test]
        fn the_end_of_a_prompt_is_never_cut(why in ".{0,600}", question in "[a-z]{1,200}: ") {
            let text = joined(&why, &question);
            prop_assert!(text.as_str().len() <= MAX_SHOWN);
            prop_assert!(text.as_str().ends_with(&question));
        }

        #[test]
        fn a_list_fits_its_room(
            entries in proptest::collection::vec(".{1,80}", 0..40),
            room in 60_usize..400,
        ) {
            prop_assert!(listed("You hold: ", &entries, ".", room).len() <= room);
        }
    }
}
