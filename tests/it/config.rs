//! Reading the configuration: its schema, its problems, and what is right.

use std::path::{Path, PathBuf};

use natsgate::config::{self, Binding, Config, Overrides, Secret, StartChecks};
use natsgate::diagnostic::Diagnostics;

use crate::support::golden;

fn package(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn load(path: &str) -> (Option<Config>, Diagnostics) {
    config::load(&package(path), &Overrides::default())
}

/// The report with paths as if the working directory were the folder of the file.
fn report(diagnostics: &Diagnostics, folder: &str) -> String {
    diagnostics.render().replace(&format!("{}/", package(folder).display()), "")
}

#[test]
fn the_schema_is_current() {
    let schema = serde_json::to_string_pretty(&config::schema()).expect("a schema is JSON") + "\n";
    golden::assert("config/natsgate.schema.json", &schema);
}

#[test]
fn every_problem_is_reported_with_place_reason_and_next_step() {
    let folder = package("tests/diagnostics");
    let mut cases = 0;
    for entry in std::fs::read_dir(&folder).expect("the folder of cases") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        cases += 1;
        let (_, diagnostics) = config::load(&path, &Overrides::default());
        let report = report(&diagnostics, "tests/diagnostics");
        let name = path.file_stem().expect("a name").to_string_lossy();
        golden::assert(&format!("tests/diagnostics/{name}.expected"), &report);
        let json = diagnostics.to_json().to_string();
        for text in [report, json] {
            let shown = text.replace("secrets/hunter2.txt", "");
            assert!(!shown.contains("hunter2"), "{name} shows a secret:\n{text}");
        }
    }
    assert!(cases >= 15, "only {cases} cases were found");
}

#[test]
fn the_configuration_of_the_design_reads_without_a_problem() {
    let (config, diagnostics) = load("tests/config/full.yaml");
    assert_eq!(diagnostics.render(), "");
    let config = config.expect("a configuration");
    assert_eq!(config.server.drain.0.as_secs(), 20);
    assert_eq!(config.nats.start_checks, StartChecks::Warn);
    let credentials = config.nats.credentials.as_ref().expect("credentials");
    assert_eq!(credentials.0, Secret::File(package("tests/config/gateway.creds")));
    assert_eq!(config.contracts[0].file.value, package("tests/config/../openapi/common.yaml"));
    let verifiers: Vec<&str> = config.security.0.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(verifiers, ["people", "services", "staff"]);
    let issuers = config.security.0[0].1.jwt.as_ref().expect("issuers");
    assert_eq!(
        issuers[1].keys.as_ref().map(|keys| keys.value.clone()),
        Some(package("tests/config/keys.pem"))
    );
    let users = config.security.0[2].1.basic.as_ref().map(|users| users.users.value.clone());
    assert_eq!(users, Some(package("tests/config/users.yaml")));
    let names: Vec<&str> = config.operations.0.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["assignUserRole", "DELETE /infra/{userhash}/{testId}", "getUser"]);
    let binding = |at: usize| config.operations.0[at].1.binding();
    assert!(
        matches!(binding(0), Some(Binding::Request(request)) if *request.subject == "auth.users.roles.assign")
    );
    assert!(matches!(binding(1), Some(Binding::Publish(publish)) if *publish.stream == "STACKS"));
    assert!(matches!(binding(2), Some(Binding::Request(_))));
}

#[test]
fn what_the_process_says_wins_over_the_file() {
    let overrides = Overrides {
        listen: Some("127.0.0.1:1".into()),
        admin: Some("127.0.0.1:2".into()),
        nats: Some("nats://a:1, b:2".into()),
    };
    let (config, diagnostics) = config::load(&package("tests/config/minimal.yaml"), &overrides);
    assert_eq!(diagnostics.render(), "");
    let config = config.expect("a configuration");
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:1");
    assert_eq!(config.server.admin.to_string(), "127.0.0.1:2");
    let servers: Vec<&str> = config.nats.servers.iter().map(|server| server.as_str()).collect();
    assert_eq!(servers, ["nats://a:1", "b:2"]);
}

