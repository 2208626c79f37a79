//! What the API changes: the configuration that runs, and what is logged; and `natsgate reload`.

use serde_json::{Value, json};

use super::answers::shape;
use crate::support::command::natsgate;
use crate::support::gateway::Gateway;
use crate::support::golden;
use crate::support::http::{Answer, Client};
use crate::support::process::Process;

const NOWHERE: &str = "nats://127.0.0.1:1";
const ONE: &str = "operations:\n  GET /a: { request: { subject: a } }\n";
const TWO: &str =
    "operations:\n  GET /a: { request: { subject: a } }\n  GET /b: { request: { subject: b } }\n";
const WRONG: &str = "operations:\n  GET /a: { request: { subjct: a } }\n";
const NATS: &str = "nats: { ping_interval: 500ms }\n";

async fn start(more: &str) -> Gateway {
    Gateway::start_unconnected(NOWHERE, &format!("server: {{ watch_files: false }}\n{more}"), &[]).await
}

fn write(gateway: &Gateway, operations: &str) {
    gateway.replace("natsgate.yaml", &format!("{NATS}server: {{ watch_files: false }}\n{operations}"));
}

async fn reload(gateway: &Gateway) -> Answer {
    gateway.admin("POST", "/api/reload", &[("Content-Type", "application/json")], "{}").await
}

async fn status(gateway: &Gateway) -> Value {
    gateway.admin("GET", "/api/status", &[], "").await.json()
}

#[tokio::test]
async fn a_reload_is_applied_or_told_with_everything_that_is_wrong() {
    let gateway = start(ONE).await;
    write(&gateway, TWO);
    let applied = reload(&gateway).await;
    assert_eq!(applied.status, 200);
    let told = applied.json();
    assert_eq!((&told["result"], &told["generation"]), (&json!("applied"), &json!(2)));
    assert_eq!(told["added"], json!(["GET /b"]));
    let document = status(&gateway).await;
    assert_eq!(document["operations"].as_array().expect("operations").len(), 2);
    assert_eq!(document["config"]["last_reload"], told);

    write(&gateway, WRONG);
    let invalid = reload(&gateway).await;
    assert_eq!(invalid.status, 422);
    let told = invalid.json();
    assert_eq!(told["result"], "invalid");
    assert!(told["report"].as_str().expect("a report").contains("unknown key `subjct`"), "{told}");
    let shape = serde_json::to_string_pretty(&shape(&told)).expect("JSON") + "\n";
    golden::assert("tests/admin/reload.json", &shape);
    let document = status(&gateway).await;
    assert_eq!(document["operations"].as_array().expect("operations").len(), 2, "what ran runs on");
    assert_eq!(
        (&document["config"]["generation"], &document["config"]["reloads"]["invalid"]),
        (&json!(2), &json!(1))
    );

    gateway.replace("natsgate.yaml", &format!("{NATS}server: {{ watch_files: false, drain: 3s }}\n{TWO}"));
    let restart = reload(&gateway).await;
    assert_eq!(restart.status, 409);
    assert_eq!(restart.json()["needs_restart"], json!(["server.drain"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_tells_what_came_of_it_by_its_exit_code() {
    let run = |gateway: &Gateway, more: &[&str]| {
        let run = natsgate(".", &[&["reload", "--admin", &gateway.admin], more].concat());
        (run.code, run.stdout, run.stderr)
    };
    let gateway = start(ONE).await;
    write(&gateway, TWO);
    let (code, out, _) = run(&gateway, &[]);
    assert_eq!((code, out.as_str()), (0, "applied: generation 2\nnew: GET /b\n"));
    write(&gateway, WRONG);
    let (code, out, report) = run(&gateway, &[]);
    assert_eq!(
        (code, out.as_str()),
        (64, "not applied: the configuration has errors, and what ran runs on\n")
    );
    assert!(report.contains("unknown key `subjct`"), "{report}");
    let (code, out, _) = run(&gateway, &["--output", "json"]);
    assert_eq!(code, 64);
    assert_eq!(serde_json::from_str::<Value>(&out).expect("JSON")["result"], "invalid");
    gateway.replace("natsgate.yaml", &format!("{NATS}server: {{ watch_files: false, drain: 3s }}\n{TWO}"));
    let (code, out, _) = run(&gateway, &[]);
    assert_eq!(
        (code, out.as_str()),
        (1, "not applied: these keys need a restart: server.drain; what ran runs on\n")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_brings_the_token() {
    let token = "correct-horse-battery-staple";
    let yaml = format!("server: {{ watch_files: false, admin_token: {{ file: token }} }}\n{ONE}");
    let gateway = Gateway::start_unconnected(NOWHERE, &yaml, &[("token", token)]).await;
    let refused = natsgate(".", &["reload", "--admin", &gateway.admin]);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("answers 401: this needs the token"), "{}", refused.stderr);
    let file = gateway.dir().join("token").display().to_string();
    let run = natsgate(".", &["reload", "--admin", &gateway.admin, "--token-file", &file]);
    assert_eq!((run.code, run.stdout.as_str()), (0, "applied: generation 2\n"));
}

#[tokio::test]
async fn the_log_level_is_changed_while_the_process_runs() {
    let process = Process::serve(NOWHERE, ONE).await;
    let level = async |method: &str, body: &str| {
        let (headers, body) = ([("Content-Type", "application/json")], body.as_bytes());
        let mut client = Client::connect(&process.admin).await;
        client.send_to("localhost", method, "/api/log-level", &headers, body).await
    };
    let logged = async |path: &str| {
        process.send("GET", path, &[]).await;
        // The lines before one that is always written are there once that is.
        process.send("GET", "/a", &[]).await;
    };
    assert_eq!(level("GET", "").await.json()["level"], "info,async_nats=off");
    let changed = level("PUT", r#"{"level": "error"}"#).await;
    assert_eq!((changed.status, &changed.json()["level"]), (200, &json!("error")));
    logged("/while-silent").await;
    assert_eq!(level("PUT", r#"{"level": "info"}"#).await.status, 200);
    logged("/while-told").await;
    process.logged("the request", |line| line["path"] == "/while-told").await;
    assert!(process.log().iter().all(|line| line["path"] != "/while-silent"));
    for body in
        [r#"{"level": "natsgate=nonsense=much"}"#, r#"{"level": 3}"#, r#"{"lvl": "info"}"#, "", "info"]
    {
        let refused = level("PUT", body).await;
        assert!(matches!(refused.status, 400 | 422), "{body}: {}", refused.text());
        assert!(refused.json()["detail"].as_str().expect("a detail").contains("info"), "{}", refused.text());
    }
    let long = format!(r#"{{"level": "{}"}}"#, "info,".repeat(2000));
    assert_eq!(level("PUT", &long).await.problem().0, "body_too_large");
    assert_eq!(level("GET", "").await.json()["level"], "info");
}
