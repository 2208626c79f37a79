//! Parameters held against their schemas, over sockets: everything that is wrong in one answer, and nothing of it
//! quoted.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::support::gateway::Gateway;
use crate::support::nats_server::NatsServer;
use crate::support::process::Process;
use crate::support::service::Service;

const CONTRACT: &str = "openapi: 3.1.0
info: { title: t, version: '1' }
paths:
  /orders/{day}:
    parameters: [{ name: day, in: path, required: true, schema: { type: string, format: date } }]
    get:
      operationId: list
      parameters:
        - { name: limit, in: query, schema: { type: integer, minimum: 1, maximum: 100, default: 20 } }
        - { name: state, in: query, schema: { type: string, enum: [open, done] } }
        - { name: big, in: query, schema: { type: integer, maximum: 9007199254740993 } }
        - { name: ids, in: query, schema: { type: array, minItems: 2, uniqueItems: true, items: { type: integer, multipleOf: 2 } } }
        - name: filter
          in: query
          style: deepObject
          schema: { type: object, required: [status], additionalProperties: false, properties: { status: { type: string, maxLength: 5 }, tags: { type: array, items: { type: string, pattern: '^[a-z]+$' } } } }
        - { name: where, in: query, content: { application/json: { schema: { type: object, maxProperties: 1 } } } }
        - { name: X-Level, in: header, schema: { type: integer, minimum: 1 } }
        - { name: session, in: cookie, schema: { type: string, minLength: 4 } }
      responses: { '200': { description: done } }
    post:
      operationId: create
      parameters: [{ name: limit, in: query, required: true, schema: { type: integer, minimum: 1 } }]
      requestBody: { content: { application/json: { schema: { type: object, properties: { n: { type: integer } } } }, application/x-www-form-urlencoded: { schema: { type: object, required: [n], properties: { n: { type: integer, minimum: 5 } } } } } }
      responses: { '200': { description: done } }
";

const OPERATIONS: &str = "operations:
  list:
    request:
      subject: orders.list.${query.?filter.status.orValue('all')}
      payload: { limit: '${query.limit}', filter: '${query.?filter}', first: '${query.?ids[0]}', tags: '${query.?filter.?tags}', day: '${path.day}', level: '${header.?x-level}', where: '${query.?where}' }
  create: { request: { subject: orders.create } }
";

