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
use zeroize::Zeroizing;

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
    buffer: Zeroizing<Vec<u8>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// Speaks frames over `stream`.
    pub fn new(stream: S) -> Self {
        Self { stream, buffer: Zeroizing::new(Vec::new()) }
    }

    /// The next message.
    pub async fn read<T: Serialize + DeserializeOwned>(&mut self) -> Result<T, WireError> {
        let mut header = [0; frame::HEADER];
        if self.stream.read(&mut header[..1]).await? == 0 {
            return Err(WireError::Closed);
        }
        self.stream.read_exact(&mut header[1..]).await?;
        let length = frame::payload_length(header).map_err(CodecError::from)?;
        // Never reallocated with a secret inside: wiped first, then grown.
        self.buffer.fill(0);
        self.buffer.clear();
        self.buffer.resize(length, 0);
        self.stream.read_exact(&mut self.buffer).await?;
        let message = codec::decode(&self.buffer);
        self.buffer.fill(0);
        Ok(message?)
    }

    /// Sends one message to a peer that has so long to take it.
    pub async fn write_within<T: Serialize + Sync>(
        &mut self,
        patience: Duration,
        message: &T,
    ) -> Result<(), WireError> {
        timeout(patience, self.write(message)).await.map_err(|_| WireError::NotTaken)?
    }

    /// Sends one message.
    pub async fn write<T: Serialize + Sync>(&mut self, message: &T) -> Result<(), WireError> {
        let whole = codec::encode(message)?;
        self.stream.write_all(&whole).await?;
        Ok(())
    }
}
