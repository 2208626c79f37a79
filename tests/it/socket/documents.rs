//! What the gateway's own documents tell browsers and caches, and what replies of services do not.

use super::YAML;
use crate::support::gateway::Gateway;
use crate::support::http::Client;
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

const GUARDED: [(&str, &str); 3] = [
    ("x-content-type-options", "nosniff"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("cache-control", "no-store"),
];

#[tokio::test]
async fn problems_and_the_admin_listener_are_guarded() {
    let nats = NatsServer::start().await;
    let gateway = Gateway::start(&nats.url(), YAML).await;
    let mut answers =
        vec![gateway.get("/nowhere").await, gateway.delete("/x").await, gateway.get("/x").await];
    for path in ["/live", "/ready", "/metrics", "/nowhere"] {
        answers.push(Client::connect(&gateway.admin).await.send("GET", path, &[], b"").await);
    }
    assert_eq!(
        answers.iter().map(|answer| answer.status).collect::<Vec<_>>(),
        [404, 405, 503, 200, 200, 200, 404]
    );
    for answer in &answers {
        for (name, value) in GUARDED {
            let values: Vec<&str> = answer
                .headers
                .iter()
                .filter(|(header, _)| header == name)
                .map(|(_, value)| &**value)
                .collect();
            assert_eq!(values, [value], "{name}: {} {}", answer.status, answer.text());
        }
    }
}

#[tokio::test]
async fn replies_pass_as_they_are() {
    let nats = NatsServer::start().await;
    let _service = Service::with_headers(&nats.url(), "x", &[("Cache-Control", "max-age=60")], "fine").await;
    let yaml = "operations:
  GET /x: { request: { subject: x } }
  GET /legacy:
    request: { subject: nobody }
    problem: [{ status: 200, body: { success: false } }]
";
    let gateway = Gateway::start(&nats.url(), yaml).await;
    let answer = gateway.get("/x").await;
    assert_eq!(answer.header("cache-control"), Some("max-age=60"));
    for (name, _) in &GUARDED[..2] {
        assert_eq!(answer.header(name), None, "{name}");
    }
    // The body of a `problem` case is the operator's; that it is not to be kept stays true.
    let legacy = gateway.get("/legacy").await;
    assert_eq!((legacy.status, legacy.header("cache-control")), (200, Some("no-store")));
    assert_eq!(legacy.header("content-security-policy"), None);
}
