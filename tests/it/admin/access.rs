//! Who may use the API: by token, or from the gateway's own host; never by a page of another origin.

use std::time::{Duration, Instant};

use super::READING;
use crate::support::gateway::Gateway;
use crate::support::http::Answer;

const TOKEN: &str = "correct-horse-battery-staple";
const NOWHERE: &str = "nats://127.0.0.1:1";
const OPERATION: &str = "operations:\n  GET /a: { request: { subject: a } }\n";

async fn open() -> Gateway {
    Gateway::start_unconnected(NOWHERE, OPERATION, &[]).await
}

async fn closed() -> Gateway {
    let yaml = format!("server: {{ admin_token: {{ file: token }} }}\n{OPERATION}");
    Gateway::start_unconnected(NOWHERE, &yaml, &[("token", &format!("{TOKEN}\n"))]).await
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// The code and the status of a refusal, which says the next step.
fn refusal(answer: &Answer) -> (u16, &str) {
    assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{}", answer.text());
    let detail = answer.json()["detail"].as_str().expect("a detail").to_owned();
    assert!(matches!(answer.status, 404 | 405) || detail.contains(':'), "no next step: {detail}");
    assert_eq!(answer.header("access-control-allow-origin"), None);
    (answer.status, answer.problem().0)
}

#[tokio::test]
async fn without_a_token_the_own_host_reads_by_its_own_name_and_without_a_proxy() {
    let gateway = open().await;
    for host in ["localhost", "localhost:9090", "127.0.0.1:9090", "[::1]:9090"] {
        let answer = gateway.admin("GET", "/api/status", &[("Host", host)], "").await;
        assert_eq!(answer.status, 200, "{host}: {}", answer.text());
    }
    let refused = [
        &[("Host", "rebound.example")][..],
        &[
            ("Host", "rebound.example"),
            ("Origin", "http://rebound.example"),
            ("Sec-Fetch-Site", "same-origin"),
        ],
        &[("X-Forwarded-For", "127.0.0.1")],
        &[("Forwarded", "for=127.0.0.1")],
        &[("Via", "1.1 proxy")],
        &[("Origin", "http://evil.example")],
        &[("Origin", "null")],
        &[("Origin", "http://evil.example"), ("Sec-Fetch-Site", "same-origin")],
        &[("Sec-Fetch-Site", "cross-site")],
        &[("Sec-Fetch-Site", "same-site")],
    ];
    for path in READING.into_iter().chain(["/api", "/api/none", "/api/status/"]) {
        for headers in refused {
            let answer = gateway.admin("GET", path, headers, "").await;
            assert_eq!(refusal(&answer), (403, "forbidden"), "{path} {headers:?}");
        }
    }
}

#[tokio::test]
async fn with_a_token_it_is_asked_for_from_everybody() {
    let gateway = closed().await;
    for path in READING.into_iter().chain(["/api", "/api/none"]) {
        let answer = gateway.admin("GET", path, &[], "").await;
        assert_eq!(refusal(&answer), (401, "unauthenticated"), "{path}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"natsgate admin\""));
    }
    let right = bearer(TOKEN);
    for headers in [
        &[("Authorization", right.as_str())][..],
        &[("Authorization", &right), ("Host", "admin.example"), ("X-Forwarded-For", "10.0.0.1")],
        &[("Authorization", &right), ("Host", "admin.example"), ("Origin", "https://admin.example")],
        &[("Authorization", &right), ("Sec-Fetch-Site", "same-origin"), ("Origin", "https://admin.example")],
    ] {
        let answer = gateway.admin("GET", "/api/status", headers, "").await;
        assert_eq!(answer.status, 200, "{headers:?}: {}", answer.text());
    }
    for headers in [
        &[("Authorization", right.as_str()), ("Origin", "https://evil.example")][..],
        &[("Authorization", &right), ("Sec-Fetch-Site", "cross-site")],
    ] {
        let answer = gateway.admin("GET", "/api/status", headers, "").await;
        assert_eq!(refusal(&answer), (403, "forbidden"), "{headers:?}");
    }
    let basic = format!("Basic {TOKEN}");
    for headers in [
        &[("Authorization", basic.as_str())][..],
        &[("Authorization", TOKEN)],
        &[("Authorization", &right), ("Authorization", &right)],
        &[("Cookie", "token=correct-horse-battery-staple")],
    ] {
        let answer = gateway.admin("GET", "/api/status", headers, "").await;
        assert_eq!(refusal(&answer), (401, "unauthenticated"), "{headers:?}");
    }
}

