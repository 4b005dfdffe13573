//! Who a client is: by its certificate, its bearer token, Basic or Digest authentication, or where it asks from.
//!
//! Refuses to say which part of a proof was wrong, and whether there is such a client; what was given and is
//! wrong is never made up for by the network.

mod certificate;
mod digest;
mod rate;
mod secret;

use std::{net::IpAddr, sync::Arc, time::SystemTime};

use base64ct::{Base64, Encoding as _};
use hyper::header::{AUTHORIZATION, HeaderMap};
use mfa_role::{
    config::{Config, WebClient},
    credentials::Credentials,
};
use zeroize::Zeroizing;

pub use self::certificate::Certificate;
use self::{
    digest::{Digests, Given, Judged},
    rate::Rate,
    secret::Hash,
};
use crate::SetupFault;

/// The longest header Authorization that is looked at.
const MAX_AUTHORIZATION: usize = 2048;

/// All clients, and what proves them.
#[derive(Debug)]
pub struct Clients {
    known: Vec<Known>,
    digests: Digests,
}

#[derive(Debug)]
struct Known {
    client: Arc<WebClient>,
    token: Option<Hash>,
    password: Option<Hash>,
    digest: Option<String>,
    rate: Rate,
}

/// What a request shows of who asks.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    /// Its method.
    pub method: &'a str,
    /// Its target, as it was asked for.
    pub target: &'a str,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// The certificate that was shown and found good.
    pub certificate: Option<&'a Certificate>,
    /// Where it comes from.
    pub address: Option<IpAddr>,
}

/// Why nobody is served.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unknown {
    /// Nothing proves who it is.
    Nobody,
    /// It asks more often than it may.
    TooOften,
}

impl Clients {
    /// Reads what proves them; or all that is wrong with it.
    pub fn load(config: &Config, places: &Credentials) -> Result<Self, Vec<SetupFault>> {
        let web = config.web();
        let mut faults = Vec::new();
        let known =
            web.clients.iter().filter_map(|client| Known::load(client, places, &mut faults)).collect();
        match Digests::new(&web.digest_realm) {
            Ok(digests) if faults.is_empty() => Ok(Self { known, digests }),
            Ok(_) => Err(faults),
            Err(error) => {
                faults.push(SetupFault { section: "[web]".to_owned(), fault: error.to_string() });
                Err(faults)
            }
        }
    }

    /// Whose request it is.
    pub fn identify(&self, shown: &Shown<'_>) -> Result<Arc<WebClient>, Unknown> {
        let known = self.proven(shown).ok_or(Unknown::Nobody)?;
        if known.rate.admits() { Ok(Arc::clone(&known.client)) } else { Err(Unknown::TooOften) }
    }

    /// The login page, for requests of people who have yet to prove anything.
    pub fn login_page(&self, address: Option<IpAddr>) -> Result<Arc<WebClient>, Unknown> {
        let page = |known: &&Known| known.client.proof.login_page && may_come(known, address);
        let known = self.known.iter().find(page).ok_or(Unknown::Nobody)?;
        if known.rate.admits() { Ok(Arc::clone(&known.client)) } else { Err(Unknown::TooOften) }
    }

    /// What a client without a proof is asked for, as values of WWW-Authenticate.
    pub fn challenges(&self, shown: &Shown<'_>) -> Vec<String> {
        let mut all = Vec::new();
        if self.known.iter().any(|known| known.digest.is_some()) {
            all.push(self.digests.challenge(self.is_stale(shown), now()));
        }
        if self.known.iter().any(|known| known.password.is_some()) {
            all.push(format!("Basic realm=\"{}\", charset=\"UTF-8\"", self.digests.realm()));
        }
        if all.is_empty() || self.known.iter().any(|known| known.token.is_some()) {
            all.push(format!("Bearer realm=\"{}\"", self.digests.realm()));
        }
        all
    }

    fn proven(&self, shown: &Shown<'_>) -> Option<&Known> {
        let may_come = |known: &&Known| may_come(known, shown.address);
        // A header that is wrong must not be helped by where it comes from.
        if let Some(given) = shown.headers.get(AUTHORIZATION) {
            let given = given.to_str().ok().filter(|given| given.len() <= MAX_AUTHORIZATION)?;
            if let Some(given) = as_digest(given) {
                let known = self.by_digest(&given, shown, Judged::Yes).filter(may_come)?;
                return self.digests.take(&given, now()).then_some(known);
            }
            return self.by_authorization(given).filter(may_come);
        }
        // Nor one that is nobody's certificate.
        if let Some(certificate) = shown.certificate {
            return self.by_certificate(certificate).filter(may_come);
        }
        self.known.iter().find(|known| known.client.proof.by_network && may_come(known))
    }

