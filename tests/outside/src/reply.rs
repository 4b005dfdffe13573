//! What a server answers: any bytes, and how it goes on after them.

/// An answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// What is sent.
    pub bytes: Vec<u8>,
    /// What happens then.
    pub then: Then,
}

/// How a server goes on after its bytes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Then {
    /// Closes the connection, as the protocols have it.
    Close,
    /// Closes the connection without a word: of TLS, without its end.
    Vanish,
    /// Keeps the connection open and waits for another request on it.
    Stay,
    /// Keeps the connection open and says nothing more.
    Hang,
    /// Sends these bytes again and again, as long as they are taken.
    Flood(Vec<u8>),
    /// Sends these bytes one by one, each after a pause.
    Dribble(Vec<u8>),
}

impl Reply {
    /// A whole answer.
    pub fn new(status: u16, headers: &str, body: &str) -> Self {
        let length = body.len();
        let head = format!("HTTP/1.1 {status} Status\r\nContent-Length: {length}\r\n{headers}\r\n");
        Self { bytes: [head.as_bytes(), body.as_bytes()].concat(), then: Then::Close }
    }

    /// JSON.
    pub fn json(status: u16, body: &str) -> Self {
        Self::new(status, "Content-Type: application/json\r\n", body)
    }

    /// These bytes.
    pub fn raw(bytes: impl Into<Vec<u8>>, then: Then) -> Self {
        Self { bytes: bytes.into(), then }
    }

    /// As it is, and then otherwise.
    #[must_use]
    pub fn then(self, then: Then) -> Self {
        Self { then, ..self }
    }
}
