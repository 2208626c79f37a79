//! The contracts of a configuration, and the operations in them.

use std::path::PathBuf;

use http::Method;

use crate::authenticate::Registry;
use crate::config::{self, Config};
use crate::contract::{Contract, Operation};
use crate::diagnostic::{Diagnostic, Diagnostics, Place, most_like};
use crate::yaml::{Entries, Located};

/// All contracts, each with its security schemes and the verifier of each.
pub(super) struct Contracts(Vec<(Contract, Entries<Located<String>>)>);

/// What an `operationId` leads to.
pub(super) enum Found<'c> {
    One(&'c Contract, &'c Operation),
    Several(Vec<Place>),
    None,
}

impl Contracts {
    pub(super) fn load(config: &Config, diagnostics: &mut Diagnostics) -> Contracts {
        let load = |entry: &Located<config::Contract>| {
            let base = entry.base_path.as_ref().map_or("/", |path| path.value.as_str());
            is_there(&entry.file, diagnostics)?;
            let contract = Contract::load(&entry.file.value, base, diagnostics)?;
            Some((contract, entry.security.clone()))
        };
        Contracts(config.contracts.iter().filter_map(load).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, in the order of the configuration.
    pub(super) fn all(&self) -> Vec<&Contract> {
        self.0.iter().map(|(contract, _)| contract).collect()
    }

    pub(super) fn operations(&self) -> impl Iterator<Item = (&Contract, &Operation)> {
        self.0.iter().flat_map(|(contract, _)| {
            contract.operations().iter().map(move |operation| (contract, operation))
        })
    }

    pub(super) fn by_id(&self, id: &str) -> Found<'_> {
        let found: Vec<_> =
            self.0.iter().filter_map(|(contract, _)| Some((contract, contract.operation(id)?))).collect();
        match found.as_slice() {
            [] => Found::None,
            [(contract, operation)] => Found::One(contract, operation),
            several => Found::Several(several.iter().map(|(_, operation)| operation.place).collect()),
        }
    }

    /// An operation that is named by the method and path of its contract, for contracts without an `operationId`.
    pub(super) fn by_route(&self, method: &Method, path: &str) -> Option<(&Contract, &Operation)> {
        self.0.iter().find_map(|(contract, _)| {
            let same = |operation: &&Operation| operation.method == *method && operation.path == path;
            contract.operations().iter().find(same).map(|operation| (contract, operation))
        })
    }

    /// A contract's security schemes, and the verifier of each.
    pub(super) fn schemes(&self, contract: &Contract) -> Option<&Entries<Located<String>>> {
        self.0.iter().find(|(known, _)| std::ptr::eq(known, contract)).map(|(_, schemes)| schemes)
    }

    pub(super) fn check_schemes(&self, registry: &Registry, diagnostics: &mut Diagnostics) {
        self.0.iter().for_each(|(contract, schemes)| registry.check_mapping(contract, schemes, diagnostics));
    }

    pub(super) fn nearest(&self, id: &str) -> Option<&str> {
        most_like(
            id,
            self.operations().filter_map(|(_, operation)| Some(operation.id.as_ref()?.value.as_str())),
        )
    }
}

/// A file that is missing is told where it is named.
fn is_there(file: &Located<PathBuf>, diagnostics: &mut Diagnostics) -> Option<()> {
    let error = crate::file::open_regular(&file.value).err();
    if let Some(error) = &error {
        diagnostics.push(
            Diagnostic::error(file.place, format!("this contract cannot be read: {error}"))
                .help("correct the path (it is relative to this file) or the file's permissions"),
        );
    }
    error.is_none().then_some(())
}
