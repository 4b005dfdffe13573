//! A connection that is read one line at a time, so that nothing which came before TLS is believed after it.
//!
//! lettre reads into a buffer that outlives STARTTLS: whoever sits on the way could append replies of their own
//! to the server's go-ahead, and they would count as said under TLS. Here they stay in the socket, where the
//! handshake meets them and fails. Refuses nothing by itself.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// The connection.
#[derive(Debug)]
pub(super) struct LineByLine(pub(super) TcpStream);

impl AsyncTokioStream for LineByLine {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.peer_addr()
    }
}

impl AsyncRead for LineByLine {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut seen = [0; 512];
        let mut ahead = ReadBuf::new(&mut seen);
        ready!(self.0.poll_peek(cx, &mut ahead))?;
        let there = ahead.filled();
        let line = there.iter().position(|b| *b == b'\n').map_or(there.len(), |end| end.saturating_add(1));
        let room = line.min(into.remaining());
        let mut part = ReadBuf::new(into.initialize_unfilled_to(room));
        ready!(Pin::new(&mut self.0).poll_read(cx, &mut part))?;
        let read = part.filled().len();
        into.advance(read);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for LineByLine {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    #[tokio::test]
    async fn one_read_gives_at_most_one_line_and_none_is_lost() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = LineByLine(TcpStream::connect(listener.local_addr().unwrap()).await.unwrap());
        let (mut server, _) = listener.accept().await.unwrap();
        let long = format!("{}\n", "x".repeat(1500));
        server.write_all(format!("220 go\r\n250 forged\r\n{long}end").as_bytes()).await.unwrap();
        drop(server);
        let (mut reads, mut buffer) = (Vec::new(), [0; 2000]);
        loop {
            match client.read(&mut buffer).await.unwrap() {
                0 => break,
                read => reads.push(String::from_utf8(buffer[..read].to_vec()).unwrap()),
            }
        }
        assert_eq!(reads.concat(), format!("220 go\r\n250 forged\r\n{long}end"));
        assert_eq!(reads[..2], ["220 go\r\n", "250 forged\r\n"]);
        assert!(reads.iter().all(|read| !read.trim_end_matches('\n').contains('\n')));
    }
}
