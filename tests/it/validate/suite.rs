//! The official JSON Schema Test Suite, draft 2020-12, through our own loading: each schema is a file beside a contract.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use natsgate::json::Document;
use serde_json::Value;

use super::contract::OneSchema;

/// Set to the folder of the suite: the one that holds `draft2020-12` and `remotes`.
const SUITE: &str = "JSON_SCHEMA_TEST_SUITE";

/// Where the suite believes its remotes to be.
const HOST: &str = "http://localhost:1234/";

/// `format` describes by default; users of OpenAPI expect it to be checked, as the standard allows.
const ASSERTED: &str = "formats are checked here";
/// A dialect that somebody has made up is refused with a diagnostic, for nobody would know what it means.
const DIALECT: &str = "meta-schemas of one's own are not supported";

/// What does not apply: file, group, test, and why. A line that would pass fails the test.
const NOT_APPLICABLE: &[(&str, &str, &str, &str)] = &[
    ("format", "email format", "invalid email string is only an annotation by default", ASSERTED),
    ("format", "regex format", "invalid regex string is only an annotation by default", ASSERTED),
    ("format", "ipv4 format", "invalid ipv4 string is only an annotation by default", ASSERTED),
    ("format", "ipv6 format", "invalid ipv6 string is only an annotation by default", ASSERTED),
    ("format", "hostname format", "invalid hostname string is only an annotation by default", ASSERTED),
    ("format", "date format", "invalid date string is only an annotation by default", ASSERTED),
    ("format", "date-time format", "invalid date-time string is only an annotation by default", ASSERTED),
    ("format", "time format", "invalid time string is only an annotation by default", ASSERTED),
    (
        "format",
        "json-pointer format",
        "invalid json-pointer string is only an annotation by default",
        ASSERTED,
    ),
    (
        "format",
        "relative-json-pointer format",
        "invalid relative-json-pointer string is only an annotation by default",
        ASSERTED,
    ),
    ("format", "iri format", "invalid iri string is only an annotation by default", ASSERTED),
    (
        "format",
        "iri-reference format",
        "invalid iri-reference string is only an annotation by default",
        ASSERTED,
    ),
    ("format", "uri format", "invalid uri string is only an annotation by default", ASSERTED),
    (
        "format",
        "uri-reference format",
        "invalid uri-reference string is only an annotation by default",
        ASSERTED,
    ),
    (
        "format",
        "uri-template format",
        "invalid uri-template string is only an annotation by default",
        ASSERTED,
    ),
    ("format", "uuid format", "invalid uuid string is only an annotation by default", ASSERTED),
    ("format", "duration format", "invalid duration string is only an annotation by default", ASSERTED),
    (
        "vocabulary",
        "schema that uses custom metaschema with with no validation vocabulary",
        "applicator vocabulary still works",
        DIALECT,
    ),
    (
        "vocabulary",
        "schema that uses custom metaschema with with no validation vocabulary",
        "no validation: valid number",
        DIALECT,
    ),
    (
        "vocabulary",
        "schema that uses custom metaschema with with no validation vocabulary",
        "no validation: invalid number, but it still validates",
        DIALECT,
    ),
    ("vocabulary", "ignore unrecognized optional vocabulary", "string value", DIALECT),
    ("vocabulary", "ignore unrecognized optional vocabulary", "number value", DIALECT),
];

#[test]
fn the_official_suite_if_its_folder_is_named() {
    let Some(folder) = std::env::var_os(SUITE).map(PathBuf::from) else {
        eprintln!("\n*** NOT RUN: set {SUITE} to the JSON Schema Test Suite to run its required cases ***\n");
        return;
    };
    let remotes = remotes(&folder.join("remotes"));
    let (mut failed, mut stale, mut passed) = (Vec::new(), BTreeSet::new(), 0);
    stale.extend(NOT_APPLICABLE.iter().map(|(file, group, test, _)| (*file, *group, *test)));
    for file in files(&folder.join("draft2020-12")) {
        let name = file.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
        for group in read(&file).as_array().expect("groups") {
            let title = group["description"].as_str().expect("a description");
            for (test, outcome) in run(group, &remotes) {
                let excused = NOT_APPLICABLE
                    .iter()
                    .find(|(file, group, excused, _)| *file == name && *group == title && *excused == test);
                match (outcome, excused) {
                    (Ok(()), None) => passed += 1,
                    (Ok(()), Some(_)) => {}
                    (Err(_), Some((file, group, test, _))) => {
                        stale.remove(&(*file, *group, *test));
                    }
                    (Err(why), None) => failed.push(format!("{name}: {title}: {test}: {why}")),
                }
            }
        }
    }
    eprintln!("{passed} cases of the suite passed, {} lines do not apply", NOT_APPLICABLE.len());
    assert!(failed.is_empty(), "{} failed:\n{}", failed.len(), failed.join("\n"));
    assert!(stale.is_empty(), "these pass and need no excuse: {stale:?}");
    assert!(passed > 1_000, "only {passed} cases were found");
}

/// Every case of a group by its description.
fn run(group: &Value, remotes: &BTreeMap<String, String>) -> Vec<(String, Result<(), String>)> {
    let text = group["schema"].to_string();
    let far = text.contains(HOST);
    let mut files = vec![("schema.json", text.as_str())];
    let mut more = String::from("components:\n  schemas:\n    None: {}\n");
    if far {
        for (at, (name, text)) in remotes.iter().enumerate() {
            files.push((name, text));
            more.push_str(&format!("    Remote{at}: {{ $ref: '{name}' }}\n"));
        }
    }
    let one = OneSchema::with("3.1.0", "{ $ref: schema.json }", &more, &files);
    let validator = one.validator(natsgate::contract::Direction::Request);
    let cases = group["tests"].as_array().expect("tests").iter();
    cases
        .map(|case| {
            let valid = case["valid"].as_bool().expect("a verdict");
            let outcome = match &validator {
                Err(problem) => Err(format!("not compiled: {}", problem.message)),
                Ok(validator) => {
                    let document = Document::parse(case["data"].to_string().into()).expect("a document");
                    let said = [
                        validator.is_valid(&case["data"]),
                        validator.violations(&case["data"]).is_empty(),
                        validator.violations_of(&document).is_empty(),
                    ];
                    match said == [valid; 3] {
                        true => Ok(()),
                        false => Err(format!("must be {valid}, is {said:?}")),
                    }
                }
            };
            (case["description"].as_str().expect("a description").to_owned(), outcome)
        })
        .collect()
}

/// The remotes as files, each under the name that the suite has for it.
fn remotes(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(next) = waiting.pop() {
        for path in files(&next) {
            if path.is_dir() {
                waiting.push(path);
                continue;
            }
            let inside = path.strip_prefix(folder).expect("inside").to_str().expect("a name").to_owned();
            let url = format!("{HOST}{inside}");
            let mut schema = read(&path);
            let own = schema.get("$id").and_then(Value::as_str).map(str::to_owned);
            match (schema.as_object_mut(), own) {
                (Some(members), None) => {
                    members.insert("$id".to_owned(), url.into());
                }
                // It has a name of its own, and is asked for by its address.
                (_, Some(own)) if own != url => {
                    let alias = serde_json::json!({ "$id": url, "$ref": own });
                    found.insert(format!("remotes/alias/{inside}"), alias.to_string());
                }
                _ => {}
            }
            found.insert(format!("remotes/{inside}"), schema.to_string());
        }
    }
    found
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).expect("a file of the suite")).expect("it is JSON")
}
