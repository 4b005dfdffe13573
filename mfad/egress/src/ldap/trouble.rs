//! Why a directory gave no answer, in words for the log. Refuses to repeat what a server said in words.

use mfa_proto::egress::MAX_SEALED;

/// Why a directory gave no answer that can be taken.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LdapTrouble {
    /// No connection.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// The certificate, or the handshake.
    #[error("TLS failed: {0}; see the certificate, and which ones are trusted ([ldap] ca)")]
    Tls(String),
    /// The server, or somebody on the way, does not offer it.
    #[error("StartTLS is refused; nothing was sent. Use `tls = \"tls\"`")]
    NoStartTls,
    /// TLS is off, and the server is elsewhere.
    #[error("it is not on this host, and TLS is off; nothing was sent")]
    NotLocal,
    /// The server said no.
    #[error("it refused {step} with result code {code} (RFC 4511 A.1)")]
    Refused {
        /// What.
        step: &'static str,
        /// The result code.
        code: u32,
    },
    /// The answer is another server's to give.
    #[error("it refers to another server; set `servers` and `base` to the one that has the people")]
    Referred,
    /// The connection ended.
    #[error("the connection ended during {0}, or more was answered than an answer may have")]
    Broken(&'static str),
    /// The answer is none of LDAP.
    #[error("it gave no proper answer")]
    Garbled,
    /// The deadline.
    #[error("no answer in time ([ldap] timeout)")]
    Late,
    /// A reload has taken the directory away.
    #[error("no directory is configured: [ldap] servers")]
    NotConfigured,
    /// No attribute is configured.
    #[error("nothing is asked of it: [ldap] phone_attribute, mail_attribute, secret_attribute")]
    NotAsked,
    /// What should be sealed secrets are not.
    #[error(
        "it has a sealed secret that is none: longer than 512 bytes, or no printable ASCII; see [ldap] secret_attribute"
    )]
    OddSecret,
    /// More than are looked at.
    #[error("it has more sealed secrets of the person than the {MAX_SEALED} allowed: remove old ones there")]
    TooManySecrets,
    /// Perhaps there are secrets, under another name.
    #[error(
        "it answers with other attributes than asked for: write [ldap] secret_attribute and the others as it does"
    )]
    OtherNames,
}
