//! `[[web.client]]`: who may ask through HTTP, how that is proven, and for what.
//!
//! Refuses clients that nothing proves, and secrets: credentials hold hashes of them.

use mfa_proto::name::{ClientName, ServiceName};

use crate::config::{
    kinds::{boolean, credential, line, names, number, text, words},
    policy::Network,
    reader::{Reader, Section},
    suggest::printable,
    tree::{Place, Value},
};

/// The most requests a second.
const MAX_RATE: u32 = 100_000;

/// A client.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct WebClient {
    /// What rules, trail and log call it.
    pub name: ClientName,
    /// The service that its logins are of.
    pub service: ServiceName,
    /// What it may ask.
    pub rights: Rights,
    /// What proves that it is this client.
    pub proof: ClientProof,
    /// Where it may ask from; empty for anywhere.
    pub networks: Vec<Network>,
    /// It asks for a code only when the person's password was right. What is wrong is then charged as at a
    /// login with a password; else to a smaller budget.
    pub password_proven: bool,
    /// The most requests a second.
    pub rate: u32,
}

/// What proves that it is this client: any of it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct ClientProof {
    /// A bearer token: the name of the credential with its SHA-256 in hexadecimal digits.
    pub token: Option<String>,
    /// SHA-256 of its certificates, in hexadecimal digits.
    pub certificates: Vec<CertificatePrint>,
    /// DNS names that its certificates are issued for, whichever those are.
    pub names: Vec<CertificateName>,
    /// The name that it gives for Basic and Digest authentication.
    pub user: Option<String>,
    /// Basic: the name of the credential with the SHA-256 of the password.
    pub password: Option<String>,
    /// Digest: the name of the credential with the MD5 of `user:realm:password`.
    pub digest: Option<String>,
    /// Where it asks from is proof enough.
    pub by_network: bool,
    /// It is no system but the login page that dialects for people have: nothing proves it, and nothing else is
    /// asked in its name.
    pub login_page: bool,
}

impl ClientProof {
    /// The names of its credentials.
    pub fn credentials(&self) -> impl Iterator<Item = &str> {
        [&self.token, &self.password, &self.digest].into_iter().filter_map(|name| name.as_deref())
    }

    fn is_none_beside_page(&self) -> bool {
        self.credentials().next().is_none() && self.certificates.is_empty() && self.names.is_empty()
    }

    fn is_none(&self) -> bool {
        self.is_none_beside_page() && !self.by_network && !self.login_page
    }
}

/// The SHA-256 of a certificate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CertificatePrint(pub [u8; 32]);

impl std::str::FromStr for CertificatePrint {
    type Err = &'static str;

    /// As `openssl x509 -fingerprint -sha256` shows it, with or without colons.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wanted = "write the SHA-256 of the certificate, as `openssl x509 -fingerprint -sha256` shows it";
        let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b':').collect();
        let mut print = [0; 32];
        if digits.len() != 64 {
            return Err(wanted);
        }
        for (byte, pair) in print.iter_mut().zip(digits.chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| wanted)?;
            if !pair.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(wanted);
            }
            *byte = u8::from_str_radix(pair, 16).map_err(|_| wanted)?;
        }
        Ok(Self(print))
    }
}

/// A DNS name that a certificate is issued for, in lower case.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CertificateName(String);

impl CertificateName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for CertificateName {
    type Err = &'static str;

    /// Letters, digits and hyphens between dots (RFC 1123 section 2.1). No wildcard, and no address.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let is_number = |label: &str| label.bytes().all(|b| b.is_ascii_digit());
        let whole = text.len() <= 253 && text.split('.').all(label);
        if !whole || text.rsplit('.').next().is_some_and(is_number) {
            return Err(
                "write one DNS name in full, as it stands in the certificate's subjectAltName: vpn.example.org",
            );
        }
        Ok(Self(text.to_ascii_lowercase()))
    }
}

/// One thing that a client may ask.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Right {
    /// Whether a person has a second factor.
    Verify,
    /// What a person holds.
    FactorsRead,
    /// To add, switch and remove factors: whoever may do that can log in as anyone.
    FactorsWrite,
    /// Who is enrolled.
    UsersRead,
    /// What happened.
    AuditRead,
    /// How mfad is.
    Status,
    /// Whether a signed token is right.
    TokenVerify,
    /// To have a signed token made.
    TokenIssue,
    /// To have a code sent to people that it made itself: what is in the message is then its word.
    Deliver,
    /// A code that lets in whoever has lost a factor: whoever may have that made can log in as them.
    FactorsEmergency,
}

