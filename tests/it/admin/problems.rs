//! The last problems: found by the id that the caller has, bounded, and without anything that a caller wrote but where the
//! access line has it too.

use serde_json::Value;

use crate::support::gateway::Gateway;

const NOWHERE: &str = "nats://127.0.0.1:1";

async fn start() -> Gateway {
    let yaml = "operations:\n  GET /a/{x}: { request: { subject: a } }\n";
    Gateway::start_unconnected(NOWHERE, yaml, &[]).await
}

async fn problems(gateway: &Gateway, query: &str) -> Vec<Value> {
    let answer = gateway.admin("GET", &format!("/api/problems{query}"), &[], "").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["problems"].as_array().expect("a list").clone()
}

#[tokio::test]
async fn a_problem_is_found_by_the_id_that_its_caller_has() {
    let gateway = start().await;
    let answer = gateway.get("/a/1").await;
    assert_eq!(answer.problem().0, "nats_unavailable");
    let id = answer.header("natsgate-request-id").expect("an id").to_owned();
    gateway.get("/nothing/there").await;

    let found = problems(&gateway, &format!("?id={id}")).await;
    assert_eq!(found.len(), 1);
    let problem = &found[0];
    assert_eq!(problem["request_id"], id);
    assert_eq!(problem["operation"], "GET /a/{x}");
    assert_eq!((&problem["method"], &problem["status"]), (&"GET".into(), &503.into()));
    assert_eq!((&problem["code"], &problem["outcome"]), (&"nats_unavailable".into(), &"not_executed".into()));
    assert!(problem["duration_ms"].as_f64().is_some_and(|took| took > 0.0));
    let trace = problem["trace_id"].as_str().expect("a trace");
    assert_eq!(problems(&gateway, &format!("?id={trace}")).await.len(), 1);

    let all = problems(&gateway, "").await;
    assert_eq!(all.len(), 2);
    assert_eq!(all[0]["code"], "not_found", "the newest comes first");
    assert_eq!(all[0]["operation"], Value::Null);
    assert_eq!(problems(&gateway, "?operation=GET+%2Fa%2F%7Bx%7D").await.len(), 1);
    assert_eq!(problems(&gateway, "?code=not_found&limit=5").await.len(), 1);
    assert_eq!(problems(&gateway, "?limit=1").await.len(), 1);
    assert!(problems(&gateway, "?id=none").await.is_empty());
    let wrong = gateway.admin("GET", "/api/problems?limit=many", &[], "").await;
    assert_eq!(wrong.problem().0, "invalid_parameter");
}

#[tokio::test]
async fn they_are_bounded_and_hold_no_path() {
    let gateway = start().await;
    for number in 0..300 {
        gateway.get(&format!("/secret-path-{number}?q=secret-query")).await;
    }
    let answer = gateway.admin("GET", "/api/problems", &[], "").await;
    let document = answer.json();
    let kept = document["problems"].as_array().expect("a list").len();
    assert!(kept <= 256, "{kept}");
    let counts = &document["counts"]["not_found"];
    assert_eq!(counts["total"], 300);
    let not_kept = counts["not_kept"].as_u64().expect("a number");
    assert_eq!(kept as u64 + not_kept, 300, "those that are not kept are counted");
    assert!(not_kept > 0, "300 in a moment are more than are taken");
    assert!(!answer.text().contains("secret"), "{}", answer.text());
}

#[tokio::test]
async fn successes_are_not_noted() {
    let gateway = start().await;
    assert_eq!(gateway.send("OPTIONS", "/a/1", &[], b"").await.status, 204);
    assert!(problems(&gateway, "").await.is_empty());
}
