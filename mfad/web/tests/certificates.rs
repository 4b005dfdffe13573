//! Certificates that prove which client it is, over real TLS.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that fails should say where"
)]

mod rig;
#[expect(unreachable_pub, reason = "it is the tests' of core")]
#[path = "../../tests/support/mod.rs"]
mod support;

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rig::Rig;
use rustls::{
    ClientConfig, HandshakeKind, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName},
};
use sha2::{Digest as _, Sha256};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

const ASK: &str = "/v1/status";

/// An authority and what it signed.
struct Signed {
    root: CertifiedIssuer<'static, KeyPair>,
}

/// What a client shows.
type Shown = (CertificateDer<'static>, KeyPair);

impl Signed {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self { root: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap() }
    }

    /// For these names in its subjectAltName.
    fn issue(&self, names: &[&str]) -> Shown {
        self.issue_as(names, |_| ())
    }

    /// For these names, and with something else about it.
    fn issue_as(&self, names: &[&str], otherwise: impl FnOnce(&mut CertificateParams)) -> Shown {
        let key = KeyPair::generate().unwrap();
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        otherwise(&mut params);
        (params.signed_by(&key, &self.root).unwrap().der().clone(), key)
    }
}

/// A listener that asks for certificates, with `proof` of client `vpn` and `other` of client `wiki`.
async fn listening(ours: &Signed, proof: &str, other: &str) -> Rig {
    let (server, server_key) = ours.issue(&["localhost"]);
    let listen = "address = \"127.0.0.1:1\"\ncertificate = \"{dir}/cert.pem\"\nkey = \"tls-key\"\n\
                  client_ca = \"{dir}/ca.pem\"";
    let text = rig::CLIENTS
        .replace("address = \"127.0.0.1:1\"", listen)
        .replace("token = \"vpn\"", proof)
        .replace("token = \"wiki\"", other);
    let text = format!("{text}[web]\ncredentials_dir = \"{{dir}}\"\n");
    let pem =
        |der: &[u8]| format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", base64(der));
    Rig::prepared(&text, |directory| {
        plain(directory, "cert.pem", &pem(&server));
        plain(directory, "ca.pem", &pem(ours.root.der()));
        plain(directory, "tls-key", &server_key.serialize_pem());
    })
    .await
}

fn connector(ours: &Signed, shown: Option<&Shown>) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(ours.root.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match shown {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
            builder.with_client_auth_cert(vec![certificate.clone()], key).unwrap()
        }
    };
    TlsConnector::from(Arc::new(config))
}

