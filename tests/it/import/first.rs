//! `natsgate init`: a first configuration that is right, teaches, and serves.

use super::{Folder, LEGACY};
use crate::support::echo::Echo;
use crate::support::golden;
use crate::support::nats_server::NatsServer;
use crate::support::process::Process;

#[test]
fn a_first_configuration_teaches_and_is_right() {
    let folder = Folder::with(LEGACY);
    for (name, args) in [
        (
            "with-both",
            &[
                "--contract",
                "openapi.yaml",
                "--upstream-url",
                "http://127.0.0.1:8000",
                "--upstream",
                "common",
            ][..],
        ),
        ("with-upstream", &["--upstream-url", "http://127.0.0.1:8000"]),
        ("with-contract", &["--contract", "openapi.yaml"]),
        ("with-nothing", &["--nats", "nats://n1:4222, nats://n2:4222", "--listen", "[::1]:8080"]),
    ] {
        let run = folder.run(&[&["init", name], args].concat());
        assert_eq!(run.code, 0, "{}", run.seen());
        let file = format!("{name}/natsgate.yaml");
        golden::assert(
            &format!("tests/import/first-{name}.expected"),
            &format!("{}\n{}", run.seen(), folder.read(&file)),
        );
        let check = folder.run(&["check", "--config", &file, "--output", "json"]);
        let errors = check.json()["diagnostics"]
            .as_array()
            .expect("a list")
            .iter()
            .filter(|one| one["severity"] == "error")
            .count();
        assert_eq!((check.code, errors), (0, 0), "{}", check.seen());
        let again = folder.run(&["init", name]);
        assert_eq!(again.code, 1, "{}", again.seen());
        assert!(again.stderr.contains("is there already; it is not touched"), "{}", again.seen());
    }
}

#[test]
fn what_is_probably_not_meant_is_told() {
    let folder = Folder::with(
        "openapi: 3.0.3\ninfo: { title: T, version: '1' }\nservers: [{ url: https://api.test/v1 }]\n\
         paths: { /a: { get: { operationId: a, responses: { '200': { description: A } } } } }\n",
    );
    let twice = "requests would go to /v1/v1: take /v1 out of the URL of `legacy`";
    let run = folder.run(&["init", "--contract", "openapi.yaml", "--upstream-url", "http://v1:8000/v1/"]);
    assert!(run.stdout.contains(twice), "{}", run.seen());
    let again = ["import", "openapi.yaml", "--upstream", "legacy", "--write", "natsgate.yaml", "--url"];
    let run = folder.run(&[&again[..], &["http://v1"]].concat());
    assert!(run.stdout.contains("`legacy` is elsewhere in the configuration"), "{}", run.seen());
    let run = folder.run(&[&again[..], &["http://v1:8000/v1"]].concat());
    assert!(!run.stdout.contains("elsewhere"), "{}", run.seen());

    let run = folder.run(&["init", "host", "--contract", "openapi.yaml", "--upstream-url", "http://v1"]);
    assert!(!run.stdout.contains("next  "), "a host is no path: {}", run.seen());
    // Whoever forgets to name the file is told which one is there.
    let run = folder.run(&["check"]);
    assert!(run.stderr.contains("there is one here: --config natsgate.yaml"), "{}", run.seen());
}

#[test]
fn a_document_that_is_listed_without_verifiers_says_how_to_get_on() {
    let folder = Folder::with(
        "openapi: 3.0.3\ninfo: { title: T, version: '1' }\nsecurity: [{ token: [] }, { key: [] }]\n\
         paths: { /a: { get: { operationId: a, responses: { '200': { description: A } } } } }\n\
         components: { securitySchemes: { token: { type: http, scheme: bearer }, key: { type: apiKey, in: header, name: k } } }\n",
    );
    assert_eq!(folder.run(&["init", "--contract", "openapi.yaml"]).code, 0);
    let import: &[&str] =
        &["import", "openapi.yaml", "--upstream", "old", "--url", "http://a:1", "--write", "natsgate.yaml"];
    let run = folder.run(import);
    let next = "write `security: { legacy: { upstream: true } }` into the configuration, and map it: \
                `contracts: [{ …, security: { token: legacy } }]`";
    assert!(run.stdout.contains(next), "{}", run.seen());

    let written = folder.read("natsgate.yaml");
    let listed = "{ file: openapi.yaml, security: { token: legacy, key: legacy } }";
    let written = written.replace("{ file: openapi.yaml }", listed);
    folder.write("natsgate.yaml", &format!("{written}\nsecurity: {{ legacy: {{ upstream: true }} }}\n"));
    let run = folder.run(import);
    assert!(run.stdout.contains("added  1"), "{}", run.seen());
    let run = folder.run(&["explain", "GET", "/a", "--config", "natsgate.yaml"]);
    assert!(run.stdout.contains("access       legacy (the legacy service checks)\n"), "once: {}", run.seen());
    assert_eq!(folder.run(&["check", "--config", "natsgate.yaml"]).code, 0);
}

#[test]
fn nothing_is_left_of_a_first_configuration_that_could_not_be() {
    let folder = Folder::with("swagger: '2.0'\n");
    let run = folder.run(&["init", "--contract", "openapi.yaml", "--upstream-url", "http://127.0.0.1:8000"]);
    assert_eq!(run.code, 64, "{}", run.seen());
    assert_eq!(folder.names(), ["openapi.yaml"]);
    assert_eq!(folder.run(&["init", "--upstream", "x"]).code, 2);
    assert_eq!(folder.run(&["init", "--upstream-url", "x"]).code, 2);
}

#[tokio::test]
async fn what_was_imported_serves() {
    let (nats, legacy) = (NatsServer::start().await, Echo::start().await);
    let folder = Folder::with(LEGACY);
    let run = folder.run(&["init", "--contract", "openapi.yaml", "--upstream-url", &legacy.url]);
    assert_eq!(run.code, 0, "{}", run.seen());
    let yaml = folder.read("natsgate.yaml");
    let document = folder.path().join("openapi.yaml").display().to_string();
    let operations = yaml.find("contracts:").map(|at| &yaml[at..]).expect("contracts");
    let gateway =
        Process::serve(&nats.url(), &operations.replace("file: openapi.yaml", &format!("file: {document}")))
            .await;
    for (method, path) in [
        ("GET", "/users/1?full=true"),
        ("DELETE", "/users/a%2Fb"),
        ("POST", "/jobs"),
        ("GET", "/jobs"),
        ("GET", "/jobs/x"),
        ("GET", "/health"),
        ("GET", "/files/a.b.txt"),
        ("GET", "/search"),
        ("GET", "/unsecured"),
        ("PUT", "/what/nobody/knows"),
    ] {
        let answer = gateway.send(method, path, &[]).await;
        assert_eq!(answer.status, 200, "{method} {path}: {}", answer.text());
        let seen = answer.json();
        assert_eq!((seen["method"].as_str(), seen["path"].as_str()), (Some(method), Some(path)));
    }
}
