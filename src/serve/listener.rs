//! Connections: accepted, served over HTTP/1.1 or HTTP/2, and closed gracefully.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::header::EXPECT;
use http::{Request, Version};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::unread::Unread;
use crate::edge::Peer;

/// A head must be complete within this.
const HEAD: Duration = Duration::from_secs(10);
/// After a failed accept (no more file descriptors), before the next.
const BREATH: Duration = Duration::from_millis(50);

/// Serves connections until `close` is cancelled; then waits for those that are open, each of which ends after
/// the request that it is in.
pub(super) async fn serve(listener: TcpListener, router: Router, close: CancellationToken) {
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
        let service = router.clone().map_request(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Peer(peer.ip()));
            // Only HTTP/1 has no other way to end a request, and who expects a 100 has not begun to send.
            let lingers = request.version() <= Version::HTTP_11 && !request.headers().contains_key(EXPECT);
            let body = if lingers { |body| Body::new(Unread::new(body)) } else { Body::new };
            request.map(body)
        });
        let connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
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
