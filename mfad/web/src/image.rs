//! A QR code as a PNG image. Refuses links that are too long for any QR code.

use mfa_qr::Qr;
use zeroize::Zeroizing;

/// Pixels of a module.
const SCALE: usize = 6;

/// Draws `link`, black on white, in one bit a pixel.
pub(crate) fn png(link: &str) -> Option<Zeroizing<Vec<u8>>> {
    let modules = Qr::of(link)?.modules();
    let side = modules.len().checked_mul(SCALE)?;
    let mut pixels = Zeroizing::new(Vec::with_capacity(side.checked_mul(side.div_ceil(8))?));
    for row in &modules {
        let packed = packed(row);
        for _ in 0..SCALE {
            pixels.extend_from_slice(&packed);
        }
    }
    // Room for all of it, so that no copy is left behind by growing: what it is made of, and its frame.
    let mut file = Zeroizing::new(Vec::with_capacity(pixels.len().checked_mul(2)?.checked_add(1024)?));
    let pixels_wide = u32::try_from(side).ok()?;
    let mut encoder = png::Encoder::new(&mut *file, pixels_wide, pixels_wide);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(&pixels).ok()?;
    writer.finish().ok()?;
    Some(file)
}

/// One line of pixels: light is 1, the first in the highest bit.
fn packed(row: &[bool]) -> Zeroizing<Vec<u8>> {
    let pixels: Zeroizing<Vec<bool>> =
        Zeroizing::new(row.iter().flat_map(|dark| std::iter::repeat_n(!dark, SCALE)).collect());
    let byte = |eight: &[bool]| {
        let bits = eight.iter().enumerate().filter(|(_, light)| **light);
        bits.fold(0_u8, |byte, (at, _)| byte | (0x80_u8 >> at))
    };
    Zeroizing::new(pixels.chunks(8).map(byte).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_image_is_the_code() {
        let link = "otpauth://totp/host:alice?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=host";
        let file = png(link).unwrap();
        let mut decoder = png::Decoder::new(std::io::Cursor::new(&*file));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        let modules = Qr::of(link).unwrap().modules();
        let side = modules.len() * SCALE;
        assert_eq!((usize::try_from(info.width).unwrap(), info.width), (side, info.height));
        for y in 0..side {
            for x in 0..side {
                let dark = pixels[y * side + x] == 0;
                assert_eq!(dark, modules[y / SCALE][x / SCALE], "at {x},{y}");
            }
        }
        assert!(!modules[0].contains(&true), "a margin is part of it");
        assert!(png(&"x".repeat(3000)).is_none());
    }
}
