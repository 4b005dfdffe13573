//! Connections to the servers of a directory. The library gets one end of a pair; the other is joined to the
//! server here, by TLS where that is wanted.
//!
//! Refuses to send anything unencrypted beyond this host, and to hand on more of an answer than one has:
//! the library has no bound of its own.

use std::{fmt, io, os::unix::net::UnixStream as StdStream, path::PathBuf, sync::Arc};

use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, StdStream as Stream};
use mfa_role::config::{LdapDirectory, LdapServer, LdapTls};
use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, copy, split},
    net::{TcpStream, UnixStream},
    task::JoinSet,
};
use tokio_rustls::TlsConnector;

use super::{LdapTrouble, start_tls};
use crate::http::{Trust, TrustError};

/// The most that a server may answer over one connection, in bytes: two entries with four attributes, a secret and
/// an address more than are taken included. It also bounds how deep an answer nests.
const MAX_ANSWERS: u64 = 16 * 1024;

/// A server of a directory.
pub(super) enum Server {
    Socket(PathBuf),
    Host { name: String, port: u16, way: Way },
}

/// How a host is reached.
pub(super) enum Way {
    Plain,
    Tls { client: TlsConnector, starts_plain: bool },
}

/// A connection; ended when dropped.
pub(super) struct Connection {
    pub(super) ldap: Ldap,
    _running: JoinSet<()>,
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(path) => path.display().fmt(f),
            Self::Host { name, port, .. } => write!(f, "{name}:{port}"),
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({self})")
    }
}

impl Server {
    /// Reads the certificates to trust.
    pub(super) fn new(server: &LdapServer, terms: &LdapDirectory, trust: &Trust) -> Result<Self, TrustError> {
        let tls = |starts_plain| {
            let client = Arc::new(trust.client(terms.ca.as_deref())?);
            Ok(Way::Tls { client: client.into(), starts_plain })
        };
        Ok(match server {
            LdapServer::Socket(path) => Self::Socket(path.clone()),
            LdapServer::Host(name) => Self::Host {
                name: name.clone(),
                port: terms.port,
                way: match terms.tls {
                    LdapTls::None => Way::Plain,
                    LdapTls::Tls => tls(false)?,
                    LdapTls::StartTls => tls(true)?,
                },
            },
        })
    }

    /// Connects. Nothing is known of the other side but what TLS says.
    pub(super) async fn connect(&self) -> Result<Connection, LdapTrouble> {
        let unreachable = |error: io::Error| LdapTrouble::Unreachable(error.to_string());
        let (name, port, way) = match self {
            Self::Socket(path) => {
                return joined(UnixStream::connect(path).await.map_err(unreachable)?).await;
            }
            Self::Host { name, port, way } => (name, *port, way),
        };
        let mut stream = TcpStream::connect((name.as_str(), port)).await.map_err(unreachable)?;
        match way {
            Way::Plain => {
                let is_here = stream.peer_addr().map_err(unreachable)?.ip().to_canonical().is_loopback();
                if is_here { joined(stream).await } else { Err(LdapTrouble::NotLocal) }
            }
            Way::Tls { client, starts_plain } => {
                if *starts_plain {
                    start_tls::ask(&mut stream).await?;
                }
                let failed = |why: String| LdapTrouble::Tls(why);
                let name = ServerName::try_from(name.clone()).map_err(|e| failed(e.to_string()))?;
                joined(client.connect(name, stream).await.map_err(|e| failed(e.to_string()))?).await
            }
        }
    }
}

/// Gives the library its end.
async fn joined<S>(outside: S) -> Result<Connection, LdapTrouble>
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let failed = |error: io::Error| LdapTrouble::Unreachable(error.to_string());
    let (inside, library) = StdStream::pair().map_err(failed)?;
    inside.set_nonblocking(true).map_err(failed)?;
    let inside = UnixStream::from_std(inside).map_err(failed)?;
    let settings = LdapConnSettings::new().set_std_stream(Stream::Unix(library));
    let made = LdapConnAsync::with_settings(settings, "ldapi:///").await;
    let (driver, ldap) = made.map_err(|_| LdapTrouble::Garbled)?;
    let mut running = JoinSet::new();
    running.spawn(async move {
        // What is asked next says that the connection has ended.
        drop(driver.drive().await);
    });
    running.spawn(relay(outside, inside));
    Ok(Connection { ldap, _running: running })
}

/// Takes questions out and answers in, until either side is done or has said too much.
async fn relay<S: AsyncRead + AsyncWrite>(outside: S, inside: UnixStream) {
    let (from_server, mut to_server) = split(outside);
    let (mut from_library, mut to_library) = inside.into_split();
    let mut answers = from_server.take(MAX_ANSWERS);
    let _ended = tokio::select! {
        ended = copy(&mut answers, &mut to_library) => ended,
        ended = copy(&mut from_library, &mut to_server) => ended,
    };
}
