//! A reply that kills the client library fails its own request; the gateway goes on with a fresh client.

use std::time::{Duration, Instant};

use crate::support::gateway::Gateway;
use crate::support::hostile::Hostile;
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

const YAML: &str = "operations:
  GET /bad: { request: { subject: bad, timeout: 5s } }
  GET /good: { request: { subject: good } }
";

#[tokio::test]
async fn the_next_requests_work_soon() {
    let nats = NatsServer::start().await;
    let _service = Service::saying(&nats.url(), "good", "fine").await;
    let gateway = Gateway::start(&nats.url(), YAML).await;
    for block in [
        &b"NATS/1.0\r\nX-Note: a\rb\r\n\r\n"[..],
        b"NATS/1.0\r\nX-Note: caf\xe9\r\n\r\n",
        b"NATS/1.0\r\nX-N\xff: a\r\n\r\n",
        b"NATS/1.0\r\nno colon\r\n\r\n",
        b"NATS/1.0 abc\r\n\r\n",
        b"HTTP/1.1 200\r\n\r\n",
        b"\0\0\0\0",
    ] {
        let _hostile = Hostile::start(nats.port(), "bad", block).await;
        let shown = block.escape_ascii();
        let bad = gateway.get("/bad").await;
        assert!(matches!(bad.status, 502 | 504), "{shown}: {} {}", bad.status, bad.text());
        let began = Instant::now();
        while gateway.get("/good").await.status != 200 {
            assert!(began.elapsed() < Duration::from_secs(2), "{shown}: {:?}", gateway.inner.nats().status());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(gateway.ready().await.status, 200);
    }
    super::until("nobody waits", || gateway.waiting() == 0).await;
}