impl Right {
    /// All there are, by name.
    pub const ALL: [(&'static str, Self); 10] = [
        ("verify", Self::Verify),
        ("factors:read", Self::FactorsRead),
        ("factors:write", Self::FactorsWrite),
        ("users:read", Self::UsersRead),
        ("audit:read", Self::AuditRead),
        ("status", Self::Status),
        ("token:verify", Self::TokenVerify),
        ("token:issue", Self::TokenIssue),
        ("deliver", Self::Deliver),
        ("factors:emergency", Self::FactorsEmergency),
    ];

    /// Its name.
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, right)| *right == self).map_or("", |(word, _)| word)
    }
}

/// What a client may ask.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Rights(Vec<Right>);

impl Rights {
    /// Whether `right` is among them.
    pub fn include(&self, right: Right) -> bool {
        self.0.contains(&right)
    }
}

/// A client, when all it needs is there; else it has been told what is missing.
pub(super) fn read(reader: &mut Reader, place: Place, mut section: Section) -> Option<WebClient> {
    let s = &mut section;
    let name = reader.optional(s, "name", plain_name);
    let service = reader.optional(s, "service", service);
    let rights = reader.optional(s, "rights", words(&Right::ALL));
    let networks = reader.optional(s, "networks", names("10.20.0.0/16"));
    let proof = read_proof(reader, s);
    let password_proven = reader.value(s, "password_proven", false, boolean).value;
    let rate = reader.value(s, "rate", 100, number(1..=MAX_RATE)).value;
    let (by_network, login_page) = (proof.by_network, proof.login_page);
    let unread = s.is_unread();
    reader.close(section);
    for (key, missing) in [
        ("name = \"vpn\"", name.place.is_none()),
        ("rights = [\"verify\"]", rights.place.is_none()),
        ("token = \"vpn-token\"", proof.is_none()),
    ] {
        if missing && !unread {
            reader.fault(Some(place), format!("this client is not whole: add `{key}`"));
        }
    }
    let delivers = rights.value.as_deref().is_some_and(|rights| rights.contains(&Right::Deliver));
    if delivers && !password_proven {
        let message = "the right \"deliver\" sends people messages unasked: it needs `password_proven = true`, said \
                       of a client that asks only when the password was right";
        reader.fault(rights.place, message);
    }
    if by_network && networks.place.is_none() {
        reader.fault(Some(place), "`by_network` needs `networks`: else anyone is this client");
    }
    if login_page && (by_network || proof.user.is_some() || !proof.is_none_beside_page()) {
        let message =
            "`login_page` goes without what proves a client: it is for people, who prove themselves";
        reader.fault(Some(place), message);
    }
    let name: ClientName = name.value?;
    let service = match service.value {
        Some(service) => service,
        None => ServiceName::new(name.as_str()).ok()?,
    };
    Some(WebClient {
        name,
        service,
        rights: Rights(rights.value?),
        proof,
        networks: networks.value.unwrap_or_default(),
        // The page asks for the password itself.
        password_proven: password_proven || login_page,
        rate,
    })
}

fn read_proof(reader: &mut Reader, s: &mut Section) -> ClientProof {
    let token = reader.optional(s, "token", credential);
    let certificates = reader.optional(s, "certificates", names("AB:CD:…"));
    let known_as = reader.optional(s, "names", names("vpn.example.org"));
    let user = reader.optional(s, "user", line(256));
    let password = reader.optional(s, "password", credential);
    let digest = reader.optional(s, "digest", credential);
    let by_network = reader.value(s, "by_network", false, boolean);
    let login_page = reader.value(s, "login_page", false, boolean);
    let secret = password.place.or(digest.place);
    if user.place.is_some() != secret.is_some() {
        let message = "`user` goes with `password` or `digest`, the name of a credential: write both";
        reader.fault(user.place.or(secret), message);
    }
    if user.value.as_deref().is_some_and(|user| user.contains([':', '"'])) {
        reader.fault(user.place, "`user` holds `:` or a quote, which no such name can: write one without");
    }
    ClientProof {
        token: token.value,
        certificates: certificates.value.unwrap_or_default(),
        names: known_as.value.unwrap_or_default(),
        user: user.value,
        password: password.value,
        digest: digest.value,
        by_network: by_network.value,
        login_page: login_page.value,
    }
}

fn plain_name(value: &Value) -> Result<ClientName, String> {
    let text = text(value)?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    let name = ClientName::new(text).ok().filter(|_| text.bytes().all(plain));
    name.ok_or_else(|| {
        format!("cannot be \"{}\": write at most 64 letters, digits, `.`, `-`, `_`", printable(text))
    })
}

fn service(value: &Value) -> Result<ServiceName, String> {
    let text = text(value)?;
    ServiceName::new(text).map_err(|error| format!("cannot be \"{}\": {error}", printable(text)))
}
