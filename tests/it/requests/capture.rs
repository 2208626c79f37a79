//! A stream that captures the subject of a request answers in place of the service.

use async_nats::jetstream::{self, stream};

use crate::support::gateway::Gateway;
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;
use crate::support::streams::Streams;

const YAML: &str = "operations:\n  GET /users/{id}: { request: { subject: 'users.get.${path.id}' } }\n  GET /x: { request: { subject: x } }\n";

async fn captured(nats: &NatsServer) -> stream::Stream {
    let config = stream::Config {
        name: "USERS".to_owned(),
        subjects: vec!["users.>".to_owned()],
        ..stream::Config::default()
    };
    jetstream::new(nats.client().await).create_stream(config).await.expect("stream")
}

#[tokio::test]
async fn it_is_told_before_and_at_the_request() {
    let nats = NatsServer::start().await;
    let _stream = captured(&nats).await;
    let gateway = Gateway::start(&nats.url(), YAML).await;
    gateway.checked().await;
    let ready = gateway.ready().await;
    assert_eq!(ready.status, 200, "what is missing never takes an instance out");
    let operations = &ready.json()["operations"];
    assert_eq!(operations["GET /users/{id}"]["state"], "broken");
    let problem = operations["GET /users/{id}"]["problems"][0].as_str().expect("a problem");
    assert!(problem.contains("USERS") && problem.contains("users.get.*"), "{problem}");
    assert_eq!(operations["GET /x"]["state"], "ready");
    let answer = gateway.get("/users/7").await;
    assert_eq!((answer.status, answer.problem()), (502, ("captured_by_stream", "unknown")));
    assert!(!answer.text().contains("USERS"), "the cause is for the log: {}", answer.text());
}

#[tokio::test]
async fn a_refusal_of_the_stream_is_no_answer_either() {
    let nats = NatsServer::start().await;
    let limits = serde_json::json!({ "max_msgs": 1, "discard": "new" });
    Streams::of(&nats.url()).await.create("USERS", &["users.>"], limits).await;
    let gateway = Gateway::start(&nats.url(), YAML).await;
    gateway.checked().await;
    for said in ["acknowledgement", "refusal"] {
        let answer = gateway.get("/users/7").await;
        assert_eq!((answer.status, answer.problem()), (502, ("captured_by_stream", "unknown")), "{said}");
    }
}

#[tokio::test]
async fn what_only_looks_like_an_acknowledgement_passes() {
    let nats = NatsServer::start().await;
    let _stream = captured(&nats).await;
    let reply = r#"{"stream":"USERS","seq":1}"#;
    let _service = Service::saying(&nats.url(), "x", reply).await;
    let gateway = Gateway::start(&nats.url(), YAML).await;
    gateway.checked().await;
    let answer = gateway.get("/x").await;
    assert_eq!((answer.status, answer.text().as_str()), (200, reply));
}
