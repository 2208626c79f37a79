//! Documents that real APIs publish: each is imported, checked and served in front of a service that echoes, in time, and
//! every operation of it is reached, or was refused with a reason at its place.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use natsgate::contract::{Contract, Operation};
use natsgate::diagnostic::Diagnostics;
use natsgate::expression::Location;
use serde_json::Value;

use crate::support::command::natsgate;
use crate::support::echo::Echo;
use crate::support::http::Client;
use crate::support::nats_server::NatsServer;
use crate::support::process::Process;

/// Names a folder with documents. `scripts/openapi-real` makes one.
const FOLDER: &str = "NATSGATE_OPENAPI_REAL";

/// For one document: import, check, and until requests are taken. A build that is not optimised takes about ten times as
/// long for the same.
const LONGEST: Duration = Duration::from_secs(if cfg!(debug_assertions) { 50 } else { 5 });

#[tokio::test]
async fn documents_of_real_apis_are_served() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else {
        eprintln!(
            "\n*** NOT RUN: scripts/openapi-real fetches documents of real APIs, and sets {FOLDER} ***\n"
        );
        return;
    };
    let (nats, echo) = (NatsServer::start().await, Echo::start().await);
    let mut files = Vec::new();
    documents(&folder, &mut files);
    files.sort();
    let (mut served, mut refused, mut slowest) = (0, 0, Duration::ZERO);
    for file in &files {
        let name = file.strip_prefix(&folder).unwrap_or(file);
        match serve(file, &nats, &echo).await {
            Outcome::Served { reached, left_out, took } => {
                eprintln!("{}: {reached} reached, {left_out} left out, ready in {took:?}", name.display());
                assert!(took < LONGEST, "{}: {took:?}", name.display());
                slowest = slowest.max(took);
                served += 1;
            }
            Outcome::Refused(why) => {
                eprintln!("{}: refused: {why}", name.display());
                refused += 1;
            }
        }
    }
    eprintln!("{served} documents served, the slowest in {slowest:?}; {refused} refused");
    assert!(served > 0, "{FOLDER} has no document that can be served");
}

enum Outcome {
    Served { reached: usize, left_out: usize, took: Duration },
    Refused(String),
}

/// Every file below a folder that may be a document.
fn documents(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let ending = path.extension().and_then(|ending| ending.to_str());
        match path.is_dir() {
            _ if is_hidden => {}
            true => documents(&path, files),
            false if matches!(ending, Some("json" | "yaml" | "yml")) => files.push(path),
            false => {}
        }
    }
}

async fn serve(file: &Path, nats: &NatsServer, echo: &Echo) -> Outcome {
    let folder = tempfile::tempdir().expect("a folder");
    let run = |args: &[&str]| natsgate(folder.path().to_str().expect("UTF-8"), args);
    let document = file.to_str().expect("UTF-8");
    let began = Instant::now();
    let import = ["import", document, "--upstream", "echo", "--url", &echo.url];
    let imported = run(&[&import[..], &["--write", "natsgate.yaml", "--output", "json"]].concat());
    if imported.code != 0 {
        let report = &imported.stderr;
        assert!(
            imported.code == 64 && report.contains("  --> ") && report.contains("  next: "),
            "{}",
            imported.seen()
        );
        return Outcome::Refused(report.lines().next().unwrap_or_default().to_owned());
    }
    let report = imported.json();
    let check = run(&["check", "--config", "natsgate.yaml"]);
    assert_eq!(check.code, 0, "{}: {}", file.display(), check.seen());
    let yaml = std::fs::read_to_string(folder.path().join("natsgate.yaml")).expect("the configuration");
    // The process has a folder of its own.
    let way = yaml
        .lines()
        .find_map(|line| Some(line.split_once("{ file: ")?.1.split([',', ' ']).next()?.to_owned()));
    let yaml = way
        .map_or(yaml.clone(), |way| yaml.replacen(&way, &serde_json::to_string(document).expect("text"), 1));
    let gateway = Process::serve(&nats.url(), &yaml).await;
    let took = began.elapsed();
    let left_out = report["left_out"].as_array().expect("a list");
    for one in left_out {
        let place = one["place"]
            .as_str()
            .expect("a place")
            .rsplit(':')
            .take(2)
            .all(|number| number.parse::<u32>().is_ok());
        assert!(place && one["reason"].is_string() && one["next"].is_string(), "{one}");
    }
    let reached = call(&gateway, file, &report).await;
    Outcome::Served { reached, left_out: left_out.len(), took }
}

