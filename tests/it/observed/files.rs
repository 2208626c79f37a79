//! Dashboard and alerts speak of metrics and labels that there are, and of no others.

use std::collections::BTreeSet;
use std::path::Path;

use natsgate::telemetry::catalogue::{CATALOGUE, Kind, Metric};
use serde_json::Value;

use crate::support::golden;

/// Labels that Prometheus gives whatever it scrapes.
const OF_TARGETS: [&str; 4] = ["namespace", "job", "pod", "instance"];

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A series that an expression asks for.
#[derive(Debug)]
struct Asked {
    metric: &'static Metric,
    is_bucket: bool,
    matched: Vec<String>,
}

/// What an expression speaks of: its series, and the labels that it groups by.
#[derive(Debug, Default)]
struct Expression {
    asked: Vec<Asked>,
    grouped: Vec<String>,
}

fn expression(text: &str) -> Expression {
    let mut found = Expression::default();
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '"') {
        rest = &rest[start..];
        if let Some(quoted) = rest.strip_prefix('"') {
            rest = quoted.split_once('"').map_or("", |(_, after)| after);
            continue;
        }
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        rest = after;
        if word.starts_with("natsgate_") {
            let (metric, is_bucket) =
                metric(word).unwrap_or_else(|| panic!("no metric is named {word}: {text}"));
            let matched = match after.strip_prefix('{') {
                Some(inside) => matchers(inside.split_once('}').expect("a closing brace").0),
                None => Vec::new(),
            };
            found.asked.push(Asked { metric, is_bucket, matched });
        } else if matches!(word, "by" | "on" | "ignoring" | "without") {
            let (inside, _) =
                after.trim_start().strip_prefix('(').expect("a list").split_once(')').expect("its end");
            found.grouped.extend(inside.split(',').map(|label| label.trim().to_owned()));
        }
        if let Some(inside) = rest.strip_prefix('{') {
            rest = inside.split_once('}').map_or("", |(_, after)| after);
        }
    }
    found
}

/// The metric of a series' name, and whether it is a bucket of it.
fn metric(series: &str) -> Option<(&'static Metric, bool)> {
    let of = |name: &str| CATALOGUE.iter().find(|metric| metric.name == name).copied();
    let parts = [("_bucket", true), ("_sum", false), ("_count", false)];
    let histogram = parts.into_iter().find_map(|(end, is_bucket)| {
        let metric = of(series.strip_suffix(end)?)?;
        (metric.kind == Kind::Histogram).then_some((metric, is_bucket))
    });
    histogram
        .or_else(|| of(series).filter(|metric| metric.kind != Kind::Histogram).map(|metric| (metric, false)))
}

/// The labels of `a="b", c=~"d"`.
fn matchers(text: &str) -> Vec<String> {
    let mut labels = Vec::new();
    for (index, part) in text.split('"').enumerate() {
        // Every other part is a value.
        if index % 2 == 0 {
            let label = part.trim_matches(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            labels.extend((!label.is_empty()).then(|| label.to_owned()));
        }
    }
    labels
}

/// Holds an expression against the catalogue; what may be said of its result.
fn hold(text: &str) -> BTreeSet<String> {
    let Expression { asked, grouped } = expression(text);
    assert!(!asked.is_empty(), "it asks for nothing of ours: {text}");
    let mut all: BTreeSet<String> = OF_TARGETS.iter().map(ToString::to_string).collect();
    for Asked { metric, is_bucket, matched } in asked {
        let mut own: BTreeSet<String> = metric.labels.iter().map(ToString::to_string).collect();
        own.extend(is_bucket.then(|| "le".to_owned()));
        for label in &matched {
            let is_known = own.contains(label) || OF_TARGETS.contains(&label.as_str());
            assert!(is_known, "{} has no label {label}: {text}", metric.name);
        }
        all.extend(own);
    }
    for label in &grouped {
        assert!(all.contains(label), "nothing there has the label {label}: {text}");
    }
    if grouped.is_empty() { all } else { grouped.into_iter().collect() }
}

/// The names that a text takes from labels, written as `{{name}}` or `$labels.name`.
fn used(text: &str, before: &str) -> Vec<String> {
    let names = text.split(before).skip(1);
    let end =
        |name: &str| name.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(name.len());
    names.map(|name| name[..end(name)].to_owned()).collect()
}

fn every<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.contains_key(key).then_some(value));
            fields.values().for_each(|field| every(field, key, found));
        }
        Value::Array(items) => items.iter().for_each(|item| every(item, key, found)),
        _ => {}
    }
}

