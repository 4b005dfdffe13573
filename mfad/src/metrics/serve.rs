//! Figures over a Unix socket: as plain text for whoever connects, as a small HTTP response for whoever sends a
//! request.
//!
//! Not a web server: one request a connection, of bounded size, in bounded time, of a bounded number of clients.

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixListener, UnixStream},
    sync::Semaphore,
    time::timeout,
};
use tracing::{debug, warn};

use super::{exposition, text::MEDIA_TYPE};
use crate::core::Core;

/// Clients served at a time; more wait.
const CLIENTS: usize = 8;
/// How long one client may take in all.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a client may be silent before it gets plain text.
const SILENCE: Duration = Duration::from_millis(250);
/// The most bytes of a request.
const REQUEST: usize = 8 << 10;
/// Pause after `accept` failed.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves the socket until the task is dropped.
pub async fn serve(core: Arc<Core>, socket: UnixListener) {
    let places = Arc::new(Semaphore::new(CLIENTS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match socket.accept().await {
            Ok((stream, _)) => {
                let core = Arc::clone(&core);
                tokio::spawn(async move {
                    let served = timeout(PATIENCE, client(&core, stream)).await;
                    debug!("figures were asked for: {served:?}");
                    drop(place);
                });
            }
            Err(error) => {
                warn!("cannot accept a connection for figures: {error}; trying again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

async fn client(core: &Core, mut stream: UnixStream) -> std::io::Result<()> {
    let response = match request(&mut stream).await? {
        Asked::Plainly => exposition(core).await,
        Asked::Http { head_only } => {
            let text = exposition(core).await;
            let length = text.len();
            let body = if head_only { "" } else { &text };
            format!("HTTP/1.0 200 OK\r\nContent-Type: {MEDIA_TYPE}\r\nContent-Length: {length}\r\n\r\n{body}")
        }
        Asked::Wrong(status) => {
            format!("HTTP/1.0 {status}\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n")
        }
    };
    stream.write_all(response.as_bytes()).await?;
    stream.shutdown().await
}

/// What a client wants.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Asked {
    Plainly,
    Http { head_only: bool },
    Wrong(&'static str),
}

/// Reads a request, if there is one. All of it: what is left unread would end the connection with an error.
async fn request(stream: &mut UnixStream) -> std::io::Result<Asked> {
    let mut said = Vec::new();
    loop {
        let mut part = [0; 1024];
        // Whoever has said the first words of a request gets the time to end it.
        let patience = if looks_like_http(&said) { PATIENCE } else { SILENCE };
        let read = match timeout(patience, stream.read(&mut part)).await {
            Ok(read) => read?,
            Err(_) => 0,
        };
        said.extend(part.iter().take(read));
        if said.len() > REQUEST {
            return Ok(Asked::Wrong("431 Request Header Fields Too Large"));
        }
        if read == 0 || ended(&said) {
            return Ok(asked(&said));
        }
    }
}

fn looks_like_http(said: &[u8]) -> bool {
    said.windows(6).any(|part| part == b" HTTP/")
}

fn ended(said: &[u8]) -> bool {
    said.windows(4).any(|part| part == b"\r\n\r\n") || said.windows(2).any(|part| part == b"\n\n")
}

fn asked(said: &[u8]) -> Asked {
    let text = String::from_utf8_lossy(said);
    let mut words = text.lines().next().unwrap_or_default().split(' ');
    let (method, target, version) = (words.next(), words.next(), words.next());
    if !version.is_some_and(|version| version.starts_with("HTTP/")) {
        return Asked::Plainly;
    }
    let path = target.unwrap_or_default().split('?').next();
    match (method, path) {
        (Some("GET"), Some("/" | "/metrics")) => Asked::Http { head_only: false },
        (Some("HEAD"), Some("/" | "/metrics")) => Asked::Http { head_only: true },
        (Some("GET" | "HEAD"), _) => Asked::Wrong("404 Not Found"),
        _ => Asked::Wrong("405 Method Not Allowed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_from_everything_else() {
        for (said, expected) in [
            ("", Asked::Plainly),
            ("\n", Asked::Plainly),
            ("GET", Asked::Plainly),
            ("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", Asked::Http { head_only: false }),
            ("GET /metrics?x=1 HTTP/1.0\r\n\r\n", Asked::Http { head_only: false }),
            ("HEAD / HTTP/1.1\r\n\r\n", Asked::Http { head_only: true }),
            ("GET /etc/passwd HTTP/1.1\r\n\r\n", Asked::Wrong("404 Not Found")),
            ("POST /metrics HTTP/1.1\r\n\r\n", Asked::Wrong("405 Method Not Allowed")),
            ("\u{1}mfad HTTP/", Asked::Plainly),
        ] {
            assert_eq!(asked(said.as_bytes()), expected, "{said:?}");
        }
    }
}
