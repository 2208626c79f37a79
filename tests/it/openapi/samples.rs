//! Large contracts of others, where `NATSGATE_OPENAPI_SAMPLES` names a folder with some.

use std::path::Path;
use std::time::Instant;

use natsgate::config::{self, Overrides};
use natsgate::contract::Contract;
use natsgate::diagnostic::Diagnostics;
use natsgate::gateway::compile::compile;
use natsgate::jetstream::manifest::Manifests;
use serde_json::Value;

/// Every `$ref` that is one.
fn references<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn large_contracts_are_published_whole() {
    let Some(folder) = std::env::var_os("NATSGATE_OPENAPI_SAMPLES") else {
        eprintln!(
            "NOT TESTED: set NATSGATE_OPENAPI_SAMPLES to a folder with OpenAPI documents to publish all of them"
        );
        return;
    };
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).expect("the folder of NATSGATE_OPENAPI_SAMPLES") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|ending| ending == "json" || ending == "yaml") {
            publish(&path);
            seen += 1;
        }
    }
    assert!(seen > 0, "NATSGATE_OPENAPI_SAMPLES has no contract");
}

fn publish(path: &Path) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("natsgate.yaml");
    let yaml = format!("contracts: [{{ file: \"{}\" }}]\noperations: {{}}\n", path.display());
    std::fs::write(&file, yaml).expect("the configuration");
    let began = Instant::now();
    let contract = Contract::load(path, "/", &mut Diagnostics::default()).expect("a contract");
    let loaded = began.elapsed();
    let (config, mut diagnostics) = config::load(&file, &Overrides::default());
    let config = config.unwrap_or_else(|| panic!("{}", diagnostics.render()));
    let began = Instant::now();
    let table = compile(&config, &Manifests::default(), None, &mut diagnostics)
        .unwrap_or_else(|| panic!("{}", diagnostics.render()));
    let compiled = began.elapsed();
    let json = table.published.json();
    let document: Value = serde_json::from_slice(&json).expect("JSON");
    let count: usize = document["paths"]
        .as_object()
        .expect("paths")
        .values()
        .map(|item| item.as_object().map_or(0, |all| all.len()))
        .sum();
    assert_eq!(count, contract.operations().len(), "{}", path.display());
    let mut found = Vec::new();
    references(&document, &mut found);
    for reference in found {
        let target = reference.strip_prefix('#').and_then(|pointer| document.pointer(pointer));
        assert!(target.is_some(), "{}: {reference}", path.display());
    }
    eprintln!(
        "{}: read in {loaded:?}, all in {compiled:?}, {} bytes",
        path.display(),
        document.to_string().len()
    );
}
