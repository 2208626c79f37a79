//! Contracts for one schema, on disk as they would come.

use std::path::Path;

use natsgate::contract::{Contract, Direction, Validator};
use natsgate::diagnostic::{Diagnostic, Diagnostics};

/// A contract with one operation, the body of which has one schema.
pub(crate) struct OneSchema {
    pub(crate) contract: Contract,
    pub(crate) diagnostics: Diagnostics,
    _dir: tempfile::TempDir,
}

impl OneSchema {
    /// The schema is given as JSON or as YAML in a flow; `files` stand beside the contract.
    pub(crate) fn new(version: &str, schema: &str, files: &[(&str, &str)]) -> OneSchema {
        OneSchema::with(version, schema, "", files)
    }

    /// The same with more at the top level of the contract.
    pub(crate) fn with(version: &str, schema: &str, more: &str, files: &[(&str, &str)]) -> OneSchema {
        let dir = tempfile::tempdir().expect("temporary directory");
        for (name, text) in files {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("its folder");
            std::fs::write(path, text).expect("file beside the contract");
        }
        let text = format!(
            "openapi: {version}
info: {{ title: t, version: '1' }}
paths:
  /x:
    post:
      operationId: x
      requestBody:
        content:
          application/json:
            schema: {schema}
      responses:
        default: {{ description: any }}
{more}"
        );
        let path = dir.path().join("openapi.yaml");
        std::fs::write(&path, text).expect("contract");
        let mut diagnostics = Diagnostics::default();
        let contract = load(&path, &mut diagnostics);
        OneSchema { contract, diagnostics, _dir: dir }
    }

    pub(crate) fn validator(&self, direction: Direction) -> Result<Validator, Diagnostic> {
        let body = self.contract.operation("x").and_then(|operation| operation.body.clone()).expect("a body");
        let schema = body.media_types[0].schema.clone().expect("a schema");
        self.contract.validator(&schema, direction)
    }

    /// The validator of requests; shows what is wrong with the schema otherwise.
    pub(crate) fn compiled(&mut self) -> Validator {
        self.validator(Direction::Request).unwrap_or_else(|problem| {
            self.diagnostics.push(problem);
            panic!("{}", self.diagnostics.render())
        })
    }
}

fn load(path: &Path, diagnostics: &mut Diagnostics) -> Contract {
    Contract::load(path, "/", diagnostics).unwrap_or_else(|| panic!("{}", diagnostics.render()))
}
