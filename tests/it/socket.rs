//! The public socket: TLS, timeouts, connections, floods, sizes, hostile HTTP, cross-origin calls.

mod connections;
mod cors;
mod documents;
mod floods;
mod http1;
mod http2;
mod sizes;
mod smuggling;
mod timeouts;
mod tls;

use std::time::{Duration, Instant};

use tokio::time::sleep;

const YAML: &str = "operations:
  GET /x: { request: { subject: x, timeout: 10s } }
  POST /echo: { request: { subject: echo, timeout: 10s }, limits: { max_body: 1MiB } }
";

/// Waits until something holds.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < end, "never came: {what}");
        sleep(Duration::from_millis(2)).await;
    }
}
