//! The access log: one line for each request, with fields for programs.
//!
//! Refuses queries, headers and bodies: codes are in them. What others wrote is escaped.

use std::net::IpAddr;

use mfa_proto::text::escape_for_log;
use tokio::time::Instant;
use tracing::info;

/// The longest path that is logged.
const MAX_PATH: usize = 256;

/// One request, from its head to its answer.
#[derive(Debug)]
pub struct Visit {
    begun: Instant,
    method: String,
    path: String,
    address: Option<IpAddr>,
}

impl Visit {
    /// Begins with the head.
    pub fn begin(method: &str, path: &str, address: Option<IpAddr>) -> Self {
        let mut path = escape_for_log(path);
        while path.len() > MAX_PATH {
            path.pop();
        }
        Self { begun: Instant::now(), method: escape_for_log(method), path, address }
    }

    /// Writes the line.
    pub fn end(self, status: u16, bytes: usize) {
        let Self { begun, method, path, address } = self;
        let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let source = address.map_or_else(|| "-".to_owned(), |address| address.to_string());
        let event = "request";
        info!(event, method, path, status, source, bytes, ms, "{method} {path:?} {status} from {source}");
    }
}
