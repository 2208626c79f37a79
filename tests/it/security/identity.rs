//! Who a caller is to the services behind: nobody can pass for somebody else.

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};

use super::{Api, people};
use crate::support::command::natsgate;
use crate::support::gateway::Gateway;
use crate::support::issuer::{Issuer, Key, claims};
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;
use crate::support::streams::Streams;

const HEADERS: &str = r#"operations:
  GET /me:
    security: [{ people: [] }]
    request:
      subject: me
      headers: { X-User: "${caller.name}", X-Org: "${claims.?org}" }
      forward_headers: [X-User, x-org, X-Other]
  GET /subject:
    security: [{ people: [] }]
    request: { subject: "me.${claims.sub}" }
"#;

#[tokio::test]
async fn a_client_cannot_send_the_headers_that_tell_who_it_is() {
    let api = Api::with(Algorithm::ES256, "", HEADERS).await;
    let headers = |token: &str| {
        [
            ("Authorization", format!("Bearer {token}")),
            ("X-User", "root".to_owned()),
            ("x-user", "root".to_owned()),
            ("X-ORG", "evil".to_owned()),
            ("X-Other", "fine".to_owned()),
        ]
    };
    let send = async |claims: &Value| {
        let headers = headers(&api.key.sign(claims));
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        let answer = api.gateway.send("GET", "/me", &headers, b"").await;
        let seen = api.service.seen().pop().map(|message| message.headers.expect("headers"));
        (answer, seen)
    };
    let (answer, seen) = send(&claims(json!({ "org": "acme" }))).await;
    assert_eq!(answer.status, 200);
    let all = |headers: &async_nats::HeaderMap, name: &str| -> Vec<String> {
        let same = headers.iter().filter(|(key, _)| AsRef::<str>::as_ref(*key).eq_ignore_ascii_case(name));
        same.flat_map(|(_, values)| values.iter().map(|value| value.as_str().to_owned())).collect()
    };
    let seen = seen.expect("a message");
    assert_eq!(
        (all(&seen, "x-user"), all(&seen, "x-org")),
        (vec!["ada".to_owned()], vec!["acme".to_owned()])
    );
    assert_eq!((all(&seen, "x-other"), all(&seen, "authorization")), (vec!["fine".to_owned()], vec![]));
    // A claim that is not there leaves its header out, and the client's does not take its place.
    let (_, seen) = send(&claims(json!({}))).await;
    assert_eq!(all(&seen.expect("a message"), "x-org"), Vec::<String>::new());
    for name in ["a\r\nX-Admin: 1", "a\nb", "\u{0}", "josé"] {
        let count = api.service.seen().len();
        let (answer, _) = send(&claims(json!({ "sub": name }))).await;
        assert_eq!((answer.status, answer.problem().0), (403, "forbidden"), "{name:?}");
        assert_eq!(api.service.seen().len(), count, "{name:?} was sent");
    }
}

#[tokio::test]
async fn a_subject_is_never_widened_by_a_claim() {
    let api = Api::with(Algorithm::ES256, "", HEADERS).await;
    let _service = Service::echo(&api.nats.url(), "me.>").await;
    let send = async |sub: &str| {
        let token = format!("Bearer {}", api.key.sign(&claims(json!({ "sub": sub }))));
        api.gateway.send("GET", "/subject", &[("Authorization", &token)], b"").await
    };
    assert_eq!(send("ada").await.status, 200);
    for sub in ["a.b", "*", ">", "a b", "."] {
        let answer = send(sub).await;
        assert_eq!((answer.status, answer.problem().0), (403, "forbidden"), "{sub}: {}", answer.text());
    }
}

#[tokio::test]
async fn callers_have_idempotency_keys_of_their_own() {
    let nats = NatsServer::start().await;
    let streams = Streams::of(&nats.url()).await;
    streams.create("JOBS", &["jobs.>"], json!({})).await;
    let (here, there) = (Key::new("a", Algorithm::ES256), Key::new("b", Algorithm::ES256));
    let (first, second) = (Issuer::start(&[&here]).await, Issuer::start(&[&there]).await);
    let yaml = format!(
        "{}      - {{ issuer: 'https://other.example.com/', audience: [api], algorithms: [ES256], jwks: '{}' }}\n\
         operations:\n  POST /jobs:\n    security: [{{ people: [] }}, {{}}]\n    publish: {{ subject: jobs.new, stream: JOBS }}\n",
        people(&first, "ES256", ""),
        second.url
    );
    let gateway = Gateway::start(&nats.url(), &yaml).await;
    gateway
        .until("keys", |ready| {
            (0..2).all(|at| ready["verifiers"]["people"]["issuers"][at]["keys"]["count"] == json!(1))
        })
        .await;
    let send = async |token: Option<&str>| {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let mut headers = vec![("Content-Type", "application/json"), ("Idempotency-Key", "k")];
        headers.extend(bearer.as_deref().map(|bearer| ("Authorization", bearer)));
        let answer = gateway.send("POST", "/jobs", &headers, b"{}").await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        answer.header("idempotent-replayed").is_some()
    };
    let ada = |at: i64| here.sign(&claims(json!({ "iat": at })));
    let theirs = there.sign(&claims(json!({ "iss": "https://other.example.com/" })));
    assert!(!send(Some(&ada(1))).await);
    assert!(send(Some(&ada(2))).await, "the same caller with another token");
    assert!(!send(Some(&here.sign(&claims(json!({ "sub": "bob" }))))).await, "another caller");
    assert!(!send(Some(&theirs)).await, "the same name, from another issuer");
    assert!(!send(None).await, "nobody");
    assert!(send(None).await, "nobody again");
    assert_eq!(streams.count("JOBS").await, 4);

    // Who looks for the message of a caller is told its id.
    let bearer = format!("Bearer {theirs}");
    let answer =
        gateway.send("POST", "/jobs", &[("Authorization", &bearer), ("Idempotency-Key", "k")], b"{}").await;
    let (config, claims) =
        (gateway.dir().join("natsgate.yaml"), r#"{"iss":"https://other.example.com/","sub":"ada"}"#);
    let (config, key) = (config.display().to_string(), "Idempotency-Key: k");
    let mut explain =
        vec!["explain", "POST", "/jobs", "--config", &config, "--output", "json", "--data", "{}"];
    explain.extend(["--header", key, "--claims", claims]);
    let run = natsgate(".", &explain);
    assert_eq!(run.code, 0, "{}", run.seen());
    assert_eq!(run.json()["message_id"], answer.json()["id"]);
}