#[test]
fn every_panel_of_the_dashboard_asks_for_what_there_is() {
    let dashboard: Value = serde_json::from_str(&read("deploy/observability/dashboard.json")).expect("JSON");
    let mut targets = Vec::new();
    every(&dashboard, "expr", &mut targets);
    assert!(targets.len() > 30, "{} expressions", targets.len());
    for target in targets {
        let expr = target["expr"].as_str().expect("text");
        let labels = hold(expr);
        for name in used(target["legendFormat"].as_str().unwrap_or_default(), "{{") {
            assert!(labels.contains(&name), "the legend of {expr} names {name}");
        }
    }
    let variables: Vec<&str> = dashboard["templating"]["list"]
        .as_array()
        .expect("variables")
        .iter()
        .map(|variable| variable["name"].as_str().expect("a name"))
        .collect();
    let text = dashboard.to_string();
    for name in used(&text, "$").iter().filter(|name| !name.is_empty() && !name.starts_with("__")) {
        assert!(variables.contains(&name.as_str()), "no variable is named {name}");
    }
    for variable in dashboard["templating"]["list"].as_array().expect("variables").iter().skip(1) {
        let definition = variable["definition"].as_str().expect("a query");
        let (series, label) = definition
            .strip_prefix("label_values(")
            .and_then(|rest| rest.strip_suffix(')'))
            .and_then(|inside| inside.rsplit_once(", "))
            .expect("a query for a label");
        assert!(hold(series).contains(label), "{definition}");
    }
}

#[test]
fn what_matters_has_a_panel() {
    let dashboard = read("deploy/observability/dashboard.json");
    for metric in CATALOGUE {
        let explained =
            ["watch_", "drift_check", "verifier_entries", "verifier_failing", "_reload_success_timestamp"];
        let only_for_alerts = explained.iter().any(|part| metric.name.contains(part));
        let is_waiting = metric.name == "natsgate_consumer_waiting";
        assert!(
            dashboard.contains(metric.name) || only_for_alerts || is_waiting,
            "{} is on no panel",
            metric.name
        );
    }
}

#[test]
fn no_two_panels_lie_over_each_other() {
    let dashboard: Value = serde_json::from_str(&read("deploy/observability/dashboard.json")).expect("JSON");
    let mut taken = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for panel in dashboard["panels"].as_array().expect("panels") {
        assert!(ids.insert(panel["id"].as_u64().expect("an id")), "{panel}");
        let at = |name: &str| panel["gridPos"][name].as_u64().expect("a number");
        assert!(at("x") + at("w") <= 24, "{panel}");
        for (x, y) in
            (at("x")..at("x") + at("w")).flat_map(|x| (at("y")..at("y") + at("h")).map(move |y| (x, y)))
        {
            assert!(taken.insert((x, y)), "something lies under {}", panel["title"]);
        }
    }
}

#[test]
fn every_alert_asks_for_what_there_is_and_says_what_to_do() {
    let text = read("deploy/observability/alerts.yaml");
    let (mut alerts, mut lines) = (0, text.lines().peekable());
    while let Some(line) = lines.next() {
        let Some(name) = line.trim().strip_prefix("- alert: ") else { continue };
        alerts += 1;
        let mut rule = String::new();
        while let Some(line) = lines.next_if(|line| !line.trim().starts_with("- alert: ")) {
            rule += &format!("{line}\n");
        }
        let (expr, rest) = rule.split_once("\n        for: ").expect("how long it must hold");
        let expr = expr.split_once("expr:").expect("an expression").1.trim().trim_start_matches(">-");
        let labels = hold(expr);
        for label in used(rest, "$labels.") {
            assert!(labels.contains(&label), "{name} speaks of {label}, which its result has not");
        }
        assert!(rest.contains("severity: ") && rest.contains("Next step: "), "{name}: {rest}");
    }
    assert!(alerts > 15, "{alerts} alerts");
}

#[test]
fn the_chart_has_the_same_alerts() {
    golden::assert("deploy/helm/natsgate/files/alerts.yaml", &read("deploy/observability/alerts.yaml"));
}

#[test]
#[should_panic(expected = "no metric is named natsgate_no_such_total")]
fn a_metric_that_is_not_there_is_found() {
    hold("sum(rate(natsgate_no_such_total[5m]))");
}

#[test]
#[should_panic(expected = "has no label path")]
fn a_label_that_is_not_there_is_found() {
    hold("natsgate_http_requests_total{path=\"/\"}");
}

#[test]
#[should_panic(expected = "nothing there has the label caller")]
fn a_group_that_is_not_there_is_found() {
    hold("sum by (operation, caller) (natsgate_http_requests_total{code=\"by (x)\"})");
}
