//! A collector of OpenTelemetry: takes spans by OTLP, over HTTP and over gRPC, on one port.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, StreamBody, combinators::BoxBody};
use hyper::body::{Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::AbortOnDropHandle;

use super::certificates::server_config;
use super::tls::Certificates;

const GRPC: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

pub(crate) struct Collector {
    /// `http://127.0.0.1:port`.
    pub(crate) url: String,
    taken: Arc<Mutex<Taken>>,
    _task: AbortOnDropHandle<()>,
}

#[derive(Default)]
struct Taken {
    spans: Vec<(String, Span)>,
    /// The headers of each batch.
    heads: Vec<(String, HeaderMap)>,
}

impl Collector {
    pub(crate) async fn start() -> Collector {
        Collector::speaking(None, Duration::ZERO).await
    }

    /// One that takes its time before it takes anything.
    pub(crate) async fn slow(pause: Duration) -> Collector {
        Collector::speaking(None, pause).await
    }

    /// One that speaks TLS.
    pub(crate) async fn secured(certificates: &Certificates) -> Collector {
        let read = |name: &str| std::fs::read(certificates.path(name)).expect("a file");
        let mut config = server_config(&read("server.pem"), &read("server.key"));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Collector::speaking(Some(TlsAcceptor::from(Arc::new(config))), Duration::ZERO).await
    }

    async fn speaking(tls: Option<TlsAcceptor>, pause: Duration) -> Collector {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr().expect("its address"));
        let taken = Arc::new(Mutex::new(Taken::default()));
        let into = Arc::clone(&taken);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, tls.clone(), pause, Arc::clone(&into)));
            }
        });
        Collector { url, taken, _task: AbortOnDropHandle::new(task) }
    }

    /// The spans so far, each with the name of its service.
    pub(crate) fn spans(&self) -> Vec<(String, Span)> {
        self.taken.lock().expect("record").spans.clone()
    }

    /// Path and headers of what has come so far.
    pub(crate) fn heads(&self) -> Vec<(String, HeaderMap)> {
        self.taken.lock().expect("record").heads.clone()
    }

    /// Waits for so many spans.
    pub(crate) async fn until(&self, count: usize) -> Vec<(String, Span)> {
        let until = Instant::now() + Duration::from_secs(15);
        loop {
            let spans = self.spans();
            if spans.len() >= count {
                return spans;
            }
            assert!(Instant::now() < until, "{} of {count} spans have come: {spans:?}", spans.len());
            sleep(Duration::from_millis(10)).await;
        }
    }
}

/// An attribute as text.
pub(crate) fn attribute(span: &Span, name: &str) -> Option<String> {
    text(&span.attributes, name)
}

fn text(attributes: &[KeyValue], name: &str) -> Option<String> {
    let found = attributes.iter().find(|attribute| attribute.key == name)?;
    match found.value.as_ref()?.value.as_ref()? {
        any_value::Value::StringValue(text) => Some(text.clone()),
        any_value::Value::IntValue(number) => Some(number.to_string()),
        other => Some(format!("{other:?}")),
    }
}

async fn serve(stream: TcpStream, tls: Option<TlsAcceptor>, pause: Duration, into: Arc<Mutex<Taken>>) {
    let service = service_fn(move |request| {
        let into = Arc::clone(&into);
        async move {
            sleep(pause).await;
            take(into, request).await
        }
    });
    let http = auto::Builder::new(TokioExecutor::new());
    let _ = match tls {
        None => http.serve_connection(TokioIo::new(stream), service).await,
        Some(tls) => match tls.accept(stream).await {
            Ok(stream) => http.serve_connection(TokioIo::new(stream), service).await,
            Err(_) => Ok(()),
        },
    };
}

async fn take(
    into: Arc<Mutex<Taken>>,
    request: Request<Incoming>,
) -> Result<Response<BoxBody<Bytes, Infallible>>, Infallible> {
    let (head, body) = request.into_parts();
    let path = head.uri.path().to_owned();
    let bytes = body.collect().await.expect("a whole body").to_bytes();
    let is_grpc = path == GRPC;
    let message = if is_grpc { bytes.slice(5..) } else { bytes };
    let Ok(batch) = ExportTraceServiceRequest::decode(message) else {
        return Ok(answer(StatusCode::BAD_REQUEST, "text/plain", Vec::new()));
    };
    let mut taken = into.lock().expect("record");
    taken.heads.push((path, head.headers));
    for resource in batch.resource_spans {
        let attributes = resource.resource.map(|resource| resource.attributes).unwrap_or_default();
        let service = text(&attributes, "service.name").unwrap_or_default();
        let spans = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
        taken.spans.extend(spans.map(|span| (service.clone(), span)));
    }
    let done = ExportTraceServiceResponse::default().encode_to_vec();
    if !is_grpc {
        return Ok(answer(StatusCode::OK, "application/x-protobuf", vec![Frame::data(done.into())]));
    }
    let mut framed = BytesMut::new();
    framed.put_u8(0);
    framed.put_u32(done.len() as u32);
    framed.extend_from_slice(&done);
    let trailers =
        HeaderMap::from_iter([("grpc-status".parse().expect("a name"), "0".parse().expect("a value"))]);
    let frames = vec![Frame::data(framed.freeze()), Frame::trailers(trailers)];
    Ok(answer(StatusCode::OK, "application/grpc", frames))
}

fn answer(status: StatusCode, kind: &str, frames: Vec<Frame<Bytes>>) -> Response<BoxBody<Bytes, Infallible>> {
    let frames = futures_util::stream::iter(frames.into_iter().map(Ok));
    let body = BodyExt::boxed(StreamBody::new(frames));
    Response::builder().status(status).header("content-type", kind).body(body).expect("a response")
}
