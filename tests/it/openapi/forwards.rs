//! Operations of a legacy service: published as its contract says, with the problems that the gateway has of its own, and
//! nothing of NATS.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use super::kept::Document;
use super::published_of;
use crate::support::gateway::Gateway;
use crate::support::legacy::Legacy;
use crate::support::nats_server::NatsServer;

const CONTRACT: &str = r##"openapi: 3.0.3
info: { title: users, version: "1" }
security: [{ bearerAuth: [] }]
paths:
  /users/{id}:
    get:
      operationId: getUser
      parameters: [{ name: id, in: path, required: true, schema: { type: integer } }]
      responses:
        "200": { description: The user., content: { application/json: { schema: { type: object, required: [name] } } } }
        "502": { description: Its own., content: { text/html: { schema: {} } } }
        default: { description: Whatever., content: { application/json: { schema: { type: object } } } }
    put: { operationId: putUser, responses: { "204": { description: Done. } } }
components: { securitySchemes: { bearerAuth: { type: http, scheme: bearer } } }
"##;

const LISTED: &str =
    "security: { old: { upstream: true } }\ncontracts: [{ file: api.yaml, security: { bearerAuth: old } }]\n";

/// What only NATS can be the reason of.
const OF_NATS: [&str; 9] = [
    "nats_unavailable",
    "no_responders",
    "`timeout`",
    "connection_lost",
    "service_error",
    "captured_by_stream",
    "bad_reply",
    "body_too_large",
    "unauthenticated",
];

const OF_UPSTREAMS: [&str; 3] = ["upstream_unreachable", "upstream_reset", "upstream_timeout"];

fn codes_of(document: &Document, id: &str) -> String {
    let responses = document.operation(id)["responses"].as_object().expect("responses");
    responses.values().map(|response| document.resolve(response)["description"].to_string()).collect()
}

/// Takes a request and closes the connection.
async fn broken() -> (String, AbortOnDropHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let running = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut some = [0; 16];
            let _ = stream.read(&mut some).await;
        }
    });
    (url, AbortOnDropHandle::new(running))
}

#[tokio::test]
async fn whatever_a_forward_answers_is_in_the_document() {
    let nats = NatsServer::start().await;
    let answering = Legacy::start(|seen| {
        let status: u16 =
            seen.head.uri.path().rsplit('/').next().and_then(|id| id.parse().ok()).unwrap_or(200);
        let (kind, body) = match status {
            502 => ("text/html", "<p>broken</p>"),
            _ => ("application/json", "{\"name\": \"ada\"}"),
        };
        let mut response = Response::new(Full::from(Bytes::from_static(body.as_bytes())));
        *response.status_mut() = http::StatusCode::from_u16(status).expect("a status");
        response.headers_mut().insert("content-type", http::HeaderValue::from_static(kind));
        let pause = if status == 299 { Duration::from_secs(5) } else { Duration::ZERO };
        (pause, response)
    })
    .await;
    let (broken, _running) = broken().await;
    for (url, id, status, code) in [
        (&answering.url, 200, 200, None),
        (&answering.url, 404, 404, None),
        (&answering.url, 502, 502, None),
        (&answering.url, 299, 504, Some("upstream_timeout")),
        (&broken, 200, 502, Some("upstream_reset")),
        (&"http://127.0.0.1:9".to_owned(), 200, 502, Some("upstream_unreachable")),
    ] {
        let yaml = format!(
            "{LISTED}upstreams: {{ legacy: {{ url: '{url}', first_byte_timeout: 300ms }} }}\noperations:\n\
             \x20 getUser: {{ forward: {{ upstream: legacy }} }}\n"
        );
        let gateway = Gateway::start_with(&nats.url(), &yaml, &[("api.yaml", CONTRACT)]).await;
        let document = Document::of(&gateway);
        let answer = gateway.get(&format!("/users/{id}")).await;
        assert_eq!((answer.status, answer.header("natsgate-code")), (status, code), "{}", answer.text());
        document.speaks_of("getUser", &answer);
        let said = codes_of(&document, "getUser");
        assert!(OF_UPSTREAMS.iter().all(|code| said.contains(code)), "{said}");
        for other in OF_NATS {
            assert!(!said.contains(other), "{other}: {said}");
        }
        // Clients still have to send what the legacy service checks.
        assert_eq!(document.operation("getUser")["security"], serde_json::json!([{ "bearerAuth": [] }]));
        gateway.inner.close();
        let draining = gateway.get("/users/1").await;
        assert_eq!(draining.header("natsgate-code"), Some("draining"));
        document.speaks_of("getUser", &draining);
    }
}

