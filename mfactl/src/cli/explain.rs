//! `explain`: a login to think through.

use clap::{ArgGroup, Args};
use mfa_proto::name::{ClientName, RealmName, ServiceName, UserName};

/// `explain`.
#[derive(Args, Debug)]
#[command(group(ArgGroup::new("through").required(true).args(["service", "client"])))]
pub(crate) struct ExplainArgs {
    /// Who would log in
    pub(crate) user: UserName,
    /// Where the name is looked up
    #[arg(long, default_value = "local")]
    pub(crate) realm: RealmName,
    /// Through which PAM service
    #[arg(long)]
    pub(crate) service: Option<ServiceName>,
    /// Through which client of mfad-web: its name in [[web.client]], whose service it then is
    #[arg(long, value_name = "NAME", conflicts_with = "key_type")]
    pub(crate) client: Option<ClientName>,
    /// From which address [default: at the host itself; with --client, the client does not say]
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) source: Option<String>,
    /// With a key of this type, accepted by sshd: ssh-ed25519, sk-ssh-ed25519@openssh.com, …
    #[arg(long, value_name = "TYPE")]
    pub(crate) key_type: Option<String>,
    /// With the key of this fingerprint: SHA256:…, as `ssh-keygen -l` prints it
    #[arg(long, value_name = "SHA256:…", requires = "key_type")]
    pub(crate) key_fingerprint: Option<String>,
    /// At another time than now: 2026-03-01, "2026-03-01 14:30", RFC 3339, @UNIX, or 2h, 7d ago
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
}
