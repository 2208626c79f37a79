//! Documents of somebody who wants more than their operations in the configuration, or in the terminal.

use serde_json::json;

use super::Folder;

#[test]
fn nothing_of_a_document_breaks_out() {
    let evil = "x\n    evil: { forward: { upstream: other } }\u{2028}operations: {}\u{1b}[2Jy \u{202e}z";
    let document = json!({
        "openapi": "3.1.0",
        "info": { "title": evil, "version": "1" },
        "paths": {
            "/a": { "get": { "operationId": "a: b", "summary": evil, "tags": [evil], "responses": {} } },
            "/b": { "get": { "operationId": "b\n  evil: {}", "summary": evil, "responses": {} } },
            "/c\"": { "get": { "operationId": "*c", "responses": {} } },
            "/d\n  evil: {}": { "get": { "responses": {} } },
            "/e\u{1b}[2J#": { "get": { "summary": evil, "responses": {} } },
            "/f": { "get": { "operationId": "${f}", "security": [{ "x: y, z: ": [] }], "responses": {} } },
        },
        "components": { "securitySchemes": { "x: y, z: ": { "type": "http", "scheme": "digest" } } },
    });
    let folder = Folder::with("");
    folder.write("openapi.yaml", &document.to_string());
    let run = folder.import(&["--url", "http://127.0.0.1:8000"]);
    assert_eq!(run.code, 0, "{}", run.seen());
    for text in [&run.stdout, &run.stderr] {
        let bad = |c: char| c.is_control() && c != '\n' || matches!(c, '\u{2028}' | '\u{202e}');
        assert!(!text.contains(bad), "{text:?}");
    }
    folder.write("natsgate.yaml", &run.stdout);
    let check = folder.run(&["check", "--config", "natsgate.yaml", "--output", "json"]);
    assert_eq!(check.code, 0, "{}\n{}", check.seen(), run.seen());
    let report = folder.import(&["--output", "json"]).json();
    let names: Vec<&str> = report["added"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one["operation"].as_str())
        .collect();
    assert_eq!(names.len() as u64, check.json()["operations"].as_u64().expect("a number"), "{}", run.seen());
    assert!(names.contains(&"*c") && names.contains(&"${f}"), "{names:?}");
    assert!(run.stdout.contains("security: { \"x: y, z: \": legacy }"), "{}", run.stdout);
    assert!(!names.iter().any(|name| name.contains("evil")), "{names:?}");
}
