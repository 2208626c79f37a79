//! What `natsgate migration` shows of what a gateway tells, and how it ends.

use std::time::{Duration, SystemTime};

use natsgate::migrate::gate::{Condition, Gate};
use natsgate::migrate::next;
use natsgate::migrate::status::{Coverage, Example, Fallbacks, NoiseField, Row, SideStatus, Status};
use serde_json::{Value, json};

use crate::support::command::{Run, natsgate};
use crate::support::golden;
use crate::support::legacy::{self, Legacy};

/// The same span before now whenever the tests run: the half minute is for the time that they take.
fn ago(seconds: u64) -> String {
    let moment = SystemTime::now() - Duration::from_secs(seconds + 30);
    humantime::format_rfc3339_seconds(moment).to_string()
}

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

fn condition(name: &str, wanted: &str, found: &str, missing: Option<&str>) -> Condition {
    Condition {
        name: name.into(),
        wanted: wanted.into(),
        found: found.into(),
        holds: missing.is_none(),
        missing: missing.map(Into::into),
    }
}

fn row(pointers: &[&str], count: u64, (legacy, nats): (&str, &str), noise: bool) -> Row {
    let said = |value: &str| pointers.iter().map(|pointer| (pointer.to_string(), value.to_owned())).collect();
    Row {
        pointers: strings(pointers),
        count,
        share: count as f64 / 12_403.0,
        first_seen: ago(2 * 86_400),
        last_seen: ago(120),
        example: Example { legacy: said(legacy), nats: said(nats) },
        noise,
    }
}

fn side(p50: f64, p99: f64, errors: &[(&str, u64)]) -> SideStatus {
    SideStatus {
        answers: 12_400,
        p50_ms: Some(p50),
        p99_ms: Some(p99),
        errors: errors.iter().map(|(status, count)| (status.to_string(), *count)).collect(),
    }
}

/// One whose answers differ.
fn shadowed() -> Status {
    let conditions = vec![
        condition("compared", "at least 1000 pairs", "12403 pairs", None),
        condition("mismatch", "at most 0.5 %", "1.4 %", Some("fewer mismatches")),
        condition("for", "at least 4d", "3d 4h", Some("20h more")),
    ];
    Status {
        operation: "getUser".into(),
        method: "GET".into(),
        path: "/users/{id}".into(),
        stage: "shadow".into(),
        since: Some(ago(273_600)),
        epoch_since: Some(ago(200_000)),
        compared: 12_403,
        matched: 12_250,
        mismatched: 120,
        noise: 28,
        candidate_errors: 5,
        skipped: 12,
        skipped_by: [("body too long".to_owned(), 12)].into(),
        dropped: 3,
        rate: Some(0.0123),
        interval: Some([0.0105, 0.0144]),
        fields: vec![
            row(&["/roles/*/name", "/total"], 120, ("\u{1b}[2Jadmin", "administrator"), false),
            row(&["/updatedAt"], 28, ("text of 24", "text of 20"), true),
        ],
        other_fields: 2,
        noise_fields: vec![NoiseField { pointer: "/updatedAt".into(), count: 28, of: 30 }],
        legacy: side(12.2, 34.0, &[("404", 12)]),
        nats: side(0.84, 1_210.0, &[("404", 12), ("503", 5)]),
        coverage: Coverage {
            statuses: strings(&["2xx", "4xx"]),
            media_types: strings(&["application/json"]),
            days: strings(&["2026-11-23", "2026-11-24", "2026-11-25"]),
            missing: strings(&["5xx"]),
        },
        instances: 2,
        gate: Gate { holds: false, conditions, ..Gate::default() },
        ..Status::default()
    }
}

/// One that may be moved on.
fn canary() -> Status {
    Status {
        operation: "GET /orders/{id}".into(),
        method: "GET".into(),
        path: "/orders/{id}".into(),
        stage: "canary".into(),
        percent: 5.0,
        compared: 842,
        matched: 842,
        rate: Some(0.0),
        interval: Some([0.0, 0.0044]),
        legacy: side(9.0, 31.0, &[]),
        nats: side(2.0, 8.5, &[]),
        fallbacks: Fallbacks {
            total: 12,
            by_code: [("no_responders".to_owned(), 10), ("breaker_open".to_owned(), 2)].into(),
        },
        breaker: Some("closed".into()),
        instances: 1,
        gate: Gate {
            holds: true,
            conditions: vec![condition("compared", "at least 500 pairs", "842", None)],
            ..Gate::default()
        },
        ..Status::default()
    }
}

