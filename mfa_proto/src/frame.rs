//! Frames: a big-endian `u16` length, then that many bytes. Refuses empty and oversize frames.

/// Bytes of the length header.
pub const HEADER: usize = 2;

/// The largest payload in bytes. A peer that announces more is cut off before anything is allocated.
pub const MAX_PAYLOAD: usize = 4096;

/// A header that announces a payload no message can have.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FrameError {
    /// The length is zero: every message has at least a tag.
    #[error("the frame is empty")]
    Empty,
    /// The length is above [`MAX_PAYLOAD`].
    #[error("the frame announces {0} bytes, more than the {MAX_PAYLOAD} allowed")]
    TooLong(usize),
}

/// Reads the payload length out of a header.
pub fn payload_length(header: [u8; HEADER]) -> Result<usize, FrameError> {
    checked(usize::from(u16::from_be_bytes(header)))
}

/// Builds the header for a payload of `length` bytes.
pub fn header_for(length: usize) -> Result<[u8; HEADER], FrameError> {
    let length = checked(length)?;
    u16::try_from(length).map(u16::to_be_bytes).map_err(|_| FrameError::TooLong(length))
}

fn checked(length: usize) -> Result<usize, FrameError> {
    match length {
        0 => Err(FrameError::Empty),
        1..=MAX_PAYLOAD => Ok(length),
        _ => Err(FrameError::TooLong(length)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_holds_one_to_four_thousand_and_ninety_six_bytes() {
        assert_eq!(payload_length([0, 0]), Err(FrameError::Empty));
        assert_eq!(payload_length([0, 1]), Ok(1));
        assert_eq!(payload_length([0x10, 0x00]), Ok(MAX_PAYLOAD));
        assert_eq!(payload_length([0x10, 0x01]), Err(FrameError::TooLong(MAX_PAYLOAD + 1)));
        assert_eq!(payload_length([0xff, 0xff]), Err(FrameError::TooLong(65_535)));
        assert_eq!(header_for(4096), Ok([0x10, 0x00]));
        assert_eq!(header_for(4097), Err(FrameError::TooLong(4097)));
        assert_eq!(header_for(0), Err(FrameError::Empty));
    }
}
