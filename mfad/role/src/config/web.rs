//! What calls over HTTP have in common: what proves who calls, headers and fields.
//!
//! Refuses secrets written out: they are named, and egress alone reads them.

use std::path::PathBuf;

use super::{
    kinds::{credential, line, path},
    reader::{Reader, Section},
    suggest::printable,
    template::{Allowed, Piece, Template, template},
};

/// The longest value of a header, or of a field of a form, in bytes.
const MAX_VALUE: usize = 2048;
/// The most headers, the most fields of a form, the most arguments.
pub(super) const MAX_FIELDS: usize = 32;
/// Headers that say how a message is framed, which is not the administrator's to say.
const FRAMING: [&str; 9] = [
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Whom to trust, and what proves who calls.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Access {
    /// The certificates trusted instead of the system's: a file in PEM.
    pub ca: Option<PathBuf>,
    /// With a credential: the user name of Basic authentication (RFC 7617).
    pub user: Option<String>,
    /// The name of the password; without a user, of a bearer token (RFC 6750).
    pub credential: Option<String>,
}

impl Access {
    pub(super) fn read(reader: &mut Reader, section: &mut Section) -> Self {
        let user = reader.optional(section, "user", line(256));
        let credential = reader.optional(section, "credential", credential);
        if user.value.is_some() && credential.place.is_none() {
            reader.fault(user.place, "`user` needs `credential` beside it: the name of its password");
        }
        if user.value.as_deref().is_some_and(|user| user.contains(':')) {
            reader.fault(user.place, "`user` holds `:`, which ends a user name in HTTP: write one without");
        }
        let ca = reader.optional(section, "ca", path);
        Self { ca: ca.value, user: user.value, credential: credential.value }
    }
}

/// A name and what is sent under it.
pub type Field = (String, Template);

/// The fields of a table such as `headers = { "X-Key" = "{credential:key}" }`.
pub(super) fn fields(
    reader: &mut Reader,
    section: &mut Section,
    key: &'static str,
    allowed: Allowed,
) -> Vec<Field> {
    let entries = reader.entries(section, key);
    let mut fields = Vec::with_capacity(entries.len());
    for (index, (name, entry)) in entries.into_iter().enumerate() {
        let shown = printable(&name);
        if index == MAX_FIELDS {
            reader.fault(Some(entry.key), format!("`{key}` has one entry too many: keep {MAX_FIELDS}"));
        }
        if name.is_empty() || name.len() > 128 || name.chars().any(char::is_control) {
            reader.fault(
                Some(entry.key),
                format!("`{shown}` is no name for an entry of `{key}`: write a plain one"),
            );
        }
        match template(MAX_VALUE, true, allowed)(&entry.node.value) {
            Ok(value) => fields.push((name, value)),
            Err(message) => reader.fault(Some(entry.node.place), format!("`{key}.{shown}` {message}")),
        }
    }
    fields
}

/// The headers a gateway wants beside those of HTTP itself.
pub(super) fn headers(reader: &mut Reader, section: &mut Section, allowed: Allowed) -> Vec<Field> {
    let place = section.place_of("headers");
    let headers = fields(reader, section, "headers", allowed);
    for (name, value) in &headers {
        let shown = printable(name);
        let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if !name.bytes().all(token) {
            reader.fault(
                place,
                format!("`headers.{shown}` is no name of a header: write one as \"X-Api-Key\""),
            );
        }
        if FRAMING.iter().any(|framing| framing.eq_ignore_ascii_case(name)) {
            reader.fault(place, format!("`headers.{shown}` is set by HTTP itself: remove it"));
        }
        let breaks = |piece: &Piece| matches!(piece, Piece::Text(text) if text.contains('\n'));
        if value.pieces().iter().any(breaks) {
            reader.fault(place, format!("`headers.{shown}` has a line end in it: write one line"));
        }
    }
    headers
}
