//! What the certificate of a client says: which one it is, and for which names it was issued.
//!
//! The listener has verified it by then: authority, time, what it may be used for. Refuses names that stand anywhere but
//! in its subjectAltName, and certificates for many names at once, such as `*.example.org`.

use mfa_role::config::{CertificateName, CertificatePrint};
use rustls::pki_types::{CertificateDer, DnsName, ServerName};
use sha2::{Digest as _, Sha256};
use webpki::EndEntityCert;

/// A certificate that was shown and found good.
#[derive(Clone, Debug)]
pub struct Certificate {
    print: CertificatePrint,
    der: CertificateDer<'static>,
}

impl Certificate {
    /// The first of a chain: the client's own.
    pub fn of(shown: Option<&[CertificateDer<'_>]>) -> Option<Self> {
        let own = shown?.first()?;
        Some(Self { print: CertificatePrint(Sha256::digest(own).into()), der: own.clone().into_owned() })
    }

    /// Whether it is one of these.
    pub(super) fn is_one_of(&self, prints: &[CertificatePrint]) -> bool {
        prints.contains(&self.print)
    }

    /// Whether it was issued for one of these names.
    pub(super) fn is_for(&self, names: &[CertificateName]) -> bool {
        let Ok(certificate) = EndEntityCert::try_from(&self.der) else { return false };
        if names.is_empty() || certificate.valid_dns_names().any(|name| name.contains('*')) {
            return false;
        }
        let is_for = |name: &CertificateName| {
            let name = DnsName::try_from(name.as_str()).ok();
            name.is_some_and(|name| {
                certificate.verify_is_valid_for_subject_name(&ServerName::DnsName(name)).is_ok()
            })
        };
        names.iter().any(is_for)
    }
}
