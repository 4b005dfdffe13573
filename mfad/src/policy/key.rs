//! Public keys that sshd has accepted already, as `SSH_AUTH_INFO_0` tells of them.
//!
//! Refuses to believe half of a line: a key whose bytes do not say the type that the line says is none.

use base64ct::{Base64, Base64Unpadded, Encoding as _};
use mfa_proto::auth_info::AuthInfo;
use sha2::{Digest as _, Sha256};

/// What ends the type of a certificate.
const CERTIFICATE: &str = "-cert-v01@openssh.com";

/// A public key that sshd has accepted.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Key {
    /// Its type: `ssh-ed25519`, `sk-ssh-ed25519@openssh.com`, `ssh-rsa-cert-v01@openssh.com`, …
    pub key_type: String,
    /// Its fingerprint, `SHA256:…`, as `ssh-keygen -l` and sshd's log have it: of a certificate, that of the
    /// key it is for.
    pub fingerprint: String,
}

impl Key {
    /// The keys of all lines `publickey TYPE BASE64` that can be read, sorted. Keys of hosts
    /// (`hostbased`) are no user's.
    pub fn all_of(info: &AuthInfo) -> Vec<Self> {
        let mut keys: Vec<Self> = info.lines().filter_map(Self::of_line).collect();
        keys.sort();
        keys.dedup();
        keys
    }

    fn of_line(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let (Some("publickey"), Some(key_type), Some(text), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return None;
        };
        let blob = Base64::decode_vec(text).ok()?;
        let digest = Sha256::digest(identity(&blob, key_type)?);
        let fingerprint = format!("SHA256:{}", Base64Unpadded::encode_string(digest.as_slice()));
        Some(Self { key_type: key_type.to_owned(), fingerprint })
    }
}

/// The bytes that the fingerprint is made of: of a certificate, the key it is for.
fn identity(blob: &[u8], key_type: &str) -> Option<Vec<u8>> {
    let (inner, rest) = string(blob)?;
    if inner != key_type.as_bytes() || rest.is_empty() {
        return None;
    }
    let Some(stem) = key_type.strip_suffix(CERTIFICATE) else { return Some(blob.to_vec()) };
    let (plain, fields) = certified(stem)?;
    let (_nonce, mut rest) = string(rest)?;
    let mut identity = Vec::with_capacity(blob.len());
    append(&mut identity, plain.as_bytes())?;
    for _ in 0..fields {
        let (field, after) = string(rest)?;
        append(&mut identity, field)?;
        rest = after;
    }
    Some(identity)
}

/// The type of the key in a certificate, and of how many fields it is made.
fn certified(stem: &str) -> Option<(String, usize)> {
    let fields = match stem {
        "ssh-ed25519" => 1,
        "ssh-rsa"
        | "ecdsa-sha2-nistp256"
        | "ecdsa-sha2-nistp384"
        | "ecdsa-sha2-nistp521"
        | "sk-ssh-ed25519" => 2,
        "sk-ecdsa-sha2-nistp256" => 3,
        "ssh-dss" => 4,
        _ => return None,
    };
    let home = if stem.starts_with("sk-") { "@openssh.com" } else { "" };
    Some((format!("{stem}{home}"), fields))
}

/// A string as SSH writes it (RFC 4251, section 5), and what comes after it.
fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

