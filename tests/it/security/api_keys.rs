//! API keys: where they are sent, who has them, and who no longer does.

use natsgate::authenticate::made::hash_key;
use serde_json::json;

use super::refusal;
use crate::support::gateway::Gateway;
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

const CONTRACT: &str = r##"openapi: 3.1.0
info: { title: keys, version: "1" }
paths:
  /header: { get: { operationId: inHeader, security: [{ h: [] }], responses: { "200": { description: ok } } } }
  /query: { get: { operationId: inQuery, security: [{ q: [] }], responses: { "200": { description: ok } } } }
  /cookie: { get: { operationId: inCookie, security: [{ x-c: [] }], responses: { "200": { description: ok } } } }
components:
  securitySchemes:
    h: { type: apiKey, in: header, name: X-Key }
    q: { $ref: "#/components/securitySchemes/query" }
    query: { type: apiKey, in: query, name: key }
    x-c: { type: apiKey, in: cookie, name: key }
"##;

const YAML: &str = "security:
  services: { api_key: { keys: keys.yaml } }
contracts: [{ file: api.yaml, security: { h: services, q: services, x-c: services } }]
operations:
  inHeader: { request: { subject: me, payload: { name: \"${caller.name}\" } } }
  inQuery: { request: { subject: me, payload: { name: \"${caller.name}\" } } }
  inCookie: { request: { subject: me, payload: { name: \"${caller.name}\" } } }
";

fn keys(names: &[(&str, &str)]) -> String {
    names.iter().map(|(name, key)| format!("{name}: {}\n", hash_key(key))).collect()
}

async fn start(nats: &NatsServer, keys: &str) -> Gateway {
    Gateway::start_with(&nats.url(), YAML, &[("api.yaml", CONTRACT), ("keys.yaml", keys)]).await
}

#[tokio::test]
async fn a_key_is_taken_from_where_the_contract_says() {
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "me").await;
    let gateway = start(&nats, &keys(&[("billing", "key-1"), ("shop", "key+2&=")])).await;
    let challenge = "ApiKey realm=\"services\"";
    let get = async |path: &str, headers: &[(&str, &str)]| gateway.send("GET", path, headers, b"").await;
    for (path, headers, name) in [
        ("/header", vec![("X-Key", "key-1")], "billing"),
        ("/header", vec![("x-KEY", "key+2&=")], "shop"),
        ("/query?a=1&key=key-1", vec![], "billing"),
        ("/query?key=key%2B2%26%3D", vec![], "shop"),
        ("/cookie", vec![("Cookie", "a=b; key=key-1")], "billing"),
        // What other cookies hold is their own affair.
        ("/cookie", vec![("Cookie", "name=J\u{f8}rn; key=key-1")], "billing"),
    ] {
        let answer = get(path, &headers).await;
        assert_eq!((answer.status, answer.json()), (200, json!({ "name": name })), "{path}");
    }
    for (path, headers, detail) in [
        ("/header", vec![], "this operation needs credentials"),
        ("/header?key=key-1", vec![("Cookie", "key=key-1")], "this operation needs credentials"),
        ("/query", vec![("X-Key", "key-1"), ("key", "key-1")], "this operation needs credentials"),
        ("/cookie?key=key-1", vec![("X-Key", "key-1")], "this operation needs credentials"),
        ("/header", vec![("X-Key", "key-3")], "the key is not known"),
        ("/header", vec![("X-Key", "billing")], "the key is not known"),
        ("/header", vec![("X-Key", "")], "the key is not known"),
        ("/header", vec![("X-Key", "key-1"), ("X-Key", "key-1")], "the key was sent more than once"),
        ("/query?key=key-1&key=key-1", vec![], "the key was sent more than once"),
        ("/query?key=", vec![], "the key is not known"),
        ("/query?key", vec![], "the key is not known"),
        ("/query?key=%ff", vec![], "the key is not UTF-8"),
        ("/cookie", vec![("Cookie", "key=key-1; key=key-1")], "the key was sent more than once"),
        (
            "/cookie",
            vec![("Cookie", "key=key-1"), ("Cookie", "key=key-1; a=\u{f8}")],
            "the key was sent more than once",
        ),
        ("/cookie", vec![("Cookie", "key=key-1\u{f8}")], "the key is not visible ASCII"),
        ("/cookie", vec![("Cookie", "key=")], "the key is not known"),
    ] {
        let answer = get(path, &headers).await;
        assert_eq!(refusal(&answer), (401, "unauthenticated", challenge), "{path} {headers:?}");
        assert_eq!(answer.json()["detail"], detail, "{path} {headers:?}");
    }
    // The hash of a key is no key.
    let hash = hash_key("key-1");
    assert_eq!(get("/header", &[("X-Key", &hash)]).await.status, 401);
}

#[tokio::test]
async fn a_key_that_is_taken_away_is_refused_from_then_on() {
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "me").await;
    let gateway = start(&nats, &keys(&[("billing", "key-1"), ("shop", "key-2")])).await;
    let status = async |key: &str| gateway.send("GET", "/header", &[("X-Key", key)], b"").await.status;
    let state = |ready: &serde_json::Value| ready["verifiers"]["services"]["keys"].clone();
    assert_eq!((status("key-1").await, status("key-2").await), (200, 200));

    gateway.replace("keys.yaml", &keys(&[("billing", "key-1"), ("new", "key-3")]));
    gateway
        .until("two keys", |ready| {
            state(ready)["count"] == json!(2) && state(ready)["age_seconds"] == json!(0)
        })
        .await;
    while status("key-3").await != 200 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!((status("key-1").await, status("key-2").await), (200, 401));

    for (broken, expected) in [
        ("billing: secret-key-1\n", "line 1: this is not the hash of a key"),
        ("", "there is no name in it"),
        ("# all of them are gone\n", "there is no name in it"),
        ("[a, b]", "expected a map of names, found a list"),
        (&format!("a: {0}\nb: {0}\n", hash_key("k")), "line 2: two names have the same key"),
    ] {
        gateway.replace("keys.yaml", broken);
        gateway
            .until(expected, |ready| {
                let error = state(ready)["last_error"].clone();
                error.as_str().is_some_and(|text| text.ends_with(expected))
                    && !error.to_string().contains("secret")
            })
            .await;
        assert_eq!((status("key-1").await, status("key-2").await), (200, 401));
    }
    gateway.replace("keys.yaml", "{}\n");
    gateway
        .until("no keys", |ready| state(ready)["count"] == json!(0) && state(ready)["last_error"].is_null())
        .await;
    assert_eq!(status("key-1").await, 401);
}
