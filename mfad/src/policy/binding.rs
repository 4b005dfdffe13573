//! What a success is remembered for: a class of services, a network, the keys, a rule.
//!
//! Refuses a login whose origin is unknown: nothing is remembered of it, and it recalls nothing.

use std::net::IpAddr;

use mfa_proto::name::ServiceName;

use super::{Need, Origin, Source};

/// How much of an address counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Networks {
    /// Leading bits of an IPv4 address.
    pub ipv4: u8,
    /// Leading bits of an IPv6 address.
    pub ipv6: u8,
}

impl Default for Networks {
    fn default() -> Self {
        Self { ipv4: 32, ipv6: 64 }
    }
}

/// What a success is remembered for. Logins that differ in any of it are asked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Binding {
    /// The class of services: `sudo` for `sudo` and `sudo-i`.
    pub class: String,
    /// The network, as in `192.0.2.7/32`, or `local`.
    pub source: String,
    /// The fingerprints of the keys that sshd accepted; empty without any.
    pub key: String,
    /// The rule that has it remembered.
    pub rule: String,
    /// What the rule asked for: which kinds of factor, and how many. One that asks for something else since
    /// it was edited is another rule.
    pub need: i64,
}

impl Binding {
    /// What a login is bound to; `None` where its rule has nothing remembered or its source is unknown.
    pub fn of(need: &Need, service: &ServiceName, origin: &Origin, networks: Networks) -> Option<Self> {
        need.remember?;
        Some(Self {
            class: class_of(service).to_owned(),
            source: network(origin.source, networks)?,
            key: origin.key_binding().unwrap_or_default(),
            rule: need.rule.clone()?,
            need: i64::from(need.count) << 16 | i64::from(need.kinds.bits()),
        })
    }
}

/// Services that lead to the same place share a class; every other one is a class by itself.
fn class_of(service: &ServiceName) -> &str {
    match service.as_str() {
        "sudo" | "sudo-i" => "sudo",
        "su" | "su-l" => "su",
        "login" | "remote" => "login",
        other => other,
    }
}

fn network(source: Source, networks: Networks) -> Option<String> {
    Some(match source {
        Source::Unknown => return None,
        Source::Local => "local".to_owned(),
        Source::Address(IpAddr::V4(address)) => {
            let bits = networks.ipv4.min(32);
            let mask = u32::MAX.checked_shl(u32::from(32_u8.saturating_sub(bits))).unwrap_or(0);
            format!("{}/{bits}", std::net::Ipv4Addr::from_bits(address.to_bits() & mask))
        }
        Source::Address(IpAddr::V6(address)) => {
            let bits = networks.ipv6.min(128);
            let mask = u128::MAX.checked_shl(u32::from(128_u8.saturating_sub(bits))).unwrap_or(0);
            format!("{}/{bits}", std::net::Ipv6Addr::from_bits(address.to_bits() & mask))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Remember;

    fn need() -> Need {
        Need { rule: Some("office".to_owned()), remember: Some(Remember { seconds: 60 }), ..Need::default() }
    }

    fn bound(service: &str, source: Source, networks: Networks) -> Option<Binding> {
        let origin = Origin { source, keys: Vec::new() };
        Binding::of(&need(), &ServiceName::new(service).unwrap(), &origin, networks)
    }

    #[test]
    fn addresses_count_by_their_network() {
        let source = |address: &str, ipv4, ipv6| {
            let source = Source::Address(address.parse().unwrap());
            bound("sshd", source, Networks { ipv4, ipv6 }).unwrap().source
        };
        for (address, ipv4, ipv6, network) in [
            ("192.0.2.77", 32, 64, "192.0.2.77/32"),
            ("192.0.2.77", 24, 64, "192.0.2.0/24"),
            ("192.0.2.77", 0, 64, "0.0.0.0/0"),
            ("2001:db8:1:2:3:4:5:6", 32, 64, "2001:db8:1:2::/64"),
            ("2001:db8:1:2:3:4:5:6", 32, 128, "2001:db8:1:2:3:4:5:6/128"),
            ("2001:db8:1:2:3:4:5:6", 32, 0, "::/0"),
        ] {
            assert_eq!(source(address, ipv4, ipv6), network);
        }
    }

    #[test]
    fn nothing_is_bound_to_an_unknown_source_nor_without_a_rule_that_remembers() {
        assert_eq!(bound("sshd", Source::Unknown, Networks::default()), None);
        assert_eq!(bound("sshd", Source::Local, Networks::default()).unwrap().source, "local");
        let origin = Origin { source: Source::Local, keys: Vec::new() };
        let sshd = ServiceName::new("sshd").unwrap();
        for need in [Need { remember: None, ..need() }, Need { rule: None, ..need() }] {
            assert_eq!(Binding::of(&need, &sshd, &origin, Networks::default()), None);
        }
    }

    #[test]
    fn services_that_lead_to_the_same_share_a_class() {
        let class = |service| bound(service, Source::Local, Networks::default()).unwrap().class;
        assert_eq!((class("sudo"), class("sudo-i")), ("sudo".into(), "sudo".into()));
        assert_eq!((class("su"), class("su-l")), ("su".into(), "su".into()));
        assert_eq!((class("login"), class("remote")), ("login".into(), "login".into()));
        assert_eq!((class("sshd"), class("su-x")), ("sshd".into(), "su-x".into()));
    }
}
