//! What is read from files, and what is said about it.

use natsgate::diagnostic::Diagnostics;
use natsgate::jetstream::manifest;
use natsgate::yaml::Located;
use serde_json::json;

use super::{declared, load, package, report};
use crate::support::golden;

#[test]
fn every_problem_is_reported_at_its_place() {
    for case in ["fields", "kinds", "helm", "syntax", "consumers"] {
        let (_, diagnostics) = load(&[&format!("{case}.yaml")]);
        golden::assert(&format!("tests/jetstream/{case}.expected"), &report(&diagnostics));
    }
}

#[test]
fn what_stands_twice_names_both_places() {
    let (manifests, diagnostics) = load(&["twice"]);
    golden::assert("tests/jetstream/twice.expected", &report(&diagnostics));
    assert_eq!((manifests.streams.len(), manifests.consumers.len()), (2, 3));
}

#[test]
fn a_file_that_is_named_twice_is_read_once() {
    let (manifests, diagnostics) = load(&["operations.yaml", "./operations.yaml"]);
    assert_eq!((diagnostics.render().as_str(), manifests.streams.len()), ("", 5));
}

#[test]
fn what_cannot_be_read_makes_no_stream_unknown() {
    let (_, diagnostics) = load(&["consumers.yaml", "syntax.yaml"]);
    assert!(!report(&diagnostics).contains("no manifest declares"), "{}", report(&diagnostics));
}

#[test]
fn paths_that_lead_nowhere_are_told_where_they_are_named() {
    let empty = tempfile::tempdir().expect("temporary directory");
    std::fs::write(empty.path().join(".hidden.yaml"), "apiVersion: jetstream.nats.io/v1beta1").expect("file");
    std::fs::write(empty.path().join("values.yaml"), "replicas: 3").expect("file");
    let (_, diagnostics) = load(&["not-there.yaml", &empty.path().display().to_string()]);
    let told = report(&diagnostics).replace(&empty.path().display().to_string(), "EMPTY");
    assert!(told.contains("error: cannot read `not-there.yaml`"), "{told}");
    assert!(told.contains("--> natsgate.yaml:1:1"), "{told}");
    assert!(told.contains("warning: `EMPTY` declares no stream and no consumer"), "{told}");
    assert!(told.ends_with("1 error, 1 warning\n"), "{told}");
}

#[test]
fn every_field_is_known_and_sent_as_the_server_has_it() {
    let (manifests, diagnostics) = load(&["full.yaml"]);
    assert_eq!(diagnostics.render(), "");
    let configs = json!([manifests.streams[0].config(None), manifests.consumers[0].config(None)]);
    let text = serde_json::to_string_pretty(&configs).expect("JSON") + "\n";
    golden::assert("tests/jetstream/full.json", &text);
}

#[test]
fn folders_are_read_with_their_folders_in_the_order_of_names() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let stream = |name: &str| {
        format!("apiVersion: jetstream.nats.io/v1beta2\nkind: Stream\nspec: {{ name: {name} }}\n")
    };
    for (file, name) in
        [("b.yml", "B"), ("a.yaml", "A"), ("c/d.yaml", "D"), (".git/x.yaml", "X"), ("notes.txt", "N")]
    {
        let path = dir.path().join(file);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("folder");
        std::fs::write(path, stream(name)).expect("file");
    }
    let mut diagnostics = Diagnostics::default();
    let manifests = manifest::load(&[Located::default_of(dir.path().to_owned())], &mut diagnostics);
    assert_eq!(diagnostics.render(), "");
    let names: Vec<_> = manifests.streams.iter().map(|stream| stream.name.as_str()).collect();
    assert_eq!(names, ["A", "B", "D"]);
}

#[test]
fn omitted_fields_are_the_resource_s_defaults_where_the_server_s_are_others() {
    let manifests = declared(
        "apiVersion: jetstream.nats.io/v1beta2\nkind: Stream\nspec: { name: S, maxAge: '' }\n---\n\
         apiVersion: jetstream.nats.io/v1beta2\nkind: Consumer\nspec: { streamName: S, durableName: C, replicas: 3 }\n",
    );
    let (stream, consumer) = (&manifests.streams[0], &manifests.consumers[0]);
    assert_eq!(json!(stream.config(None)), json!({ "name": "S", "storage": "memory" }));
    assert_eq!(json!(stream.config(Some(1))), json!({ "name": "S", "storage": "memory", "num_replicas": 1 }));
    let expected = |replicas| json!({ "name": "C", "durable_name": "C", "ack_policy": "none", "num_replicas": replicas });
    assert_eq!(json!(consumer.config(None)), expected(3));
    assert_eq!(json!(consumer.config(Some(5))), expected(3));
    assert_eq!(json!(consumer.config(Some(1))), expected(1));
}

#[test]
fn the_shipped_manifests_have_nothing_wrong() {
    let mut diagnostics = Diagnostics::default();
    let manifests = manifest::load(&[Located::default_of(package("deploy/jetstream"))], &mut diagnostics);
    assert_eq!(diagnostics.render(), "");
    assert_eq!(manifests.stream("STACKS").expect("the stream").subjects()[0].0, "stack.delete");
}