#[tokio::test]
async fn a_wrong_token_is_slow_and_holds_up_nobody_who_has_the_right_one() {
    let gateway = closed().await;
    let wrong = bearer("correct-horse-battery-stapl");
    let began = Instant::now();
    let answer = gateway.admin("GET", "/api/status", &[("Authorization", &wrong)], "").await;
    assert_eq!(refusal(&answer), (401, "unauthenticated"));
    assert!(answer.header("www-authenticate").expect("a challenge").contains("invalid_token"));
    assert!(began.elapsed() >= Duration::from_millis(450), "{:?}", began.elapsed());

    let guess = [("Authorization", wrong.as_str())];
    let guesses = (0..40).map(|_| gateway.admin("GET", "/api/status", &guess, ""));
    let right = bearer(TOKEN);
    let right = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        gateway.admin("GET", "/api/status", &[("Authorization", &right)], "").await
    };
    let (guesses, right) = futures_util::future::join(futures_util::future::join_all(guesses), right).await;
    assert_eq!(right.status, 200);
    assert!(right.took < Duration::from_millis(400), "{:?}", right.took);
    let limited = guesses.iter().filter(|answer| answer.status == 429).count();
    assert!(limited >= 24, "only {limited} were limited");
    assert!(guesses.iter().all(|answer| matches!(answer.status, 401 | 429)));
}

#[tokio::test]
async fn a_token_that_was_replaced_is_asked_for_and_a_broken_one_is_not() {
    let gateway = closed().await;
    let asks = async |token: &str| {
        gateway.admin("GET", "/api/log-level", &[("Authorization", &bearer(token))], "").await.status
    };
    assert_ne!(asks(TOKEN).await, 401);
    let next = "another-horse-battery-staple";
    gateway.replace("token", next);
    let until = Instant::now() + Duration::from_secs(15);
    while asks(next).await == 401 {
        assert!(Instant::now() < until, "the new token was never taken");
    }
    assert_eq!(asks(TOKEN).await, 401);
    gateway.replace("token", "short");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_ne!(asks(next).await, 401, "the last good one stays");
    assert_eq!(asks("short").await, 401);
}

#[tokio::test]
async fn only_json_changes_something_and_reading_never_does() {
    let gateway = open().await;
    for (headers, expected) in [
        (&[][..], 415),
        (&[("Content-Type", "text/plain")], 415),
        (&[("Content-Type", "application/x-www-form-urlencoded")], 415),
        (&[("Content-Type", "multipart/form-data")], 415),
        (&[("Content-Type", "application/json")], 405),
        (&[("Content-Type", "application/json; charset=utf-8")], 405),
        (&[("Content-Type", "application/json"), ("Origin", "http://evil.example")], 403),
    ] {
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            let answer = gateway.admin(method, "/api/status", headers, "{}").await;
            assert_eq!(refusal(&answer).0, expected, "{method} {headers:?}");
            if expected == 405 {
                assert_eq!(answer.header("allow"), Some("GET, HEAD"));
            }
        }
    }
    let preflight = [("Origin", "http://evil.example"), ("Access-Control-Request-Method", "PUT")];
    assert_eq!(refusal(&gateway.admin("OPTIONS", "/api/status", &preflight, "").await).0, 403);
    assert_eq!(gateway.admin("HEAD", "/api/status", &[], "").await.status, 200);
    assert_eq!(refusal(&gateway.admin("GET", "/api/reload", &[], "").await).0, 405);
}

#[tokio::test]
async fn probes_metrics_and_the_page_itself_are_open_and_hold_nothing_of_the_gateway() {
    let gateway = closed().await;
    let elsewhere = [("Host", "admin.example"), ("X-Forwarded-For", "10.0.0.1")];
    for path in ["/live", "/ready", "/metrics", "/", "/console", "/console/main.js", "/console/console.css"] {
        let answer = gateway.admin("GET", path, &elsewhere, "").await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(answer.header("set-cookie"), None, "{path}");
    }
}

#[tokio::test]
async fn the_public_listener_has_none_of_it() {
    let gateway = open().await;
    for path in ["/api/status", "/api/config", "/metrics", "/ready", "/console", "/"] {
        let answer = gateway.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
    }
}
