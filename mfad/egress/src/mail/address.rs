//! Which mail addresses and host names are used. Refuses everything that could mean more than one address
//! to any server, or end a line: only ASCII, only `atom.atom@host`.

use lettre::{Address, message::Mailbox};
use mfa_proto::secret::SecretText;

/// The address of a person, if it is one.
pub(super) fn recipient(text: &SecretText) -> Option<Address> {
    address(text.expose())
}

/// The sender: an address, or a name with one in angle brackets.
pub(super) fn sender(text: &str) -> Option<Mailbox> {
    if text.chars().any(char::is_control) {
        return None;
    }
    let Some(inner) = text.trim().strip_suffix('>') else {
        return Some(Mailbox::new(None, address(text.trim())?));
    };
    let (name, inner) = inner.rsplit_once('<')?;
    let name = name.trim().trim_matches('"');
    Some(Mailbox::new((!name.is_empty()).then(|| name.to_owned()), address(inner)?))
}

/// A name of letters, digits, hyphens and dots, or an address.
pub(super) fn is_host(text: &str) -> bool {
    let label = |part: &str| {
        (1..=63).contains(&part.len())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    text.len() <= MAX_HOST && (text.split('.').all(label) || text.parse::<std::net::IpAddr>().is_ok())
}

/// RFC 5321 4.5.3.1 (the path of 256 with its angle brackets), dot-atoms of RFC 5322 3.2.3 alone.
fn address(text: &str) -> Option<Address> {
    let (local, host) = text.rsplit_once('@')?;
    let atom = |part: &str| !part.is_empty() && part.bytes().all(is_atext);
    let sound = text.len() <= MAX_ADDRESS
        && local.len() <= MAX_LOCAL
        && local.split('.').all(atom)
        && is_host(host)
        && host.parse::<std::net::IpAddr>().is_err();
    sound.then(|| Address::new(local, host).ok()).flatten()
}

fn is_atext(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

const MAX_ADDRESS: usize = 254;
const MAX_LOCAL: usize = 64;
const MAX_HOST: usize = 253;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn usual_addresses_pass() {
        for text in ["jane@example.org", "j.doe+mfa@mail.example.org", "o'hara@xn--bcher-kva.example", "a@b"]
        {
            assert_eq!(address(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_could_be_more_than_one_address_or_line_is_refused() {
        for text in [
            "",
            "@",
            "jane",
            "jane@",
            "@example.org",
            "a@b@c",
            "a b@c",
            "a,b@c",
            "<a@b>",
            "a@b>",
            "a@b,c@d",
            "a@b\r\nRCPT TO:<c@d>",
            "a\r\n@b",
            "a@b\n",
            "a\0@b",
            "\"a b\"@c",
            "a..b@c",
            ".a@b",
            "a.@b",
            "a@b..c",
            "a@-b",
            "a@[127.0.0.1]",
            "a@127.0.0.1",
            "jäne@example.org",
            "jane@bücher.example",
            "(c)a@b",
            "a@b ",
            "a:b@c",
        ] {
            assert!(address(text).is_none(), "{text:?}");
        }
        assert!(address(&format!("{}@b", "a".repeat(65))).is_none());
        assert!(address(&format!("a@{}", "b.".repeat(130))).is_none());
    }

    #[test]
    fn senders_have_a_name_or_none() {
        let read = |text| sender(text).map(|Mailbox { name, email }| (name, email.to_string()));
        let named = |name: &str| Some((Some(name.to_owned()), "mfa@example.org".to_owned()));
        assert_eq!(read("mfa@example.org"), Some((None, "mfa@example.org".to_owned())));
        assert_eq!(read("<mfa@example.org>"), Some((None, "mfa@example.org".to_owned())));
        assert_eq!(read("Zugänge <mfa@example.org>"), named("Zugänge"));
        assert_eq!(read("\"Example, Inc.\" <mfa@example.org>"), named("Example, Inc."));
        assert_eq!(read("mfa@example.org\r\nBcc: x@example.org"), None);
        assert_eq!(read("A <mfa@example.org>, B <x@example.org"), None);
    }

    proptest! {
        #[test]
        fn an_address_is_one_printable_word(text in "\\PC{0,20}[@<>\r\n \\.,a]{0,6}\\PC{0,20}") {
            if let Some(address) = address(&text) {
                prop_assert_eq!(address.to_string(), text.clone());
                prop_assert!(text.bytes().all(|b| b.is_ascii_graphic() && !b"<>,;:()[]\\\"".contains(&b)));
                prop_assert_eq!(text.matches('@').count(), 1);
            }
        }
    }
}
