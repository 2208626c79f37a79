//! Connections: accepted, served over HTTP/1.1 or HTTP/2, and closed gracefully.

use std::convert::Infallible;
use std::net::IpAddr;
use std::time::Duration;

use futures_util::FutureExt;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::BoxError;

/// A head must be complete within this. The wait for the next request on a kept connection counts too, and a pool of
/// connections, in a client or in a load balancer, keeps them for a minute: closed earlier, its requests would be reset.
const HEAD: Duration = Duration::from_secs(75);
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
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD);
    builder.http2().timer(TokioTimer::new());
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = close.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
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
        // Mapped, not awaited in another block: a future of some thousand bytes is moved for every request.
        let service = service_fn(move |request| answer(peer.ip(), request).map(Ok::<_, Infallible>));
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection.into_owned());
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended");
            }
        });
    }
    drop(listener);
    graceful.shutdown().await;
}