#[test]
fn what_the_process_says_wrong_is_shown_where_it_was_said() {
    let overrides = Overrides {
        listen: Some("8080".into()),
        admin: None,
        nats: Some("nats://a:1,nats://gateway:hunter2@b:2,http://c".into()),
    };
    let (_, diagnostics) = config::load(&package("tests/config/minimal.yaml"), &overrides);
    let report = report(&diagnostics, "tests/config");
    golden::assert("tests/diagnostics/overrides.expected", &report);
    assert!(!report.contains("hunter2"), "{report}");
}

#[test]
fn a_file_that_is_not_there_says_what_to_do() {
    let (config, diagnostics) = load("tests/diagnostics/not-there.yml");
    assert!(config.is_none());
    golden::assert("tests/diagnostics/not-there.expected", &report(&diagnostics, "tests/diagnostics"));
}

#[test]
fn a_secret_is_read_again_each_time_and_never_printed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("token");
    std::fs::write(&path, "hunter2\n").expect("write");
    let secret = Secret::File(path.clone());
    assert_eq!(secret.read().expect("a secret"), "hunter2");
    std::fs::write(&path, "hunter3\r\n").expect("write");
    assert_eq!(secret.read().expect("a secret"), "hunter3");
    std::fs::write(&path, "\n").expect("write");
    assert!(secret.read().expect_err("nothing in it").to_string().ends_with("is empty"));
    assert!(!format!("{:?} {:?}", Secret::Literal("hunter2".into()), secret).contains("hunter"));
}

#[test]
fn sources_stand_in_for_scalars() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("write");
    write("number", "7\n");
    write("flag", "true\n");
    write("ca.pem", "-----BEGIN CERTIFICATE-----");
    let yaml = "server: { in_flight: { file: number } }\nnats: { name: { env: PATH }, tls: { ca: { file: ca.pem }, first: { file: flag } } }\n";
    write("natsgate.yaml", yaml);
    let (config, diagnostics) = config::load(&folder.path().join("natsgate.yaml"), &Overrides::default());
    assert_eq!(diagnostics.render(), "");
    let config = config.expect("a configuration");
    assert_eq!(config.server.in_flight.value, 7);
    assert_eq!(config.nats.name, std::env::var("PATH").expect("PATH is set"));
    let tls = config.nats.tls.expect("tls");
    assert_eq!(
        (tls.first, tls.ca.as_ref().map(|ca| ca.value.clone())),
        (true, Some(folder.path().join("ca.pem")))
    );
}

#[test]
fn a_damaged_file_never_stops_the_report() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("natsgate.yaml");
    let whole: Vec<char> =
        std::fs::read_to_string(package("tests/diagnostics/secrets.yaml")).expect("a file").chars().collect();
    let marks: Vec<char> = "{}[]\"'\n:é$&*|\t#-!".chars().collect();
    let mut refused = 0;
    for seed in 0..300 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut text = whole.clone();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..text.len());
            match random.bool() {
                true => text.insert(at, marks[random.usize(..marks.len())]),
                false => drop(text.drain(at..(at + random.usize(1..30)).min(text.len()))),
            }
        }
        std::fs::write(&path, text.into_iter().collect::<String>()).expect("write");
        let (_, diagnostics) = config::load(&path, &Overrides::default());
        refused += usize::from(!diagnostics.render().is_empty() && diagnostics.has_errors());
    }
    assert_eq!(refused, 300);
}

#[test]
fn a_contract_in_place_of_the_configuration_is_one_problem() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("books.yaml");
    for (text, named_by) in [
        (
            "openapi: 3.0.3\ninfo: { title: T, version: '1' }\npaths: {}\n",
            "`contracts: [{ file: books.yaml }]`",
        ),
        ("apiVersion: jetstream.nats.io/v1beta2\nkind: Stream\n", "`manifests: [books.yaml]`"),
    ] {
        std::fs::write(&path, text).expect("write");
        let (_, diagnostics) = config::load(&path, &Overrides::default());
        let report = diagnostics.render();
        assert!(report.contains(named_by) && report.ends_with("1 error, 0 warnings\n"), "{report}");
    }
}

#[test]
fn the_reference_is_current() {
    golden::assert("docs/configuration.md", &config::reference());
}