/// One of which nothing is known.
fn fresh() -> Status {
    Status {
        operation: "assignUserRole".into(),
        method: "POST".into(),
        path: "/users/{id}/roles".into(),
        stage: "legacy".into(),
        gate: Gate {
            holds: false,
            conditions: vec![condition("compared", "at least 1000 pairs", "none", Some("1000 more pairs"))],
            ..Gate::default()
        },
        ..Status::default()
    }
}

fn document(status: &Status) -> Value {
    let mut document = serde_json::to_value(status).expect("JSON");
    document["next"] = json!(next::steps(status));
    document
}

/// Stands for a gateway's admin listener.
async fn admin() -> Legacy {
    Legacy::start(|seen| {
        let all = [shadowed(), canary(), fresh()];
        let answer = match (seen.head.method.as_str(), seen.head.uri.path()) {
            ("GET", "/api/migrations") => json!({ "migrations": all.each_ref().map(document) }),
            ("GET", "/api/migrations/getUser") => document(&all[0]),
            ("GET", "/api/migrations/GET%20%2Forders%2F%7Bid%7D") => document(&all[1]),
            ("GET", "/api/migrations/assignUserRole") => document(&all[2]),
            ("POST", "/api/migrations/getUser/reset") => json!({ "operation": "getUser" }),
            (_, path) => {
                let detail = json!({ "detail": format!("no such operation: {path}") });
                return (Duration::ZERO, legacy::json(404, detail.to_string()));
            }
        };
        (Duration::ZERO, legacy::json(200, answer.to_string()))
    })
    .await
}

async fn run(admin: &Legacy, args: &[&str]) -> Run {
    let args = [&["migration"], args, &["--admin", &admin.url]].concat();
    let args: Vec<String> = args.into_iter().map(str::to_owned).collect();
    let run = move || natsgate(".", &args.iter().map(String::as_str).collect::<Vec<_>>());
    tokio::task::spawn_blocking(run).await.expect("it runs")
}

/// Without the moments, which are others each time.
fn undated(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(" since 20") {
        out.push_str(before);
        out.push_str(" since MOMENT");
        rest = after.split_once(" UTC").expect("a moment").1;
    }
    out + rest
}

#[tokio::test]
async fn the_table_has_a_line_for_each_and_fits_a_terminal() {
    let admin = admin().await;
    let run = run(&admin, &["status"]).await;
    golden::assert("tests/migrate/table.txt", &run.seen());
    assert!(run.stdout.lines().all(|line| line.chars().count() <= 80), "{}", run.stdout);
}

#[tokio::test]
async fn one_operation_has_its_whole_story() {
    let admin = admin().await;
    for (name, file) in [("getUser", "shadow"), ("GET /orders/{id}", "canary"), ("assignUserRole", "fresh")] {
        let run = run(&admin, &["status", name]).await;
        assert!(!run.stdout.contains('\u{1b}'), "a terminal would obey it");
        golden::assert(&format!("tests/migrate/{file}.txt"), &undated(&run.seen()));
    }
}

#[tokio::test]
async fn nothing_that_moves_is_no_gate_that_holds() {
    let empty =
        |_: &legacy::Seen| (Duration::ZERO, legacy::json(200, json!({ "migrations": [] }).to_string()));
    let admin = Legacy::start(empty).await;
    assert_eq!(run(&admin, &["status"]).await.code, 0);
    let gate = run(&admin, &["status", "--gate"]).await;
    assert_eq!((gate.code, gate.stdout.starts_with("no operation has a `migration`")), (3, true));
}

#[tokio::test]
async fn a_pipeline_can_wait_for_the_gate() {
    let admin = admin().await;
    for (args, code) in [
        (&["status", "getUser"][..], 0),
        (&["status", "getUser", "--gate"], 3),
        (&["status", "GET /orders/{id}", "--gate"], 0),
        (&["status", "--gate"], 3),
        (&["status", "nobody"], 1),
        (&["reset", "getUser"], 0),
        (&["reset", "nobody"], 1),
    ] {
        let run = run(&admin, args).await;
        assert_eq!(run.code, code, "{args:?}: {}", run.seen());
    }
    let told = run(&admin, &["status", "getUser", "--output", "json"]).await.json();
    assert_eq!((&told["operation"], &told["gate"]["holds"]), (&json!("getUser"), &json!(false)));
    let refused = run(&admin, &["status", "nobody"]).await;
    assert!(refused.stderr.contains("no such operation"), "{}", refused.seen());
}
