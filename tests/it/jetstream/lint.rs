//! The linter: what a person sees, a case a file, and what a real server says about the same files.
//!
//! The comment on top of a case tells the flags (`flags: …`), what the server refuses (`refused: NAME CODE`, with
//! `since 2.12` or `before 2.12` where that depends on its version; it takes everything else), whether that needs a `cluster`, whether there are `values` of the Helm chart beside it, and whether
//! the file cannot be `read`, so that no server sees it.

mod crd;
mod server;

use std::collections::BTreeSet;
use std::path::PathBuf;

use natsgate::jetstream::rule;

use super::package;
use crate::support::command::{Run, natsgate};
use crate::support::golden;

const FOLDER: &str = "tests/jetstream/lint";

/// One manifest with what it is for.
struct Case {
    name: String,
    head: Vec<String>,
}

impl Case {
    fn all() -> Vec<Case> {
        let files =
            std::fs::read_dir(package(FOLDER)).expect("the cases").map(|entry| entry.expect("a file").path());
        let mut manifests: Vec<PathBuf> =
            files.filter(|path| path.extension().is_some_and(|e| e == "yaml")).collect();
        manifests.sort();
        assert!(manifests.len() > 70, "{} cases", manifests.len());
        manifests.iter().map(|path| Case::read(path)).collect()
    }

    fn read(path: &std::path::Path) -> Case {
        let text = std::fs::read_to_string(path).expect("a manifest");
        let head = text.lines().map_while(|line| line.strip_prefix("# ")).map(str::to_owned).collect();
        Case { name: path.file_stem().expect("a name").to_str().expect("UTF-8").to_owned(), head }
    }

    fn says(&self, word: &str) -> bool {
        self.head.iter().any(|line| line == word)
    }

    fn after<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        self.head.iter().filter_map(move |line| line.strip_prefix(key))
    }

    /// What a server of this version refuses, with its code.
    fn refused(&self, version: (u32, u32)) -> Vec<(String, u64)> {
        let pair = |line: &str| {
            let (line, before) = bounded(line, " before ");
            let (line, since) = bounded(line, " since ");
            let (name, code) = line.rsplit_once(' ').expect("a name and a code");
            let holds =
                since.is_none_or(|since| version >= since) && before.is_none_or(|before| version < before);
            holds.then(|| (name.to_owned(), code.parse().expect("a code")))
        };
        self.after("refused: ").filter_map(pair).collect()
    }

    fn lint(&self, more: &[&str]) -> Run {
        let (file, values) = (format!("{}.yaml", self.name), format!("{}.values", self.name));
        let mut args = vec!["streams", "lint", &file];
        args.extend(self.after("flags: ").flat_map(str::split_whitespace));
        if self.says("values") {
            args.extend(["--helm-values", &values]);
        }
        args.extend(more);
        natsgate(FOLDER, &args)
    }
}

/// A line without the version at its end, and the version.
fn bounded<'l>(line: &'l str, word: &str) -> (&'l str, Option<(u32, u32)>) {
    line.split_once(word).map_or((line, None), |(line, version)| (line, Some(release(version))))
}

/// The first two numbers of a version.
fn release(version: &str) -> (u32, u32) {
    let mut numbers = version.split('.').map(|number| number.parse().expect("a number"));
    (numbers.next().expect("a number"), numbers.next().expect("another number"))
}

/// The newest that is known.
const NEWEST: (u32, u32) = (2, 15);

#[test]
fn every_case_is_told_at_its_place() {
    for case in Case::all() {
        let run = case.lint(&[]);
        golden::assert(&format!("{FOLDER}/{}.expected", case.name), &run.seen());
        for block in run.stderr.split("\n\n").filter(|block| block.starts_with(['e', 'w'])) {
            assert!(block.contains("\n  next: "), "{}: no next step:\n{block}", case.name);
            assert!(block.contains("]: "), "{}: no rule:\n{block}", case.name);
        }
    }
}

/// The rules that a case is told of.
fn rules_of(run: &Run) -> BTreeSet<String> {
    let findings = run.json()["diagnostics"].as_array().expect("a list").clone();
    findings.iter().map(|one| one["rule"].as_str().expect("a rule").to_owned()).collect()
}

#[test]
fn every_rule_has_a_case_and_a_refused_one_a_code() {
    let (mut seen, mut codes) = (BTreeSet::new(), BTreeSet::new());
    for case in Case::all() {
        seen.append(&mut rules_of(&case.lint(&["--output", "json"])));
        codes.extend(case.refused(NEWEST).into_iter().map(|(_, code)| code));
    }
    let of_manifests = rule::all().filter(|rule| rule.topic != rule::Topic::Operations);
    let missing: Vec<_> =
        of_manifests.clone().map(|rule| rule.name).filter(|name| !seen.contains(*name)).collect();
    assert_eq!(missing, ["invalid-field"; 0]);
    let unproven: Vec<_> = of_manifests
        .filter(|rule| rule.refused.is_some_and(|code| !codes.contains(&u64::from(code))))
        .map(|rule| rule.name)
        .collect();
    assert_eq!(unproven, [""; 0]);
}

