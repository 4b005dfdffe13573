//! Where a request comes from: the peer's address, or what a trusted proxy says of it; and whether a page asks.
//!
//! Refuses the word of everyone else: of `X-Forwarded-For` the rightmost address counts that is no trusted
//! proxy's, because only what stands right of it was written by proxies that are.

use std::net::{IpAddr, Ipv4Addr};

use hyper::header::{HOST, HeaderMap, ORIGIN};
use mfa_role::config::Network;

/// Where peers of a Unix socket are: on this host.
pub const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// The address that a request comes from; `None` when a trusted proxy says what is no address.
pub fn address(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> Option<IpAddr> {
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.holds(address));
    let mut nearest = peer.to_canonical();
    if !is_trusted(nearest) {
        return Some(nearest);
    }
    let said = headers.get_all("x-forwarded-for").iter().rev();
    let hops = said.flat_map(|value| value.to_str().unwrap_or("?").rsplit(','));
    for hop in hops {
        nearest = hop.trim().parse::<IpAddr>().ok()?.to_canonical();
        if !is_trusted(nearest) {
            return Some(nearest);
        }
    }
    Some(nearest)
}

/// Whether a page of another origin asks. A request without either header is of no page.
pub fn is_foreign(headers: &HeaderMap) -> bool {
    if let Some(origin) = headers.get(ORIGIN) {
        let authority = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        return !matches!((authority, host), (Some((_, own)), Some(host)) if own.eq_ignore_ascii_case(host));
    }
    is_of_another_site(headers)
}

/// Whether a browser says that a page of another origin asks: its own word, which no proxy changes.
pub fn is_of_another_site(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| !matches!(site.as_bytes(), b"same-origin" | b"none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, said: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in said {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        let trusted = ["10.0.0.0/8".parse().unwrap(), "127.0.0.1".parse().unwrap()];
        address(peer.parse().unwrap(), &headers, &trusted).map(|address| address.to_string())
    }

    #[test]
    fn the_rightmost_address_that_is_no_proxys_wins() {
        for (peer, said, expected) in [
            ("192.0.2.1", &[][..], "192.0.2.1"),
            ("::ffff:192.0.2.1", &[], "192.0.2.1"),
            ("192.0.2.1", &["203.0.113.9"], "192.0.2.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["198.51.100.1, 203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["198.51.100.1, 203.0.113.9, 10.0.0.2"], "203.0.113.9"),
            ("10.0.0.1", &["198.51.100.1", "203.0.113.9,10.0.0.2"], "203.0.113.9"),
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            ("127.0.0.1", &["2001:db8::1"], "2001:db8::1"),
        ] {
            assert_eq!(seen(peer, said).as_deref(), Some(expected), "{peer} {said:?}");
        }
    }

    #[test]
    fn what_a_proxy_says_that_is_no_address_is_nowhere() {
        for said in ["unknown", "", "203.0.113.9, x", "203.0.113.9:80", "[2001:db8::1]", "203.0.113.9,"] {
            assert_eq!(seen("10.0.0.1", &[said]), None, "{said}");
        }
        assert_eq!(seen("10.0.0.1", &["x, 203.0.113.9"]).as_deref(), Some("203.0.113.9"), "never read");
    }
}
