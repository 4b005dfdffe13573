//! A gateway on the world's loopback interface: takes HTTP requests, keeps them, answers as it is told.
//!
//! It stands for what cannot be here, the company that carries text messages or the service that judges
//! codes: the outermost edge. Refuses to know what a right request is; the test looks.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use serde_json::Value;

use crate::sys::PATIENCE;

/// A request that came in.
#[derive(Clone, Debug)]
pub struct Received {
    /// Method and path.
    pub line: String,
    /// The headers, names in small letters.
    pub headers: Vec<(String, String)>,
    /// The body as text.
    pub body: String,
}

impl Received {
    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.body))
    }
}

/// What a gateway answers with: status and body, or nothing at all for as long as it is held.
pub type Script = dyn Fn(&Received) -> (u16, String) + Send + Sync;

/// A running gateway; it ends with the world.
#[derive(Clone)]
pub struct Gateway {
    port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    received: Mutex<Vec<Received>>,
    came: Condvar,
    held: AtomicBool,
    released: (Mutex<()>, Condvar),
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Gateway(127.0.0.1:{})", self.port)
    }
}

impl Gateway {
    /// Starts one that answers by `script`.
    #[track_caller]
    pub fn start(script: impl Fn(&Received) -> (u16, String) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("the world has a loopback interface");
        let port = listener.local_addr().expect("it is bound").port();
        let shared = Arc::new(Shared {
            received: Mutex::default(),
            came: Condvar::new(),
            held: AtomicBool::new(false),
            released: (Mutex::default(), Condvar::new()),
        });
        let gateway = Self { port, shared };
        let (script, ours): (Arc<Script>, Self) = (Arc::new(script), gateway.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, gateway) = (Arc::clone(&script), ours.clone());
                thread::spawn(move || gateway.serve(stream, &*script));
            }
        });
        gateway
    }

    /// Its address with a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// All requests so far.
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until `count` requests have come; all of them.
    #[track_caller]
    pub fn wait_for(&self, count: usize) -> Vec<Received> {
        let received = self.shared.received.lock().unwrap_or_else(PoisonError::into_inner);
        let (received, waited) = self
            .shared
            .came
            .wait_timeout_while(received, PATIENCE, |received| received.len() < count)
            .unwrap_or_else(PoisonError::into_inner);
        assert!(!waited.timed_out(), "{} of {count} requests came", received.len());
        received.clone()
    }

    /// From now on requests are taken and not answered.
    pub fn hold(&self) {
        self.shared.held.store(true, Ordering::SeqCst);
    }

    /// Answers what is held, and all that comes.
    pub fn release(&self) {
        self.shared.held.store(false, Ordering::SeqCst);
        let _guard = self.shared.released.0.lock().unwrap_or_else(PoisonError::into_inner);
        self.shared.released.1.notify_all();
    }

    fn serve(&self, stream: TcpStream, script: &Script) {
        let mut reader = BufReader::new(stream.try_clone().expect("a descriptor can be copied"));
        let mut stream = stream;
        while let Some(request) = read_request(&mut reader) {
            let (status, body) = script(&request);
            self.shared.received.lock().unwrap_or_else(PoisonError::into_inner).push(request);
            self.shared.came.notify_all();
            let (lock, released) = &self.shared.released;
            let guard = lock.lock().unwrap_or_else(PoisonError::into_inner);
            drop(released.wait_while(guard, |()| self.shared.held.load(Ordering::SeqCst)));
            let answer = format!(
                "HTTP/1.1 {status} As scripted\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }
}

fn read_request(reader: &mut BufReader<TcpStream>) -> Option<Received> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
    let mut headers = Vec::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok().filter(|n| *n > 0)?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some(Received {
        line: line.trim_end().to_owned(),
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}
