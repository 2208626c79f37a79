//! `natsgate check`: every problem of every file in one run, each at its place; and the other commands that only read.

mod explain;
mod live;

use crate::support::command::natsgate;
use crate::support::golden;

/// The mistakes of `tests/diagnostics/many`: the file, the text at whose start the problem stands, and what is said.
const MANY: [(&str, &str, &str); 21] = [
    ("natsgate.yaml", "lisen", "unknown key `lisen`"),
    ("natsgate.yaml", "hunter2", "`password` without `user`"),
    ("natsgate.yaml", "hunter2", "`password` is written in the configuration itself"),
    ("natsgate.yaml", "10 seconds", "`10 seconds` is not a duration"),
    ("natsgate.yaml", "keys.yaml", "this file cannot be read: No such file or directory (os error 2)"),
    ("natsgate.yaml", "*.assign", "token 2 of the subject holds a wildcard"),
    ("natsgate.yaml", "path.userid", "the path has no parameter `userid`"),
    ("natsgate.yaml", "body.note", "`body.note` is optional in the contract"),
    ("natsgate.yaml", "cler.id", "unknown variable `cler`"),
    ("natsgate.yaml", "getUserz", "no contract has an operation `getUserz`"),
    ("natsgate.yaml", "\"${path.userId}.get", "the subject starts with a parameter"),
    ("natsgate.yaml", "health", "several contracts have an operation `health`"),
    ("natsgate.yaml", "POST /jobs/{id}", "nobody says who may call `POST /jobs/{id}`"),
    ("natsgate.yaml", "}\n      stream", "the expression does not parse: it ends too soon"),
    ("natsgate.yaml", "Nats-Rollup", "the header `Nats-Rollup` cannot stand here"),
    (
        "natsgate.yaml",
        "POST /jobs/{name}",
        "`POST /jobs/{name}` matches the same requests as `POST /jobs/{id}`",
    ),
    ("natsgate.yaml", "POST /jobs/{name}", "nobody says who may call `POST /jobs/{name}`"),
    ("natsgate.yaml", "= 1}", "the expression does not parse: unexpected `=`"),
    ("natsgate.yaml", "700", "700 is not the status of an answer"),
    ("users.yaml", "bearerAuth", "nothing verifies the security scheme `bearerAuth`"),
    (
        "users.yaml",
        "\"#/components/parameters/userId",
        "the reference `#/components/parameters/userId` leads nowhere: nothing stands there",
    ),
];

/// Line and column, from 1, of the first place of a text.
fn position(file: &str, text: &str) -> (u64, u64) {
    let path = format!("{}/tests/diagnostics/many/{file}", env!("CARGO_MANIFEST_DIR"));
    let content = std::fs::read_to_string(path).expect("a file");
    let before = &content[..content.find(text).unwrap_or_else(|| panic!("{text} is not in {file}"))];
    let line = before.rsplit('\n').next().expect("a line");
    (before.matches('\n').count() as u64 + 1, line.chars().count() as u64 + 1)
}

#[test]
fn every_mistake_is_told_in_one_run_at_its_line_and_column() {
    let run = natsgate("tests/diagnostics/many", &["check", "--config", "natsgate.yaml"]);
    golden::assert("tests/diagnostics/many/expected", &run.seen());

    let run = natsgate("tests/diagnostics/many", &["check", "--config", "natsgate.yaml", "--output", "json"]);
    assert_eq!(run.code, 64);
    let report = run.json();
    let found: Vec<_> = report["diagnostics"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| {
            let place = &one["place"];
            let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
            assert!(one["help"].is_string(), "no next step: {one}");
            (text(&place["file"]), place["line"].as_u64(), place["column"].as_u64(), text(&one["message"]))
        })
        .collect();
    let expected: Vec<_> = MANY
        .iter()
        .map(|(file, text, message)| {
            let (line, column) = position(file, text);
            ((*file).to_owned(), Some(line), Some(column), (*message).to_owned())
        })
        .collect();
    assert_eq!(found, expected);
    for text in [run.stdout, run.stderr] {
        assert!(!text.contains("hunter2"), "a secret is shown:\n{text}");
    }
}

