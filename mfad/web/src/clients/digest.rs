//! Digest authentication (RFC 7616) with MD5, for clients of LinOTP 2.x that know nothing else.
//!
//! What is proven by it is worth what the transport is worth: listeners without TLS are on this host alone.
//! Refuses nonces that this process has not made, or not lately, requests that came before, and those without
//! `qop=auth`.

mod nonces;

use std::{collections::BTreeMap, fmt};

use md5::{Digest as _, Md5};
use subtle::ConstantTimeEq as _;

use self::nonces::{Nonce, Nonces};
use super::Shown;

/// Makes nonces and judges what is made of them.
pub(super) struct Digests {
    realm: String,
    nonces: Nonces,
}

/// What a client's word is worth.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[must_use]
pub(super) enum Judged {
    /// It does not know the secret, or speaks of another request.
    No,
    /// It knows the secret, but its nonce counts no more, or this request has come before.
    Stale,
    /// It knows the secret, and says so for the first time. [`Digests::take`] has it count.
    Yes,
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
    /// For one realm, with nonces of this process.
    pub(super) fn new(realm: &str) -> Result<Self, getrandom::Error> {
        Ok(Self { realm: realm.to_owned(), nonces: Nonces::new()? })
    }

    pub(super) fn realm(&self) -> &str {
        &self.realm
    }

    /// What asks for it; `stale` says that a new nonce is all that was wrong.
    pub(super) fn challenge(&self, stale: bool, now: u64) -> String {
        let (realm, nonce) = (&self.realm, self.nonces.give(now));
        let stale = if stale { ", stale=true" } else { "" };
        format!("Digest realm=\"{realm}\", qop=\"auth\", algorithm=MD5, nonce=\"{nonce}\"{stale}")
    }

    /// Whether the client knows the secret, `ha1` in hexadecimal digits.
    pub(super) fn judge(&self, given: &Given, ha1: &str, shown: &Shown<'_>, now: u64) -> Judged {
        let (nonce, uri) = (given.get("nonce"), given.get("uri"));
        let algorithm = given.get("algorithm");
        let fits = given.get("realm") == self.realm
            && given.get("qop") == "auth"
            && (algorithm.is_empty() || algorithm.eq_ignore_ascii_case("md5"))
            && uri == shown.target;
        let ha2 = md5(&format!("{}:{uri}", shown.method));
        let right = md5(&format!("{ha1}:{nonce}:{}:{}:auth:{ha2}", given.get("nc"), given.get("cnonce")));
        let right = right.as_bytes().ct_eq(given.get("response").to_ascii_lowercase().as_bytes());
        if !(fits & bool::from(right)) {
            return Judged::No;
        }
        let counts = self.request(given).is_some_and(|(nonce, nc)| self.nonces.takes(nonce, nc, now));
        if counts { Judged::Yes } else { Judged::Stale }
    }

    /// Has a request count that was judged right; false when it came twice meanwhile.
    pub(super) fn take(&self, given: &Given, now: u64) -> bool {
        self.request(given).is_some_and(|(nonce, nc)| self.nonces.take(nonce, nc, now))
    }

    /// Which request over which nonce of ours it is.
    fn request(&self, given: &Given) -> Option<(Nonce, u32)> {
        let nc = given.get("nc");
        let digits = nc.len() == 8 && nc.bytes().all(|byte| byte.is_ascii_hexdigit());
        let nc = u32::from_str_radix(nc, 16).ok().filter(|_| digits)?;
        Some((self.nonces.read(given.get("nonce"))?, nc))
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
        let (nonce, foreign) = (digests.nonces.give(1000), Digests::new("mfad").unwrap().nonces.give(1000));
        let right = Given::parse(&answer(&digests, &ha1, &nonce, shown.target)).unwrap();
        assert_eq!(right.user(), "Mufasa");
        for (now, judged) in
            [(999, Judged::Stale), (1000, Judged::Yes), (1300, Judged::Yes), (1301, Judged::Stale)]
        {
            assert_eq!(digests.judge(&right, &ha1, &shown, now), judged, "{now}");
        }
        let wrong_secret = md5("Mufasa:mfad:Circle of Life");
        assert_eq!(digests.judge(&right, &wrong_secret, &shown, 1000), Judged::No);
        for (nonce, uri, judged) in [
            (foreign.as_str(), shown.target, Judged::Stale),
            (nonce.as_str(), "/admin/remove", Judged::No),
            ("", "/", Judged::No),
        ] {
            let given = Given::parse(&answer(&digests, &ha1, nonce, uri)).unwrap();
            assert_eq!(digests.judge(&given, &ha1, &shown, 1000), judged, "{nonce} {uri}");
        }
    }

    #[test]
    fn a_request_proves_once() {
        let digests = Digests::new("mfad").unwrap();
        let ha1 = md5("Mufasa:mfad:Circle Of Life");
        let headers = HeaderMap::new();
        let shown = shown("/admin/show", &headers);
        let given = Given::parse(&answer(&digests, &ha1, &digests.nonces.give(1000), shown.target)).unwrap();
        assert_eq!(digests.judge(&given, &ha1, &shown, 1000), Judged::Yes);
        assert_eq!(digests.judge(&given, &ha1, &shown, 1000), Judged::Yes, "a look takes nothing");
        assert!(digests.take(&given, 1000));
        assert_eq!(digests.judge(&given, &ha1, &shown, 1000), Judged::Stale);
        assert!(!digests.take(&given, 1000));
    }

    #[test]
    fn a_request_is_counted_by_eight_digits() {
        let digests = Digests::new("mfad").unwrap();
        let nonce = digests.nonces.give(1000);
        for (nc, is_one) in [
            ("00000001", true),
            ("0000000A", true),
            ("ffffffff", true),
            ("00000000", false),
            ("1", false),
            ("000000001", false),
            ("+0000001", false),
            ("0000000g", false),
            ("", false),
        ] {
            let given = Given::parse(&format!("nonce=\"{nonce}\", nc={nc}")).unwrap();
            assert_eq!(digests.take(&given, 1000), is_one, "{nc}");
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
