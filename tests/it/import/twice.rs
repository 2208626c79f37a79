//! Another import: what stands is kept as it stands, what is new is added, and what has gone is told.

use super::{Folder, LEGACY};
use crate::support::golden;

/// As a person would write it, with some operations moved.
const MINE: &str = "\
# Ours. Do not touch.
server: { listen: 127.0.0.1:0 }   # by hand

upstreams: { common: { url: \"http://127.0.0.1:8000\" } } # the old one

security:
    people:
        jwt:
            - { issuer: a, audience: [b], algorithms: [RS256], jwks: \"https://id.example.com/jwks\" }
    old: { upstream: true }

contracts:
- file: ./openapi.yaml # the legacy service's own
  security:
    bearerAuth: old
    apiKey: people

operations:

    # GET /v1/users/{id} - Get a user
    getUser: { forward: { upstream: common } }

    # This one has moved.
    createJob:
        security: [{ people: [] }]
        request: { subject: jobs.create }

    # GET /health - The old name
    health: { forward: { upstream: common } }
    DELETE /users/{id}:   # by hand
        forward:
            upstream: common
            path: /v2/users/${path.id}

# What follows is ours too.
fallback: { upstream: common, security: [{ old: [] }] }
# The end.
";

#[test]
fn what_stands_is_kept_as_it_stands() {
    let folder = Folder::with(LEGACY);
    folder.write("natsgate.yaml", MINE);
    let dry = folder.import(&["--write", "natsgate.yaml", "--dry-run"]);
    golden::assert("tests/import/dry.expected", &dry.seen());
    assert_eq!((dry.code, folder.read("natsgate.yaml").as_str()), (3, MINE));

    let run = folder.import(&["--write", "natsgate.yaml"]);
    assert_eq!(run.code, 0, "{}", run.seen());
    let after = folder.read("natsgate.yaml");
    golden::assert("tests/import/again.expected", &after);
    let mut rest = after.lines();
    for line in MINE.lines() {
        assert!(rest.any(|other| other == line), "not there any more, or elsewhere: {line}");
    }

    let again = folder.import(&["--write", "natsgate.yaml"]);
    assert_eq!(folder.read("natsgate.yaml"), after, "{}", again.seen());
    assert!(again.stdout.contains("natsgate.yaml has it all already"), "{}", again.seen());
    assert_eq!(folder.names(), ["natsgate.yaml", "openapi.yaml"]);
}

#[test]
fn a_new_document_finds_its_place_beside_others() {
    let folder = Folder::with(LEGACY);
    folder.write(
        "other.yaml",
        "openapi: 3.1.0\ninfo: { title: b, version: '1' }\npaths:\n  /things: { get: { operationId: things, responses: {} } }\n\
         \x20 /jobs: { put: { operationId: getUser, responses: {} }, get: { operationId: jobs, responses: {} } }\n",
    );
    assert_eq!(folder.import(&["--write", "natsgate.yaml", "--url", "http://127.0.0.1:8000"]).code, 0);
    let before = folder.read("natsgate.yaml");
    let args = [
        "import",
        "other.yaml",
        "--upstream",
        "other",
        "--url",
        "http://127.0.0.1:8001",
        "--write",
        "natsgate.yaml",
    ];
    // Nothing that stands may become ambiguous.
    let run = folder.run(&args);
    assert_eq!(run.code, 64, "{}", run.seen());
    assert!(run.stderr.contains("several contracts have an operation `getUser`"), "{}", run.seen());
    assert!(run.stderr.contains("--> natsgate.yaml:"), "{}", run.seen());
    assert_eq!(folder.read("natsgate.yaml"), before);

    folder.write("natsgate.yaml", &before.replace("  getUser:", "  GET /users/{id}:"));
    let run = folder.run(&args);
    golden::assert("tests/import/beside.expected", &run.seen());
    let after = folder.read("natsgate.yaml");
    for line in [
        "- { file: other.yaml }",
        "other: { url: \"http://127.0.0.1:8001\" }",
        "PUT /jobs: { forward: { upstream: other } }",
    ] {
        assert!(after.contains(line), "{line}:\n{after}");
    }
    assert_eq!(folder.run(&["check", "--config", "natsgate.yaml"]).code, 0);
}

#[test]
fn a_layout_that_no_program_should_touch_is_left_alone() {
    let folder = Folder::with(LEGACY);
    let flow = "upstreams: { common: { url: \"http://127.0.0.1:8000\" } }\noperations: { GET /a: { forward: { upstream: common } } }\n";
    folder.write("natsgate.yaml", flow);
    let run = folder.import(&["--write", "natsgate.yaml"]);
    assert_eq!(run.code, 64, "{}", run.seen());
    assert!(run.stderr.contains("`operations:` is not written as a block"), "{}", run.seen());
    assert_eq!(folder.read("natsgate.yaml"), flow);
    folder.write("natsgate.yaml", "operations: [\n");
    assert_eq!(folder.import(&["--write", "natsgate.yaml"]).code, 64);
    assert_eq!(folder.read("natsgate.yaml"), "operations: [\n");
}
