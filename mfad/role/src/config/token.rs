//! `[token]`: signed tokens, and the domains whose applications sign them for any of their users.
//!
//! A domain's secrets are named here and never written. Refuses two domains that share a secret by name,
//! which would make a token for the one a token for the other but for its host.

use std::path::PathBuf;

use mfa_proto::name::FactorLabel;

use super::{
    kinds::{Checked, credential, host_name, number, path},
    reader::{Found, Reader, Section},
    tree::{Place, Value},
};

/// The most domains: each costs a look at every token of users that no domain has signed for before.
const MAX_DOMAINS: usize = 16;
/// The fewest and the most digits of a nonce, as tokens have them.
const NONCE: std::ops::RangeInclusive<u8> = 16..=128;
/// What Prosody's `mod_auth_token` says a nonce has.
const NONCE_DEFAULT: u8 = 32;

/// Signed tokens of machines.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Token {
    /// The host in the name that users' own tokens are signed for; `None` for what the system calls it.
    pub host: Option<String>,
    /// Where credentials are when the service manager hands over none.
    pub credentials_dir: PathBuf,
    /// Domains whose applications sign, in order of name.
    pub domains: Vec<TokenDomain>,
}

/// A domain whose application signs tokens for any of its users.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct TokenDomain {
    /// The host in the name that is signed, in small letters; also what the factor is called.
    pub name: FactorLabel,
    /// The name of the credential that is the seed of the time-based code, in base32.
    pub seed: String,
    /// The name of the credential that is the key of the signature, taken as it stands.
    pub signing_secret: String,
    /// How many digits its nonces have: exactly as many. A token has nothing between nonce and name, so
    /// with any number of digits one for the user `1alice` would be one for `alice` as well.
    pub nonce_digits: u8,
}

impl Token {
    pub(super) fn read(reader: &mut Reader, root: &mut Section) -> Self {
        let mut section = reader.section(root, "token");
        let s = &mut section;
        let host = reader.optional(s, "host", domain_name).value;
        let credentials_dir = reader.value(s, "credentials_dir", "/etc/mfad/token".into(), path).value;
        let mut domains: Vec<TokenDomain> = Vec::new();
        for (index, (name, place, table)) in reader.tables_beside_keys(s).into_iter().enumerate() {
            if index == MAX_DOMAINS {
                reader.fault(Some(place), format!("this is one domain too many: keep {MAX_DOMAINS}"));
            }
            let Some(domain) = read(reader, &name, place, table) else { continue };
            if let Some(other) = domains.iter().find(|other| shares(other, &domain)) {
                let message = format!(
                    "[token.{name}] has a credential of [token.{}]: give each domain secrets of its own",
                    other.name
                );
                reader.fault(Some(place), message);
            }
            domains.push(domain);
        }
        reader.close(section);
        Self { host, credentials_dir, domains }
    }
}

fn shares(a: &TokenDomain, b: &TokenDomain) -> bool {
    a.seed == b.seed || a.signing_secret == b.signing_secret
}

/// Notes the keys of a domain as known, though there may be none.
pub(super) fn note_keys(reader: &mut Reader, place: Place) {
    let _none = read(reader, "name", place, Section::empty("token.NAME"));
}

fn read(reader: &mut Reader, name: &str, place: Place, mut section: Section) -> Option<TokenDomain> {
    let s = &mut section;
    let seed = reader.optional(s, "seed", credential);
    let signing_secret = reader.optional(s, "signing_secret", credential);
    let nonce_digits = reader.value(s, "nonce_digits", NONCE_DEFAULT, number(NONCE)).value;
    reader.close(section);
    let name = match domain(name) {
        Ok(name) => FactorLabel::new(name).ok(),
        Err(problem) => {
            reader.fault(Some(place), format!("[token.\"…\"] {problem}"));
            None
        }
    };
    let missing = |found: &Found<Option<String>>| found.place.is_none();
    for (key, missing) in [("seed", missing(&seed)), ("signing_secret", missing(&signing_secret))] {
        if missing {
            reader.fault(
                Some(place),
                format!("this domain is not whole: add `{key} = \"…\"`, the name of a credential"),
            );
        }
    }
    let (seed, signing_secret) = (seed.value?, signing_secret.value?);
    if seed == signing_secret {
        reader.fault(Some(place), "`seed` and `signing_secret` are one credential: they are two secrets");
    }
    Some(TokenDomain { name: name?, seed, signing_secret, nonce_digits })
}

