//! What goes back to a client: a status, a type, a body that fits in memory.
//!
//! Refuses caches: every answer says that it is not to be kept.

use http_body_util::Full;
use hyper::{
    Response, StatusCode,
    body::Bytes,
    header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use serde::Serialize;

/// The type of JSON.
pub const JSON: &str = "application/json";
/// The type of plain text.
pub const TEXT: &str = "text/plain; charset=utf-8";

/// An answer.
#[derive(Clone, Debug)]
#[must_use]
pub struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    /// A status alone.
    pub fn status(status: StatusCode) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Self { status, headers, body: Bytes::new() }
    }

    /// A body of a type.
    pub fn body(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Self {
        let mut answer = Self::status(status);
        answer.headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        answer.body = body.into();
        answer
    }

    /// JSON. What cannot be written as JSON, which is nothing of ours, is an error of the server.
    pub fn json(status: StatusCode, value: &impl Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => Self::body(status, JSON, body),
            Err(_) => Self::status(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }

    /// The same with a header more. A value that no header can hold is left out.
    pub fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.append(name, value);
        }
        self
    }

    /// Its status.
    pub fn code(&self) -> StatusCode {
        self.status
    }

    /// How long its body is.
    pub fn length(&self) -> usize {
        self.body.len()
    }

    /// As hyper sends it.
    pub fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}
