//! The socket of front ends, before a core of this process.

use std::{path::PathBuf, sync::Arc};

use mfa_proto::{
    front::{Ask, What},
    name::{Claim, ClientName},
};
use mfad::server::{admission::Admission, front, listen};
use tokio::net::UnixListener;

use super::Daemon;

/// Serves front ends of these uids; where.
pub fn open(daemon: &Daemon, allowed: &[u32]) -> (PathBuf, listen::Listener) {
    let path = daemon.directory.path().join("web.sock");
    let listener = listen::bind(&path, listen::Reach::Private).unwrap();
    let socket = UnixListener::from_std(listener.socket.try_clone().unwrap()).unwrap();
    let shared = (allowed.to_vec().into(), Admission::default());
    tokio::spawn(front::serve(Arc::clone(&daemon.core), socket, shared));
    (path, listener)
}

/// A question on behalf of a client, about a person of whom is not known where they are.
pub fn ask(client: &str, what: What) -> Ask {
    let client = ClientName::new(client).unwrap();
    Ask { client, address: Some(Claim::clean("192.0.2.1")), source: None, what }
}
