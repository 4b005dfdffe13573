//! Values to frames and back, strictly: nothing left over, and only the one canonical encoding.
//!
//! Refuses what plain postcard would let pass: trailing bytes, and numbers or lengths written longer
//! than needed, so that two byte strings never mean the same message.

use serde::{Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use crate::frame::{self, FrameError};

/// Why bytes are not a message, or a message not bytes.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
pub enum CodecError {
    /// The payload does not fit a frame.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The bytes do not describe a value of the expected type, or one of its fields is not valid.
    #[error("the message cannot be decoded as {expected}")]
    Malformed {
        /// The Rust name of the expected message type.
        expected: &'static str,
    },
    /// The message ends before the payload does.
    #[error("{extra} bytes follow the end of the message")]
    Trailing {
        /// How many bytes were left over.
        extra: usize,
    },
    /// The bytes decode, but are not what encoding the value gives.
    #[error("the message is not in its canonical form")]
    NotCanonical,
    /// The value cannot be encoded.
    #[error("the message cannot be encoded")]
    Unencodable,
}

/// Encodes `message` as one whole frame, header included. The buffer is wiped when dropped, because
/// answers and enrollment replies carry secrets.
pub fn encode<T: Serialize>(message: &T) -> Result<Zeroizing<Vec<u8>>, CodecError> {
    let payload = payload_of(message)?;
    let header = frame::header_for(payload.len())?;
    let mut whole = Zeroizing::new(Vec::with_capacity(frame::HEADER.saturating_add(payload.len())));
    whole.extend_from_slice(&header);
    whole.extend_from_slice(&payload);
    Ok(whole)
}

/// Decodes the payload of one frame, header taken off.
pub fn decode<T: Serialize + DeserializeOwned>(payload: &[u8]) -> Result<T, CodecError> {
    let expected = std::any::type_name::<T>();
    if payload.is_empty() {
        return Err(FrameError::Empty.into());
    }
    if payload.len() > frame::MAX_PAYLOAD {
        return Err(FrameError::TooLong(payload.len()).into());
    }
    let (message, rest) =
        postcard::take_from_bytes::<T>(payload).map_err(|_| CodecError::Malformed { expected })?;
    if !rest.is_empty() {
        return Err(CodecError::Trailing { extra: rest.len() });
    }
    if payload_of(&message)?.as_slice() != payload {
        return Err(CodecError::NotCanonical);
    }
    Ok(message)
}

fn payload_of<T: Serialize>(message: &T) -> Result<Zeroizing<Vec<u8>>, CodecError> {
    // One allocation of the largest size: a growing buffer would leave copies of secrets behind.
    let mut buffer = Zeroizing::new(vec![0_u8; frame::MAX_PAYLOAD]);
    let used = match postcard::to_slice(message, &mut buffer) {
        Ok(written) => written.len(),
        Err(postcard::Error::SerializeBufferFull) => {
            return Err(FrameError::TooLong(frame::MAX_PAYLOAD.saturating_add(1)).into());
        }
        Err(_) => return Err(CodecError::Unencodable),
    };
    buffer.truncate(used);
    Ok(buffer)
}
