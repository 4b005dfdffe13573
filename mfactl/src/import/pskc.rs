//! PSKC (RFC 6030): keys of tokens in XML, plain or encrypted with a key agreed on before.
//!
//! Refuses DTDs, other schemas, keys encrypted by password or for a certificate, and keys whose policy asks for
//! what mfad does not do (RFC 6030 §5: such a key must not be used).

mod crypt;
mod package;
mod policy;

pub use self::crypt::{PreSharedKey, PreSharedKeyError};

use roxmltree::{Document, Error, Node, ParsingOptions};

use self::crypt::Lock;
use super::{entry::Parsed, reason::Reason};

/// The namespace of RFC 6030.
const PSKC: &str = "urn:ietf:params:xml:ns:keyprov:pskc";
/// The namespace of XML Encryption.
const XENC: &str = "http://www.w3.org/2001/04/xmlenc#";
/// The namespace of XML Signature.
const DSIG: &str = "http://www.w3.org/2000/09/xmldsig#";

/// Elements, attributes and texts that a file may have: ten for each key of a hundred thousand tokens.
const NODES: u32 = 4_000_000;

/// Reads all key packages.
pub(super) fn read(text: &str, pre_shared: Option<&PreSharedKey>) -> Parsed {
    let options = ParsingOptions { nodes_limit: NODES, ..ParsingOptions::default() };
    let document = match Document::parse_with_options(text, options) {
        Ok(document) => document,
        Err(error) => return unreadable(&error),
    };
    let root = document.root_element();
    // The reader passes over a DTD that declares nothing; a key container has none at all.
    if document.root().first_element_child() != Some(root) || text.contains("<!DOCTYPE") {
        return Parsed::nothing(1, Reason::Pskc("it has a DTD"));
    }
    if !is(root, "KeyContainer") {
        return Parsed::nothing(
            1,
            Reason::Pskc("its root is not a KeyContainer in the namespace of RFC 6030"),
        );
    }
    let lock = Lock::of(root, pre_shared);
    let signed = root.children().any(|node| node.has_tag_name((DSIG, "Signature")) || is(node, "Signature"));
    let mut parsed = Parsed::default();
    for package in root.children().filter(|node| is(*node, "KeyPackage")) {
        package::read(package, &lock, signed, &mut parsed);
    }
    if parsed.entries.is_empty() && parsed.rejected.is_empty() {
        return Parsed::nothing(1, Reason::Pskc("there is no KeyPackage in it"));
    }
    parsed
}

fn unreadable(error: &Error) -> Parsed {
    let position = error.pos();
    let why = if matches!(error, Error::DtdDetected) {
        "it has a DTD"
    } else if matches!(error, Error::NodesLimitReached) {
        "it has too many elements"
    } else {
        "it is not well-formed"
    };
    let line = usize::try_from(position.row).unwrap_or(usize::MAX);
    Parsed::nothing(line, Reason::Xml { column: position.col, why })
}

/// Whether `node` is the element `name` of RFC 6030.
fn is(node: Node<'_, '_>, name: &str) -> bool {
    node.has_tag_name((PSKC, name))
}

/// The child `name` of `node`; an error when there are several.
fn only<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Result<Option<Node<'a, 'i>>, Reason> {
    let mut found = node.children().filter(|child| is(*child, name));
    let first = found.next();
    if found.next().is_some() { Err(Reason::Pskc("an element stands twice")) } else { Ok(first) }
}

/// The text in `node`, which has no elements.
fn text<'a>(node: Node<'a, '_>) -> Result<&'a str, Reason> {
    if node.children().filter(|child| !child.is_comment()).count() > 1 || node.first_element_child().is_some()
    {
        return Err(Reason::Pskc("a value is not plain text"));
    }
    Ok(node.children().find_map(|child| child.text()).unwrap_or("").trim())
}

#[cfg(test)]
mod tests;
