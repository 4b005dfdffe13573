//! Where the secrets of domains that sign tokens come from: credentials that the configuration names.
//!
//! Refuses to go halfway: with one of them missing or faulty there are none, and a running daemon keeps
//! those it has.

use mfa_proto::secret::SecretText;
use mfa_role::credentials::{CredentialError, Credentials};

use crate::{
    config::{Config, TokenDomain as Named},
    factor::{
        Seed, SeedError, TokenDomain, TokenSettings,
        token::{NotASigningSecret, check_signing},
    },
};

/// Why there are no secrets to judge tokens by.
#[derive(Debug, thiserror::Error)]
pub enum SignersError {
    /// A credential cannot be had.
    #[error("[token.\"{domain}\"]: {source}")]
    Credential {
        /// Whose.
        domain: String,
        /// Why.
        source: CredentialError,
    },
    /// A seed is none.
    #[error("[token.\"{domain}\"]: the credential {name} is no seed: {source}")]
    Seed {
        /// Whose.
        domain: String,
        /// Which credential.
        name: String,
        /// Why.
        source: SeedError,
    },
    /// A signing secret is none.
    #[error("[token.\"{domain}\"]: the credential {name} cannot sign: {source}")]
    Signing {
        /// Whose.
        domain: String,
        /// Which credential.
        name: String,
        /// Why.
        source: NotASigningSecret,
    },
}

/// Reads the secrets of all domains that the configuration names.
pub fn load(config: &Config) -> Result<TokenSettings, SignersError> {
    let token = config.token();
    let credentials = Credentials::new(&token.credentials_dir);
    let domains = token.domains.iter().map(|named| read(&credentials, named)).collect::<Result<_, _>>()?;
    Ok(TokenSettings { host: token.host.clone().unwrap_or_else(host_name), domains })
}

fn read(credentials: &Credentials, named: &Named) -> Result<TokenDomain, SignersError> {
    let domain = || named.name.to_string();
    let text = |name: &str| -> Result<SecretText, SignersError> {
        credentials.read(name).map_err(|source| SignersError::Credential { domain: domain(), source })
    };
    let seed = Seed::brought_along_base32(&text(&named.seed)?).map_err(|source| SignersError::Seed {
        domain: domain(),
        name: named.seed.clone(),
        source,
    })?;
    let signing = text(&named.signing_secret)?;
    check_signing(&signing).map_err(|source| SignersError::Signing {
        domain: domain(),
        name: named.signing_secret.clone(),
        source,
    })?;
    Ok(TokenDomain { name: named.name.clone(), seed, signing, nonce_digits: named.nonce_digits })
}

/// What the system calls this host, in small letters.
fn host_name() -> String {
    let name = nix::unistd::gethostname().unwrap_or_default();
    name.to_string_lossy().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

    use super::*;
    use crate::config::Source;

    fn config(directory: &Path) -> Config {
        let text = format!(
            "[token]\ncredentials_dir = \"{}\"\n[token.\"example.org\"]\nseed = \"seed\"\nsigning_secret = \"key\"\n",
            directory.display()
        );
        Config::from_sources(&[Source { path: "m.toml".into(), text }]).unwrap()
    }

    fn write(path: &Path, text: &str) {
        fs::write(path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }

    #[test]
    fn the_secrets_of_a_domain_are_read_or_it_is_told_which_is_faulty() {
        let dir = tempfile::tempdir().unwrap();
        let config = config(dir.path());
        let (seed, key) = (dir.path().join("seed"), dir.path().join("key"));
        let told = || load(&config).unwrap_err().to_string();
        assert!(told().contains("[token.\"example.org\"]: there is no credential seed"), "{}", told());
        write(&seed, "MARKER-is-no-base32-0189\n");
        assert!(
            told().contains("the credential seed is no seed") && !told().contains("MARKER"),
            "{}",
            told()
        );
        write(&seed, "XVGR73KMZH2M4XMY\n");
        assert!(told().contains("there is no credential key"), "{}", told());
        write(&key, "MARKER-is-short\n");
        assert!(
            told().contains("the credential key cannot sign") && !told().contains("MARKER"),
            "{}",
            told()
        );
        write(&key, "JYXEX4IQOEYFYQ2S3MC5P4ZT4SDHYEA7\n");
        let settings = load(&config).unwrap();
        assert_eq!(settings.domains[0].name.as_str(), "example.org");
        assert_eq!(settings.domains[0].signing.expose(), "JYXEX4IQOEYFYQ2S3MC5P4ZT4SDHYEA7");
        assert!(!settings.host.is_empty(), "without a word of it, the host's own name");
        assert!(!format!("{settings:?}").contains("JYXEX"));
    }
}