#[test]
fn the_page_of_rules_is_the_table() {
    golden::assert("docs/lint.md", &rule::reference());
    let names: BTreeSet<_> = rule::all().map(|rule| rule.name).collect();
    assert_eq!(names.len(), rule::all().count(), "a name stands twice");
    for rule in rule::all() {
        assert!(rule.name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", rule.name);
        assert!(!rule.why.ends_with('.') && !rule.why.contains('|'), "{}", rule.name);
    }
}

#[test]
fn exit_codes_follow_the_worst_finding() {
    let lint = |args: &[&str]| natsgate(FOLDER, &[&["streams", "lint"], args].concat()).code;
    assert_eq!(lint(&["captures-advisories.yaml", "--strict"]), 0);
    assert_eq!(lint(&["storage-missing.yaml"]), 0);
    assert_eq!(lint(&["storage-missing.yaml", "--strict"]), 3);
    assert_eq!(lint(&["sealed.yaml"]), 64);
    assert_eq!(lint(&["sealed.yaml", "--strict"]), 64);
    assert_eq!(lint(&["sealed.yaml", "--allow", "sealed", "--strict"]), 0);
    assert_eq!(lint(&["not-there.yaml"]), 64);
    assert_eq!(lint(&["sealed.yaml", "--server", "2.9"]), 2);
    assert_eq!(lint(&["sealed.yaml", "--target", "nack"]), 2);
    let unknown = natsgate(FOLDER, &["streams", "lint", "--allow", "ack-wait-mising"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("did you mean ack-wait-missing?"), "{}", unknown.seen());
}

#[test]
fn metadata_has_a_size() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let here = dir.path().display().to_string();
    for (size, code) in [(128 * 1024 - 66, 0), (128 * 1024 - 65, 64)] {
        let value = "x".repeat(size);
        let text = format!(
            "apiVersion: jetstream.nats.io/v1beta2\nkind: Stream\nspec: {{ name: S, storage: file, maxAge: 1h, metadata: {{ ab: {value} }} }}\n"
        );
        std::fs::write(dir.path().join("m.yaml"), text).expect("a manifest");
        let run = natsgate(&here, &["streams", "lint", "m.yaml"]);
        assert_eq!(run.code, code, "{size}");
        assert_eq!(run.stderr.contains("error[text-too-long]: the metadata has 131009 bytes"), code == 64);
    }
}

#[test]
fn machines_get_the_rule_and_the_place() {
    let run = natsgate(FOLDER, &["streams", "lint", "sealed.yaml", "--output", "json"]);
    let json = run.json();
    assert_eq!((&json["streams"], &json["consumers"]), (&1.into(), &0.into()));
    let finding = &json["diagnostics"][0];
    assert_eq!((&finding["rule"], &finding["severity"]), (&"sealed".into(), &"error".into()));
    assert_eq!(finding["place"], serde_json::json!({ "file": "sealed.yaml", "line": 9, "column": 11 }));
    assert_eq!(run.stderr, "");
}

#[test]
fn without_paths_the_configuration_names_them_and_its_operations_count() {
    let dir = tempfile::tempdir().expect("temporary directory");
    let here = dir.path().display().to_string();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("a file");
    write(
        "natsgate.yaml",
        "manifests: [m.yaml]\noperations:\n  POST /orders:\n    publish: { subject: invoices.new, stream: ORDERS }\n",
    );
    write(
        "m.yaml",
        "apiVersion: jetstream.nats.io/v1beta2\nkind: Stream\nspec: { name: ORDERS, subjects: [orders.>], storage: memory, maxAge: 24h }\n",
    );
    for command in [&["streams", "lint"][..], &["check"]] {
        let run = natsgate(&here, &[command, &["--config", "natsgate.yaml"]].concat());
        assert_eq!(run.code, 64, "{}", run.seen());
        assert!(
            run.stderr.contains("error[publish-not-captured]: the stream `ORDERS` does not"),
            "{}",
            run.seen()
        );
        assert!(run.stderr.contains("warning[memory-single-replica]: "), "{}", run.seen());
        assert!(run.stderr.ends_with("1 error, 1 warning\n"), "{}", run.seen());
    }
    let run = natsgate(&here, &["streams", "lint", "m.yaml", "--strict"]);
    assert_eq!((run.code, run.stdout.as_str()), (3, "1 stream, 0 consumers\n"), "{}", run.seen());
}

#[test]
fn the_shipped_manifests_are_without_a_finding_for_every_target_and_server() {
    for target in ["legacy", "control-loop"] {
        for server in ["2.10", "2.11", "2.12", "2.14", "2.15"] {
            let args =
                ["streams", "lint", "deploy/jetstream", "--strict", "--target", target, "--server", server];
            let run = natsgate(".", &args);
            assert_eq!(run.seen(), "1 stream, 1 consumer\nexit code 0\n");
        }
    }
}
