//! Contracts: OpenAPI 3.0 and 3.1 documents as operations, parameters, media types and schemas.
//!
//! A contract is usually somebody else's and far from perfect. What is wrong with one operation stays with it
//! and is an error only for whoever uses it ([`Contract::problems`]). Which operations are used, and whether
//! two of them collide, is not decided here.

mod applicators;
mod bundle;
mod cursor;
mod documents;
mod identifiers;
mod operation;
mod parameter;
pub mod path;
mod problems;
mod read;
mod reference;
mod schema;
mod security;
mod servers;
mod shape;
mod style;
mod types;
mod validator;

use std::collections::HashMap;
use std::path::Path;

pub use bundle::{About, Bundler, Components, Section};
pub use cursor::SchemaRef;
pub use operation::{Form, MediaType, Operation, RequestBody, Response, ResponseStatus, Use};
pub use parameter::Parameter;
pub use path::{BadValue, PathError, PathParam, PathTemplate};
pub use security::{SchemeKind, SchemeUse, Security, SecurityScheme};
pub use shape::{Others, Shape, ShapeId, Shapes};
pub use style::{Serialization, Style, Unreadable};
pub use types::Types;

pub use validator::{Direction, Validator, Violation};

use crate::diagnostic::{Diagnostic, Diagnostics, Place};
use crate::yaml::{Node, Value};
use documents::Documents;
use validator::Validators;

/// An OpenAPI document, with the files that it refers to.
#[derive(Debug)]
pub struct Contract {
    documents: Documents,
    base_path: String,
    operations: Vec<Operation>,
    by_id: HashMap<String, usize>,
    schemes: security::Schemes,
    validators: Validators,
}

impl Contract {
    /// Reads a contract; `base_path` is put before each of its paths.
    ///
    /// `None` if it is no OpenAPI 3.0 or 3.1 at all, which is told in `diagnostics`.
    pub fn load(path: &Path, base_path: &str, diagnostics: &mut Diagnostics) -> Option<Contract> {
        Contract::load_under(path, Some(base_path), diagnostics)
    }

    /// The same; without a base path, it is that of the document's first server.
    pub fn load_under(
        path: &Path,
        base_path: Option<&str>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Contract> {
        let documents = Documents::load(path, diagnostics)?;
        if let Err(problem) = supported(documents.root()?) {
            diagnostics.push(problem);
            return None;
        }
        let base_path = match base_path {
            Some(base_path) => base_path.to_owned(),
            None => servers::base_path(documents.root()?).unwrap_or_default(),
        };
        let base_path = match base_path.trim_matches('/') {
            "" => String::new(),
            base_path => format!("/{base_path}"),
        };
        let mut operations = read::operations(&documents, &base_path, diagnostics);
        let by_id = problems::duplicates(&mut operations);
        let schemes =
            cursor::Cursor::root(&documents).map(|root| security::schemes(&root)).unwrap_or_default();
        Some(Contract { documents, base_path, operations, by_id, schemes, validators: Validators::default() })
    }

    /// What stands before each of its paths: empty, or `/api/v3`.
    pub fn base_path(&self) -> &str {
        &self.base_path
    }

    /// All operations, in the order of the document.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The operation of an `operationId`; the first one, if it stands twice.
    pub fn operation(&self, id: &str) -> Option<&Operation> {
        self.operations.get(*self.by_id.get(id)?)
    }

    /// What is wrong with an operation: errors if it cannot work, warnings if it works otherwise than meant.
    /// To be told only if the operation is used.
    pub fn problems(&self, operation: &Operation) -> Vec<Diagnostic> {
        self.problems_of(operation, Use { named: true, read: true })
    }

    /// The same for an operation of which not everything is used: what does not matter then is only a warning.
    pub fn problems_of(&self, operation: &Operation, used: Use) -> Vec<Diagnostic> {
        problems::all(&self.documents, operation, used)
    }

    /// A security scheme by its name; `None` if the contract does not define it.
    ///
    /// # Errors
    /// If it is defined, and nobody can tell what it means.
    pub fn scheme(&self, name: &str) -> Option<Result<&SecurityScheme, Diagnostic>> {
        self.schemes.get(name).map(|scheme| scheme.as_ref().map_err(Clone::clone))
    }

    /// The first place where an operation demands a scheme of this name, defined or not.
    pub fn demand_of(&self, scheme: &str) -> Option<Place> {
        let demands = self.operations.iter().filter_map(|operation| operation.security.as_ref());
        let mut uses = demands.flat_map(|security| security.alternatives.iter().flatten());
        uses.find(|one| one.scheme.value == scheme).map(|one| one.scheme.place)
    }

    /// The names of its security schemes.
    pub fn scheme_names(&self) -> impl Iterator<Item = &str> {
        self.schemes.keys().map(String::as_str)
    }

    /// Compiles a schema, or hands out what was compiled before.
    ///
    /// # Errors
    /// If it is no valid schema, at its place.
    pub fn validator(&self, schema: &SchemaRef, direction: Direction) -> Result<Validator, Diagnostic> {
        self.validators.get(&self.documents, schema, direction)
    }

    /// A schema as JSON. The `$ref`s in it are absolute: [`Self::resolve_json`] knows what they mean.
    pub fn schema_json(&self, schema: &SchemaRef) -> Option<&serde_json::Value> {
        self.documents.json(schema.file, &schema.pointer)
    }

    /// What a `$ref` out of [`Self::schema_json`] means.
    pub fn resolve_json(&self, reference: &str) -> Option<&serde_json::Value> {
        self.documents.resolve_json(reference)
    }
}

/// Whether this is a document that can be read at all.
fn supported(root: &Node) -> Result<(), Diagnostic> {
    if let Some((key, version)) = root.entry("swagger") {
        let version = version.to_json();
        return Err(Diagnostic::error(
            key.place,
            format!("this is Swagger {}", version.as_str().unwrap_or("2.0")),
        )
        .reason("contracts are OpenAPI 3.0 or 3.1")
        .help("convert it once: `npx swagger2openapi --yaml --outfile openapi.yaml <this file>`"));
    }
    let Some(version) = root.get("openapi") else {
        let what = if matches!(root.value, Value::Map(_)) {
            "the key `openapi` is missing"
        } else {
            "expected a map"
        };
        return Err(Diagnostic::error(root.place, format!("this is not an OpenAPI document: {what}"))
            .help("begin with `openapi: 3.1.0` (or 3.0.3), `info` and `paths`"));
    };
    // `3.1` without quotation marks is a number to YAML.
    let text = match &version.value {
        Value::Number(number) => number.to_string(),
        _ => version.as_str().unwrap_or_default().to_owned(),
    };
    match text.split('.').take(2).collect::<Vec<_>>().as_slice() {
        ["3", "0" | "1"] => Ok(()),
        _ => Err(Diagnostic::error(version.place, format!("OpenAPI `{text}` cannot be read"))
            .reason("contracts are OpenAPI 3.0 or 3.1")
            .help("convert the document to 3.1 or 3.0")),
    }
}
