//! The fields that are known, held against NACK's own definitions where they are at hand: `NACK_CRDS` names the file.

use std::collections::BTreeSet;

use natsgate::diagnostic::Diagnostics;
use natsgate::jetstream::manifest;
use natsgate::yaml::Located;
use natsgate::yaml::{Node, parse_all};

/// A field by its pointer, with what the definitions say of its values.
struct Field {
    path: String,
    kind: String,
    values: Vec<String>,
}

/// Documents of the file: a kind, and its fields.
fn definitions(text: &str) -> Vec<(String, Vec<Field>)> {
    let mut diagnostics = Diagnostics::default();
    let file = diagnostics.add_source("crds.yml".as_ref(), text);
    let documents = parse_all(file, &mut diagnostics);
    assert!(!diagnostics.has_errors(), "{}", diagnostics.render());
    documents.iter().filter_map(kind_and_fields).collect()
}

fn kind_and_fields(definition: &Node) -> Option<(String, Vec<Field>)> {
    let kind = definition.pointer("/spec/names/kind")?.as_str()?.to_owned();
    let versions = definition.pointer("/spec/versions")?.items();
    let current = versions.iter().find(|one| one.get("name").and_then(Node::as_str) == Some("v1beta2"))?;
    let spec = current.pointer("/schema/openAPIV3Schema/properties/spec")?;
    let mut fields = Vec::new();
    collect(spec, "", &mut fields);
    Some((kind, fields))
}

fn collect(schema: &Node, at: &str, fields: &mut Vec<Field>) {
    let schema = schema.get("items").unwrap_or(schema);
    for (key, inner) in schema.get("properties").map_or(&[][..], Node::entries) {
        let path = format!("{at}/{}", key.name);
        collect(inner, &path, fields);
        let kind = inner.get("type").and_then(Node::as_str).expect("a type").to_owned();
        let values = inner.get("enum").map_or(&[][..], Node::items);
        let values = values.iter().filter_map(Node::as_str).map(str::to_owned).collect();
        fields.push(Field { path, kind, values });
    }
}

/// What is said of a field that is written alone, with a value: the rules with their help.
fn told(kind: &str, path: &str, value: &str) -> Vec<(&'static str, String)> {
    let steps: Vec<_> = path.split('/').skip(1).collect();
    let inner = steps.iter().rev().fold(value.to_owned(), |inner, step| {
        let list = matches!(*step, "sources" | "subjectTransforms") && inner != value;
        if list { format!("{{ {step}: [{inner}] }}") } else { format!("{{ {step}: {inner} }}") }
    });
    let dir = tempfile::tempdir().expect("temporary directory");
    let file = dir.path().join("manifest.yaml");
    let text = format!("apiVersion: jetstream.nats.io/v1beta2\nkind: {kind}\nspec: {inner}\n");
    std::fs::write(&file, text).expect("a manifest");
    let mut diagnostics = Diagnostics::default();
    manifest::load(&[Located::default_of(file)], &mut diagnostics);
    let found = diagnostics.sorted().into_iter().filter(|one| !one.message.ends_with(" is missing"));
    let help = |one: &natsgate::diagnostic::Diagnostic| one.help.as_deref().unwrap_or_default().to_owned();
    found.filter_map(|one| Some((one.rule?, help(one)))).collect()
}

/// What is wrong with how a field is read.
fn complaint(kind: &str, field: &Field) -> Option<String> {
    let taken = |value: &str| told(kind, &field.path, value).is_empty();
    let refused =
        |value: &str| told(kind, &field.path, value).iter().any(|(rule, _)| *rule == "invalid-field");
    let right = match field.kind.as_str() {
        "boolean" => taken("true") && refused("1") && refused("x"),
        "integer" | "number" => taken("1") && refused("true") && refused("x"),
        "string" if !field.values.is_empty() => field.values.iter().all(|value| taken(&format!("'{value}'"))),
        "string" => refused("1") && refused("{ a: b }"),
        "array" => refused("1"),
        _ => refused("1"),
    };
    (!right).then(|| format!("{kind}{} is no {}", field.path, field.kind))
}

/// The fields that a kind is read with, as the help about one that does not exist lists them.
fn known(kind: &str) -> BTreeSet<String> {
    let found = told(kind, "/qqqqqqqqqq", "1");
    let (_, help) = found.iter().find(|(rule, _)| *rule == "unknown-field").expect("an unknown field");
    help.strip_prefix("one of: ").expect("a list").split(", ").map(str::to_owned).collect()
}

#[test]
fn every_field_of_nack_s_definitions_is_known_by_its_type() {
    let Some(path) = std::env::var_os("NACK_CRDS") else {
        eprintln!(
            "NOT CHECKED: NACK_CRDS names no file of NACK's definitions (deploy/crds.yml of its repository)"
        );
        return;
    };
    let text = std::fs::read_to_string(&path).expect("the definitions");
    let kinds = definitions(&text);
    let names: Vec<_> = kinds.iter().map(|(kind, _)| kind.as_str()).collect();
    for kind in ["Stream", "Consumer", "KeyValue", "ObjectStore", "Account"] {
        assert!(names.contains(&kind), "{names:?}");
    }
    let mut wrong = Vec::new();
    for (kind, fields) in &kinds {
        let top = fields.iter().map(|field| field.path.trim_start_matches('/').to_owned());
        let top: BTreeSet<String> = top.filter(|path| !path.contains('/')).collect();
        assert_eq!(known(kind), top, "{kind}");
        wrong.extend(fields.iter().filter_map(|field| complaint(kind, field)));
    }
    assert_eq!(wrong, Vec::<String>::new());
}