#[tokio::test]
async fn what_no_contract_describes_may_answer_anything() {
    let nats = NatsServer::start().await;
    let legacy = Legacy::start(|seen| {
        let mut response = Response::new(Full::from(Bytes::from_static(b"a,b")));
        let status = seen.head.uri.path().trim_start_matches("/files/").parse().unwrap_or(200);
        *response.status_mut() = http::StatusCode::from_u16(status).expect("a status");
        response.headers_mut().insert("content-type", http::HeaderValue::from_static("text/csv"));
        (Duration::ZERO, response)
    })
    .await;
    let yaml = format!(
        "upstreams: {{ legacy: {{ url: '{}' }} }}\noperations:\n  GET /files/{{status}}: {{ forward: {{ upstream: legacy }} }}\n",
        legacy.url
    );
    let gateway = Gateway::start(&nats.url(), &yaml).await;
    let document = Document::of(&gateway);
    for status in [200, 201, 204, 302, 404, 418, 500, 502, 503, 504] {
        let answer = gateway.get(&format!("/files/{status}")).await;
        assert_eq!(answer.status, status);
        document.speaks_of("getFilesByStatus", &answer);
    }
}

#[tokio::test]
async fn what_nothing_binds_is_published_as_the_fallback_answers_it() {
    let nats = NatsServer::start().await;
    let legacy = Legacy::saying("{\"name\": \"ada\"}").await;
    let yaml = format!(
        "{LISTED}upstreams: {{ legacy: {{ url: '{}' }} }}\nfallback: {{ upstream: legacy, security: [{{ old: [] }}] }}\n\
         operations:\n  putUser: {{ forward: {{ upstream: legacy }} }}\n",
        legacy.url
    );
    let gateway = Gateway::start_with(&nats.url(), &yaml, &[("api.yaml", CONTRACT)]).await;
    let document = Document::of(&gateway);
    document.speaks_of("getUser", &gateway.get("/users/1").await);
    let said = codes_of(&document, "getUser");
    assert!(OF_UPSTREAMS.iter().all(|code| said.contains(code)) && !said.contains("not_bound"), "{said}");
    assert!(document.operation("getUser").get("description").is_none());
    let paths = document.0["paths"].as_object().expect("paths");
    assert_eq!(paths.keys().collect::<Vec<_>>(), ["/users/{id}"]);
}

#[test]
fn an_operation_with_two_sides_has_the_problems_of_both() {
    let yaml = "security:\n  old: { upstream: true }\n  people: { jwt: [{ issuer: a, audience: [b], algorithms: [RS256], jwks: \
                'https://id.example.com/jwks' }] }\ncontracts: [{ file: api.yaml, security: { bearerAuth: old } }]\nupstreams: { \
                legacy: { url: 'http://127.0.0.1:9' } }\noperations:\n  getUser:\n    security: [{ people: [] }]\n    forward: \
                { upstream: legacy }\n    request: { subject: 'users.${path.id}' }\n    migration: { stage: canary, percent: 5% }\n";
    let document = Document(published_of(yaml, &[("api.yaml", CONTRACT)]));
    let said = codes_of(&document, "getUser");
    for code in OF_UPSTREAMS.iter().chain(&OF_NATS) {
        assert!(said.contains(code), "{code}: {said}");
    }
}
