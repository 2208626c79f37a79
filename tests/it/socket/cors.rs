//! Calls from web pages of other origins.

use crate::support::gateway::{Gateway, refused};
use crate::support::golden;
use crate::support::http::Answer;
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

const APP: &str = "https://app.example.com";
const OPERATIONS: &str = "operations:
  GET /x: { request: { subject: x }, reply_headers: [Vary, Access-Control-Allow-Origin] }
  POST /x/{id}: { request: { subject: 'x.${path.id}', timeout: 10s } }
  DELETE /x/{id}: { request: { subject: 'x.${path.id}' } }
";

async fn gateway(nats: &NatsServer, cors: &str) -> Gateway {
    Gateway::start(&nats.url(), &format!("cors: {{ {cors} }}\n{OPERATIONS}")).await
}

async fn preflight(gateway: &Gateway, path: &str, origin: &str, more: &[(&str, &str)]) -> Answer {
    let mut headers = vec![("Origin", origin), ("Access-Control-Request-Method", "POST")];
    headers.extend_from_slice(more);
    gateway.send("OPTIONS", path, &headers, b"").await
}

fn vary(answer: &Answer) -> Vec<&str> {
    answer.headers.iter().filter(|(name, _)| name == "vary").map(|(_, value)| value.as_str()).collect()
}

fn granted(answer: &Answer) -> Vec<&str> {
    answer
        .headers
        .iter()
        .filter(|(name, _)| name.starts_with("access-control-"))
        .map(|(name, _)| &**name)
        .collect()
}

#[tokio::test]
async fn a_preflight_is_answered_without_any_service() {
    let nats = NatsServer::start().await;
    let service = Service::saying(&nats.url(), "x.>", "fine").await;
    let gateway = gateway(&nats, "origins: ['https://app.example.com', 'http://localhost:3000']").await;
    let asks = [("Access-Control-Request-Headers", "content-type,x-a")];
    let answer = preflight(&gateway, "/x/1", APP, &asks).await;
    assert_eq!((answer.status, answer.text().as_str()), (204, ""));
    for (name, value) in [
        ("access-control-allow-origin", Some(APP)),
        ("access-control-allow-methods", Some("DELETE, OPTIONS, POST")),
        ("access-control-allow-headers", Some("content-type,x-a")),
        ("access-control-max-age", Some("600")),
        ("access-control-allow-credentials", None),
        ("content-type", None),
    ] {
        assert_eq!(answer.header(name), value, "{name}");
    }
    assert_eq!(
        vary(&answer).join(", "),
        "Access-Control-Request-Method, Access-Control-Request-Headers, Origin"
    );
    let local = preflight(&gateway, "/x", "http://localhost:3000", &[]).await;
    assert_eq!(local.header("access-control-allow-methods"), Some("GET, HEAD, OPTIONS"));
    assert_eq!(local.header("access-control-allow-headers"), None);
    // A path that is not there is not there for pages either, and they may read that.
    let nowhere = preflight(&gateway, "/nowhere", APP, &[]).await;
    assert_eq!((nowhere.status, nowhere.header("access-control-allow-origin")), (404, Some(APP)));
    // What is no list of names is not said again.
    let odd = preflight(&gateway, "/x", APP, &[("Access-Control-Request-Headers", "a b, <script>")]).await;
    assert_eq!((odd.status, odd.header("access-control-allow-headers")), (204, None));
    assert!(service.seen().is_empty());
}

#[tokio::test]
async fn other_origins_are_not_let_in() {
    let nats = NatsServer::start().await;
    let _service = Service::saying(&nats.url(), "x", "fine").await;
    let gateway = gateway(&nats, "origins: ['https://app.example.com']").await;
    for origin in [
        "null",
        "*",
        "http://app.example.com",
        "https://app.example.com:8443",
        "https://app.example.com/",
        "https://app.example.com.evil.com",
        "https://evilapp.example.com",
        "https://APP.example.com",
        "https://app.example.com, https://evil.com",
        "",
    ] {
        let asked = preflight(&gateway, "/x", origin, &[]).await;
        assert_eq!((asked.status, granted(&asked)), (204, vec![]), "{origin}");
        assert_eq!(vary(&asked), ["Origin"], "{origin}");
        let called = gateway.send("GET", "/x", &[("Origin", origin)], b"").await;
        assert_eq!(
            (called.status, granted(&called), vary(&called)),
            (200, vec![], vec!["Origin"]),
            "{origin}"
        );
    }
    let twice = gateway.send("GET", "/x", &[("Origin", APP), ("Origin", "https://evil.com")], b"").await;
    assert_eq!(granted(&twice), [""; 0]);
}

