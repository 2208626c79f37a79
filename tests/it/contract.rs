//! Contracts as they come: split over files, circular, wrong in places, and large.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use natsgate::config::Validation;
use natsgate::contract::{Contract, Operation, Serialization};
use natsgate::diagnostic::Diagnostics;
use natsgate::expression::{Expression, Known, KnownBody, Names, Occurrence, Position, Schema};
use natsgate::gateway::route::{Match, RouteTable};
use natsgate::validate::ParameterDecoder;

use crate::support::golden;

/// Set to a folder with OpenAPI documents to try every one of them.
const SAMPLES: &str = "NATSGATE_OPENAPI_SAMPLES";

fn load(name: &str, diagnostics: &mut Diagnostics) -> Option<Contract> {
    Contract::load(&Path::new("tests/contracts").join(name), "/", diagnostics)
}

/// One line for each operation.
fn summary(contract: &Contract) -> String {
    contract.operations().iter().map(line).collect()
}

fn line(operation: &Operation) -> String {
    let parameters = operation.parameters.iter().map(|one| {
        let mark = if one.required { "" } else { "?" };
        format!("\n    {}.{}{mark} {} {}", one.location, one.name, one.serialization, one.shapes)
    });
    let body = operation.body.as_ref().map(|body| {
        let names: Vec<&str> = body.media_types.iter().map(|one| one.name.as_str()).collect();
        format!("\n    body{} {}", if body.required { "" } else { "?" }, names.join(" "))
    });
    let responses = operation.responses.iter().map(|one| {
        let names: String = one.media_types.iter().map(|one| format!(" {}", one.name)).collect();
        format!("\n    {:?}{names}", one.status)
    });
    format!(
        "{} {} {} {}{}{}{}{}\n",
        operation.method,
        operation.path,
        operation.id.as_ref().map_or("-", |id| id.value.as_str()),
        if operation.security.as_ref().is_some_and(|security| !security.admits_anybody()) {
            "secured"
        } else {
            "open"
        },
        if operation.deprecated { " deprecated" } else { "" },
        parameters.collect::<String>(),
        body.unwrap_or_default(),
        responses.collect::<String>(),
    )
}

#[test]
fn a_contract_split_over_files_is_one() {
    let mut diagnostics = Diagnostics::default();
    let contract = load("split/openapi.yaml", &mut diagnostics).expect("it can be read");
    golden::assert("tests/contracts/split.expected", &summary(&contract));
    golden::assert("tests/contracts/split.report", &diagnostics.render());
    for operation in contract.operations() {
        assert_eq!(contract.problems(operation), [], "{}", operation.path);
    }

    let get = contract.operation("getUser").expect("getUser");
    assert_eq!(get.only_success().map(|status| status.as_u16()), Some(200));
    assert_eq!(get.only_media_type(http::StatusCode::OK), Some("application/json"));
    assert_eq!(get.only_media_type(http::StatusCode::NOT_FOUND), Some("application/problem+json"));
    assert_eq!(get.only_media_type(http::StatusCode::BAD_GATEWAY), None);
    let put = contract.operation("putUser").expect("putUser");
    assert_eq!(put.only_success(), None);
    let body = put.body.as_ref().expect("a body");
    let declared = |sent: &str| body.media_type(sent).map(|one| one.name.as_str());
    assert_eq!(declared("Application/JSON; charset=utf-8"), Some("application/json"));
    assert_eq!(declared("text/csv"), Some("text/*"));
    assert_eq!(declared("image/png"), None);
}

#[test]
fn schemas_as_json_resolve_from_anywhere() {
    let contract = load("split/openapi.yaml", &mut Diagnostics::default()).expect("it can be read");
    let body = contract.operation("putUser").and_then(|one| one.body.as_ref()).expect("a body");
    let reference =
        contract.schema_json(body.media_types[0].schema.as_ref().expect("a schema")).expect("a schema");
    let follow = |schema: &serde_json::Value| {
        contract.resolve_json(schema["$ref"].as_str().expect("a reference")).expect("a schema")
    };
    let user = follow(reference);
    assert_eq!(follow(&user["properties"]["manager"]), user);
    assert_eq!(follow(&user["allOf"][0])["required"][0], "age");
    let tree = follow(&user["properties"]["tree"]);
    assert_eq!(follow(&tree["properties"]["children"]["items"]), tree);
}

#[test]
fn expressions_are_checked_against_the_schema_of_a_body() {
    let contract = load("split/openapi.yaml", &mut Diagnostics::default()).expect("it can be read");
    let body = contract.operation("postGroup").and_then(|one| one.body.as_ref()).expect("a body");
    let schema =
        contract.schema_json(body.media_types[0].schema.as_ref().expect("a schema")).expect("a schema");
    let resolve = |reference: &str| contract.resolve_json(reference);
    let schemas = [Schema { schema, resolve: &resolve }];
    let body = KnownBody::Declared(&schemas);
    let known = Known {
        path: &[],
        query: Names::Any,
        header: Names::Any,
        cookie: Names::Any,
        body,
        caller: Occurrence::Never,
        claims: Occurrence::Never,
    };
    assert!(Expression::compile("body.name", Position::Request, &known).is_ok());
    assert!(Expression::compile("body.?children[0].name", Position::Request, &known).is_ok());
    let problems = Expression::compile("body.children", Position::Request, &known).expect_err("a problem");
    assert!(problems[0].message.contains("optional in the contract"), "{problems:?}");
}

