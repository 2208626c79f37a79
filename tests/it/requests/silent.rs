//! Connections on which no request ever comes: each holds a file descriptor, so none may stay.

use std::time::Instant;

use crate::support::gateway::Gateway;
use crate::support::http::Client;
use crate::support::nats_server::NatsServer;

const YAML: &str = "operations:\n  GET /x: { request: { subject: x } }\n";

/// What HTTP/2 begins with, and empty settings.
const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

#[tokio::test]
async fn a_connection_without_a_request_is_closed_whatever_it_began_with() {
    let nats = NatsServer::start().await;
    let gateway = Gateway::start(&nats.url(), YAML).await;
    let beginnings = [&b""[..], b"P", b"GET / HT", &HTTP2[..20], HTTP2];
    let cases =
        beginnings.iter().flat_map(|beginning| [(&gateway.url, beginning), (&gateway.admin, beginning)]);
    let closed = cases.map(async |(url, beginning)| {
        let mut client = Client::connect(url).await;
        let began = Instant::now();
        client.write(beginning).await;
        client.ends().await;
        let (took, shown) = (began.elapsed(), beginning.escape_ascii().to_string());
        assert!((5..15).contains(&took.as_secs()), "{shown}: {took:?}");
    });
    futures_util::future::join_all(closed).await;
}
