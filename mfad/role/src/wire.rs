//! Frames over an asynchronous stream. Refuses what is too long before it takes memory for it.

use std::time::Duration;

use mfa_proto::{
    codec::{self, CodecError},
    frame,
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::timeout,
};
use zeroize::{Zeroize as _, Zeroizing};

/// Why no message came, or went.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The peer closed the connection between two frames.
    #[error("the peer closed the connection")]
    Closed,
    /// The connection broke, or ended within a frame.
    #[error("the connection broke: {0}")]
    Broken(#[from] std::io::Error),
    /// The peer does not read what is sent to it.
    #[error("the peer does not take what is sent to it")]
    NotTaken,
    /// The bytes are not a message.
    #[error("the peer sent a bad message: {0}")]
    Bad(#[from] CodecError),
}

/// A connection that speaks frames.
#[derive(Debug)]
pub struct Wire<S> {
    stream: S,
    /// Received and not yet taken: `buffer[..filled]`. One allocation of the largest frame, so that no
    /// secret is left behind in memory that a growing buffer gave back.
    buffer: Zeroizing<Vec<u8>>,
    filled: usize,
    /// Goes out with the next message.
    held: Zeroizing<Vec<u8>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// Speaks frames over `stream`.
    pub fn new(stream: S) -> Self {
        Self { stream, buffer: Zeroizing::new(Vec::new()), filled: 0, held: Zeroizing::default() }
    }

    /// The next message.
    pub async fn read<T: Serialize + DeserializeOwned>(&mut self) -> Result<T, WireError> {
        if self.buffer.is_empty() {
            self.buffer.resize(frame::HEADER.saturating_add(frame::MAX_PAYLOAD), 0);
        }
        self.fill(frame::HEADER).await?;
        let header = self.buffer.first_chunk().copied().unwrap_or_default();
        let length = frame::payload_length(header).map_err(CodecError::from)?;
        let whole = frame::HEADER.saturating_add(length);
        self.fill(whole).await?;
        let message = codec::decode(self.buffer.get(frame::HEADER..whole).unwrap_or_default());
        self.take(whole);
        Ok(message?)
    }

    /// Receives until `wanted` bytes are there: what has come is taken in one call, whether it is the rest
    /// of this frame or the next ones as well.
    async fn fill(&mut self, wanted: usize) -> Result<(), WireError> {
        while self.filled < wanted {
            let room = self.buffer.get_mut(self.filled..).unwrap_or_default();
            let received = self.stream.read(room).await?;
            match (received, self.filled) {
                (0, 0) => return Err(WireError::Closed),
                (0, _) => return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into()),
                (received, _) => self.filled = self.filled.saturating_add(received),
            }
        }
        Ok(())
    }

    /// Takes the first `whole` bytes out and wipes what they leave behind.
    fn take(&mut self, whole: usize) {
        let filled = self.filled;
        if whole < filled {
            self.buffer.copy_within(whole..filled, 0);
        }
        self.filled = filled.saturating_sub(whole);
        self.buffer.get_mut(self.filled..filled).unwrap_or_default().zeroize();
    }

    /// Sends one message to a peer that has so long to take it.
    pub async fn write_within<T: Serialize + Sync>(
        &mut self,
        patience: Duration,
        message: &T,
    ) -> Result<(), WireError> {
        timeout(patience, self.write(message)).await.map_err(|_| WireError::NotTaken)?
    }

    /// Sends one message; together with the next one when the peer has already said more and so expects
    /// another. That wakes the peer once, not twice.
    pub async fn write_soon<T: Serialize + Sync>(&mut self, message: &T) -> Result<(), WireError> {
        if self.filled == 0 {
            return self.write(message).await;
        }
        self.held.extend_from_slice(&codec::encode(message)?);
        Ok(())
    }

    /// Sends one message, and what was held back before it.
    pub async fn write<T: Serialize + Sync>(&mut self, message: &T) -> Result<(), WireError> {
        let mut whole = codec::encode(message)?;
        if !self.held.is_empty() {
            self.held.extend_from_slice(&whole);
            whole = std::mem::take(&mut self.held);
        }
        self.stream.write_all(&whole).await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(texts: &[&str]) -> Vec<u8> {
        texts.iter().flat_map(|text| codec::encode(&(*text).to_owned()).unwrap().to_vec()).collect()
    }

    #[tokio::test]
    async fn frames_are_taken_one_by_one_however_they_come() {
        let texts = ["first", "a longer second one", "3"];
        for piece in [1, 2, 3, 7, 1000] {
            let (here, mut there) = tokio::io::duplex(piece);
            let mut wire = Wire::new(here);
            let sender = tokio::spawn(async move {
                there.write_all(&frames(&texts)).await.unwrap();
            });
            for text in texts {
                assert_eq!(wire.read::<String>().await.unwrap(), text, "in pieces of {piece}");
            }
            assert!(matches!(wire.read::<String>().await, Err(WireError::Closed)));
            assert!(wire.buffer.iter().all(|byte| *byte == 0), "what was taken is wiped");
            sender.await.unwrap();
        }
    }

    #[tokio::test]
    async fn what_is_held_back_goes_out_first() {
        let (here, mut there) = tokio::io::duplex(1000);
        there.write_all(&frames(&["one", "two"])).await.unwrap();
        let mut wire = Wire::new(here);
        assert_eq!(wire.read::<String>().await.unwrap(), "one");
        wire.write_soon(&"held".to_owned()).await.unwrap();
        assert_eq!(wire.read::<String>().await.unwrap(), "two");
        wire.write(&"next".to_owned()).await.unwrap();
        wire.write_soon(&"at once".to_owned()).await.unwrap();
        let mut peer = Wire::new(there);
        for text in ["held", "next", "at once"] {
            assert_eq!(peer.read::<String>().await.unwrap(), text);
        }
    }

    #[tokio::test]
    async fn a_frame_that_ends_early_is_a_broken_connection() {
        let (here, mut there) = tokio::io::duplex(64);
        there.write_all(&[0, 9, 1]).await.unwrap();
        drop(there);
        assert!(matches!(Wire::new(here).read::<String>().await, Err(WireError::Broken(_))));
    }
}