/// The name of a host in small letters, as it is signed.
fn domain_name(value: &Value) -> Checked<String> {
    host_name(value).and_then(|name| domain(&name))
}

fn domain(name: &str) -> Checked<String> {
    let name = host_name(&Value::Text(name.to_owned()))?;
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(format!(
            "cannot be \"{name}\": write \"{}\", as it is signed",
            name.to_ascii_lowercase()
        ));
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::super::{Config, ConfigErrors, Source};

    fn read(text: &str) -> Result<Config, ConfigErrors> {
        Config::from_sources(&[Source { path: "m.toml".into(), text: text.to_owned() }])
    }

    #[track_caller]
    fn assert_told(text: &str, start: &str, part: &str) {
        let told: Vec<_> = read(text).unwrap_err().iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 1, "{text:?} gave {told:#?}");
        assert!(told[0].starts_with(start) && told[0].contains(part), "{text:?} gave {told:#?}");
    }

    const WHOLE: &str = "[token.\"example.org\"]\nseed = \"a-seed\"\nsigning_secret = \"a-key\"\n";

    #[test]
    fn a_domain_names_its_credentials() {
        let config = read(&format!("[token]\nhost = \"robots.example.org\"\n{WHOLE}")).unwrap();
        let token = config.token();
        assert_eq!(token.host.as_deref(), Some("robots.example.org"));
        let [domain] = token.domains.as_slice() else { panic!("{token:?}") };
        assert_eq!(domain.name.as_str(), "example.org");
        assert_eq!((domain.seed.as_str(), domain.signing_secret.as_str()), ("a-seed", "a-key"));
        assert_eq!(domain.nonce_digits, 32);
        assert_eq!(read("").unwrap().token().domains, []);
    }

    #[test]
    fn a_domain_is_whole_or_told() {
        let header = "[token.\"example.org\"]\n";
        for (text, start, part) in [
            (format!("{header}seed = \"a\""), "m.toml:1:8: ", "add `signing_secret"),
            (format!("{header}signing_secret = \"a\""), "m.toml:1:8: ", "add `seed"),
            (format!("{header}seed = \"a\"\nsigning_secret = \"a\""), "m.toml:1:8: ", "two secrets"),
            (format!("{WHOLE}nonce_digits = 15"), "m.toml:4:16: ", "from 16 to 128"),
            (format!("{WHOLE}secret = \"x\""), "m.toml:4:1: ", "`secret`"),
            (
                format!("{header}seed = \"/etc/x\"\nsigning_secret = \"a\""),
                "m.toml:2:8: ",
                "no name of a credential",
            ),
            (WHOLE.replace("example.org", "Example.org"), "m.toml:1:8: ", "write \"example.org\""),
            (WHOLE.replace("example.org", "a@b"), "m.toml:1:8: ", "write a name"),
            (WHOLE.replace("example.org", "a..b"), "m.toml:1:8: ", "name of a host"),
            ("[token]\nhost = \"Robots\"".to_owned(), "m.toml:2:8: ", "write \"robots\""),
            ("[token]\nexample = 3".to_owned(), "m.toml:2:1: ", "`example` is not a key of [token]"),
            (
                format!("{WHOLE}{}", WHOLE.replace("example.org", "example.com").replace("a-seed", "b")),
                "m.toml:1:8: ",
                "secrets of its own",
            ),
        ] {
            assert_told(&text, start, part);
        }
    }

    #[test]
    fn domains_are_not_without_number() {
        let one = |n: usize| format!("[token.\"d{n}\"]\nseed = \"s{n}\"\nsigning_secret = \"k{n}\"\n");
        let text: String = (10..27).map(one).collect();
        assert_told(&text, "m.toml:49:8: ", "one domain too many");
    }
}
