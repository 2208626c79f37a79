//! Heads at their limits: what fits is served, what does not is refused with a document as far as it is read at all.

use std::time::Instant;

use super::YAML;
use crate::support::gateway::Gateway;
use crate::support::http::{Answer, Client};
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

/// One request of each protocol.
async fn both(gateway: &Gateway, path: &str, headers: &[(String, String)]) -> [(u16, String); 2] {
    let borrowed: Vec<(&str, &str)> =
        headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let one = gateway.send("GET", path, &borrowed, b"").await;
    let client = reqwest::Client::builder().http2_prior_knowledge().build().expect("a client");
    let mut request = client.get(format!("{}{path}", gateway.url));
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let two = request.send().await.expect("an answer of HTTP/2");
    let code = two.headers().get("natsgate-code").map(|code| code.to_str().expect("ASCII").to_owned());
    [(one.status, one.problem().0.to_owned()), (two.status().as_u16(), code.unwrap_or_default())]
}

fn fields(count: usize, size: usize) -> Vec<(String, String)> {
    (0..count).map(|number| (format!("x-{number:03}"), "v".repeat(size))).collect()
}

#[tokio::test]
async fn what_fits_is_served_and_what_does_not_is_told() {
    let nats = NatsServer::start().await;
    let service = Service::saying(&nats.url(), "x", "fine").await;
    let gateway = Gateway::start(&nats.url(), YAML).await;
    let long = |size: usize| format!("/x?{}", "q".repeat(size - 3));
    for (path, headers, status, code) in [
        (long(8192), vec![], 200, ""),
        (long(8193), vec![], 414, "uri_too_long"),
        (long(60_000), vec![], 414, "uri_too_long"),
        ("/x".into(), fields(1, 65_000), 200, ""),
        ("/x".into(), fields(60, 1_000), 200, ""),
        ("/x".into(), fields(1, 65_536), 431, "headers_too_large"),
        ("/x".into(), fields(64, 1_024), 431, "headers_too_large"),
        ("/x".into(), fields(90, 10), 200, ""),
    ] {
        for answer in both(&gateway, &path, &headers).await {
            assert_eq!(answer, (status, code.to_owned()), "{} bytes, {} fields", path.len(), headers.len());
        }
    }
    assert_eq!(service.seen().len(), 8);
    // The library for HTTP/1.1 has a limit of the same number; the one for HTTP/2 has none.
    let [one, two] = both(&gateway, "/x", &fields(101, 1)).await;
    assert_eq!((one.0, two), (431, (431, "headers_too_large".to_owned())));
    assert_eq!(service.seen().len(), 8);
}

#[tokio::test]
async fn what_is_not_even_read_gets_the_status_alone() {
    let nats = NatsServer::start().await;
    let service = Service::saying(&nats.url(), "x", "fine").await;
    let gateway = Gateway::start(&nats.url(), YAML).await;
    for (path, headers, status) in [
        ("/x", fields(1, 300_000), 431),
        ("/x", fields(90, 3_000), 431),
        (&*format!("/{}", "x".repeat(70_000)), vec![], 414),
    ] {
        let mut client = Client::connect(&gateway.url).await;
        let fields: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        client.write(format!("GET {path} HTTP/1.1\r\nHost: t\r\n{fields}\r\n").as_bytes()).await;
        let said = client.rest().await;
        assert!(said.starts_with(&format!("HTTP/1.1 {status} ")) || said.is_empty(), "{said}");
    }
    let [_, two] = both_http2(&gateway, &fields(1, 200_000)).await;
    assert_eq!(two, 431);
    assert!(service.seen().is_empty());
}

/// The status over HTTP/2, twice on one connection.
async fn both_http2(gateway: &Gateway, headers: &[(String, String)]) -> [u16; 2] {
    let client = reqwest::Client::builder().http2_prior_knowledge().build().expect("a client");
    let mut statuses = [0; 2];
    for status in &mut statuses {
        let mut request = client.get(format!("{}/x", gateway.url));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        *status = request.send().await.map_or(431, |answer| answer.status().as_u16());
    }
    statuses
}

#[tokio::test]
async fn the_configuration_says_what_fits() {
    let nats = NatsServer::start().await;
    let _service = Service::saying(&nats.url(), "x", "fine").await;
    let yaml = format!("server: {{ max_headers: 1KiB, max_uri: 100 }}\n{YAML}");
    let gateway = Gateway::start(&nats.url(), &yaml).await;
    let ask = async |path: &str, size: usize| -> Answer {
        let mut client = Client::connect(&gateway.url).await;
        let value = "v".repeat(size);
        client.write(format!("GET {path} HTTP/1.1\r\nHost: t\r\nX: {value}\r\n\r\n").as_bytes()).await;
        client.answer("GET", Instant::now()).await
    };
    // Host and X with their names, colons, spaces and line ends.
    assert_eq!(ask("/x", 1024 - 9 - 5).await.status, 200);
    let refused = ask("/x", 1024 - 9 - 4).await;
    assert_eq!((refused.status, refused.problem()), (431, ("headers_too_large", "not_executed")));
    assert!(refused.text().contains("1024 bytes"), "{}", refused.text());
    assert_eq!(ask(&format!("/x?{}", "q".repeat(97)), 1).await.status, 200);
    let refused = ask(&format!("/x?{}", "q".repeat(98)), 1).await;
    assert_eq!((refused.status, refused.problem()), (414, ("uri_too_long", "not_executed")));
}
