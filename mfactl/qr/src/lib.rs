//! A QR code in half blocks: one character is one module wide and two high. For `mfactl`, and for logins in
//! which a factor is enrolled.
//!
//! Refuses to guess the terminal's background: with colors it sets black and white itself.
#![forbid(unsafe_code)]

use std::fmt;

use qrcodegen::{QrCode, QrCodeEcc};
use zeroize::Zeroizing;

/// The size of a terminal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Screen {
    /// Characters in a line.
    pub columns: u16,
    /// Lines.
    pub rows: u16,
}

/// Light modules around the code that readers want (ISO/IEC 18004).
const QUIET: i32 = 4;
/// Light modules that readers get along with, where the screen is too small for more.
const QUIET_LEAST: i32 = 2;

/// How modules become characters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ink {
    /// Black on white by color codes.
    Colored,
    /// Light modules are drawn, dark ones left empty: for a dark background.
    LightDrawn,
    /// Dark modules are drawn: for a light background.
    DarkDrawn,
}

/// The code of a link, not yet drawn.
pub struct Qr {
    code: QrCode,
    quiet: i32,
}

impl fmt::Debug for Qr {
    /// It holds the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Qr(redacted)")
    }
}

impl Qr {
    /// Encodes `link`; `None` when it is too long for any QR code.
    pub fn of(link: &str) -> Option<Self> {
        let code = QrCode::encode_text(link, QrCodeEcc::Low).ok()?;
        Some(Self { code, quiet: QUIET })
    }

    /// The same code with a smaller margin when it is larger than `screen` otherwise.
    #[must_use]
    pub fn fitted(self, screen: Screen) -> Self {
        let fits = self.fits_columns(screen) && self.fits_rows(screen);
        Self { quiet: if fits { QUIET } else { QUIET_LEAST }, ..self }
    }

    /// Whether no line is longer than the screen is wide.
    pub fn fits_columns(&self, screen: Screen) -> bool {
        self.columns() <= i32::from(screen.columns)
    }

    /// Whether all of it is seen at once, with the line of the prompt below.
    pub fn fits_rows(&self, screen: Screen) -> bool {
        self.rows() < i32::from(screen.rows)
    }

    /// Columns that the drawing takes.
    pub fn columns(&self) -> i32 {
        self.code.size().saturating_add(self.quiet.saturating_mul(2))
    }

    /// Lines that the drawing takes.
    pub fn rows(&self) -> i32 {
        self.columns().saturating_add(1) / 2
    }

    /// The modules, row by row, margin included; true is dark. Wiped when dropped, as they hold the key.
    pub fn modules(&self) -> Vec<Zeroizing<Vec<bool>>> {
        let range = self.quiet.saturating_neg()..self.code.size().saturating_add(self.quiet);
        let row = |y| Zeroizing::new(range.clone().map(|x| self.code.get_module(x, y)).collect());
        range.clone().map(row).collect()
    }

    /// The drawing, line by line; wiped when dropped, as it holds the key.
    pub fn draw(&self, ink: Ink) -> Zeroizing<String> {
        let range = self.quiet.saturating_neg()..self.code.size().saturating_add(self.quiet);
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
            let beyond = y >= self.code.size().saturating_add(self.quiet);
            !beyond && self.code.get_module(x, y) != (ink == Ink::LightDrawn)
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
        let small = Screen { columns: 37, rows: 20 };
        for qr in [Qr::of(LINK).unwrap(), Qr::of(LINK).unwrap().fitted(small)] {
            drawn_right(&qr);
        }
    }

    fn drawn_right(qr: &Qr) {
        let reference = QrCode::encode_text(LINK, QrCodeEcc::Low).unwrap();
        for (ink, dark) in [(Ink::Colored, true), (Ink::DarkDrawn, true), (Ink::LightDrawn, false)] {
            let rows = modules(&qr.draw(ink));
            let side = usize::try_from(qr.columns()).unwrap();
            assert!(rows.len() == side || rows.len() == side + 1, "{} rows for {side}", rows.len());
            for (y, row) in rows.iter().take(side).enumerate() {
                assert_eq!(row.len(), side);
                for (x, drawn) in row.iter().enumerate() {
                    let (x, y) = (i32::try_from(x).unwrap() - qr.quiet, i32::try_from(y).unwrap() - qr.quiet);
                    assert_eq!(*drawn == dark, reference.get_module(x, y), "{ink:?} at {x},{y}");
                }
            }
        }
    }

    #[test]
    fn the_margin_gives_way_to_a_small_screen() {
        let sizes = |columns, rows| {
            let screen = Screen { columns, rows };
            let qr = Qr::of(LINK).unwrap().fitted(screen);
            (qr.columns(), qr.rows(), qr.fits_columns(screen), qr.fits_rows(screen))
        };
        assert_eq!(sizes(80, 22), (41, 21, true, true));
        assert_eq!(sizes(80, 21), (37, 19, true, true));
        assert_eq!(sizes(40, 50), (37, 19, true, true));
        assert_eq!(sizes(36, 19), (37, 19, false, false));
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
