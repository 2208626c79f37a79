//! Connections of the admin listener: probes have a place, whatever others do with theirs.

use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};

use crate::support::gateway::Gateway;
use crate::support::http::Client;

/// More than the listener takes.
const MANY: usize = 300;
const LARGE: &[u8] = b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// Asks for a large answer again and again, and takes nothing of it.
async fn takes_nothing(address: std::net::SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4096).expect("a small buffer");
    let mut stream = socket.connect(address).await.expect("a connection");
    stream.write_all(&LARGE.repeat(20)).await.expect("the requests");
    stream
}

#[tokio::test]
async fn those_that_take_nothing_do_not_keep_probes_out() {
    let operations = "operations:\n  GET /a: { request: { subject: a } }\n";
    let gateway = Gateway::start_unconnected("nats://127.0.0.1:1", operations, &[]).await;
    let address = gateway.admin.strip_prefix("http://").expect("an address").parse().expect("an address");
    let held = futures_util::future::join_all((0..MANY).map(|_| takes_nothing(address))).await;
    let live = async { Client::connect(&gateway.admin).await.send("GET", "/live", &[], b"").await.status };
    assert_eq!(tokio::time::timeout(Duration::from_secs(20), live).await, Ok(200));
    drop(held);
}
