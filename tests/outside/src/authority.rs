//! Certificates: an authority of the test's own, and good and bad ones from it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
};

/// What signs certificates.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    files: tempfile::TempDir,
}

/// Which names a certificate has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Names {
    /// `localhost` and `127.0.0.1`.
    Right,
    /// Another host's.
    Wrong,
}

/// When a certificate counts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Time {
    /// Now.
    Now,
    /// No longer.
    Past,
    /// Not yet.
    Future,
}

/// A certificate and its key, as a server needs them.
#[derive(Clone, Debug)]
pub struct Identity {
    pub(crate) config: Arc<ServerConfig>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Authority {
    /// A new one, that nobody knows.
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "an authority of a test");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let files = tempfile::tempdir().unwrap();
        std::fs::write(files.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, files }
    }

    /// Its own certificate, as a file in PEM.
    pub fn file(&self) -> PathBuf {
        self.files.path().join("ca.pem")
    }

    /// A directory that lasts as long as the authority.
    pub fn directory(&self) -> &Path {
        self.files.path()
    }

    /// A certificate.
    pub fn issue(&self, names: Names, time: Time) -> Identity {
        let key = KeyPair::generate().unwrap();
        let certificate = params(names, time).signed_by(&key, &self.issuer).unwrap();
        identity(certificate.der(), &key)
    }

    /// A certificate and its key as files in PEM, for servers that are programs. They last as long as the authority.
    pub fn issue_files(&self, names: Names, time: Time) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().unwrap();
        let certificate = params(names, time).signed_by(&key, &self.issuer).unwrap();
        let [certificate_file, key_file] =
            ["server.pem", "server.key"].map(|name| self.files.path().join(name));
        std::fs::write(&certificate_file, certificate.pem()).unwrap();
        std::fs::write(&key_file, key.serialize_pem()).unwrap();
        (certificate_file, key_file)
    }

    /// A certificate that signs itself: right in everything else.
    pub fn self_signed() -> Identity {
        let key = KeyPair::generate().unwrap();
        identity(params(Names::Right, Time::Now).self_signed(&key).unwrap().der(), &key)
    }
}

fn params(names: Names, time: Time) -> CertificateParams {
    let names: &[&str] = match names {
        Names::Right => &["localhost", "127.0.0.1"],
        Names::Wrong => &["other.example.org"],
    };
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).unwrap();
    let (from, to) = match time {
        Time::Now => (2020, 2099),
        Time::Past => (2020, 2021),
        Time::Future => (2098, 2099),
    };
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(to, 1, 1);
    params
}

fn identity(certificate: &CertificateDer<'static>, key: &KeyPair) -> Identity {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    Identity { config: Arc::new(config) }
}
