//! The configuration that stands: what is bound in it, to what, and the contracts that it names.

use std::path::Path;

use http::Method;

use super::paths::is_same;
use crate::config::{self, Binding, Config, OperationKey, Overrides};
use crate::contract::{Contract, Operation, PathTemplate};
use crate::diagnostic::{Diagnostics, Place};
use crate::yaml::{Entries, Located, Node, Value};

/// A configuration, empty where there is none yet.
#[derive(Debug)]
pub(super) struct Known {
    /// What is written, if the file is there.
    pub(super) text: Option<String>,
    /// The same as a tree.
    pub(super) tree: Node,
    pub(super) config: Config,
    /// Its contracts, each with the verifiers of its schemes. One that cannot be read is not among them.
    contracts: Vec<(Contract, Entries<Located<String>>, String)>,
}

/// An operation that is bound.
pub(super) struct Bound<'k> {
    pub(super) key: &'k Located<String>,
    /// `request`, `publish` or `forward`.
    pub(super) kind: &'static str,
    /// The upstream of its legacy side.
    pub(super) upstream: Option<&'k str>,
    /// What it is in a contract.
    pub(super) declared: Option<&'k Operation>,
    /// The requests that it gets; `None`: no contract says so.
    pub(super) route: Option<(Method, PathTemplate)>,
}

impl Default for Known {
    fn default() -> Known {
        let tree = Node { place: Place::default(), value: Value::Map(Vec::new()) };
        Known { text: None, tree, config: Config::default(), contracts: Vec::new() }
    }
}

impl Known {
    /// Reads it. `None` if nothing can be made of it, which is told; single mistakes are not looked at here.
    pub(super) fn read(file: &Path, diagnostics: &mut Diagnostics) -> Option<Known> {
        let (config, mut found) = config::load(file, &Overrides::default());
        let text = found.sources.first().map(|source| source.text.to_string());
        // As it is written, before variables and files are put in their places.
        let tree = text.as_deref().and_then(|text| super::section::tree(text).ok());
        let (Some(config), Some(tree)) = (config, tree) else {
            *diagnostics = found;
            return None;
        };
        found.retain(|_| false);
        let load = |entry: &Located<config::Contract>| {
            let base = entry.base_path.as_ref().map_or("/", |path| path.value.as_str());
            let contract = Contract::load(&entry.file.value, base, &mut found)?;
            Some((contract, entry.security.clone(), entry.file.value.to_string_lossy().into_owned()))
        };
        let contracts = config.contracts.iter().filter_map(load).collect();
        // What is wrong with the contracts of others is for whoever checks the configuration.
        found.retain(|_| false);
        *diagnostics = found;
        Some(Known { text, tree, config, contracts })
    }

    /// The contract of a document, if the configuration names it.
    pub(super) fn contract(&self, document: &Path) -> Option<&Contract> {
        let found = self.contracts.iter().find(|(_, _, file)| is_same(Path::new(file), document));
        found.map(|(contract, ..)| contract)
    }

    /// The verifier of a scheme of one of its contracts, if somebody is named, or has the scheme's name.
    pub(super) fn verifies(&self, contract: &Contract, scheme: &str) -> bool {
        let listed = self.contracts.iter().find(|(known, ..)| std::ptr::eq(known, contract));
        let mapped =
            listed.is_some_and(|(_, mapping, _)| mapping.0.iter().any(|(name, _)| name.value == scheme));
        let of_its_name = || self.config.security.0.iter().any(|(name, _)| name.value == scheme);
        mapped || contract.scheme(scheme).is_some() && of_its_name()
    }

    /// Whether an operation of another contract has this id.
    pub(super) fn has_id(&self, id: &str, beside: &Contract) -> bool {
        let mut others = self.contracts.iter().filter(|(known, ..)| !std::ptr::eq(known, beside));
        others.any(|(contract, ..)| contract.operation(id).is_some())
    }

    /// Every operation that is bound; `contract` is looked at too, whether it is named yet or not.
    pub(super) fn bound<'k>(&'k self, contract: &'k Contract) -> Vec<Bound<'k>> {
        let listed = self.contracts.iter().map(|(known, ..)| known);
        let all: Vec<&Contract> =
            listed.filter(|known| !std::ptr::eq(*known, contract)).chain([contract]).collect();
        let bound = |(key, operation): &'k (Located<String>, config::Operation)| {
            let declared = declared(key, &all);
            let route = match (declared, OperationKey::parse(key)) {
                (Some(declared), _) => declared.template.clone().map(|path| (declared.method.clone(), path)),
                (None, Ok(OperationKey::Route { method, path })) => {
                    PathTemplate::parse(path).ok().map(|path| (method, path))
                }
                (None, _) => None,
            };
            let kind = match operation.binding() {
                Some(Binding::Request(_)) => "request",
                Some(Binding::Publish(_)) => "publish",
                None => "forward",
            };
            let upstream = operation.forward.as_ref().map(|forward| forward.upstream.value.as_str());
            Bound { key, kind, upstream, declared, route }
        };
        self.config.operations.0.iter().map(bound).collect()
    }

    /// A verifier that leaves everything to the legacy service.
    pub(super) fn upstream_verifier(&self) -> Option<&str> {
        let verifiers = self.config.security.0.iter();
        let mut upstream = verifiers
            .filter(|(_, verifier)| verifier.upstream.as_ref().is_some_and(|upstream| upstream.value));
        upstream.next().map(|(name, _)| name.value.as_str())
    }

    /// Whether an upstream is described.
    pub(super) fn has_upstream(&self, name: &str) -> bool {
        self.config.upstreams.0.iter().any(|(known, _)| known.value == name)
    }

    /// Where it is, if that is one address.
    pub(super) fn upstream_url(&self, name: &str) -> Option<&str> {
        let found = self.config.upstreams.0.iter().find(|(known, _)| known.value == name)?;
        found.1.url.as_ref().map(|url| url.value.as_str())
    }

    /// The line before a place of the file itself, where an import has noted method and path.
    pub(super) fn line_before(&self, place: Place) -> Option<&str> {
        // Other files are included ones.
        let text = self.text.as_deref().filter(|_| place.file == 0)?;
        text.lines().nth((place.line as usize).checked_sub(2)?)
    }
}

fn declared<'k>(key: &str, contracts: &[&'k Contract]) -> Option<&'k Operation> {
    match OperationKey::parse(key).ok()? {
        OperationKey::Id(id) => contracts.iter().find_map(|contract| contract.operation(id)),
        OperationKey::Route { method, path } => contracts.iter().find_map(|contract| {
            contract.operations().iter().find(|one| one.method == method && one.path == path)
        }),
    }
}
