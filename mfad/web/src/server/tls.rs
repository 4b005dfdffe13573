//! Certificates of listeners, and what clients show.
//!
//! Refuses keys that others may read, and certificates of clients that the configured authority has not signed.

use std::{path::PathBuf, sync::Arc};

use mfa_role::{
    config::{PemFile, Tls, Web},
    credentials::{self, Trust, directory_handed_over, exposure},
};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    server::{NoServerSessionStorage, WebPkiClientVerifier},
};
use zeroize::Zeroizing;

/// The longest file.
const MAX_FILE: u64 = 1024 * 1024;

/// What a listener shows and asks for; or what is wrong with it.
pub fn load(tls: &Tls, web: &Web) -> Result<Arc<ServerConfig>, String> {
    let chain = certificates(&tls.certificate, web)?;
    let (place, trust) = find(&tls.key, web);
    let key = read(&place, Some(trust))?;
    let key = PrivateKeyDer::from_pem_slice(&key)
        .map_err(|error| format!("{}: there is no key in it: {error}", place.display()))?;
    let provider = Arc::new(default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let builder = match &tls.client_ca {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(file, web)? {
                roots.add(certificate).map_err(|error| format!("client_ca: {error}"))?;
            }
            // Clients with another proof come without a certificate.
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .allow_unauthenticated()
                .build()
                .map_err(|error| format!("client_ca: {error}"))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config =
        builder.with_single_cert(chain, key).map_err(|error| format!("certificate and key: {error}"))?;
    if tls.client_ca.is_some() {
        // A session that is taken up again would bring back a certificate as it was found good once.
        config.session_storage = Arc::new(NoServerSessionStorage {});
    }
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn certificates(file: &PemFile, web: &Web) -> Result<Vec<CertificateDer<'static>>, String> {
    let (place, _) = find(file, web);
    let text = read(&place, None)?;
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    let all = all.map_err(|error| format!("{}: {error}", place.display()))?;
    if all.is_empty() {
        return Err(format!("{}: there is no certificate in it", place.display()));
    }
    Ok(all)
}

/// Where a file is, and who may have been given it.
fn find(file: &PemFile, web: &Web) -> (PathBuf, Trust) {
    match file {
        PemFile::Path(path) => (path.clone(), Trust::OwnGroup),
        PemFile::Credential(name) => {
            let handed_over = directory_handed_over().map(|directory| directory.join(name));
            match handed_over.filter(|path| path.exists()) {
                Some(path) => (path, Trust::ServiceManager),
                None => (web.credentials_dir.join(name), Trust::OwnGroup),
            }
        }
    }
}

/// Reads a file; a secret one only when others cannot.
fn read(path: &std::path::Path, secret: Option<Trust>) -> Result<Zeroizing<Vec<u8>>, String> {
    use std::io::Read as _;
    let failed = |error: std::io::Error| format!("{}: cannot be read: {error}", path.display());
    // Certificates are often links to the newest one; keys are followed too, and judged where they lead.
    let real = std::fs::canonicalize(path).map_err(failed)?;
    let file = credentials::open(&real).map_err(failed)?;
    let found = file.metadata().map_err(failed)?;
    if let Some(problem) = secret.and_then(|trust| exposure(&found, trust)) {
        return Err(format!(
            "{} {problem}; it must be a plain file of root or of mfad-web's user with mode 0600, or 0640 with its group",
            real.display()
        ));
    }
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(MAX_FILE).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}
