//! What a caller or a service sends ends neither a header nor a log line.

use serde_json::json;

use crate::support::http::{Answer, Client};
use crate::support::nats_server::NatsServer;
use crate::support::process::Process;
use crate::support::service::Service;

const YAML: &str = r#"operations:
  POST /x/{id}:
    request:
      subject: x
      payload: { sent: "${body.text}" }
      headers: { X-Path: "${path.id}", X-Query: "${query.?q}", X-Body: "${body.text}" }
    reply_headers: [X-Reply, Vary, Set-Cookie]
    reply:
      - headers:
          X-Path: "${path.id}"
          X-Query: "a ${query.?q}"
          X-Body: "${body.text}"
          X-Header: "${header.?x-note}"
          X-Of-Reply: "${reply.sent}"
          X-Method: "${request.method} ${request.path}"
  GET /problem/{id}:
    request: { subject: nobody.there }
    problem:
      - headers: { X-Path: "${path.id}", X-Detail: "${problem.detail}", Location: "/error?id=${path.id}" }
"#;

/// What would end a line, as text.
const ENDS: [&str; 9] =
    ["\r\nX-Injected: 1", "\nX-Injected: 1", "\r", "\n", "\0", "\u{1b}[31m", "\u{7f}", "\u{85}", "\u{2028}"];

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02x}")).collect()
}

/// Nothing was injected, and what is there is one line.
fn unharmed(answer: &Answer, of: &str) {
    assert_eq!(answer.header("x-injected"), None, "{of:?}: {answer:?}");
    for (name, value) in &answer.headers {
        assert!(!value.contains(char::is_control), "{of:?}: {name}: {value:?}");
    }
}

#[tokio::test]
async fn no_value_of_a_caller_ends_a_header() {
    let nats = NatsServer::start().await;
    let service = Service::echo(&nats.url(), "x").await;
    let process = Process::serve(&nats.url(), YAML).await;
    process.connected().await;
    let mut client = Client::connect(&process.url).await;
    for end in ENDS {
        let text = encoded(end);
        // In the path, the query and the body at once, and each by itself.
        for (path, body) in [
            (format!("/x/a{text}b?q=a{text}b"), format!("a{end}b")),
            (format!("/x/a{text}b"), "a".to_owned()),
            (format!("/x/a?q={text}"), "a".to_owned()),
            ("/x/a".to_owned(), format!("a{end}b")),
        ] {
            let body = json!({ "text": body }).to_string();
            let answer = client.send("POST", &path, &[], body.as_bytes()).await;
            assert!(matches!(answer.status, 200 | 400), "{end:?}: {}", answer.text());
            unharmed(&answer, end);
        }
        let answer = client.send("GET", &format!("/problem/a{text}b"), &[], b"").await;
        assert!(matches!(answer.status, 503 | 400), "{end:?}: {}", answer.text());
        unharmed(&answer, end);
    }
    for message in service.seen() {
        for (name, values) in message.headers.as_ref().expect("headers").iter() {
            let injected = name.to_string().eq_ignore_ascii_case("x-injected");
            assert!(!injected && values.iter().all(|value| !value.as_str().contains(['\r', '\n', '\0'])));
        }
    }
    // What is still encoded is text like any other.
    let answer = client
        .send("POST", "/x/a%250d%250ab", &[("X-Note", "%0d%0aX-Injected:1")], b"{\"text\":\"%0d%0a\"}")
        .await;
    assert_eq!((answer.status, answer.header("x-header")), (200, Some("%0d%0aX-Injected:1")));
    assert_eq!((answer.header("x-path"), answer.header("x-of-reply")), (Some("a%0d%0ab"), Some("%0d%0a")));
}

#[tokio::test]
async fn no_value_of_a_service_ends_a_header() {
    let nats = NatsServer::start().await;
    let process = Process::serve(&nats.url(), YAML).await;
    process.connected().await;
    for value in ["a\u{1}b", "a\u{7f}b", "a\u{85}b", "a\u{1b}[31m"] {
        let _service =
            Service::with_headers(&nats.url(), "x", &[("X-Reply", value)], "{\"sent\":\"a\"}").await;
        let answer = Client::connect(&process.url).await.send("POST", "/x/a", &[], b"{\"text\":\"a\"}").await;
        assert_eq!((answer.status, answer.problem().0), (502, "bad_reply"), "{value:?}");
        unharmed(&answer, value);
    }
    for (fields, status) in
        [(json!({ "sent": "a\r\nX-Injected: 1" }), 200), (json!({ "sent": "\u{0}" }), 200)]
    {
        let payload: &'static str = fields.to_string().leak();
        let _service = Service::saying(&nats.url(), "x", payload).await;
        let answer = Client::connect(&process.url).await.send("POST", "/x/a", &[], b"{\"text\":\"a\"}").await;
        assert_eq!((answer.status, answer.header("x-of-reply")), (status, None), "{fields}");
        unharmed(&answer, payload);
    }
}

#[tokio::test]
async fn a_request_is_one_line_of_the_log_whatever_it_says() {
    let nats = NatsServer::start().await;
    let headers = [("Nats-Service-Error-Code", "400"), ("Nats-Service-Error", "a\u{b}\"}{\"status\":1")];
    let _service = Service::with_headers(&nats.url(), "x", &headers, "").await;
    let yaml = format!("{}{YAML}", super::BEHIND_PROXY);
    let process = Process::serve(&nats.url(), &yaml).await;
    process.connected().await;
    let mut sent = 0;
    for end in ENDS {
        let text = encoded(end);
        let note = format!("%22%7d{text}");
        let lines = [
            ("X-Request-Id", note.as_str()),
            ("X-Forwarded-For", &note),
            ("Forwarded", &note),
            ("traceparent", &note),
        ];
        for path in [format!("/x/{text}?q={text}"), format!("/{text}"), format!("/problem/{text}")] {
            process.send("GET", &path, &lines).await;
            let mut client = Client::connect(&process.url).await;
            client.send("POST", &path, &lines, json!({ "text": end }).to_string().as_bytes()).await;
            sent += 2;
        }
    }
    let mut client = Client::connect(&process.url).await;
    for raw in [
        &b"GET /\xff\xfe\"} HTTP/1.1\r\nHost: t\r\nX-Request-Id: \xff\r\nX-Forwarded-For: \xfe, 1.1.1.1\r\n\r\n"[..],
        b"GET /last HTTP/1.1\r\nHost: t\r\n\r\n",
    ] {
        client.write(raw).await;
        let answer = client.answer("GET", std::time::Instant::now()).await;
        // What is no legal target at all is refused before there is a request.
        if answer.status == 400 {
            client = Client::connect(&process.url).await;
        } else {
            sent += 1;
        }
    }
    process.access_lines("/last", 1).await;
    // Every line is JSON, or `log` fails.
    let lines = process.log();
    let access = lines.iter().filter(|line| line.get("duration_us").is_some());
    assert_eq!(access.count(), sent, "one line a request");
    assert!(
        lines.iter().all(|line| line["ip"].is_null() || line["ip"] == "127.0.0.1" || line["ip"] == "1.1.1.1")
    );
}
