//! `authorize`: who may do what, decided by what is known of the caller and of the request.

use std::time::Duration;

use jsonwebtoken::Algorithm;
use serde_json::json;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Api, refusal};
use crate::support::issuer::claims;

const OPERATIONS: &str = r#"operations:
  GET /orgs/{org}:
    security: [{ people: [] }]
    authorize: ${claims.org == path.org}
    request: { subject: me, payload: { org: "${path.org}" } }
  POST /orgs/{org}:
    security: [{ people: [] }]
    authorize: ${claims.?org.orValue("") == path.org}
    request: { subject: me }
  POST /transfers:
    security: [{ people: [] }]
    authorize: ${body.from == claims.sub}
    request: { subject: me }
  GET /admin:
    security: [{ people: [] }]
    authorize: ${"admin" in claims.?roles.orValue([])}
    request: { subject: me, payload: { ok: true } }
  GET /legacy:
    security: [{ people: [] }]
    authorize: ${claims.org == "acme"}
    request: { subject: me, payload: { ok: true } }
    problem:
      - when: ${problem.code == "forbidden"}
        status: 200
        body: { error: "${problem.detail}", who: "${caller.?name}" }
"#;

#[tokio::test]
async fn a_condition_on_the_caller_is_kept() {
    let api = Api::with(Algorithm::ES256, "", OPERATIONS).await;
    let with = |others: serde_json::Value| format!("Bearer {}", api.key.sign(&claims(others)));
    let acme = with(json!({ "org": "acme", "roles": ["admin"] }));
    let plain = with(json!({}));
    let odd = with(json!({ "org": { "acme": 1 }, "roles": "admin" }));
    for (path, token, status) in [
        ("/orgs/acme", &acme, 200),
        ("/orgs/other", &acme, 403),
        ("/orgs/acme", &plain, 403),
        ("/orgs/acme", &odd, 403),
        ("/admin", &acme, 200),
        ("/admin", &plain, 403),
        ("/admin", &odd, 403),
    ] {
        let answer = api.gateway.send("GET", path, &[("Authorization", token)], b"").await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text());
        if status == 403 {
            assert_eq!((answer.problem().0, answer.header("www-authenticate")), ("forbidden", None));
            assert!(!answer.text().contains("acme"), "{}", answer.text());
        }
    }
    let nobody = api.gateway.get("/orgs/acme").await;
    assert_eq!(refusal(&nobody).0, 401);
    let legacy = api.gateway.send("GET", "/legacy", &[("Authorization", &plain)], b"").await;
    let expected = "whether this caller may do this cannot be decided for this request";
    assert_eq!((legacy.status, legacy.json()), (200, json!({ "error": expected, "who": "ada" })));
    assert_eq!(legacy.problem().0, "forbidden");
}

#[tokio::test]
async fn a_body_is_read_only_where_it_decides() {
    let api = Api::with(Algorithm::ES256, "", OPERATIONS).await;
    let token = format!("Bearer {}", api.key.sign(&claims(json!({ "org": "acme" }))));
    let post = async |path: &str, body: &str| {
        let headers = [("Authorization", token.as_str()), ("Content-Type", "application/json")];
        api.gateway.send("POST", path, &headers, body.as_bytes()).await
    };
    for (body, status) in [
        (r#"{"from":"ada"}"#, 200),
        (r#"{"from":"bob"}"#, 403),
        (r#"{"from":["ada"]}"#, 403),
        ("{}", 403),
        ("", 403),
        ("{", 400),
    ] {
        assert_eq!(post("/transfers", body).await.status, status, "{body}");
    }
    assert_eq!(post("/orgs/acme", "{}").await.status, 200);
    // Refused although the body never comes.
    let address = api.gateway.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let head = format!(
        "POST /orgs/other HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("the head is sent");
    let mut start = [0; 12];
    let read = timeout(Duration::from_millis(1_500), stream.read_exact(&mut start)).await;
    read.expect("answered before the body").expect("an answer");
    assert_eq!(&start, b"HTTP/1.1 403");
}
