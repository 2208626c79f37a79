//! Connections: accepted, served over HTTP/1.1 or HTTP/2, and closed gracefully.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use tower::BoxError;

/// The head of a first request must be complete within this, whatever a connection began with.
const FIRST_HEAD: Duration = Duration::from_secs(10);
/// That of every later one within this. The wait for it counts too, and a pool of connections, in a client or in a load
/// balancer, keeps them for a minute: closed earlier, its requests would be reset.
const NEXT_HEAD: Duration = Duration::from_secs(75);
/// How often the other end of an HTTP/2 connection is asked whether it is there, and how long it may take to say so.
const ALIVE: Duration = Duration::from_secs(20);
/// How long connections are still accepted after the end was announced: those that the system holds for us already
/// would be reset, with the requests in them.
const BACKLOG: Duration = Duration::from_millis(20);
/// After a failed accept (no more file descriptors), before the next.
const BREATH: Duration = Duration::from_millis(50);

/// Serves connections by `answer` until `close` is cancelled; then waits for those that are open, each of which ends
/// after the request that it is in.
pub(super) async fn serve<A, F, B>(listener: TcpListener, answer: A, close: CancellationToken)
where
    A: Fn(IpAddr, Request<Incoming>) -> F + Clone + Send + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(NEXT_HEAD);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(ALIVE).keep_alive_timeout(ALIVE);
    let graceful = GracefulShutdown::new();
    let mut last = None;
    while let Some(accepted) = next(&listener, &close, &mut last).await {
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        // Answers are small and whole: waiting to fill a packet would only delay them.
        let _ = stream.set_nodelay(true);
        let answer = answer.clone();
        let asked = Arc::new(AtomicBool::new(false));
        let asks = Arc::clone(&asked);
        // Mapped, not awaited in another block: a future of some thousand bytes is moved for every request.
        let service = service_fn(move |request| {
            asks.store(true, Ordering::Relaxed);
            answer(peer.ip(), request).map(Ok::<_, Infallible>)
        });
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        tokio::spawn(see_through(graceful.watch(connection.into_owned()), asked));
    }
    drop(listener);
    graceful.shutdown().await;
}

/// The next connection, until `close` is cancelled and whoever had connected by then has been accepted.
async fn next(
    listener: &TcpListener,
    close: &CancellationToken,
    last: &mut Option<Instant>,
) -> Option<io::Result<(TcpStream, SocketAddr)>> {
    if last.is_none() {
        tokio::select! {
            biased;
            () = close.cancelled() => *last = Some(Instant::now() + BACKLOG),
            accepted = listener.accept() => return Some(accepted),
        }
    }
    timeout_at((*last)?, listener.accept()).await.ok()
}

/// Serves a connection to its end, which comes soon if it never asks for anything.
async fn see_through(connection: impl Future<Output = Result<(), BoxError>>, asked: Arc<AtomicBool>) {
    let mut connection = pin!(connection);
    let ended = match timeout(FIRST_HEAD, &mut connection).await {
        Ok(ended) => ended,
        Err(_) if asked.load(Ordering::Relaxed) => connection.await,
        Err(_) => return,
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended");
    }
}
