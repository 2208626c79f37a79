//! `natsgate health`: what the health check of the image asks.

use crate::support::command::natsgate;
use crate::support::gateway::Gateway;
use crate::support::nats_server::{NatsServer, free_port};

fn health(admin: &str, more: &[&str]) -> String {
    natsgate(".", &[&["health", "--admin", admin], more].concat()).seen()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_takes_requests_is_ready() {
    let nats = NatsServer::start().await;
    let gateway = Gateway::start(&nats.url(), "operations: {}\n").await;
    assert_eq!(health(&gateway.admin, &[]), "ready\nexit code 0\n");
    assert_eq!(health(&gateway.admin, &["--live"]), "live\nexit code 0\n");
    let address = gateway.admin.trim_start_matches("http://");
    assert_eq!(health(address, &[]), "ready\nexit code 0\n");
    // As it is written to listen on every interface.
    assert_eq!(health(&address.replace("127.0.0.1", "0.0.0.0"), &[]), "ready\nexit code 0\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_does_not_is_not() {
    let nowhere = format!("nats://127.0.0.1:{}", free_port());
    let yaml = "server: { ready_requires: [nats] }\noperations: {}\n";
    let gateway = Gateway::start_unconnected(&nowhere, yaml, &[]).await;
    assert_eq!(health(&gateway.admin, &[]), "not ready: NATS is not connected\nexit code 1\n");
    assert_eq!(health(&gateway.admin, &["--live"]), "live\nexit code 0\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_at_the_wrong_place_is_told_where_to_ask() {
    let nats = NatsServer::start().await;
    let gateway = Gateway::start(&nats.url(), "operations: {}\n").await;
    let url = &gateway.url;
    let told = "is it the admin listener (server.admin)?\nexit code 1\n";
    assert_eq!(health(url, &[]), format!("error: {url}/ready answers 404; {told}"));

    let nobody = format!("http://127.0.0.1:{}", free_port());
    let seen = health(&nobody, &[]);
    assert!(
        seen.contains("Connection refused") && seen.contains("--admin") && seen.ends_with("code 1\n"),
        "{seen}"
    );

    let seen = health("ftp://nowhere", &[]);
    assert!(
        seen.contains("write an address or a URL: 127.0.0.1:9090") && seen.ends_with("code 2\n"),
        "{seen}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_never_answers_is_not_waited_for() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a listener");
    let address = silent.local_addr().expect("an address").to_string();
    let seen = health(&address, &["--timeout", "100ms"]);
    assert!(seen.contains("it does not answer in time") && seen.ends_with("code 1\n"), "{seen}");
}