#[test]
fn parameters_are_read_as_their_schema_says() {
    let contract = load("types.yaml", &mut Diagnostics::default()).expect("it can be read");
    golden::assert("tests/contracts/types.expected", &summary(&contract));
}

#[test]
fn what_is_wrong_is_told_for_operations_that_are_used() {
    let mut diagnostics = Diagnostics::default();
    let contract = load("odd.yaml", &mut diagnostics).expect("it can be read");
    assert!(!diagnostics.has_errors(), "{}", diagnostics.render());
    for operation in contract.operations() {
        contract.problems(operation).into_iter().for_each(|problem| diagnostics.push(problem));
    }
    golden::assert("tests/contracts/odd.report", &diagnostics.render());
    golden::assert("tests/contracts/odd.expected", &summary(&contract));
}

#[test]
fn what_is_no_contract_is_refused() {
    let directory = tempfile::tempdir().expect("a folder");
    let mut diagnostics = Diagnostics::default();
    for (name, text) in [
        ("swagger.yaml", "swagger: '2.0'\npaths: {}\n"),
        ("newer.yaml", "openapi: 4.0.0\n"),
        ("without.yaml", "info: {}\npaths: {}\n"),
        ("list.json", "[]"),
        ("empty.yaml", "\n"),
        ("broken.json", "{ \"openapi\": \"3.0.0\""),
    ] {
        let path = directory.path().join(name);
        std::fs::write(&path, text).expect("write the contract");
        assert!(Contract::load(&path, "/", &mut diagnostics).is_none(), "{name}");
    }
    assert!(Contract::load(&directory.path().join("none.yaml"), "/", &mut diagnostics).is_none());
    let report = diagnostics.render().replace(&*directory.path().to_string_lossy(), "");
    golden::assert("tests/contracts/refused.report", &report);
}

#[test]
fn versions_may_be_numbers_and_base_paths_of_any_form() {
    let directory = tempfile::tempdir().expect("a folder");
    let path = directory.path().join("contract.yaml");
    std::fs::write(&path, "openapi: 3.1\npaths: { /a/: { get: {} } }\n").expect("write the contract");
    for (base_path, expected) in [("", "/a/"), ("/", "/a/"), ("/api", "/api/a/"), ("api/v1/", "/api/v1/a/")] {
        let contract = Contract::load(&path, base_path, &mut Diagnostics::default()).expect("it can be read");
        assert_eq!(contract.operations()[0].path, expected);
    }
}

#[test]
fn every_operation_of_real_contracts_has_its_route() {
    let Some(folder) = std::env::var_os(SAMPLES) else {
        tell(&format!("NOT TESTED: set {SAMPLES} to a folder with OpenAPI documents to try all of them"));
        return;
    };
    let files =
        std::fs::read_dir(folder).expect("read the folder").map(|entry| entry.expect("an entry").path());
    let documents: Vec<PathBuf> = files.filter(|path| path.is_file()).collect();
    assert!(!documents.is_empty(), "{SAMPLES} holds no documents");
    documents.iter().for_each(|path| try_sample(path));
}

fn try_sample(path: &Path) {
    let (mut diagnostics, start) = (Diagnostics::default(), Instant::now());
    let contract = Contract::load(path, "/", &mut diagnostics);
    let (contract, loaded) =
        (contract.unwrap_or_else(|| panic!("{}", diagnostics.render())), start.elapsed());
    let mut table = RouteTable::default();
    for operation in contract.operations() {
        contract.problems(operation).into_iter().for_each(|problem| diagnostics.push(problem));
        let Some(template) = &operation.template else { continue };
        if let Err(conflict) = table.insert(operation.method.clone(), template, operation) {
            panic!("{}: {} meets {}", path.display(), operation.path, conflict.earlier.path);
        }
    }
    for operation in contract.operations().iter().filter(|one| one.template.is_some()) {
        let filled = operation.path.replace(['{', '}'], "v");
        let found = table.find(&operation.method, &filled);
        let Match::Found { value, .. } = found else { panic!("{}: {filled} is not found", path.display()) };
        assert_eq!((&value.method, &value.path), (&operation.method, &operation.path), "{}", path.display());
    }
    let count = contract.operations().len();
    let parameters = contract.operations().iter().flat_map(|one| &one.parameters);
    let all = parameters.clone().count();
    let unread = parameters.filter(|one| matches!(one.serialization, Serialization::Unreadable(_))).count();
    let start = Instant::now();
    for operation in contract.operations() {
        let Some(template) = &operation.template else { continue };
        ParameterDecoder::compile(&contract, operation, template, Validation::Enforce, &mut diagnostics);
    }
    tell(&format!(
        "{}: {count} operations, loaded in {loaded:?}; {all} parameters, {unread} of them unreadable, compiled in {:?}\n{}",
        path.display(),
        start.elapsed(),
        diagnostics.render()
    ));
}

/// Straight to standard error: what goes through `eprintln!` is shown only when a test fails.
fn tell(message: &str) {
    writeln!(std::io::stderr(), "{message}").expect("write to standard error");
}