/// The status of an answer, and how the connection began; `None` where none comes about.
async fn asked(rig: &Rig, connector: &TlsConnector) -> Option<(u16, HandshakeKind)> {
    let stream = TcpStream::connect(("127.0.0.1", rig.port())).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = connector.connect(name, stream).await.ok()?;
    let request = format!("GET {ASK} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut said = Vec::new();
    stream.read_to_end(&mut said).await.ok()?;
    let status = String::from_utf8(said).unwrap().split(' ').nth(1)?.parse().ok()?;
    Some((status, stream.get_ref().1.handshake_kind()?))
}

async fn ask(rig: &Rig, ours: &Signed, shown: Option<&Shown>) -> Option<u16> {
    asked(rig, &connector(ours, shown)).await.map(|(status, _)| status)
}

fn print((certificate, _): &Shown) -> String {
    format!("{:x}", hyper::body::Bytes::copy_from_slice(&Sha256::digest(certificate)))
}

#[tokio::test]
async fn a_certificate_is_the_client_whose_print_it_has() {
    let (ours, theirs) = (Signed::new(), Signed::new());
    let (known, other) = (ours.issue(&["gate"]), ours.issue(&["gate"]));
    let rig = listening(&ours, &format!("certificates = [\"{}\"]", print(&known)), "token = \"wiki\"").await;
    assert_eq!(ask(&rig, &ours, Some(&known)).await, Some(200));
    assert_eq!(ask(&rig, &ours, Some(&other)).await, Some(401), "the same name, another certificate");
    assert_eq!(ask(&rig, &ours, None).await, Some(401));
    let foreign = theirs.issue(&["gate"]);
    assert_eq!(ask(&rig, &ours, Some(&foreign)).await, None, "no connection with what nobody here signed");
    let mut http = rig.http().await;
    http.0.write_all(format!("GET {ASK} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await.unwrap();
    assert!(http.answer().await.is_none(), "no HTTP without TLS");
}

#[tokio::test]
async fn a_certificate_is_the_client_whose_name_it_was_issued_for() {
    let (ours, theirs) = (Signed::new(), Signed::new());
    let proof = "names = [\"vpn.example.org\", \"gate.example.org\"]";
    let rig = listening(&ours, proof, "names = [\"wiki.example.org\"]").await;
    let in_subject = |params: &mut CertificateParams| {
        params.distinguished_name.push(DnType::CommonName, "vpn.example.org");
    };
    let over = |params: &mut CertificateParams| {
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
    };
    // As it is after a renewal: another key, another print, the same name.
    for (right, which) in [
        (ours.issue(&["vpn.example.org"]), "the name"),
        (ours.issue(&["vpn.example.org"]), "the same once more"),
        (ours.issue(&["gate.example.org"]), "its other name"),
        (ours.issue(&["VPN.Example.org"]), "case"),
        (ours.issue(&["mail.example.org", "vpn.example.org"]), "beside another name"),
    ] {
        assert_eq!(ask(&rig, &ours, Some(&right)).await, Some(200), "{which}");
    }
    for (wrong, which) in [
        (ours.issue(&["mail.example.org"]), "another name"),
        (ours.issue(&["a.vpn.example.org"]), "a name below it"),
        (ours.issue(&["example.org"]), "a name above it"),
        (ours.issue(&["vpn.example.org.evil.example"]), "it begins so"),
        (ours.issue_as(&[], in_subject), "in the subject only"),
        (ours.issue_as(&["mail.example.org"], in_subject), "in the subject, beside another"),
        (ours.issue(&["*.example.org"]), "a wildcard"),
        (ours.issue(&["vpn.example.org", "*.example.org"]), "a wildcard beside it"),
        (ours.issue(&["192.0.2.1"]), "an address"),
        (ours.issue(&["vpn.example.org", "wiki.example.org"]), "two clients at once"),
    ] {
        assert_eq!(ask(&rig, &ours, Some(&wrong)).await, Some(401), "{which}");
    }
    assert_eq!(ask(&rig, &ours, None).await, Some(401));
    for (none, which) in [
        (ours.issue_as(&["vpn.example.org"], over), "over"),
        (theirs.issue(&["vpn.example.org"]), "of another authority"),
    ] {
        assert_eq!(ask(&rig, &ours, Some(&none)).await, None, "{which}");
    }
}

#[tokio::test]
async fn a_print_goes_before_a_name_and_neither_is_helped_by_where_it_is() {
    let ours = Signed::new();
    // The client with fewer rights has the print.
    let known = ours.issue(&["vpn.example.org"]);
    let proof = "names = [\"vpn.example.org\"]\nnetworks = [\"192.0.2.0/24\"]";
    let rig = listening(&ours, proof, &format!("certificates = [\"{}\"]", print(&known))).await;
    assert_eq!(ask(&rig, &ours, Some(&known)).await, Some(403));
    let elsewhere = ours.issue(&["vpn.example.org"]);
    assert_eq!(ask(&rig, &ours, Some(&elsewhere)).await, Some(401));
}

#[tokio::test]
async fn a_certificate_of_nobody_is_not_made_up_for_by_where_it_is() {
    let ours = Signed::new();
    let by_network = "by_network = true\nnetworks = [\"127.0.0.1\"]";
    let rig = listening(&ours, "names = [\"vpn.example.org\"]", by_network).await;
    // The client that its network proves has fewer rights.
    assert_eq!(ask(&rig, &ours, None).await, Some(403));
    assert_eq!(ask(&rig, &ours, Some(&ours.issue(&["vpn.example.org"]))).await, Some(200));
    assert_eq!(ask(&rig, &ours, Some(&ours.issue(&["other.example.org"]))).await, Some(401));
}

#[tokio::test]
async fn a_certificate_is_judged_anew_for_each_connection() {
    let ours = Signed::new();
    let rig = listening(&ours, "names = [\"vpn.example.org\"]", "token = \"wiki\"").await;
    let connector = connector(&ours, Some(&ours.issue(&["vpn.example.org"])));
    for _ in 0..3 {
        assert_eq!(asked(&rig, &connector).await, Some((200, HandshakeKind::Full)));
    }
}

fn plain(directory: &Path, name: &str, text: &str) {
    let path = directory.join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn base64(bytes: &[u8]) -> String {
    use base64ct::Encoding as _;
    base64ct::Base64::encode_string(bytes)
}
