//! Columns that line up, padded by what is seen and not by color codes.

use mfa_proto::text::escape_for_log;

use super::style::{Style, Tone};

/// One field of a table: escaped at construction.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// Plain text from anywhere.
    pub(crate) fn new(text: &str) -> Self {
        Self::toned(Tone::Plain, text)
    }

    /// Text from anywhere with a meaning.
    pub(crate) fn toned(tone: Tone, text: &str) -> Self {
        let text = if text.is_empty() { "-".to_owned() } else { escape_for_log(text) };
        Self { text, tone }
    }
}

/// Lines up `rows` under `titles`; the last column is not padded. `widths` are those below which no column
/// goes; they grow with what is shown, for tables that continue page after page.
pub(crate) fn lines<const N: usize>(
    titles: Option<[&str; N]>,
    rows: Vec<[Cell; N]>,
    widths: &mut [usize; N],
    style: Style,
) -> String {
    let heading = titles.map(|titles| titles.map(|title| Cell::toned(Tone::Strong, title)));
    let rows: Vec<[Cell; N]> = heading.into_iter().chain(rows).collect();
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.text.chars().count());
        }
    }
    rows.iter().map(|row| line(row, widths, style)).collect()
}

fn line(row: &[Cell], widths: &[usize], style: Style) -> String {
    let last = row.len().saturating_sub(1);
    let mut line = String::new();
    for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
        line.push_str(&style.paint(cell.tone, &cell.text));
        if column != last {
            let gap = width.saturating_sub(cell.text.chars().count()).saturating_add(2);
            line.extend(std::iter::repeat_n(' ', gap));
        }
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_whatever_their_color_and_nothing_steers_the_terminal() {
        let rows = vec![
            [Cell::toned(Tone::Bad, "é\u{1b}[2J"), Cell::new("x")],
            [Cell::new(""), Cell::toned(Tone::Good, "y")],
        ];
        let plain = lines(Some(["A", "B"]), rows.clone(), &mut [0, 0], Style::PLAIN);
        assert_eq!(plain, "A           B\né\\u{1b}[2J  x\n-           y\n");
        let color = lines(None, rows, &mut [0, 0], Style::COLOR);
        assert_eq!(color, "\u{1b}[31mé\\u{1b}[2J\u{1b}[0m  x\n-           \u{1b}[32my\u{1b}[0m\n");
    }
}
