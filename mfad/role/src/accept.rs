//! Takes the connections of a role's socket, as many at a time as there are places.
//!
//! Refuses more than that, and lets no connection hurt another.

use std::{future::Future, sync::Arc, time::Duration};

use tokio::{
    net::{UnixListener, UnixStream},
    sync::Semaphore,
    task::JoinSet,
};
use tracing::warn;

/// Pause after `accept` failed: out of descriptors, which only time or other connections' ends mend.
const PAUSE: Duration = Duration::from_millis(100);

/// Has each connection conversed with, `most` at a time, until the task is dropped, and all of them with it.
pub async fn accept<F>(socket: UnixListener, most: usize, converse: impl Fn(UnixStream) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(most));
    let mut connections = JoinSet::new();
    loop {
        // Those that have ended leave nothing but a line in this set.
        while connections.try_join_next().is_some() {}
        match socket.accept().await {
            Ok((stream, _)) => {
                let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                    warn!("a connection was refused: {most} are open");
                    continue;
                };
                let conversation = converse(stream);
                connections.spawn(async move {
                    conversation.await;
                    drop(place);
                });
            }
            Err(error) => {
                warn!("cannot accept a connection: {error}; trying again");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
