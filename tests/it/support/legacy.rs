//! A legacy service over HTTP/1.1: answers what a test tells it, and records what it has seen.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

/// A request as it arrived, whole.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) head: Parts,
    pub(crate) body: Bytes,
}

pub(crate) struct Legacy {
    /// `http://127.0.0.1:port`.
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: Option<AbortOnDropHandle<()>>,
}

impl Legacy {
    /// Answers every request by a function, some time after it arrived.
    pub(crate) async fn start(
        answer: impl Fn(&Seen) -> (Duration, Response<Full<Bytes>>) + Send + Sync + 'static,
    ) -> Legacy {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (seen, answer) = (Arc::new(Mutex::new(Vec::new())), Arc::new(answer));
        let record = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            // Ended with the listener, so that nothing answers for a service that is gone.
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let Ok((stream, _)) = listener.accept().await else { return };
                let _ = stream.set_nodelay(true);
                let (record, answer) = (Arc::clone(&record), Arc::clone(&answer));
                let service = service_fn(move |request: Request<Incoming>| {
                    let (record, answer) = (Arc::clone(&record), Arc::clone(&answer));
                    async move {
                        let (head, body) = request.into_parts();
                        let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
                        let seen = Seen { head, body };
                        let (pause, response) = answer(&seen);
                        record.lock().expect("record").push(seen);
                        if !pause.is_zero() {
                            tokio::time::sleep(pause).await;
                        }
                        Ok::<_, Infallible>(response)
                    }
                });
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                connections.spawn(async {
                    let _ = connection.await;
                });
            }
        });
        Legacy { url, seen, task: Some(AbortOnDropHandle::new(task)) }
    }

    /// Answers everything with this JSON.
    pub(crate) async fn saying(body: &'static str) -> Legacy {
        Legacy::start(move |_| (Duration::ZERO, json(200, body))).await
    }

    /// Everything that has arrived so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("record").clone()
    }

    /// Goes away, with all its connections.
    pub(crate) fn stop(&mut self) {
        self.task = None;
    }
}

/// An answer in JSON.
pub(crate) fn json(status: u16, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let response = Response::builder().status(status).header("content-type", "application/json");
    response.body(Full::new(body.into())).expect("an answer")
}
