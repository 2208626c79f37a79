//! Connections on which no request ever comes: each holds a file descriptor, so none may stay.

use std::time::{Duration, Instant};

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
    let closed = [&b""[..], b"P", b"GET / HT", &HTTP2[..20], HTTP2].map(async |beginning| {
        for url in [&gateway.url, &gateway.admin] {
            let mut client = Client::connect(url).await;
            let began = Instant::now();
            client.write(beginning).await;
            client.ends().await;
            assert!(began.elapsed() > Duration::from_secs(5), "{:?}", beginning.escape_ascii().to_string());
        }
    });
    futures_util::future::join_all(closed).await;
}
