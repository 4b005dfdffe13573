//! Takes connections of all listeners, within bounds: in all, from one address, and in time.
//!
//! Refuses to let one connection hurt another: every error ends its own.

pub mod certificates;
mod connection;
mod places;
pub mod tls;

use std::{
    io,
    net::{IpAddr, TcpListener as StdTcp},
    os::unix::net::UnixListener as StdUnix,
    sync::Arc,
    time::Duration,
};

use mfa_role::config::WebListen;
use tokio::{
    net::{TcpListener, UnixListener},
    sync::watch,
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;
use tracing::{debug, warn};

use self::{
    certificates::Shown,
    places::{Place, Places},
};
use crate::{call::Facts, clients::Certificate, origin::HERE, router::State};

/// Pause after `accept` failed: out of descriptors, which only time or other connections' ends mend.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A socket that listens.
#[derive(Debug)]
pub enum Socket {
    /// At an address.
    Tcp(StdTcp),
    /// At a path.
    Unix(StdUnix),
}

/// A listener: its socket, what the configuration says of it, its certificate.
#[derive(Debug)]
pub struct Listening {
    /// The socket; non-blocking.
    pub socket: Socket,
    /// What the configuration says.
    pub listen: WebListen,
    /// What it shows, where it has a certificate.
    pub tls: Option<Shown>,
}

/// What all connections share.
#[derive(Clone, Debug)]
pub struct Server {
    state: watch::Receiver<Arc<State>>,
    places: Places,
}

impl Server {
    /// A server of what requests need now.
    pub fn new(state: watch::Receiver<Arc<State>>) -> Self {
        Self { state, places: Places::default() }
    }

    /// Serves one listener until the task is dropped, and all its connections with it.
    pub async fn serve(self, listening: Listening) -> io::Result<()> {
        let Listening { socket, listen, tls } = listening;
        let listen = Arc::new(listen);
        match socket {
            Socket::Tcp(socket) => self.serve_tcp(TcpListener::from_std(socket)?, listen, tls).await,
            Socket::Unix(socket) => self.serve_unix(UnixListener::from_std(socket)?, listen, tls).await,
        }
    }

    async fn serve_tcp(
        self,
        socket: TcpListener,
        listen: Arc<WebListen>,
        tls: Option<Shown>,
    ) -> io::Result<()> {
        let mut connections = JoinSet::new();
        loop {
            while connections.try_join_next().is_some() {}
            match socket.accept().await {
                Ok((stream, peer)) => {
                    let peer = peer.ip().to_canonical();
                    let Some(place) = self.place(peer, &listen) else { continue };
                    // What is answered is small: waiting for more to send with it only delays it.
                    drop(stream.set_nodelay(true));
                    let facts = Facts { listen: Arc::clone(&listen), peer, certificate: None };
                    connections.spawn(self.clone().converse(stream, facts, (tls.clone(), place)));
                }
                Err(error) => not_accepted(&error).await,
            }
        }
    }

    async fn serve_unix(
        self,
        socket: UnixListener,
        listen: Arc<WebListen>,
        tls: Option<Shown>,
    ) -> io::Result<()> {
        let mut connections = JoinSet::new();
        loop {
            while connections.try_join_next().is_some() {}
            match socket.accept().await {
                Ok((stream, _)) => {
                    let Some(place) = self.place(HERE, &listen) else { continue };
                    let facts = Facts { listen: Arc::clone(&listen), peer: HERE, certificate: None };
                    connections.spawn(self.clone().converse(stream, facts, (tls.clone(), place)));
                }
                Err(error) => not_accepted(&error).await,
            }
        }
    }

    /// A place for a connection. Proxies stand for many: only the bound on all holds for them.
    fn place(&self, peer: IpAddr, listen: &WebListen) -> Option<Place> {
        let state = self.state.borrow();
        let stands_for_many = listen.trusted_proxies.iter().any(|network| network.holds(peer));
        let of_one = if stands_for_many { u32::MAX } else { state.web.per_address_connections };
        let place = self.places.enter(peer, (state.web.max_connections, of_one));
        if place.is_none() {
            debug!("a connection from {peer} was refused: too many are open");
        }
        place
    }

    async fn converse<S>(self, stream: S, mut facts: Facts, (tls, _place): (Option<Shown>, Place))
    where
        S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let Some(tls) = tls else {
            return connection::serve(self.state, stream, facts).await;
        };
        let patience = self.state.borrow().web.header_timeout;
        let acceptor = TlsAcceptor::from(Arc::clone(&tls.borrow()));
        match timeout(patience, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => {
                facts.certificate = Certificate::of(stream.get_ref().1.peer_certificates()).map(Arc::new);
                connection::serve(self.state, stream, facts).await;
            }
            Ok(Err(error)) => debug!("{}: no TLS: {error}", facts.peer),
            Err(_) => debug!("{}: no TLS in time", facts.peer),
        }
    }
}

async fn not_accepted(error: &io::Error) {
    warn!("cannot accept a connection: {error}; trying again");
    tokio::time::sleep(ACCEPT_PAUSE).await;
}
