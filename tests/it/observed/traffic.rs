//! Every request is counted once, whatever became of it, under names that nobody outside can make up.

use natsgate::gateway::reload::Cause;

use super::scrape::Scrape;
use crate::support::gateway::Gateway;
use crate::support::http::Client;
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

const REQUESTS: &str = "natsgate_http_requests_total";
const RELOADS: &str = "natsgate_config_reloads_total";
const YAML: &str = "operations:
  GET /users/{id}: { request: { subject: 'users.${path.id}' } }
  GET /slow: { request: { subject: slow } }
";

#[tokio::test]
async fn requests_are_counted_by_operation_status_and_code() {
    let nats = NatsServer::start().await;
    let _service = Service::saying(&nats.url(), "users.7", "{}").await;
    let gateway = Gateway::start(&nats.url(), YAML).await;
    for _ in 0..3 {
        assert_eq!(gateway.get("/users/7").await.status, 200);
    }
    assert_eq!(gateway.get("/users/8").await.status, 503);
    assert_eq!(gateway.get("/nowhere").await.status, 404);
    assert_eq!(gateway.send("BREW", "/users/7", &[], b"").await.status, 405);
    let labels = [("operation", "GET /users/{id}"), ("method", "GET"), ("status", "200"), ("code", "")];
    let scrape = Scrape::until(&gateway.admin, REQUESTS, &labels, 3.0).await;
    let none = [("operation", "GET /users/{id}"), ("status", "503"), ("code", "no_responders")];
    assert_eq!(scrape.value(REQUESTS, &none), Some(1.0));
    let missing = [("operation", ""), ("method", "GET"), ("status", "404"), ("code", "not_found")];
    assert_eq!(scrape.value(REQUESTS, &missing), Some(1.0));
    let odd = [("operation", ""), ("method", "other"), ("code", "method_not_allowed")];
    assert_eq!(scrape.value(REQUESTS, &odd), Some(1.0));
    assert!(
        !scrape.text.contains("BREW") && !scrape.text.contains("nowhere") && !scrape.text.contains("users.7")
    );
    let operation = ("operation", "GET /users/{id}");
    let count = "natsgate_http_request_duration_seconds_count";
    assert_eq!(scrape.value(count, &[operation]), Some(4.0));
    assert_eq!(scrape.value("natsgate_nats_request_duration_seconds_count", &[operation]), Some(4.0));
    let all = [operation, ("le", "+Inf")];
    assert_eq!(scrape.value("natsgate_http_request_duration_seconds_bucket", &all), Some(4.0));
    assert_eq!(scrape.value("natsgate_operation_ready", &[operation]), Some(1.0));
    assert_eq!(scrape.value("natsgate_nats_connected", &[]), Some(1.0));
}

#[tokio::test]
async fn a_request_that_its_client_does_not_wait_for_is_counted_too() {
    let nats = NatsServer::start().await;
    let service = Service::silent(&nats.url(), "slow").await;
    let gateway = Gateway::start(&nats.url(), YAML).await;
    let mut client = Client::connect(&gateway.url).await;
    client.write(b"GET /slow HTTP/1.1\r\nHost: test\r\n\r\n").await;
    crate::requests::until("the service has it", || service.seen().len() == 1).await;
    let operation = ("operation", "GET /slow");
    let scrape = Scrape::until(&gateway.admin, "natsgate_in_flight", &[operation], 1.0).await;
    assert_eq!(scrape.value("natsgate_waiting_replies", &[]), Some(1.0));
    assert_eq!(scrape.value("natsgate_connections", &[]), Some(1.0));
    drop(client);
    let abandoned = [operation, ("status", "499"), ("code", "")];
    let scrape = Scrape::until(&gateway.admin, REQUESTS, &abandoned, 1.0).await;
    assert_eq!(scrape.value("natsgate_in_flight", &[operation]), Some(0.0));
    assert_eq!(scrape.value("natsgate_nats_request_duration_seconds_count", &[operation]), Some(1.0));
    Scrape::until(&gateway.admin, "natsgate_connections", &[], 0.0).await;
}

#[tokio::test]
async fn what_is_counted_outlives_a_reload_as_long_as_its_name_does() {
    let nats = NatsServer::start().await;
    let gateway = Gateway::start(&nats.url(), YAML).await;
    for path in ["/users/8", "/users/8", "/slow"] {
        assert_eq!(gateway.get(path).await.status, 503);
    }
    let users = [("operation", "GET /users/{id}"), ("status", "503")];
    let slow = [("operation", "GET /slow"), ("status", "503")];
    let scrape = Scrape::until(&gateway.admin, REQUESTS, &users, 2.0).await;
    assert_eq!(scrape.value(REQUESTS, &slow), Some(1.0));

    let write = |operations: &str| {
        gateway.replace(
            "natsgate.yaml",
            &format!("nats: {{ ping_interval: 500ms }}\noperations:\n{operations}"),
        );
    };
    write("  GET /users/{id}: { request: { subject: 'people.${path.id}' } }\n");
    gateway.reloader.reload(Cause::Api).await;
    assert_eq!(gateway.get("/users/8").await.status, 503);
    let scrape = Scrape::until(&gateway.admin, REQUESTS, &users, 3.0).await;
    assert_eq!(scrape.value(REQUESTS, &slow), None, "what has left the configuration is told no more");
    assert_eq!(scrape.value(RELOADS, &[("result", "applied")]), Some(1.0));
    assert_eq!(scrape.value("natsgate_config_last_reload_success", &[]), Some(1.0));

    write("  GET /users/{id}: { nonsense: 1 }\n");
    gateway.reloader.reload(Cause::Api).await;
    let scrape = Scrape::of(&gateway.admin).await;
    assert_eq!(scrape.value(RELOADS, &[("result", "invalid")]), Some(1.0));
    assert_eq!(scrape.value("natsgate_config_last_reload_success", &[]), Some(0.0));
    assert_eq!(scrape.value(REQUESTS, &users), Some(3.0));
}
