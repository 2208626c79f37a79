//! Documents that real APIs publish: every schema compiles, or says at its place why not.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use natsgate::contract::{Contract, Direction, MediaType, Operation};
use natsgate::diagnostic::Diagnostics;

/// Set to a folder with OpenAPI documents.
const SAMPLES: &str = "OPENAPI_SAMPLES";

#[test]
fn real_documents_if_their_folder_is_named() {
    let Some(folder) = std::env::var_os(SAMPLES).map(PathBuf::from) else {
        eprintln!(
            "\n*** NOT RUN: set {SAMPLES} to a folder with OpenAPI documents to compile their schemas ***\n"
        );
        return;
    };
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut seen = 0;
    for path in entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_file()) {
        seen += usize::from(compile_all(&path));
    }
    assert!(seen > 0, "no document in {}", folder.display());
}

/// Compiles every schema of every operation; false if the file is no contract.
fn compile_all(path: &Path) -> bool {
    let mut diagnostics = Diagnostics::default();
    let began = Instant::now();
    let Some(contract) = Contract::load(path, "/", &mut diagnostics) else { return false };
    let (loaded, began) = (began.elapsed(), Instant::now());
    let mut kinds: BTreeMap<String, (usize, String)> = BTreeMap::new();
    let mut counts = [0, 0];
    for operation in contract.operations() {
        // References that lead nowhere have been told at their places.
        let mut known = contract.problems(operation).into_iter().map(|problem| problem.place);
        for (media_type, direction) in media_types(operation) {
            let Some(schema) = &media_type.schema else { continue };
            counts[usize::from(direction == Direction::Response)] += 1;
            if let Err(problem) = contract.validator(schema, direction) {
                let place = problem.place.expect("a place");
                assert!(place.line > 0 && place.column > 0, "{}", problem.message);
                assert!(
                    problem.help.is_some() || known.any(|known| known == Some(place)),
                    "{}",
                    problem.message
                );
                let found = kinds.entry(problem.message).or_insert((0, diagnostics.locate(place)));
                found.0 += 1;
            }
        }
    }
    let [requests, responses] = counts;
    eprintln!(
        "{}: {} operations, {requests} request and {responses} response schemas; loaded in {loaded:?}, compiled in {:?}",
        path.file_name().unwrap_or_default().display(),
        contract.operations().len(),
        began.elapsed()
    );
    for (message, (count, place)) in kinds {
        eprintln!("  {count} × {message}\n      first at {place}");
    }
    true
}

fn media_types(operation: &Operation) -> impl Iterator<Item = (&MediaType, Direction)> {
    let requests = operation.body.iter().flat_map(|body| &body.media_types);
    let responses = operation.responses.iter().flat_map(|response| &response.media_types);
    requests
        .map(|media_type| (media_type, Direction::Request))
        .chain(responses.map(|media_type| (media_type, Direction::Response)))
}
