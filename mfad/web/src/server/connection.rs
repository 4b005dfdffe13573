//! One connection: HTTP/1 within bounds, a request at a time.

use std::{convert::Infallible, sync::Arc};

use hyper::{Request, StatusCode, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
    time::timeout,
};
use tracing::debug;

use crate::{
    access::Visit,
    answer::Answer,
    call::{Call, Facts},
    router::{self, State},
    v1,
};

/// The most headers of a request.
const MAX_HEADERS: usize = 64;
/// The longest head of a request, and what is read ahead of a body.
const MAX_HEAD: usize = 16 * 1024;

/// Serves requests until the connection ends.
pub(super) async fn serve<S>(state: watch::Receiver<Arc<State>>, stream: S, facts: Facts)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let peer = facts.peer;
    let header_timeout = state.borrow().web.header_timeout;
    let service = service_fn(move |request| {
        let (state, facts) = (Arc::clone(&state.borrow()), facts.clone());
        async move { Ok::<_, Infallible>(answered(state, facts, request).await.into_response()) }
    });
    let ended = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = ended {
        debug!("a connection from {peer} ended: {error}");
    }
}

async fn answered(state: Arc<State>, facts: Facts, request: Request<Incoming>) -> Answer {
    let (patience, logs) = (state.web.request_timeout, state.web.access_log);
    let listen = Arc::clone(&facts.listen);
    let mut call = Call::new(state, facts, request);
    let visit = logs.then(|| Visit::begin(call.method().as_str(), call.whole_path(), call.address()));
    let answered = timeout(patience, router::answer(&mut call, &listen.dialects)).await;
    let answer = answered.unwrap_or_else(|_| {
        v1::problem(StatusCode::SERVICE_UNAVAILABLE, "timeout", "it took too long: nothing was granted")
    });
    if let Some(visit) = visit {
        visit.end(answer.code().as_u16(), answer.length());
    }
    answer
}