    /// Whose certificate it is: by what it is before what it is called. One that is called like two clients is neither's.
    fn by_certificate(&self, shown: &Certificate) -> Option<&Known> {
        let by_print = self.known.iter().find(|known| shown.is_one_of(&known.client.proof.certificates));
        by_print.or_else(|| {
            let mut by_name = self.known.iter().filter(|known| shown.is_for(&known.client.proof.names));
            by_name.next().filter(|_| by_name.next().is_none())
        })
    }

    /// Whether a new nonce is all that the client needs.
    fn is_stale(&self, shown: &Shown<'_>) -> bool {
        let given = shown.headers.get(AUTHORIZATION).and_then(|given| given.to_str().ok());
        let given = given.filter(|given| given.len() <= MAX_AUTHORIZATION).and_then(as_digest);
        let known = given.and_then(|given| self.by_digest(&given, shown, Judged::Stale));
        known.is_some_and(|known| may_come(known, shown.address))
    }

    /// The client of which this is judged so.
    fn by_digest(&self, given: &Given, shown: &Shown<'_>, judged: Judged) -> Option<&Known> {
        let user = |known: &Known| known.client.proof.user.as_deref() == Some(given.user());
        self.find(|known| {
            let secret = known.digest.as_deref().filter(|_| user(known));
            secret.is_some_and(|ha1| self.digests.judge(given, ha1, shown, now()) == judged)
        })
    }

    fn by_authorization(&self, given: &str) -> Option<&Known> {
        let (scheme, rest) = given.split_once(' ')?;
        let rest = rest.trim();
        if scheme.eq_ignore_ascii_case("bearer") {
            let hash = Hash::of(rest.as_bytes());
            return self.find(|known| known.token.as_ref().is_some_and(|token| token.is(&hash)));
        }
        if scheme.eq_ignore_ascii_case("basic") {
            let decoded = Zeroizing::new(Base64::decode_vec(rest).ok()?);
            let (user, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
            let hash = Hash::of(password.as_bytes());
            return self.find(|known| {
                let right = known.password.as_ref().is_some_and(|password| password.is(&hash));
                right && known.client.proof.user.as_deref() == Some(user)
            });
        }
        None
    }

    /// Looks at all, so that the time tells nothing of which one it is.
    fn find(&self, proves: impl Fn(&Known) -> bool) -> Option<&Known> {
        self.known.iter().fold(None, |found, known| if proves(known) { Some(known) } else { found })
    }
}

impl Known {
    fn load(client: &WebClient, places: &Credentials, faults: &mut Vec<SetupFault>) -> Option<Self> {
        let section = format!("[[web.client]] \"{}\"", client.name);
        let before = faults.len();
        let mut read = |name: &Option<String>| {
            let name = name.as_deref()?;
            let text = places.read_up_to(name, 256);
            text.map_err(|error| {
                faults.push(SetupFault { section: section.clone(), fault: error.to_string() });
            })
            .ok()
        };
        let (token, password, digest) =
            (read(&client.proof.token), read(&client.proof.password), read(&client.proof.digest));
        let mut hash = |text: Option<Zeroizing<String>>, key: &str| {
            let parsed = Hash::parse(&text?);
            if parsed.is_none() {
                let fault = format!("the credential of `{key}` is no SHA-256: {}", secret::HOW);
                faults.push(SetupFault { section: section.clone(), fault });
            }
            parsed
        };
        let (token, password) = (hash(token, "token"), hash(password, "password"));
        let is_md5 = |text: &str| text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
        if digest.as_ref().is_some_and(|digest| !is_md5(digest)) {
            let fault =
                "the credential of `digest` is no MD5: write that of user:realm:password, as `htdigest` does";
            faults.push(SetupFault { section, fault: fault.to_owned() });
        }
        let digest = digest.map(|digest| digest.to_ascii_lowercase());
        let client = Arc::new(client.clone());
        let rate = Rate::new(client.rate);
        (faults.len() == before).then_some(Self { client, token, password, digest, rate })
    }
}

/// What the header says, where it is Digest authentication.
fn as_digest(given: &str) -> Option<Given> {
    let (scheme, rest) = given.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("digest") { Given::parse(rest.trim()) } else { None }
}

/// Whether it may ask from there.
fn may_come(known: &Known, address: Option<IpAddr>) -> bool {
    let networks = &known.client.networks;
    let held = |address| networks.iter().any(|network| network.holds(address));
    networks.is_empty() || address.is_some_and(held)
}

/// Seconds since 1970, for nonces.
#[expect(clippy::disallowed_methods, reason = "nonces of this process, which core's clock has no part in")]
fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