#[tokio::test]
async fn every_answer_says_who_may_read_it() {
    let nats = NatsServer::start().await;
    let headers = [("Vary", "Accept-Language"), ("Access-Control-Allow-Origin", "*")];
    let _service = Service::with_headers(&nats.url(), "x", &headers, "fine").await;
    let gateway = gateway(&nats, "origins: ['https://app.example.com'], credentials: true").await;
    for (method, path, status) in [
        ("GET", "/x", 200),
        ("GET", "/nowhere", 404),
        ("PUT", "/x", 405),
        ("POST", "/x/1", 503),
        ("OPTIONS", "/x", 204),
    ] {
        let answer = gateway.send(method, path, &[("Origin", APP)], b"").await;
        assert_eq!(answer.status, status, "{method} {path}");
        assert_eq!(answer.header("access-control-allow-origin"), Some(APP), "{method} {path}");
        assert_eq!(answer.header("access-control-allow-credentials"), Some("true"), "{method} {path}");
        let exposed = answer.header("access-control-expose-headers").expect("exposed");
        for name in ["Natsgate-Code", "Natsgate-Outcome", "Natsgate-Request-Id", "Retry-After", "ETag"] {
            assert!(exposed.contains(name), "{name}: {exposed}");
        }
        assert!(vary(&answer).contains(&"Origin"), "{method} {path}");
    }
    let called = gateway.send("GET", "/x", &[("Origin", APP)], b"").await;
    assert_eq!(vary(&called), ["Accept-Language", "Origin"], "added to what the service says");
    // Nobody but a page asks for an origin; a cache must know all the same. A service does not let everybody in.
    let plain = gateway.get("/x").await;
    assert_eq!((granted(&plain), vary(&plain)), (vec![], vec!["Accept-Language", "Origin"]));
    let malformed = gateway.send("GET", "/x", &[("Origin", APP), ("Expect", "gold")], b"").await;
    assert_eq!((malformed.status, malformed.header("access-control-allow-origin")), (417, Some(APP)));
}

#[tokio::test]
async fn everybody_may_be_let_in_without_credentials() {
    let nats = NatsServer::start().await;
    let _service = Service::saying(&nats.url(), "x", "fine").await;
    let gateway = gateway(&nats, "origins: ['*'], headers: [X-A, X-B], expose: [X-C], max_age: 1h").await;
    for origin in [APP, "null", "https://evil.com"] {
        let answer = gateway.send("GET", "/x", &[("Origin", origin)], b"").await;
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{origin}");
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        assert_eq!(answer.header("access-control-expose-headers"), Some("X-C"));
        assert_eq!(vary(&answer), [""; 0], "the same for all");
    }
    let asked = preflight(&gateway, "/x", APP, &[("Access-Control-Request-Headers", "x-z")]).await;
    assert_eq!(asked.header("access-control-allow-headers"), Some("X-A, X-B"));
    assert_eq!(asked.header("access-control-max-age"), Some("3600"));
}

#[tokio::test]
async fn null_is_let_in_only_by_name() {
    let nats = NatsServer::start().await;
    let gateway = gateway(&nats, "origins: ['null']").await;
    let answer = gateway.send("GET", "/nowhere", &[("Origin", "null")], b"").await;
    assert_eq!(answer.header("access-control-allow-origin"), Some("null"));
}

#[tokio::test]
async fn without_the_key_nothing_is_said() {
    let nats = NatsServer::start().await;
    let _service = Service::saying(&nats.url(), "x", "fine").await;
    let gateway = Gateway::start(&nats.url(), OPERATIONS).await;
    let asked = preflight(&gateway, "/x", APP, &[]).await;
    assert_eq!((asked.status, asked.header("allow")), (204, Some("GET, HEAD, OPTIONS")));
    let called = gateway.send("GET", "/x", &[("Origin", APP)], b"").await;
    for answer in [asked, called] {
        assert_eq!((granted(&answer), vary(&answer)), (vec![], vec![]));
    }
}

#[test]
fn what_cannot_be_meant_is_told() {
    let yaml = "cors:
  origins: ['*', 'https://a.example.com/', 'https://b.example.com/path', 'c.example.com', 'https://D.example.com:443']
  credentials: true
  headers: ['*', 'a b']
  expose: ['*']
";
    let report = refused(&format!("{yaml}{OPERATIONS}")).expect("a report");
    let start = report.find("natsgate.yaml").and_then(|at| report[..at].rfind(' ')).expect("a place");
    let folder = report[start + 1..].split("natsgate.yaml").next().expect("a folder").to_owned();
    golden::assert("tests/diagnostics/cors.report", &report.replace(&folder, ""));
    assert!(
        refused(&format!("cors: {{ origins: [] }}\n{OPERATIONS}"))
            .is_some_and(|text| text.contains("is empty"))
    );
}
