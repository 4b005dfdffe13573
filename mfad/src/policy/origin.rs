//! Where a login comes from and with which keys, as far as anyone whose word counts has said.
//!
//! Refuses to guess: what does not parse is unknown, and what another peer than root claims was not said.

use std::net::IpAddr;

use mfa_proto::{login::Start, name::Claim};

use super::Key;

/// Where a login comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Source {
    /// From this host: no remote host was named.
    Local,
    /// From this address. IPv4 within IPv6 stands as IPv4.
    Address(IpAddr),
    /// From elsewhere, by a name or by what is no address: in no network.
    Unknown,
}

/// What is known of a login beside who logs in through what.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Origin {
    /// Where it comes from.
    pub source: Source,
    /// The keys that sshd has accepted, sorted; empty when none is known.
    pub keys: Vec<Key>,
}

impl Origin {
    /// What `start` says, where the peer is root. Of others, all is a claim that does not count: they are
    /// processes of this host.
    pub fn of(start: &Start, by_root: bool) -> Self {
        if !by_root {
            return Self { source: Source::Local, keys: Vec::new() };
        }
        let source = start.remote_host.as_ref().map_or(Source::Local, |host| Source::named(host.as_str()));
        Self { source, keys: start.ssh_auth_info.as_ref().map(Key::all_of).unwrap_or_default() }
    }

    /// What the client of a front end has said: whoever it says nothing of is elsewhere.
    pub fn of_client(source: Option<&Claim>) -> Self {
        let source = source.map_or(Source::Unknown, |source| Source::named(source.as_str()));
        Self { source, keys: Vec::new() }
    }

    /// The fingerprints of all keys as one text, for binding something to them; `None` without a key.
    pub fn key_binding(&self) -> Option<String> {
        let prints: Vec<&str> = self.keys.iter().map(|key| key.fingerprint.as_str()).collect();
        (!prints.is_empty()).then(|| prints.join(" "))
    }
}

impl Source {
    /// What a remote host that was named stands for. Brackets, zones and ports are no part of an address.
    pub fn named(host: &str) -> Self {
        host.parse::<IpAddr>().map_or(Self::Unknown, |address| Self::Address(address.to_canonical()))
    }

    /// The address, when it is known.
    pub const fn address(self) -> Option<IpAddr> {
        match self {
            Self::Address(address) => Some(address),
            Self::Local | Self::Unknown => None,
        }
    }

    /// Whether a remote host was named, whatever it is.
    pub const fn is_remote(self) -> bool {
        !matches!(self, Self::Local)
    }
}

#[cfg(test)]
mod tests {
    use mfa_proto::{
        auth_info::AuthInfo,
        login::Dialogue,
        name::{ServiceName, UserName},
    };

    use super::*;

    fn start(host: Option<&str>) -> Start {
        Start {
            user: UserName::new("jane").unwrap(),
            service: ServiceName::new("sshd").unwrap(),
            dialogue: Dialogue::Interactive,
            remote_host: host.map(Claim::clean),
            remote_user: None,
            terminal: None,
            ssh_auth_info: Some(AuthInfo::clean(
                "publickey ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJy/lPzaUUbn8FFy8h4QWv14RyOoExPAah6ju9tfTNZP",
            )),
        }
    }

    #[test]
    fn only_what_parses_as_an_address_is_one() {
        let source = |host| Origin::of(&start(Some(host)), true).source;
        for (host, address) in [
            ("192.0.2.7", "192.0.2.7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
            ("2001:db8::1", "2001:db8::1"),
            ("::1", "::1"),
        ] {
            assert_eq!(source(host), Source::Address(address.parse().unwrap()), "{host}");
        }
        for host in [
            "",
            "localhost",
            "host.example.org",
            "fe80::1%eth0",
            "[::1]",
            "192.0.2.7:22",
            " 192.0.2.7",
            "192.0.2.07",
            "192.0.2",
            "3221225991",
            "192.0.2.7\n",
            "UNKNOWN",
        ] {
            assert_eq!(source(host), Source::Unknown, "{host:?}");
            assert!(source(host).is_remote());
        }
        assert_eq!(Origin::of(&start(None), true).source, Source::Local);
    }

    #[test]
    fn what_others_than_root_claim_does_not_count() {
        let nothing = Origin { source: Source::Local, keys: Vec::new() };
        assert_eq!(Origin::of(&start(Some("192.0.2.7")), false), nothing);
        assert_eq!(nothing.key_binding(), None);
        let root = Origin::of(&start(Some("192.0.2.7")), true);
        let print = "SHA256:xhU2rIgfms/cC3kcatJsrwfKWwfmdhzRp+z3VS64CyQ";
        assert_eq!(root.key_binding().as_deref(), Some(print));
    }
}
