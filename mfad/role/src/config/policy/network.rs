//! How a rule names where logins come from: by address, or by network.

use std::{fmt, net::IpAddr, str::FromStr};

use ipnet::IpNet;

/// An address or a network. IPv4 within IPv6 is IPv4, and is written so.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Network(IpNet);

impl Network {
    /// Whether it holds an address.
    pub fn holds(&self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }

    /// Whether each of `inner` lies in what `outer` are together.
    pub(super) fn all_within(inner: &[Self], outer: &[Self]) -> bool {
        let joined = IpNet::aggregate(&outer.iter().map(|network| network.0).collect());
        inner.iter().all(|one| joined.iter().any(|network| network.contains(&one.0)))
    }

    /// Whether some address is in both.
    pub(super) fn meets(&self, other: &Self) -> bool {
        self.0.contains(&other.0) || other.0.contains(&self.0)
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let network = text.parse::<IpAddr>().map(IpNet::from).or_else(|_| text.parse::<IpNet>());
        let network = network.map_err(|_| "write an address or a network, as \"10.20.0.0/16\"".to_owned())?;
        let whole = network.trunc();
        if whole != network {
            let bits = network.prefix_len();
            return Err(format!("an address in a network of {bits} bits: write \"{whole}\" for that"));
        }
        if let IpNet::V6(six) = whole
            && six.prefix_len() >= 96
            && let Some(four) = six.addr().to_ipv4_mapped()
        {
            let bits = six.prefix_len().saturating_sub(96);
            return Err(format!("IPv4 within IPv6: write \"{four}/{bits}\""));
        }
        Ok(Self(whole))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() { self.0.addr().fmt(f) } else { self.0.fmt(f) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(text: &str) -> Vec<Network> {
        text.split_whitespace().map(|one| one.parse().unwrap()).collect()
    }

    #[test]
    fn a_network_is_written_with_its_first_address() {
        for (text, told) in [
            ("10.20.1.0/16", "write \"10.20.0.0/16\""),
            ("2001:db8::1/32", "write \"2001:db8::/32\""),
            ("::ffff:10.0.0.0/104", "write \"10.0.0.0/8\""),
            ("::ffff:192.0.2.7", "write \"192.0.2.7/32\""),
            ("10.0.0.0/33", "write an address"),
            ("10.0.0.0/255.0.0.0", "write an address"),
            ("10.1/16", "write an address"),
            ("localhost", "write an address"),
            ("fe80::1%eth0", "write an address"),
            ("[::1]", "write an address"),
            ("", "write an address"),
        ] {
            let error = text.parse::<Network>().unwrap_err();
            assert!(error.contains(told), "{text}: {error}");
        }
        for text in ["192.0.2.7", "10.20.0.0/16", "0.0.0.0/0", "::/0", "2001:db8::/32"] {
            assert_eq!(text.parse::<Network>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn two_halves_cover_the_whole() {
        let whole = networks("10.0.0.0/24");
        assert!(Network::all_within(&whole, &networks("10.0.0.0/25 10.0.0.128/25")));
        assert!(!Network::all_within(&whole, &networks("10.0.0.0/25 10.0.0.128/26")));
        assert!(!Network::all_within(&networks("::/0"), &networks("0.0.0.0/0")));
        assert!(whole[0].meets(&networks("10.0.0.7")[0]) && !whole[0].meets(&networks("10.0.1.0/24")[0]));
        assert!(whole[0].holds("10.0.0.255".parse().unwrap()));
        assert!(!whole[0].holds("::ffff:10.0.0.255".parse().unwrap()), "callers make it IPv4 first");
    }
}
