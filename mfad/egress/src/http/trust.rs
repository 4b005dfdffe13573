//! Whom connections trust: the system's certificates, or the ones that were named instead. TLS 1.2 or later.

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use rustls::{
    ClientConfig, RootCertStore,
    client::Resumption,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, pem::PemObject as _},
    version::{TLS12, TLS13},
};

/// The longest file of certificates, in bytes: a system's bundle has a quarter.
const MAX_FILE: u64 = 1024 * 1024;

/// Why it cannot be said whom to trust.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The file cannot be read.
    #[error("{path}: the certificates to trust cannot be read: {source}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file holds something else.
    #[error("{0}: this holds no certificates in PEM, or one that is none")]
    NoCertificates(PathBuf),
    /// The system has none.
    #[error("this host has no certificates to trust: install ca-certificates, or name some with `ca`")]
    NoSystem,
    /// The library refuses its own defaults.
    #[error("TLS cannot be set up")]
    Library,
}

/// Whom connections trust. The system's certificates are read when they are first needed.
#[derive(Debug, Default)]
pub struct Trust {
    system: OnceLock<Arc<RootCertStore>>,
}

impl Trust {
    /// For connections that trust the certificates in `ca`, else the system's.
    pub fn client(&self, ca: Option<&Path>) -> Result<ClientConfig, TrustError> {
        let roots = match ca {
            Some(path) => Arc::new(read(path)?),
            None => self.system()?,
        };
        config(roots)
    }

    /// For connections without TLS, which trust nobody should they ever meet it.
    pub(super) fn nobody() -> Result<ClientConfig, TrustError> {
        config(Arc::new(RootCertStore::empty()))
    }

    fn system(&self) -> Result<Arc<RootCertStore>, TrustError> {
        if let Some(roots) = self.system.get() {
            return Ok(Arc::clone(roots));
        }
        let mut roots = RootCertStore::empty();
        // What cannot be read or parsed is left out: the fewer are trusted.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if roots.is_empty() {
            return Err(TrustError::NoSystem);
        }
        Ok(Arc::clone(self.system.get_or_init(|| Arc::new(roots))))
    }
}

fn read(path: &Path) -> Result<RootCertStore, TrustError> {
    let unreadable = |source| TrustError::Unreadable { path: path.to_owned(), source };
    let none = || TrustError::NoCertificates(path.to_owned());
    let mut bytes = Vec::new();
    File::open(path).map_err(unreadable)?.take(MAX_FILE).read_to_end(&mut bytes).map_err(unreadable)?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&bytes) {
        roots.add(certificate.map_err(|_| none())?).map_err(|_| none())?;
    }
    if roots.is_empty() { Err(none()) } else { Ok(roots) }
}

fn config(roots: Arc<RootCertStore>) -> Result<ClientConfig, TrustError> {
    let provider: Arc<CryptoProvider> = Arc::new(ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&TLS13, &TLS12])
        .map_err(|_| TrustError::Library)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(config)
}