#[test]
fn every_single_diagnostic_of_compiling_is_kept() {
    let folder = "tests/diagnostics/compile";
    let files = std::fs::read_dir(format!("{}/{folder}", env!("CARGO_MANIFEST_DIR"))).expect("the folder");
    let mut cases = 0;
    for entry in files {
        let name = entry.expect("an entry").file_name().into_string().expect("UTF-8");
        let Some(case) = name.strip_suffix(".yaml") else { continue };
        cases += 1;
        let run = natsgate(folder, &["check", "--config", &name]);
        golden::assert(&format!("{folder}/{case}.expected"), &run.seen());
        for block in run.stderr.split("\n\n").filter(|block| block.starts_with("error")) {
            assert!(block.contains("\n  next: "), "{name}: no next step:\n{block}");
        }
    }
    assert!(cases >= 12, "only {cases} cases were found");
}

#[test]
fn exit_codes_tell_machines_what_was_found() {
    let check =
        |args: &[&str]| natsgate("tests/diagnostics/compile", &[&["check", "--config"], args].concat());
    assert_eq!(check(&["fine.yaml"]).code, 0);
    assert_eq!(check(&["fine.yaml", "--strict"]).code, 0);
    assert_eq!(check(&["warning.yaml"]).code, 0);
    assert_eq!(check(&["warning.yaml", "--strict"]).code, 3);
    assert_eq!(check(&["security.yaml"]).code, 64);
    assert_eq!(check(&["security.yaml", "--strict"]).code, 64);
    assert_eq!(check(&["not-there.yaml"]).code, 64);
    assert_eq!(check(&["fine.yaml", "--output", "xml"]).code, 2);
    assert_eq!(natsgate(".", &["chek"]).code, 2);
    assert_eq!(natsgate(".", &[]).code, 2);
    assert_eq!(natsgate(".", &["dev", "--nats", "nats://127.0.0.1:4222", "--nats-port", "4222"]).code, 2);
    let log = natsgate(".", &["serve", "--log", "info,natsgate=loud"]);
    assert_eq!(log.code, 2);
    assert!(log.stderr.contains("'--log <FILTER>': write error, warn"), "{}", log.seen());

    let fine = check(&["fine.yaml", "--output", "json"]);
    let expected = serde_json::json!({
        "diagnostics": [], "operations": 1, "forwards": 0, "migrations": [], "fallback": null, "live": null,
    });
    assert_eq!((fine.json(), fine.stderr.as_str()), (expected, ""));
    let warned = check(&["warning.yaml", "--output", "json"]);
    assert_eq!(warned.json()["diagnostics"][0]["severity"], "warning");
    assert!(!warned.seen().contains("hunter2"));
}

#[test]
fn the_configuration_of_the_repository_is_without_a_finding() {
    let run = natsgate(".", &["check", "--strict"]);
    assert_eq!(run.seen(), "config/natsgate.yaml: 2 operations are bound\nexit code 0\n");
}

#[test]
fn the_schema_on_standard_output_is_the_file_of_the_repository() {
    let run = natsgate(".", &["schema"]);
    let file = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/config/natsgate.schema.json"));
    assert_eq!((run.code, run.stdout), (0, file.expect("the schema")));
}

#[test]
fn every_command_explains_itself_with_an_example() {
    let help = natsgate(".", &["--help"]).stdout;
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names: Vec<&str> = commands
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|name| !name.is_empty() && *name != "help")
        .collect();
    assert!(names.contains(&"check") && names.len() >= 5, "{names:?}");
    for name in names {
        let run = natsgate(".", &[name, "--help"]);
        assert_eq!(run.code, 0);
        let example = format!("  natsgate {name}");
        let examples =
            run.stdout.split_once("Example").unwrap_or_else(|| panic!("no example: {}", run.stdout)).1;
        assert!(examples.contains(&example), "{}", run.stdout);
    }
    assert!(help.contains("Exit codes: 0"), "{help}");
}

#[test]
fn a_file_nested_without_end_is_a_problem_and_not_a_crash() {
    let folder = tempfile::tempdir().expect("temporary directory");
    let path = folder.path().join("deep.yaml");
    let block: String = (0..2_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    for text in [block, format!("a: {}", "[".repeat(100_000)), "- ".repeat(50_000)] {
        std::fs::write(&path, text).expect("configuration");
        let run = natsgate(".", &["check", "--config", &path.display().to_string()]);
        assert_eq!(run.code, 64, "{}", run.seen());
        assert!(
            run.stdout.contains("not valid YAML") || run.stderr.contains("not valid YAML"),
            "{}",
            run.seen()
        );
    }
}
