//! Digest authentication (RFC 7616) with MD5, for clients of LinOTP 2.x that know nothing else.
//!
//! What is proven by it is worth what the transport is worth: listeners without TLS are on this host alone.
//! Refuses nonces that this process has not made, or not lately, and requests without `qop=auth`.

use std::{collections::BTreeMap, fmt};

use md5::{Digest as _, Md5};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

use super::Shown;

/// How long a nonce counts, in seconds.
const LIFETIME: u64 = 300;

/// Makes nonces and judges what is made of them.
pub(super) struct Digests {
    realm: String,
    key: [u8; 32],
}

impl fmt::Debug for Digests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Digests").field("realm", &self.realm).finish_non_exhaustive()
    }
}

/// What a client gave.
#[derive(Debug)]
pub(super) struct Given(BTreeMap<String, String>);

impl Given {
    /// The parameters after `Digest`; `None` when they are none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut all = BTreeMap::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (name, after) = rest.split_once('=')?;
            let name = name.trim().to_ascii_lowercase();
            let (value, after) = match after.trim_start().strip_prefix('"') {
                Some(quoted) => quoted.split_once('"')?,
                None => after.split_once(',').map_or((after, ""), |(value, more)| (value, more)),
            };
            if all.insert(name, value.trim().to_owned()).is_some() {
                return None;
            }
            rest = after.trim_start_matches([',', ' ', '\t']);
        }
        Some(Self(all))
    }

    /// The name that it gave.
    pub(super) fn user(&self) -> &str {
        self.get("username")
    }

    fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }
}

impl Digests {
    /// For one realm, with a key of this process.
    pub(super) fn new(realm: &str) -> Result<Self, getrandom::Error> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Self { realm: realm.to_owned(), key })
    }

    pub(super) fn realm(&self) -> &str {
        &self.realm
    }

    /// What asks for it.
    pub(super) fn challenge(&self, now: u64) -> String {
        let nonce = self.nonce(now);
        format!("Digest realm=\"{}\", qop=\"auth\", algorithm=MD5, nonce=\"{nonce}\"", self.realm)
    }

    /// Whether the client knows the secret, `ha1` in hexadecimal digits.
    pub(super) fn proves(&self, given: &Given, ha1: &str, shown: &Shown<'_>, now: u64) -> bool {
        let (nonce, uri) = (given.get("nonce"), given.get("uri"));
        let algorithm = given.get("algorithm");
        let fits = given.get("realm") == self.realm
            && given.get("qop") == "auth"
            && (algorithm.is_empty() || algorithm.eq_ignore_ascii_case("md5"))
            && uri == shown.target
            && self.is_fresh(nonce, now);
        let ha2 = md5(&format!("{}:{uri}", shown.method));
        let right = md5(&format!("{ha1}:{nonce}:{}:{}:auth:{ha2}", given.get("nc"), given.get("cnonce")));
        fits & bool::from(right.as_bytes().ct_eq(given.get("response").to_ascii_lowercase().as_bytes()))
    }

    fn nonce(&self, time: u64) -> String {
        let mut hash = Sha256::new();
        hash.update(self.key);
        hash.update(time.to_be_bytes());
        format!("{time:x}-{}", hex(&hash.finalize()))
    }

    fn is_fresh(&self, nonce: &str, now: u64) -> bool {
        let time = nonce.split_once('-').and_then(|(time, _)| u64::from_str_radix(time, 16).ok());
        let Some(time) = time.filter(|time| (now.saturating_sub(LIFETIME)..=now).contains(time)) else {
            return false;
        };
        self.nonce(time).as_bytes().ct_eq(nonce.as_bytes()).into()
    }
}

fn md5(text: &str) -> String {
    hex(&Md5::digest(text.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderMap;

    use super::*;

    fn shown<'a>(target: &'a str, headers: &'a HeaderMap) -> Shown<'a> {
        Shown { method: "GET", target, headers, certificate: None, address: None }
    }

    fn answer(digests: &Digests, ha1: &str, nonce: &str, uri: &str) -> String {
        let ha2 = md5(&format!("GET:{uri}"));
        let response = md5(&format!("{ha1}:{nonce}:00000001:0a4f113b:auth:{ha2}"));
        format!(
            "username=\"Mufasa\", realm=\"{}\", nonce=\"{nonce}\", uri=\"{uri}\", qop=auth, nc=00000001, \
             cnonce=\"0a4f113b\", response=\"{response}\"",
            digests.realm
        )
    }

    /// RFC 2617 section 3.5.
    #[test]
    fn the_hashes_are_those_of_the_standard() {
        let ha1 = md5("Mufasa:testrealm@host.com:Circle Of Life");
        assert_eq!(ha1, "939e7578ed9e3c518a452acee763bce9");
        let ha2 = md5("GET:/dir/index.html");
        let nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093";
        assert_eq!(
            md5(&format!("{ha1}:{nonce}:00000001:0a4f113b:auth:{ha2}")),
            "6629fae49393a05397450978507c4ef1"
        );
    }

    #[test]
    fn a_nonce_is_ours_and_of_the_last_minutes() {
        let digests = Digests::new("mfad").unwrap();
        let ha1 = md5("Mufasa:mfad:Circle Of Life");
        let headers = HeaderMap::new();
        let shown = shown("/admin/show?user=jane", &headers);
        let (nonce, foreign) = (digests.nonce(1000), Digests::new("mfad").unwrap().nonce(1000));
        let right = Given::parse(&answer(&digests, &ha1, &nonce, shown.target)).unwrap();
        assert_eq!(right.user(), "Mufasa");
        for (now, good) in [(999, false), (1000, true), (1300, true), (1301, false)] {
            assert_eq!(digests.proves(&right, &ha1, &shown, now), good, "{now}");
        }
        let wrong_secret = md5("Mufasa:mfad:Circle of Life");
        assert!(!digests.proves(&right, &wrong_secret, &shown, 1000));
        for (nonce, uri) in [(foreign.as_str(), shown.target), (nonce.as_str(), "/admin/remove"), ("", "/")] {
            let given = Given::parse(&answer(&digests, &ha1, nonce, uri)).unwrap();
            assert!(!digests.proves(&given, &ha1, &shown, 1000), "{nonce} {uri}");
        }
    }

    #[test]
    fn what_is_no_list_of_parameters_is_nothing() {
        for text in ["x", "a=\"b", "a=1, a=2", "=", "a=1,,b"] {
            assert!(Given::parse(text).is_none_or(|given| given.user().is_empty()), "{text}");
        }
        assert_eq!(Given::parse("a=\"x,y=z\", username=q").unwrap().user(), "q");
    }
}
