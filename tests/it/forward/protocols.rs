//! Upstreams that speak TLS, HTTP/2, or both.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::task::AbortOnDropHandle;

use super::gateway;
use crate::support::http2::{self, Http2};
use crate::support::tls::Certificates;

/// A service that tells what it was asked, with the body, and a trailer.
struct Telling {
    address: String,
    connections: Arc<AtomicUsize>,
    _serving: AbortOnDropHandle<()>,
}

/// How it listens.
struct Listening<'a> {
    tls: Option<(&'a Certificates, bool)>,
    alpn: &'a [&'a str],
}

impl Telling {
    async fn start(listening: Listening<'_>) -> Telling {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let acceptor =
            listening.tls.map(|(certificates, mutual)| acceptor(certificates, mutual, listening.alpn));
        let connections = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connections);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let service = hyper::service::service_fn(tell);
                    let builder = auto::Builder::new(TokioExecutor::new());
                    let _ = match acceptor {
                        None => builder.serve_connection(TokioIo::new(stream), service).await,
                        Some(acceptor) => match acceptor.accept(stream).await {
                            Ok(stream) => builder.serve_connection(TokioIo::new(stream), service).await,
                            Err(_) => Ok(()),
                        },
                    };
                });
            }
        });
        Telling { address, connections, _serving: AbortOnDropHandle::new(serving) }
    }
}

