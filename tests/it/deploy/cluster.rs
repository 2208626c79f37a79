//! The three NATS nodes of the compose file, started by its own commands: they find one another, and a stream of three
//! replicas is stored.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use async_nats::jetstream::{self, stream};
use tokio::time::{Instant, sleep};

use super::yaml;
use crate::support::http::Client;
use crate::support::nats_server::{binary, free_port};

const PATIENCE: Duration = Duration::from_secs(30);

/// A node, gone when it is dropped.
struct Node {
    child: Child,
    port: u16,
    monitor: u16,
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command of a node, with addresses and a store of this machine in place of those of its container.
fn start(index: usize, command: &str, routes: &[u16], store: &std::path::Path) -> Node {
    let (port, monitor) = (free_port(), free_port());
    let mut command = command.replace("nats://0.0.0.0:6222", &format!("nats://127.0.0.1:{}", routes[index]));
    for (number, route) in routes.iter().enumerate() {
        command = command
            .replace(&format!("nats://nats-{}:6222", number + 1), &format!("nats://127.0.0.1:{route}"));
    }
    let words = command.split_whitespace().map(|word| match word {
        "/data" => store.join(index.to_string()).display().to_string(),
        "8222" => monitor.to_string(),
        word => word.to_owned(),
    });
    let child = Command::new(binary())
        .args(words)
        .args(["--addr", "127.0.0.1", "--port", &port.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("nats-server starts");
    Node { child, port, monitor }
}

/// What the health check of the compose file asks.
async fn healthy(node: &Node) -> bool {
    let address = format!("127.0.0.1:{}", node.monitor);
    if tokio::net::TcpStream::connect(&address).await.is_err() {
        return false;
    }
    Client::connect(&format!("http://{address}")).await.send("GET", "/healthz", &[], b"").await.status == 200
}

#[tokio::test]
async fn the_nodes_of_the_compose_file_are_one_cluster() {
    let compose = yaml("deploy/compose.yaml");
    let store = tempfile::tempdir().expect("a store");
    let routes: Vec<u16> = (0..3).map(|_| free_port()).collect();
    let nodes: Vec<Node> = (0..3)
        .map(|index| {
            let service = &compose["services"][format!("nats-{}", index + 1)];
            assert!(service["healthcheck"]["test"].to_string().contains("http://127.0.0.1:8222/healthz"));
            start(index, service["command"].as_str().expect("a command"), &routes, store.path())
        })
        .collect();
    let until = Instant::now() + PATIENCE;
    for node in &nodes {
        while !healthy(node).await {
            assert!(Instant::now() < until, "a node does not get healthy");
            sleep(Duration::from_millis(50)).await;
        }
    }
    let client = async_nats::connect(format!("127.0.0.1:{}", nodes[0].port)).await.expect("a client");
    let config = stream::Config { name: "S".to_owned(), num_replicas: 3, ..stream::Config::default() };
    let jetstream = jetstream::new(client);
    while let Err(error) = jetstream.create_stream(config.clone()).await {
        assert!(Instant::now() < until, "no stream: {error}");
        sleep(Duration::from_millis(50)).await;
    }
}
