//! `Accept` against what the contract answers with. The rules of the header itself are tested where they stand.

use crate::support::gateway::Gateway;
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

const CONTRACT: &str = "openapi: 3.1.0
info: { title: t, version: '1' }
paths:
  /one:
    get:
      operationId: one
      responses:
        '200': { description: done, content: { 'application/json; charset=utf-8': {} } }
        '204': { description: nothing }
        default: { description: wrong, content: { text/html: {} } }
  /two:
    get: { operationId: two, responses: { 2XX: { description: done, content: { text/csv: {}, application/xml: {} } } } }
  /wild:
    get: { operationId: wild, responses: { '200': { description: done, content: { text/csv: {}, '*/*': {} } } } }
  /silent:
    get: { operationId: silent, responses: { '200': { description: done }, default: { description: wrong, content: { application/json: {} } } } }
  /lax:
    get: { operationId: lax, responses: { '200': { description: done, content: { text/csv: {} } } } }
";

#[tokio::test]
async fn who_takes_nothing_that_there_is_gets_406_and_nothing_is_sent() {
    let nats = NatsServer::start().await;
    let service = Service::saying(&nats.url(), "x", "{}").await;
    let yaml = "contracts: [{ file: api.yaml }]
operations:
  one: { request: { subject: x } }
  two: { request: { subject: x } }
  wild: { request: { subject: x } }
  silent: { request: { subject: x } }
  lax: { request: { subject: x }, validate: log }
  GET /free: { request: { subject: x } }
";
    let gateway = Gateway::start_unconnected(&nats.url(), yaml, &[("api.yaml", CONTRACT)]).await;
    gateway.connected().await;
    let refused = [
        ("/one", "text/html"),
        ("/one", "application/problem+xml, text/*"),
        ("/one", "application/json;q=0"),
        ("/two", "application/json"),
        ("/two", "*/*;q=0"),
    ];
    for (path, accept) in refused {
        let answer = gateway.send("GET", path, &[("Accept", accept)], b"").await;
        assert_eq!(
            (answer.status, answer.problem()),
            (406, ("not_acceptable", "not_executed")),
            "{path} {accept}"
        );
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    }
    let two = gateway.send("GET", "/two", &[("Accept", "image/png")], b"").await;
    assert_eq!(two.json()["detail"], "this operation answers with application/xml or text/csv");
    assert!(service.seen().is_empty());
    for (path, accept) in [
        ("/one", "*/*"),
        ("/one", "application/json"),
        ("/one", "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"),
        ("/one", "text/html;;;===, nonsense"),
        ("/two", "text/csv;header=present;q=0.3, application/json"),
        ("/wild", "image/png"),
        ("/silent", "image/png"),
        ("/lax", "image/png"),
        ("/free", "image/png"),
    ] {
        let answer = gateway.send("GET", path, &[("Accept", accept)], b"").await;
        assert_eq!(answer.status, 200, "{path} {accept}");
    }
    assert_eq!(gateway.get("/one").await.status, 200);
    let lines = [("Accept", "text/html"), ("Accept", "application/json;q=0.1")];
    assert_eq!(gateway.send("GET", "/one", &lines, b"").await.status, 200);
}
