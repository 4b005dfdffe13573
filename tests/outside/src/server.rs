//! A server of one test: takes requests of HTTP, with or without TLS, and answers what it is told to.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    thread::JoinHandle,
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};
use tokio_rustls::TlsAcceptor;

use crate::{
    authority::Identity,
    reply::{Reply, Then},
};

/// A request as it came.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Seen {
    /// The first line and the headers.
    pub head: String,
    /// The body, of as many bytes as the headers say.
    pub body: String,
}

impl Seen {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let named =
            |line: &&str| line.split(':').next().is_some_and(|found| found.eq_ignore_ascii_case(name));
        self.head.lines().skip(1).find(named).and_then(|line| Some(line.split_once(':')?.1.trim()))
    }

    /// The first line.
    pub fn line(&self) -> &str {
        self.head.lines().next().unwrap_or_default()
    }
}

#[derive(Debug)]
struct State {
    reply: Mutex<Reply>,
    seen: Mutex<Vec<Seen>>,
    connections: Mutex<usize>,
}

/// A running server; ended when dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    state: Arc<State>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    scheme: &'static str,
}

impl Server {
    /// Starts one, with TLS if it has an identity.
    pub fn start(identity: Option<&Identity>, reply: Reply) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let state =
            Arc::new(State { reply: reply.into(), seen: Mutex::default(), connections: Mutex::default() });
        let (end, ended) = oneshot::channel();
        let tls = identity.map(|identity| TlsAcceptor::from(Arc::clone(&identity.config)));
        let scheme = if tls.is_some() { "https" } else { "http" };
        let shared = Arc::clone(&state);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                tokio::select! {
                    () = accept(&listener, tls, &shared) => {}
                    _ = ended => {}
                }
            });
        });
        Self { address, state, end: Some(end), thread: Some(thread), scheme }
    }

    /// Its address with `host` for its name, and a path.
    pub fn url(&self, host: &str, path: &str) -> String {
        format!("{}://{host}:{}{path}", self.scheme, self.address.port())
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// What it answers from now on.
    pub fn answer(&self, reply: Reply) {
        *self.state.reply.lock().unwrap() = reply;
    }

    /// What it was sent.
    pub fn seen(&self) -> Vec<Seen> {
        self.state.seen.lock().unwrap().clone()
    }

    /// How many connections were opened to it.
    pub fn connections(&self) -> usize {
        *self.state.connections.lock().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(end) = self.end.take() {
            end.send(()).ok();
        }
        drop(self.thread.take().map(JoinHandle::join));
    }
}

async fn accept(listener: &TcpListener, tls: Option<TlsAcceptor>, state: &Arc<State>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        *state.connections.lock().unwrap() += 1;
        let (tls, state) = (tls.clone(), Arc::clone(state));
        tokio::spawn(async move {
            // A client that goes away is what many tests are about.
            drop(connection(stream, tls, &state).await);
        });
    }
}

async fn connection(stream: TcpStream, tls: Option<TlsAcceptor>, state: &State) -> std::io::Result<()> {
    match tls {
        None => {
            let mut stream = stream;
            converse(&mut stream, state).await
        }
        Some(tls) => {
            let mut stream = tls.accept(stream).await?;
            let gone = converse(&mut stream, state).await;
            if matches!(state.reply.lock().unwrap().then, Then::Vanish) {
                // Dropped without a `close_notify`.
                return gone;
            }
            stream.shutdown().await
        }
    }
}

async fn converse(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), state: &State) -> std::io::Result<()> {
    loop {
        let seen = read_request(stream).await?;
        state.seen.lock().unwrap().push(seen);
        let Reply { bytes, then } = state.reply.lock().unwrap().clone();
        stream.write_all(&bytes).await?;
        stream.flush().await?;
        match then {
            Then::Close | Then::Vanish => return Ok(()),
            Then::Stay => {}
            Then::Hang => std::future::pending::<()>().await,
            Then::Flood(more) => loop {
                stream.write_all(&more).await?;
            },
            Then::Dribble(more) => {
                for byte in more {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    stream.write_all(&[byte]).await?;
                    stream.flush().await?;
                }
                return Ok(());
            }
        }
    }
}

async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Seen> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    };
    let mut body = bytes.split_off(end);
    let mut seen = Seen { head: String::from_utf8(bytes).unwrap(), body: String::new() };
    let length = seen.header("content-length").map_or(0, |length| length.parse().unwrap());
    while body.len() < length {
        if stream.read_buf(&mut body).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
    seen.body = String::from_utf8(body).unwrap();
    Ok(seen)
}
