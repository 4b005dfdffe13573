//! What is typed in answer to a question, by the line of a guide that shows both. Refuses questions that are not
//! known: they are taken to be text that is only read.

use super::shown::ANY;

/// An answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Answer {
    Password,
    Code,
    /// Password and code in one field.
    Both,
    /// A code on paper, by its number.
    Paper(String),
    Text(String),
}

/// Ends of questions that take what the guide shows behind them.
const TEXT: [&str; 6] = ["[y/N] ", "[Y/n] ", "[p] ", "later: ", "@host:~$ ", "Username: "];

/// The question in a line of a guide and what is typed to it; `None` for a line that only shows something.
pub(super) fn in_line(line: &str) -> Option<(&str, Answer)> {
    // A question that is answered by Enter alone stands at the end of its line.
    let asked = line.trim_end().to_owned() + " ";
    if let Some(end) = TEXT.iter().find(|end| asked.ends_with(**end)) {
        return Some((line.trim_end(), Answer::Text(String::new()))).filter(|_| *end != "@host:~$ ");
    }
    let line = line.trim_end();
    if line.contains("(Enter") && line.ends_with(':') {
        return Some((line, Answer::Text(String::new())));
    }
    if line.ends_with("(press TAB for no echo)") {
        return Some((line, Answer::Both));
    }
    if line.ends_with("assword:") || line.ends_with("password for jane:") {
        return Some((line, Answer::Password));
    }
    if let Some((question, digits)) = line.rsplit_once(": ")
        && digits.len() == 6
        && digits.bytes().all(|byte| byte.is_ascii_digit())
    {
        return Some((question, Answer::Code));
    }
    if let Some((question, code)) = line.rsplit_once(": ")
        && let Some(number) = number_of(code)
    {
        return Some((question, Answer::Paper(number.to_owned())));
    }
    TEXT.iter().find_map(|end| {
        let at = line.rfind(end)? + end.len();
        Some((line.get(..at)?, Answer::Text(line.get(at..)?.to_owned())))
    })
}

/// The number of a recovery code, or of an emergency code, as they are printed.
pub(super) fn number_of(code: &str) -> Option<&str> {
    let (number, rest) = code.split_once('-')?;
    let is_number = number.len() == 2 && number.bytes().all(|byte| byte.is_ascii_digit());
    let is_group = |group: &str| {
        group.len() == 4 && group.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    (is_number && rest.split('-').count() == 4 && rest.split('-').all(is_group)).then_some(number)
}

/// The line as it is seen: what was typed may be echoed or not, and codes are not the guide's.
pub(super) fn as_seen(line: &str) -> String {
    match in_line(line) {
        Some((question, Answer::Password | Answer::Code | Answer::Both | Answer::Paper(_))) => {
            question.to_owned() + ANY
        }
        Some((_, Answer::Text(_))) => line.to_owned(),
        None => match number_of(line.trim()) {
            Some(number) => line.replace(line.trim(), &format!("{number}-{ANY}")),
            None => line.to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_told_from_what_is_only_read() {
        let text = |text: &str| Answer::Text(text.into());
        for (line, found) in [
            ("(jane@host) Password:", Some(("(jane@host) Password:", Answer::Password))),
            ("Verification code: 123456", Some(("Verification code", Answer::Code))),
            ("[sudo] password for jane:", Some(("[sudo] password for jane:", Answer::Password))),
            ("Really? [y/N] y", Some(("Really? [y/N] ", text("y")))),
            ("jane@host:~$ exit", Some(("jane@host:~$ ", text("exit")))),
            (
                "Enter Auth Password: (press TAB for no echo)",
                Some(("Enter Auth Password: (press TAB for no echo)", Answer::Both)),
            ),
            ("Enter decides later:", Some(("Enter decides later:", text("")))),
            (
                "Verification code: 00-QA2S-VJ4Y-GEWK-ABHX",
                Some(("Verification code", Answer::Paper("00".into()))),
            ),
            ("Not now? (Enter: later):", Some(("Not now? (Enter: later):", text("")))),
            ("Failures: 12345", None),
            ("jane", None),
        ] {
            assert_eq!(in_line(line), found, "{line}");
        }
    }
}
