//! The whole configuration with what is new, and the proof that nothing else has changed.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::Wanted;
use super::entry::{self, quoted, scalar};
use super::known::Known;
use super::paths::way;
use super::plan::Plan;
use super::section::{Addition, add, tree};
use crate::contract::Contract;

/// The verifier that leaves everything to the legacy service, where the configuration has none.
pub(super) const VERIFIER: &str = "legacy";

/// Before an operation that cannot be served.
const LEFT_OUT: &str = "# left out: ";

const HEADING: [&str; 2] = [
    "# Operations of the legacy service, imported by `natsgate import`: each goes there as it comes, until it is moved.",
    "# Another import adds what is new in the document, and leaves alone what stands here.",
];

/// The text of the configuration with everything that a plan adds.
pub(super) fn configuration(
    wanted: &Wanted<'_>,
    contract: &Contract,
    known: &Known,
    plan: &Plan,
) -> Result<String, String> {
    let before = known.text.as_deref().unwrap_or_default();
    let is_json = wanted.file.and_then(|file| file.extension()).is_some_and(|ending| ending == "json");
    if is_json {
        return Err("it is JSON, which has no comments: write the configuration as YAML".to_owned());
    }
    let (mut text, mut expected) = (before.to_owned(), known.tree.to_json());
    for (addition, value) in additions(wanted, contract, known, plan)? {
        text = add(&text, &addition)?;
        extend(&mut expected, addition.name, value);
    }
    // Places are found by a rough reading of the text, so what it says now is compared.
    match tree(&text)?.to_json() == expected {
        true => Ok(text),
        false => Err("its layout is too unusual to add to".to_owned()),
    }
}

/// What goes where, and what it means.
fn additions(
    wanted: &Wanted<'_>,
    contract: &Contract,
    known: &Known,
    plan: &Plan,
) -> Result<Vec<(Addition, Value)>, String> {
    let mut all = Vec::new();
    let is_listed = known.contract(wanted.document).is_some();
    let verifier = known.upstream_verifier().map_or_else(|| free_name(known), str::to_owned);
    if !is_listed && !plan.added.is_empty() {
        all.push(listed(wanted, contract, plan, &verifier)?);
    }
    if !known.has_upstream(wanted.upstream) {
        all.extend(wanted.url.map(|url| upstream(wanted.upstream, url)));
    }
    if known.upstream_verifier().is_none() && !is_listed && !plan.schemes.is_empty() {
        all.push(of_verifier(&verifier));
    }
    // Comments alone make no section.
    let has_some = known.tree.get("operations").is_some_and(|section| !section.entries().is_empty());
    let operations = operations(wanted, contract, known, plan);
    let is_worth = !operations.0.lines.is_empty() && (has_some || !plan.added.is_empty());
    all.extend(is_worth.then_some(operations));
    Ok(all)
}

fn free_name(known: &Known) -> String {
    let taken = |name: &str| known.config.security.0.iter().any(|(known, _)| known.value == name);
    let mut name = VERIFIER.to_owned();
    while taken(&name) {
        name.push_str("-service");
    }
    name
}

fn listed(
    wanted: &Wanted<'_>,
    contract: &Contract,
    plan: &Plan,
    verifier: &str,
) -> Result<(Addition, Value), String> {
    let from = wanted.file.unwrap_or(std::path::Path::new("natsgate.yaml"));
    let way = way(from, wanted.document);
    let file = way.to_str().ok_or("the name of the document is no UTF-8")?;
    let mut members = vec![format!("file: {}", scalar(file))];
    let mut value = json!({ "file": file });
    if !contract.base_path().is_empty() {
        members.push(format!("base_path: {}", scalar(contract.base_path())));
        value["base_path"] = json!(contract.base_path());
    }
    if !plan.schemes.is_empty() {
        let mapped = plan.schemes.iter().map(|scheme| format!("{}: {}", scalar(scheme), scalar(verifier)));
        members.push(format!("security: {{ {} }}", mapped.collect::<Vec<_>>().join(", ")));
        let mapped = plan.schemes.iter().map(|scheme| (scheme.clone(), json!(verifier)));
        value["security"] = Value::Object(mapped.collect());
    }
    let flow = format!("{{ {} }}", members.join(", "));
    let addition = Addition {
        name: "contracts",
        lines: vec![format!("- {flow}")],
        flow: Some(flow),
        heading: Vec::new(),
    };
    Ok((addition, json!([value])))
}

fn upstream(name: &str, url: &str) -> (Addition, Value) {
    let line = format!("{}: {{ url: {} }}", scalar(name), quoted(url));
    let addition =
        Addition { name: "upstreams", lines: vec![line.clone()], flow: Some(line), heading: Vec::new() };
    (addition, json!({ name: { "url": url } }))
}

fn of_verifier(name: &str) -> (Addition, Value) {
    let line = format!("{}: {{ upstream: true }}", scalar(name));
    let heading = "# The legacy service checks its callers: credentials reach it as they were sent.";
    let addition = Addition {
        name: "security",
        lines: vec![line.clone()],
        flow: Some(line),
        heading: vec![heading.to_owned()],
    };
    (addition, json!({ name: { "upstream": true } }))
}

/// Those that are new, in the order of their groups, and those that are left out.
fn operations(wanted: &Wanted<'_>, contract: &Contract, known: &Known, plan: &Plan) -> (Addition, Value) {
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    let mut within =
        |name: String, lines: Vec<String>| match groups.iter_mut().find(|(known, _)| *known == name) {
            Some((_, all)) => all.extend(lines),
            None => groups.push((name, lines)),
        };
    let mut value = Map::new();
    for added in &plan.added {
        let Some(operation) = contract.operations().get(added.index) else { continue };
        let comment = entry::comment(&added.key, operation);
        let lines = [comment, entry::line(&added.key, wanted.upstream)];
        let lines = lines.into_iter().filter(|line| !line.is_empty()).collect();
        within(entry::group(operation, contract.base_path()), lines);
        value.insert(added.key.clone(), json!({ "forward": { "upstream": wanted.upstream } }));
    }
    let told: HashSet<&str> = known.text.iter().flat_map(|text| text.lines()).map(str::trim).collect();
    for left_out in &plan.left_out {
        let Some(operation) = contract.operations().get(left_out.index) else { continue };
        let route = format!("{} {}", operation.method, operation.path);
        let line = format!("{LEFT_OUT}{}: {}", entry::plain(&route), entry::plain(&left_out.why.message));
        if !told.contains(line.as_str()) {
            within(entry::group(operation, contract.base_path()), vec![line]);
        }
    }
    let mut lines = Vec::new();
    for (name, entries) in groups {
        lines.extend([String::new(), format!("# -- {name}")]);
        lines.extend(entries);
    }
    let heading = HEADING.iter().map(|line| (*line).to_owned()).collect();
    (Addition { name: "operations", lines, flow: None, heading }, Value::Object(value))
}

/// The same for what a configuration means.
fn extend(expected: &mut Value, section: &str, value: Value) {
    let Some(members) = expected.as_object_mut() else { return };
    match (members.get_mut(section), value) {
        (Some(Value::Object(known)), Value::Object(new)) => known.extend(new),
        (Some(Value::Array(known)), Value::Array(new)) => known.extend(new),
        (_, new) => {
            members.insert(section.to_owned(), new);
        }
    }
}
