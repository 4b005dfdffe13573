//! Why a call has no answer that counts, in words for the log. Refuses to repeat addresses, which may hold
//! credentials, and whatever the other side sent.

use std::{error::Error, io};

use mfa_proto::text::escape_for_log;

/// The longest text of a cause, in characters.
const MAX_CAUSE: usize = 200;

/// Why a call has no answer that counts. The request may have arrived nevertheless.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CallError {
    /// No connection.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// Its certificate is not the one of that host, is not trusted, or TLS fails otherwise.
    #[error("is not trusted: {0}")]
    Untrusted(String),
    /// No answer in time.
    #[error("does not answer in time")]
    Late,
    /// The connection ends before the answer does, or the answer is no HTTP.
    #[error("breaks off, or does not speak HTTP")]
    Broken,
    /// The answer is longer than [`super::MAX_ANSWER`].
    #[error("answers more than 64 KiB")]
    TooLong,
    /// What was filled in does not fit where it was to go.
    #[error("is not called: what was filled in does not fit its {0}")]
    Unfit(&'static str),
}

impl CallError {
    /// Looks for the cause. What the library says of it holds the address, so that is left out.
    pub(super) fn of(error: reqwest::Error) -> Self {
        let error = error.without_url();
        if error.is_timeout() {
            return Self::Late;
        }
        if error.is_builder() {
            return Self::Unfit("request");
        }
        let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
        while let Some(inner) = cause {
            if let Some(tls) = tls_of(inner) {
                return Self::Untrusted(plain(&tls.to_string()));
            }
            if let Some(system) = inner.downcast_ref::<io::Error>().filter(|_| error.is_connect()) {
                return Self::Unreachable(plain(&system.to_string()));
            }
            cause = inner.source();
        }
        if error.is_connect() { Self::Unreachable("no connection".to_owned()) } else { Self::Broken }
    }
}

/// What TLS failed on, if it did. Errors of the system carry it within, several deep: what they call their
/// source is that of what they carry.
fn tls_of<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let mut carried: Option<&'a (dyn Error + 'static)> = Some(error);
    while let Some(error) = carried {
        if let Some(tls) = error.downcast_ref() {
            return Some(tls);
        }
        carried = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
            .map(|inner| -> &'a (dyn Error + 'static) { inner });
    }
    None
}

/// One line. A certificate's names are in it, which are the other side's words: escaped and cut.
fn plain(text: &str) -> String {
    escape_for_log(&text.chars().take(MAX_CAUSE).collect::<String>())
}
