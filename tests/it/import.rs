//! `natsgate import` and `natsgate init`: what they write, keep and tell, and that it serves.

mod first;
mod hostile;
mod real;
mod twice;

use std::path::Path;

use crate::support::command::{Run, natsgate};
use crate::support::golden;
use tempfile::TempDir;

/// A folder with a document, and what importing it needs.
struct Folder(TempDir);

impl Folder {
    fn with(document: &str) -> Folder {
        let folder = Folder(tempfile::tempdir().expect("a folder"));
        folder.write("openapi.yaml", document);
        folder
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join(name), text).expect("a file");
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.path().join(name)).expect("a file")
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Runs a command in the folder. Its name does not stand in what is printed.
    fn run(&self, args: &[&str]) -> Run {
        natsgate(self.0.path().to_str().expect("UTF-8"), args)
    }

    fn import(&self, more: &[&str]) -> Run {
        self.run(&[&["import", "openapi.yaml", "--upstream", "common"], more].concat())
    }

    /// Every name in the folder, hidden ones too.
    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).expect("the folder");
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect();
        names.sort();
        names
    }
}

/// A legacy service's document, with what such documents have: tags and none, ids and none, and mistakes.
pub(crate) const LEGACY: &str = include_str!("../import/legacy.yaml");

#[test]
fn a_document_becomes_a_configuration() {
    let folder = Folder::with(LEGACY);
    let run = folder.import(&["--url", "http://127.0.0.1:8000"]);
    golden::assert("tests/import/printed.expected", &run.seen());
    folder.write("natsgate.yaml", &run.stdout);
    let check = folder.run(&["check", "--config", "natsgate.yaml"]);
    golden::assert("tests/import/check.expected", &check.seen());
    assert_eq!(folder.names(), ["natsgate.yaml", "openapi.yaml"]);
}

#[test]
fn machines_get_the_same() {
    let folder = Folder::with(LEGACY);
    let run =
        folder.import(&["--write", "natsgate.yaml", "--url", "http://127.0.0.1:8000", "--output", "json"]);
    golden::assert("tests/import/report.json", &run.stdout);
    assert_eq!(run.code, 0, "{}", run.seen());
    let printed = folder.import(&["--url", "http://127.0.0.1:8000", "--output", "json"]).json();
    assert_eq!(printed["configuration"], folder.read("natsgate.yaml"));
}

#[test]
fn what_is_no_document_is_refused_and_nothing_is_written() {
    for (document, message) in [
        ("swagger: '2.0'\ninfo: { title: a, version: '1' }\npaths: {}\n", "this is Swagger 2.0"),
        ("openapi: 4.0.0\n", "OpenAPI `4.0.0` cannot be read"),
        ("a: [", "this is not valid YAML"),
    ] {
        let folder = Folder::with(document);
        let run = folder.import(&["--write", "natsgate.yaml"]);
        assert_eq!(run.code, 64, "{}", run.seen());
        assert!(run.stderr.contains(message), "{}", run.seen());
        assert!(run.stderr.contains("--> openapi.yaml:"), "{}", run.seen());
        assert_eq!(folder.names(), ["openapi.yaml"]);
    }
    let folder = Folder::with(LEGACY);
    let run = folder.run(&["import", "nothing.yaml", "--upstream", "common"]);
    assert_eq!(run.code, 64, "{}", run.seen());
    for args in [
        &["import", "openapi.yaml"][..],
        &["import", "openapi.yaml", "--upstream", "two words"],
        &["import", "openapi.yaml", "--upstream", "a", "--url", "localhost:8000"],
        &["import", "openapi.yaml", "--upstream", "a", "--base-path", "api"],
        &["import", "openapi.yaml", "--upstream", "a", "--dry-run"],
    ] {
        assert_eq!(folder.run(args).code, 2, "{args:?}");
    }
}

#[test]
fn the_server_of_the_document_says_where_its_paths_are() {
    let document = "openapi: 3.0.3\ninfo: { title: a, version: '1' }\nservers: [{ url: 'https://a.example/api/v3' }]\n\
                    paths: { /pets: { get: { operationId: pets, responses: {} } } }\n";
    let folder = Folder::with(document);
    let printed = folder.import(&[]).stdout;
    assert!(printed.contains("- { file: openapi.yaml, base_path: /api/v3 }"), "{printed}");
    assert!(printed.contains("# GET /api/v3/pets\n"), "{printed}");
    let printed = folder.import(&["--base-path", "/"]).stdout;
    assert!(printed.contains("- { file: openapi.yaml }"), "{printed}");
    assert!(!printed.contains("/api/v3"), "{printed}");
}