fn acceptor(certificates: &Certificates, mutual: bool, alpn: &[&str]) -> TlsAcceptor {
    let read = |name: &str| {
        let read = CertificateDer::pem_file_iter(certificates.path(name)).unwrap();
        read.map(|one| one.unwrap()).collect::<Vec<_>>()
    };
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(rustls::ALL_VERSIONS)
        .unwrap();
    let builder = match mutual {
        false => builder.with_no_client_auth(),
        true => {
            let mut roots = RootCertStore::empty();
            read("ca.pem").into_iter().for_each(|one| roots.add(one).unwrap());
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let key = PrivateKeyDer::from_pem_file(certificates.path("server.key")).unwrap();
    let mut config = builder.with_single_cert(read("server.pem"), key).unwrap();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

async fn tell(
    request: Request<Incoming>,
) -> Result<Response<http_body_util::combinators::BoxBody<Bytes, Infallible>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let cookies: Vec<_> = parts.headers.get_all("cookie").iter().map(|value| format!("{value:?}")).collect();
    let host = parts.headers.get("host").map_or("none", |host| host.to_str().unwrap());
    let told = format!(
        "{:?} {} {} host={host} cookies={} body={}",
        parts.version,
        parts.method,
        parts.uri,
        cookies.join("|"),
        String::from_utf8_lossy(&body)
    );
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", HeaderValue::from_static("1"));
    let frames = [Ok(Frame::data(Bytes::from(told))), Ok(Frame::trailers(trailers))];
    let body = StreamBody::new(futures_util::stream::iter(frames)).boxed();
    Ok(Response::builder().header("trailer", "x-sum").body(body).unwrap())
}

/// What the service was asked, as a client with HTTP/1.1 reads it.
async fn asked(url: &str, body: &str) -> String {
    let client = reqwest::Client::builder().http1_only().build().unwrap();
    let answer = client.post(format!("{url}/a?b=c")).body(body.to_owned()).send().await.unwrap();
    let status = answer.status();
    format!("{status} {}", answer.text().await.unwrap())
}

#[tokio::test]
async fn http2_is_spoken_by_prior_knowledge_on_one_connection() {
    let service = Telling::start(Listening { tls: None, alpn: &[] }).await;
    let yaml = format!(
        "upstreams: {{ legacy: {{ url: \"http://{}/base\", http: \"2\" }} }}\nfallback: {{ upstream: legacy }}\n",
        service.address
    );
    let gateway = gateway(&yaml).await;
    let requests = (0..20).map(|_| asked(&gateway.url, "body"));
    for answer in futures_util::future::join_all(requests).await {
        let host = gateway.url.trim_start_matches("http://");
        assert_eq!(
            answer,
            format!("200 OK HTTP/2.0 POST http://{host}/base/a?b=c host=none cookies= body=body")
        );
    }
    assert_eq!(service.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn tls_agrees_on_the_version_and_trusts_the_authority_that_is_named() {
    let certificates = Certificates::new();
    for (alpn, http, version) in [
        (&["h2", "http/1.1"][..], "auto", "HTTP/2.0"),
        (&["http/1.1"][..], "auto", "HTTP/1.1"),
        (&[][..], "auto", "HTTP/1.1"),
        (&["h2", "http/1.1"][..], "1.1", "HTTP/1.1"),
        (&["h2"][..], "2", "HTTP/2.0"),
    ] {
        let service = Telling::start(Listening { tls: Some((&certificates, true)), alpn }).await;
        let path = |name: &str| certificates.path(name).display().to_string();
        let tls = format!(
            "ca: {}, certificate: {}, key: {}",
            path("ca.pem"),
            path("client.pem"),
            path("client.key")
        );
        let yaml = format!(
            "upstreams: {{ legacy: {{ url: \"https://{}\", http: \"{http}\", tls: {{ {tls} }} }} }}\nfallback: {{ upstream: legacy }}\n",
            service.address
        );
        let gateway = gateway(&yaml).await;
        for _ in 0..2 {
            let answer = asked(&gateway.url, "body").await;
            assert!(answer.starts_with(&format!("200 OK {version} POST ")), "{http}: {answer}");
        }
        assert_eq!(service.connections.load(Ordering::SeqCst), 1, "{http} {alpn:?}");
    }
}

#[tokio::test]
async fn whoever_is_not_trusted_gets_nothing() {
    let certificates = Certificates::new();
    let other = Certificates::new();
    let service = Telling::start(Listening { tls: Some((&certificates, false)), alpn: &[] }).await;
    for tls in [
        String::new(),
        format!(", tls: {{ ca: {} }}", other.path("ca.pem").display()),
        format!(", tls: {{ ca: {}, server_name: other.example }}", certificates.path("ca.pem").display()),
    ] {
        let yaml = format!(
            "upstreams: {{ legacy: {{ url: \"https://{}\"{tls} }} }}\nfallback: {{ upstream: legacy }}\n",
            service.address
        );
        let gateway = gateway(&yaml).await;
        let answer = gateway.post("/", "{}").await;
        assert_eq!(answer.problem(), ("upstream_unreachable", "not_executed"), "{tls}");
    }
}

#[tokio::test]
async fn a_client_with_http2_reaches_an_upstream_without_it() {
    let service = Telling::start(Listening { tls: None, alpn: &[] }).await;
    let yaml = format!(
        "upstreams: {{ legacy: {{ url: \"http://{}\" }} }}\nfallback: {{ upstream: legacy }}\n",
        service.address
    );
    let gateway = gateway(&yaml).await;
    let mut client = Http2::connect(&gateway.url).await;
    let mut fields = http2::request("GET", "/a");
    fields.extend([("cookie", "a=1"), ("cookie", "b=2"), ("te", "trailers")]);
    let flags = http2::END_HEADERS | http2::END_STREAM;
    client.write(&http2::frame(http2::HEADERS, flags, 1, &http2::block(&fields))).await;
    assert_eq!(client.first(http2::HEADERS).await.unwrap().status(), 200);
    let data = client.first(http2::DATA).await.unwrap();
    assert_eq!(
        String::from_utf8_lossy(&data.payload),
        "HTTP/1.1 GET /a host=test cookies=\"a=1; b=2\" body="
    );
    let trailers = client.first(http2::HEADERS).await.unwrap();
    assert_eq!(trailers.flags & http2::END_STREAM, http2::END_STREAM);
}
