//! What an edit changes, as people read it: a unified diff.

use similar::TextDiff;

use crate::render::style::{Style, Tone};

/// The difference between two texts of the file at `path`; empty where there is none.
pub(crate) fn diff(path: &str, before: &str, after: &str, style: Style) -> String {
    let both = TextDiff::from_lines(before, after);
    let text = both.unified_diff().context_radius(2).header(path, &format!("{path} (new)")).to_string();
    let paint = |line: &str| {
        let tone = match line.as_bytes() {
            [b'+', b'+', b'+', ..] | [b'-', b'-', b'-', ..] => Tone::Strong,
            [b'+', ..] => Tone::Good,
            [b'-', ..] => Tone::Bad,
            _ => Tone::Plain,
        };
        let (said, end) = line.strip_suffix('\n').map_or((line, ""), |said| (said, "\n"));
        format!("{}{end}", style.paint(tone, &mfa_proto::text::escape_for_log(&said.replace('\t', "    "))))
    };
    text.split_inclusive('\n').map(paint).collect()
}