fn append(bytes: &mut Vec<u8>, field: &[u8]) -> Option<()> {
    bytes.extend(u32::try_from(field.len()).ok()?.to_be_bytes());
    bytes.extend(field);
    Some(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // Made with ssh-keygen, whose `-l` says the same of the key and of its certificate.
    const ED25519: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIJy/lPzaUUbn8FFy8h4QWv14RyOoExPAah6ju9tfTNZP";
    const ED25519_CERTIFICATE: &str = "AAAAIHNzaC1lZDI1NTE5LWNlcnQtdjAxQG9wZW5zc2guY29tAAAAIH6GR08+xUPRmGMqAeJwaq789BGntbcxKyd/Hzyza+A5AAAAIJy/lPzaUUbn8FFy8h4QWv14RyOoExPAah6ju9tfTNZPAAAAAAAAAAAAAAABAAAAAmlkAAAACAAAAARqYW5lAAAAAAAAAAD//////////wAAAAAAAACCAAAAFXBlcm1pdC1YMTEtZm9yd2FyZGluZwAAAAAAAAAXcGVybWl0LWFnZW50LWZvcndhcmRpbmcAAAAAAAAAFnBlcm1pdC1wb3J0LWZvcndhcmRpbmcAAAAAAAAACnBlcm1pdC1wdHkAAAAAAAAADnBlcm1pdC11c2VyLXJjAAAAAAAAAAAAAAAzAAAAC3NzaC1lZDI1NTE5AAAAIGR45b2gF8SvcN0R9ErPKhataXjCYIN9B7cuGjHbJoDmAAAAUwAAAAtzc2gtZWQyNTUxOQAAAEDK5XJKIbFXWXmaiav5JHFf7IKQBS7PcHTS11q1WyKA1Is+Qg4THpraZQQYCQ3Icg6SvNQ0utL8unYnyuzVfs8A";
    const ED25519_PRINT: &str = "SHA256:xhU2rIgfms/cC3kcatJsrwfKWwfmdhzRp+z3VS64CyQ";
    const ECDSA: &str = "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBNA/PbRoJg7xcI9tZI3H42UaNtVofqz8cvRQDQ0pLnVtM7mhH0q9A6Xk0qnpNpsHItGJsdDWM4J0D2Djq3Yrud4=";
    const ECDSA_CERTIFICATE: &str = "AAAAKGVjZHNhLXNoYTItbmlzdHAyNTYtY2VydC12MDFAb3BlbnNzaC5jb20AAAAgUkxJmx0CLSMquY/jVeZlcRvhc5BwhFaQIwnNudYO2HIAAAAIbmlzdHAyNTYAAABBBNA/PbRoJg7xcI9tZI3H42UaNtVofqz8cvRQDQ0pLnVtM7mhH0q9A6Xk0qnpNpsHItGJsdDWM4J0D2Djq3Yrud4AAAAAAAAAAAAAAAEAAAACaWQAAAAIAAAABGphbmUAAAAAAAAAAP//////////AAAAAAAAAIIAAAAVcGVybWl0LVgxMS1mb3J3YXJkaW5nAAAAAAAAABdwZXJtaXQtYWdlbnQtZm9yd2FyZGluZwAAAAAAAAAWcGVybWl0LXBvcnQtZm9yd2FyZGluZwAAAAAAAAAKcGVybWl0LXB0eQAAAAAAAAAOcGVybWl0LXVzZXItcmMAAAAAAAAAAAAAADMAAAALc3NoLWVkMjU1MTkAAAAgZHjlvaAXxK9w3RH0Ss8qFq1peMJgg30Hty4aMdsmgOYAAABTAAAAC3NzaC1lZDI1NTE5AAAAQLCcxBHiiyPouonQWNWiPNkjCjh9i0BhuYiyv3LNvwCfutJR+vdGUcxEx50SjAUsSS/YoAPvVKlRpRspL9kpxgY=";
    const ECDSA_PRINT: &str = "SHA256:BTet+HXhvZEL1GvZr/g1w5WA9ah/h6tX/Pq9WsdjnqY";

    fn keys(text: &str) -> Vec<(String, String)> {
        let keys = Key::all_of(&AuthInfo::clean(text));
        keys.into_iter().map(|key| (key.key_type, key.fingerprint)).collect()
    }

    #[test]
    fn keys_are_called_what_ssh_keygen_calls_them() {
        for (key_type, blob, print) in [
            ("ssh-ed25519", ED25519, ED25519_PRINT),
            ("ssh-ed25519-cert-v01@openssh.com", ED25519_CERTIFICATE, ED25519_PRINT),
            ("ecdsa-sha2-nistp256", ECDSA, ECDSA_PRINT),
            ("ecdsa-sha2-nistp256-cert-v01@openssh.com", ECDSA_CERTIFICATE, ECDSA_PRINT),
        ] {
            let found = keys(&format!("publickey {key_type} {blob}\nkeyboard-interactive/pam\n"));
            assert_eq!(found, [(key_type.to_owned(), print.to_owned())]);
        }
    }

    #[test]
    fn two_keys_are_both_kept_and_one_told_twice_once() {
        let text = format!(
            "publickey ssh-ed25519 {ED25519}\npublickey ecdsa-sha2-nistp256 {ECDSA}\npublickey ssh-ed25519 {ED25519}\n"
        );
        let types: Vec<String> = keys(&text).into_iter().map(|(key_type, _)| key_type).collect();
        assert_eq!(types, ["ecdsa-sha2-nistp256", "ssh-ed25519"]);
    }

    #[test]
    fn a_line_that_does_not_hold_together_is_no_key() {
        for line in [
            "password".to_owned(),
            "publickey".to_owned(),
            "publickey ssh-ed25519".to_owned(),
            "publickey ssh-ed25519 ".to_owned(),
            // Another type than the bytes say: it would pass for a security key.
            format!("publickey sk-ssh-ed25519@openssh.com {ED25519}"),
            format!("publickey SSH-ed25519 {ED25519}"),
            // A host's key, which is no user's.
            format!("hostbased ssh-ed25519 {ED25519}"),
            format!("publickey ssh-ed25519 {ED25519} more"),
            format!("publickey  ssh-ed25519 {ED25519}"),
            format!("publickey ssh-ed25519 {ED25519}="),
            format!("publickey ecdsa-sha2-nistp256 {}", ECDSA.trim_end_matches('=')),
            format!("publickey ssh-ed25519 {}", ED25519.replace('/', "_")),
            // Only the type, and nothing of the key.
            "publickey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5".to_owned(),
            format!("publickey ssh-ed25519-cert-v01@openssh.com {}", ED25519_CERTIFICATE.get(..60).unwrap()),
            // A certificate of a type whose fields are not known.
            "publickey x-cert-v01@openssh.com AAAAGHgtY2VydC12MDFAb3BlbnNzaC5jb20AAAABAQ==".to_owned(),
        ] {
            assert_eq!(keys(&line), [], "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_upset_it(key_type in "[a-z-]{0,12}(-cert-v01@openssh.com)?", blob in any::<Vec<u8>>()) {
            let mut framed = Vec::new();
            append(&mut framed, key_type.as_bytes()).unwrap();
            framed.extend(&blob);
            for bytes in [&blob, &framed] {
                let line = format!("publickey {key_type} {}", Base64::encode_string(bytes));
                prop_assert!(keys(&line).iter().all(|(_, print)| print.len() == ED25519_PRINT.len()));
            }
        }
    }
}
