//! What is wrong with an operation of a contract beyond what reading it showed.

use std::collections::{HashMap, HashSet};

use super::cursor::SchemaRef;
use super::documents::Documents;
use super::operation::{MediaType, Operation, Use};
use super::validator::Draft;
use crate::diagnostic::{Diagnostic, Severity};
use crate::yaml::Node;

/// Keys under which `$ref` is an example and not a reference.
const DATA: [&str; 5] = ["example", "examples", "default", "enum", "const"];

/// Indexes operations by their id, and notes with each that shares its id with another one where that stands.
pub(super) fn duplicates(operations: &mut [Operation]) -> HashMap<String, usize> {
    let mut by_id: HashMap<String, usize> = HashMap::new();
    let mut found = Vec::new();
    for (index, id) in
        operations.iter().enumerate().filter_map(|(index, one)| Some((index, one.id.as_ref()?)))
    {
        let first = *by_id.entry(id.value.clone()).or_insert(index);
        if let Some(earlier) =
            operations.get(first).and_then(|one| one.id.as_ref()).filter(|_| first != index)
        {
            let problem = Diagnostic::error(id.place, format!("the operationId `{}` stands twice", id.value))
                .also(earlier.place, "it stands here first")
                .help("give each operation its own");
            found.extend([(first, problem.clone()), (index, problem)]);
        }
    }
    for (index, problem) in found {
        operations.get_mut(index).into_iter().for_each(|one| one.problems.named.push(problem.clone()));
    }
    by_id
}

/// What reading showed, and references that lead nowhere in the schemas. Without the schema of a request it
/// cannot be checked; without that of an answer, the answer is only less well described. What does not matter to this use
/// is a warning.
pub(super) fn all(documents: &Documents, operation: &Operation, used: Use) -> Vec<Diagnostic> {
    let mut problems = operation.problems.read.clone();
    let mut seen = HashSet::new();
    let schemas = |media_types: &'_ [MediaType]| -> Vec<SchemaRef> {
        media_types.iter().filter_map(|media_type| media_type.schema.clone()).collect()
    };
    let parameters = operation.parameters.iter().filter_map(|parameter| parameter.schema.clone());
    let bodies = operation.body.iter().flat_map(|body| schemas(&body.media_types));
    for schema in parameters.chain(bodies) {
        dangling(documents, &schema, &mut seen, &mut problems);
    }
    let errors = problems.len();
    for schema in operation.responses.iter().flat_map(|response| schemas(&response.media_types)) {
        dangling(documents, &schema, &mut seen, &mut problems);
    }
    let matter = if used.read { errors } else { 0 };
    problems.iter_mut().skip(matter).for_each(|problem| problem.severity = Severity::Warning);
    if used.named {
        problems.splice(..0, operation.problems.named.iter().cloned());
    }
    problems.splice(..0, operation.problems.always.iter().cloned());
    problems
}

/// Visits every schema that one reaches, each once.
fn dangling<'c>(
    documents: &'c Documents,
    schema: &SchemaRef,
    seen: &mut HashSet<*const Node>,
    problems: &mut Vec<Diagnostic>,
) {
    let mut waiting: Vec<&'c Node> = documents.at(schema.file, &schema.pointer).into_iter().collect();
    while let Some(node) = waiting.pop() {
        if !seen.insert(std::ptr::from_ref(node)) {
            continue;
        }
        waiting.extend(node.items());
        waiting.extend(
            node.entries().iter().filter(|(key, _)| !DATA.contains(&&*key.name)).map(|(_, value)| value),
        );
        if let Some(reference) = node.get("$ref").filter(|reference| reference.as_str().is_some()) {
            match documents.resolve(reference) {
                Ok((target, _)) => waiting.push(target),
                Err(_) if reference.as_str().is_some_and(Draft::is_described_by) => {}
                Err(problem) => problems.push(problem),
            }
        }
    }
}