/// Calls every operation, and looks up which of them the gateway has seen.
async fn call(gateway: &Process, file: &Path, report: &Value) -> usize {
    let base = report["base_path"].as_str().expect("a base path");
    let contract = Contract::load(file, base, &mut Diagnostics::default()).expect("a contract");
    let added = report["added"].as_array().expect("a list");
    let count = added.len() + report["left_out"].as_array().map_or(0, Vec::len);
    assert_eq!(count, contract.operations().len(), "{}", file.display());
    let mut client = Client::connect(&gateway.url).await;
    for one in added {
        let (method, path) =
            (one["method"].as_str().expect("a method"), one["path"].as_str().expect("a path"));
        let same = |operation: &&Operation| operation.method == method && operation.path == path;
        let operation = contract.operations().iter().find(same).expect("the operation");
        let path = path_of(&contract, operation);
        let sent = [("Authorization", "Bearer of.somebody.else"), ("Content-Type", "application/json")];
        let answer = client.send(method, &path, &sent, b"").await;
        assert_eq!(answer.status, 200, "{}: {method} {path}: {}", file.display(), answer.text());
        assert_eq!(answer.header("x-seen"), Some(&*format!("{method} {path}")), "{}", file.display());
    }
    let metrics = Client::connect(&gateway.admin).await.send("GET", "/metrics", &[], b"").await.text();
    let seen: HashSet<&str> = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("natsgate_http_requests_total{operation=\"")?.split('"').next())
        .collect();
    for one in added {
        let name = one["operation"].as_str().expect("a name");
        assert!(seen.contains(name), "{}: nothing reached `{name}`", file.display());
    }
    added.len()
}

/// The path of a request, with a plausible value in the place of each parameter.
fn path_of(contract: &Contract, operation: &Operation) -> String {
    let mut path = operation.template.as_ref().expect("a path that can be served").as_str().to_owned();
    for parameter in operation.parameters.iter().filter(|one| one.location == Location::Path) {
        let schema = parameter.schema.as_ref().and_then(|schema| contract.schema_json(schema));
        path = path.replace(&format!("{{{}}}", parameter.name), &value_of(contract, schema));
    }
    // Those that are not declared.
    while let Some((before, after)) =
        path.split_once('{').map(|(before, after)| (before.to_owned(), after.to_owned()))
    {
        let rest = after.split_once('}').expect("a parameter that ends").1;
        path = format!("{before}anything{rest}");
    }
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@%".contains(&byte);
    path.bytes()
        .map(|byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

fn value_of(contract: &Contract, schema: Option<&Value>) -> String {
    let Some(schema) = schema else { return "anything".to_owned() };
    if let Some(target) = schema["$ref"].as_str().and_then(|reference| contract.resolve_json(reference)) {
        return value_of(contract, Some(target));
    }
    let given = [&schema["const"], &schema["enum"][0], &schema["example"], &schema["default"]];
    let text = given.into_iter().find_map(|value| match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    });
    let kind = || match schema["type"].as_str() {
        Some("integer" | "number") => schema["minimum"].as_i64().unwrap_or(7).to_string(),
        Some("boolean") => "true".to_owned(),
        _ if schema["format"] == "uuid" => "3fa85f64-5717-4562-b3fc-2c963f66afa6".to_owned(),
        _ => "x".repeat(schema["minLength"].as_u64().unwrap_or(5).clamp(1, 100) as usize),
    };
    let text = text.unwrap_or_else(kind);
    text.bytes()
        .map(|byte| match byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect()
}
