//! The published document: what is printed, kept and served, and whether the gateway keeps what it says.

mod callers;
mod forwards;
mod kept;
mod merged;
mod publishes;
mod requests;
mod samples;
mod served;

use std::path::{Path, PathBuf};

use kept::Document;
use natsgate::config::{self, Overrides};
use natsgate::gateway::compile::compile;
use natsgate::jetstream::manifest;
use serde_json::Value;

use crate::support::command::natsgate;
use crate::support::golden;

/// The document of a configuration file.
fn published(path: &Path) -> Value {
    let (config, mut diagnostics) = config::load(path, &Overrides::default());
    let config = config.unwrap_or_else(|| panic!("{}", diagnostics.render()));
    let manifests = manifest::load(&config.manifests, &mut diagnostics);
    let table = compile(&config, &manifests, None, &mut diagnostics)
        .unwrap_or_else(|| panic!("{}", diagnostics.render()));
    serde_json::from_slice(&table.published.json()).expect("JSON")
}

/// The document of a configuration with files beside it.
fn published_of(yaml: &str, files: &[(&str, &str)]) -> Value {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path, text).expect("a file");
    }
    std::fs::write(folder.path().join("natsgate.yaml"), yaml).expect("the configuration");
    published(&folder.path().join("natsgate.yaml"))
}

fn package(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The demo's configuration, with a shorter deadline, to be read from anywhere.
fn demo() -> String {
    let text = std::fs::read_to_string(package("config/natsgate.yaml")).expect("the configuration");
    let there = |path: &str| package(path).display().to_string();
    text.replace("../openapi/common.yaml", &there("openapi/common.yaml"))
        .replace("../deploy/jetstream/", &there("deploy/jetstream"))
        .replace("timeout: 2s", "timeout: 400ms")
        .replace("retry_for: 1s", "retry_for: 50ms")
}

#[test]
fn the_document_of_the_demo_is_current() {
    let document = published(&package("config/natsgate.yaml"));
    golden::assert("openapi/published.json", &format!("{document:#}\n"));
}

/// `make lint` holds these documents against the standard too.
#[test]
fn the_documents_of_small_configurations_are_current() {
    for name in ["lifted", "clashes", "routes", "forwards"] {
        let document = published(&package(&format!("tests/openapi/{name}.yaml")));
        golden::assert(&format!("tests/openapi/{name}.published.json"), &format!("{document:#}\n"));
    }
}

#[test]
fn what_is_printed_is_what_is_checked_in() {
    let folder = env!("CARGO_MANIFEST_DIR");
    let printed = natsgate(folder, &["openapi"]);
    let checked_in = std::fs::read_to_string(package("openapi/published.json")).expect("the document");
    assert_eq!((printed.code, printed.stdout.as_str()), (0, checked_in.as_str()), "{}", printed.stderr);
    let yaml = natsgate(folder, &["openapi", "--output", "yaml"]);
    let mut diagnostics = natsgate::diagnostic::Diagnostics::default();
    let file = diagnostics.add_source(Path::new("published.yaml"), yaml.stdout);
    let read = natsgate::yaml::parse(file, &mut diagnostics).expect("YAML").to_json();
    assert_eq!(read, serde_json::from_str::<Value>(&checked_in).expect("JSON"));
}

#[test]
fn a_configuration_with_errors_has_no_document() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("bad.yaml"), "operations:\n  GET /x: { request: {} }\n")
        .expect("a file");
    let run = natsgate(folder.path().to_str().expect("UTF-8"), &["openapi", "--config", "bad.yaml"]);
    assert_eq!((run.code, run.stdout.as_str()), (64, ""));
    assert!(run.stderr.contains("subject"), "{}", run.stderr);
}
