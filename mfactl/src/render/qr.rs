//! A QR code in half blocks: one character is one module wide and two high.
//!
//! Refuses to guess the terminal's background: with colors it sets black and white itself.

use qrcodegen::{QrCode, QrCodeEcc};
use zeroize::Zeroizing;

/// Light modules around the code; readers want four (ISO/IEC 18004).
const QUIET: i32 = 4;

/// How modules become characters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Ink {
    /// Black on white by color codes.
    Colored,
    /// Light modules are drawn, dark ones left empty: for a dark background.
    LightDrawn,
    /// Dark modules are drawn: for a light background.
    DarkDrawn,
}

/// The code of a link, not yet drawn.
pub(crate) struct Qr(QrCode);

impl Qr {
    /// Encodes `link`; `None` when it is too long for any QR code.
    pub(crate) fn of(link: &str) -> Option<Self> {
        QrCode::encode_text(link, QrCodeEcc::Low).ok().map(Self)
    }

    /// Columns that the drawing takes.
    pub(crate) fn columns(&self) -> i32 {
        self.0.size().saturating_add(2 * QUIET)
    }

    /// The drawing, line by line; wiped when dropped, as it holds the key.
    pub(crate) fn draw(&self, ink: Ink) -> Zeroizing<String> {
        let range = -QUIET..self.0.size().saturating_add(QUIET);
        let characters = usize::try_from(self.columns()).unwrap_or(0);
        // Room for the whole, so that no copy is left behind by growing: three bytes a character, and the
        // color codes of each line.
        let mut drawn = Zeroizing::new(String::with_capacity(
            characters.saturating_mul(3).saturating_add(24).saturating_mul(characters),
        ));
        for y in range.clone().step_by(2) {
            if ink == Ink::Colored {
                drawn.push_str("\u{1b}[38;5;16;48;5;231m");
            }
            for x in range.clone() {
                drawn.push(self.half_blocks(x, y, ink));
            }
            drawn.push_str(if ink == Ink::Colored { "\u{1b}[0m\n" } else { "\n" });
        }
        drawn
    }

    /// The module at `x`, `y` and the one below in one character. Outside the code all is light.
    fn half_blocks(&self, x: i32, y: i32, ink: Ink) -> char {
        let drawn = |y: i32| {
            // An odd number of rows leaves half a line below: not part of the code, so left empty.
            let beyond = y >= self.0.size().saturating_add(QUIET);
            !beyond && self.0.get_module(x, y) != (ink == Ink::LightDrawn)
        };
        match (drawn(y), drawn(y.saturating_add(1))) {
            (true, true) => '█',
            (true, false) => '▀',
            (false, true) => '▄',
            (false, false) => ' ',
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str = "otpauth://totp/host:alice?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=host";

    /// Reads the modules back from a drawing: true is drawn.
    fn modules(drawing: &str) -> Vec<Vec<bool>> {
        let mut rows = Vec::new();
        for line in drawing.lines() {
            let line = line.replace("\u{1b}[38;5;16;48;5;231m", "").replace("\u{1b}[0m", "");
            rows.push(line.chars().map(|c| matches!(c, '█' | '▀')).collect());
            rows.push(line.chars().map(|c| matches!(c, '█' | '▄')).collect());
        }
        rows
    }

    #[test]
    fn the_drawing_is_the_code_with_its_quiet_zone() {
        let qr = Qr::of(LINK).unwrap();
        let reference = QrCode::encode_text(LINK, QrCodeEcc::Low).unwrap();
        for (ink, dark) in [(Ink::Colored, true), (Ink::DarkDrawn, true), (Ink::LightDrawn, false)] {
            let rows = modules(&qr.draw(ink));
            let side = usize::try_from(qr.columns()).unwrap();
            assert!(rows.len() == side || rows.len() == side + 1, "{} rows for {side}", rows.len());
            for (y, row) in rows.iter().take(side).enumerate() {
                assert_eq!(row.len(), side);
                for (x, drawn) in row.iter().enumerate() {
                    let (x, y) = (i32::try_from(x).unwrap() - 4, i32::try_from(y).unwrap() - 4);
                    assert_eq!(*drawn == dark, reference.get_module(x, y), "{ink:?} at {x},{y}");
                }
            }
        }
    }

    #[test]
    fn the_buffer_never_grows() {
        let qr = Qr::of(LINK).unwrap();
        for ink in [Ink::Colored, Ink::DarkDrawn, Ink::LightDrawn] {
            let side = usize::try_from(qr.columns()).unwrap();
            assert!(qr.draw(ink).len() <= (side * 3 + 24) * side);
        }
    }

    #[test]
    fn a_link_longer_than_any_code_is_none() {
        assert!(Qr::of(&"x".repeat(3000)).is_none());
    }
}
