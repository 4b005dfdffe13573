//! A client that writes requests byte by byte, and reads answers whole.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// Silence for so long is a failure.
const LONG: Duration = Duration::from_secs(30);

/// One connection.
pub(crate) struct Http(pub(crate) TcpStream);

/// An answer.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answered {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl Http {
    pub(crate) async fn connect(port: u16) -> Self {
        Self(TcpStream::connect(("127.0.0.1", port)).await.unwrap())
    }

    pub(crate) async fn post(&mut self, secret: &str, path: &str, json: &str) -> Answered {
        let length = json.len();
        self.ask(&format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{json}"
        ))
        .await
    }

    pub(crate) async fn get(&mut self, path: &str, headers: &str) -> Answered {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n")).await
    }

    pub(crate) async fn ask(&mut self, request: &str) -> Answered {
        self.0.write_all(request.as_bytes()).await.unwrap();
        self.answer().await.expect("the connection ended without an answer")
    }

    /// The next answer; `None` when the connection ends before one.
    pub(crate) async fn answer(&mut self) -> Option<Answered> {
        timeout(LONG, self.read()).await.expect("there is no answer")
    }

    async fn read(&mut self) -> Option<Answered> {
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            if self.0.read_buf(&mut bytes).await.ok()? == 0 {
                return None;
            }
        };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().unwrap())
        });
        while bytes.len() < end + length.unwrap_or(0) {
            if self.0.read_buf(&mut bytes).await.ok()? == 0 {
                return None;
            }
        }
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Some(Answered { status, head, body: String::from_utf8(bytes[end..].to_vec()).unwrap() })
    }
}