#[tokio::test]
async fn everything_that_is_wrong_is_told_in_one_answer_and_never_quoted() {
    let nats = NatsServer::start().await;
    let service = Service::echo(&nats.url(), "orders.>").await;
    let yaml = format!("contracts: [{{ file: api.yaml }}]\n{OPERATIONS}");
    let gateway = Gateway::start_unconnected(&nats.url(), &yaml, &[("api.yaml", CONTRACT)]).await;
    gateway.connected().await;
    let query = "limit=1000&state=hunter2&big=9007199254740994&ids=4&filter[tags]=hunter2&filter[hunter]=2&where={%22a%22:1,%22b%22:2}";
    let headers = [("X-Level", "0"), ("Cookie", "session=abc")];
    let answer = gateway.send("GET", &format!("/orders/2020-02-30?{query}"), &headers, b"").await;
    assert_eq!((answer.status, answer.problem()), (400, ("invalid_parameter", "not_executed")));
    assert!(!answer.text().contains("hunter2"), "{}", answer.text());
    let document = answer.json();
    let mut named: Vec<&str> = document["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .filter_map(|one| one["parameter"].as_str())
        .collect();
    named.dedup();
    assert_eq!(
        named,
        ["day", "limit", "state", "big", "ids", "filter", "where", "x-level", "session"],
        "{document}"
    );
    let details: Vec<&str> = document["errors"]
        .as_array()
        .expect("errors")
        .iter()
        .filter_map(|one| one["detail"].as_str())
        .collect();
    for start in [
        "path.day ",
        "query.limit ",
        "query.filter at /tags/0 ",
        "query.filter ",
        "header.x-level ",
        "cookie.session ",
    ] {
        assert!(details.iter().any(|detail| detail.starts_with(start)), "{start}: {details:#?}");
    }
    assert!(service.seen().is_empty());

    for (query, seen) in [
        ("", r#"{"limit":20,"day":"2020-02-28"}"#),
        (
            "limit=100&filter[status]=open&filter[tags][]=a&ids=2&ids=4&big=9007199254740993",
            r#"{"limit":100,"filter":{"status":"open","tags":["a"]},"first":2,"tags":["a"],"day":"2020-02-28"}"#,
        ),
        ("where={\"a\":1.0}", r#"{"limit":20,"day":"2020-02-28","where":{"a":1.0}}"#),
    ] {
        let answer = gateway.get(&format!("/orders/2020-02-28?{}", query.replace('"', "%22"))).await;
        assert_eq!((answer.status, answer.text().as_str()), (200, seen), "{query}");
    }
    assert_eq!(service.seen()[1].subject.as_str(), "orders.list.open");
    let unsafe_token = gateway.get("/orders/2020-02-28?filter[status]=a.b").await;
    assert_eq!((unsafe_token.status, unsafe_token.problem().0), (400, "invalid_parameter"));
}

#[tokio::test]
async fn parameters_and_body_are_told_together() {
    let nats = NatsServer::start().await;
    let service = Service::echo(&nats.url(), "orders.>").await;
    let yaml = format!("contracts: [{{ file: api.yaml }}]\n{OPERATIONS}");
    let gateway = Gateway::start_unconnected(&nats.url(), &yaml, &[("api.yaml", CONTRACT)]).await;
    gateway.connected().await;
    let json = [("Content-Type", "application/json")];
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    for (headers, body, pointer) in
        [(&json, r#"{"n":"x"}"#, "/n"), (&form, "n=x", "/n"), (&form, "n=4", "/n"), (&form, "m=5", "/n")]
    {
        let both = gateway.send("POST", "/orders/x?limit=0", headers, body.as_bytes()).await;
        assert_eq!((both.status, both.problem()), (400, ("invalid_parameter", "not_executed")), "{body}");
        let document = both.json();
        let named = |index: usize| &document["errors"][index];
        assert_eq!(
            (&named(0)["parameter"], &named(1)["parameter"]),
            (&"day".into(), &"limit".into()),
            "{body}"
        );
        assert_eq!(
            (&named(2)["pointer"], document["errors"].as_array().map(Vec::len)),
            (&pointer.into(), Some(3))
        );
        let only = gateway.send("POST", "/orders/2020-01-01?limit=1", headers, body.as_bytes()).await;
        assert_eq!((only.status, only.problem()), (422, ("invalid_body", "not_executed")), "{body}");
        assert_eq!(only.json()["errors"][0]["pointer"], pointer, "{body}");
    }
    let good = gateway.send("POST", "/orders/2020-01-01?limit=1", &form, b"n=5&m=x").await;
    assert_eq!((good.status, good.text().as_str()), (200, "n=5&m=x"));
    assert_eq!(service.seen().len(), 1);
}

#[tokio::test]
async fn where_violations_are_only_logged_the_request_passes_and_the_log_says_why() {
    let nats = NatsServer::start().await;
    let service = Service::echo(&nats.url(), "orders.>").await;
    let folder = tempfile::tempdir().expect("temporary directory");
    let contract = folder.path().join("api.yaml");
    std::fs::write(&contract, CONTRACT).expect("contract");
    let operations = OPERATIONS.replace("  create:", "    validate: log\n  create:");
    let yaml = format!("contracts: [{{ file: '{}' }}]\n{operations}", contract.display());
    let process = Process::serve(&nats.url(), &yaml).await;
    process.connected().await;
    let path = "/orders/hunter2?limit=hunter2&state=hunter2&filter[tags]=HUNTER2&filter[status]=ok";
    let answer = process.send("GET", path, &[]).await;
    assert_eq!(
        (answer.status, answer.text().as_str()),
        (
            200,
            r#"{"limit":"hunter2","filter":{"tags":["HUNTER2"],"status":"ok"},"tags":["HUNTER2"],"day":"hunter2"}"#
        )
    );
    let id = answer.header("natsgate-request-id").expect("request id");
    let until = Instant::now() + Duration::from_secs(10);
    let line = loop {
        let told = |line: &serde_json::Value| line["request_id"] == id && line["level"] == "WARN";
        if let Some(line) = process.log().into_iter().find(told) {
            break line.to_string();
        }
        assert!(Instant::now() < until, "nothing is logged");
        sleep(Duration::from_millis(10)).await;
    };
    for name in ["path.day", "query.limit is not an integer", "query.state", "query.filter at /tags/0"] {
        assert!(line.contains(name), "{name}: {line}");
    }
    assert!(!line.to_lowercase().contains("hunter2"), "{line}");
    assert_eq!(service.seen().len(), 1);
}
