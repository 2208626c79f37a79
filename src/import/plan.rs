//! What is to be done with each operation of a document.

use std::collections::HashSet;

use http::Method;

use super::entry::noted;
use super::known::{Bound, Known};
use crate::config::OperationKey;
use crate::contract::{Contract, Operation, Use};
use crate::diagnostic::{Diagnostic, Place, Severity};
use crate::gateway::route::RouteTable;

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// What is new and can be served.
    pub(super) added: Vec<Added>,
    /// What is bound already, to what, with its place in the configuration.
    pub(super) kept: Vec<Kept>,
    /// What cannot be served, and why.
    pub(super) left_out: Vec<LeftOut>,
    /// What is bound to this upstream, and in no contract.
    pub(super) gone: Vec<Gone>,
    /// What was noted with another method or path.
    pub(super) changed: Vec<Changed>,
    /// The security schemes of what is new, each once.
    pub(super) schemes: Vec<String>,
}

/// An operation that is new.
#[derive(Debug)]
pub(super) struct Added {
    /// Under which name.
    pub(super) key: String,
    /// Which one of the document.
    pub(super) index: usize,
}

/// An operation that is bound already.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) key: String,
    pub(super) place: Place,
    pub(super) kind: &'static str,
}

/// An operation that cannot be served.
#[derive(Debug)]
pub(super) struct LeftOut {
    pub(super) index: usize,
    pub(super) why: Diagnostic,
}

/// An operation that no contract has.
#[derive(Debug)]
pub(super) struct Gone {
    pub(super) key: String,
    pub(super) place: Place,
    /// What the document has under the same method and path.
    pub(super) renamed: Option<String>,
}

/// An operation that is elsewhere now.
#[derive(Debug)]
pub(super) struct Changed {
    pub(super) key: String,
    pub(super) place: Place,
    pub(super) was: String,
    pub(super) is: String,
}

impl Plan {
    /// Plans an import. `is_listed`: the configuration names the document already.
    pub(super) fn of(contract: &Contract, known: &Known, upstream: &str, is_listed: bool) -> Plan {
        let mut plan = Plan::default();
        let mut routes: RouteTable<String> = RouteTable::default();
        let bound = known.bound(contract);
        for one in &bound {
            if let Some((method, path)) = &one.route {
                let _ = routes.insert(method.clone(), path, one.key.value.clone());
            }
            plan.compare(one, contract, known, upstream);
        }
        let taken: HashSet<*const Operation> =
            bound.iter().filter_map(|one| Some(std::ptr::from_ref(one.declared?))).collect();
        for (index, operation) in contract.operations().iter().enumerate() {
            if taken.contains(&std::ptr::from_ref(operation)) {
                continue;
            }
            match judged(contract, operation, known, is_listed, &mut routes) {
                Ok(key) => plan.add(key, index, operation),
                Err(why) => plan.left_out.push(LeftOut { index, why: *why }),
            }
        }
        plan
    }

    /// Holds what is bound against the document.
    fn compare(&mut self, one: &Bound<'_>, contract: &Contract, known: &Known, upstream: &str) {
        let (key, place) = (one.key.value.clone(), one.key.place);
        let was = known.line_before(place).and_then(noted);
        let own = contract.operations();
        match one.declared {
            Some(declared) => {
                let is = format!("{} {}", declared.method, declared.path);
                if let Some(was) = was.filter(|was| *was != is) {
                    self.changed.push(Changed { key: key.clone(), place, was, is });
                }
                if own.iter().any(|other| std::ptr::eq(other, declared)) {
                    self.kept.push(Kept { key, place, kind: one.kind });
                }
            }
            None if one.kind == "forward" && one.upstream == Some(upstream) => {
                let same = |other: &&Operation| Some(format!("{} {}", other.method, other.path)) == was;
                let renamed = own.iter().find(same).and_then(|other| other.id.as_ref());
                self.gone.push(Gone { key, place, renamed: renamed.map(|id| id.value.clone()) });
            }
            None => {}
        }
    }

    fn add(&mut self, key: String, index: usize, operation: &Operation) {
        self.added.push(Added { key, index });
        let uses = operation.security.iter().flat_map(|security| security.alternatives.iter().flatten());
        for scheme in uses {
            if !self.schemes.contains(&scheme.scheme.value) {
                self.schemes.push(scheme.scheme.value.clone());
            }
        }
    }

    /// Whether nothing differs between document and configuration.
    pub(super) fn is_empty(&self) -> bool {
        self.added.is_empty() && self.gone.is_empty() && self.changed.is_empty()
    }
}

/// The name under which an operation can be served, or why it cannot.
fn judged(
    contract: &Contract,
    operation: &Operation,
    known: &Known,
    is_listed: bool,
    routes: &mut RouteTable<String>,
) -> Result<String, Box<Diagnostic>> {
    let problems = contract.problems_of(operation, Use { named: false, read: false });
    if let Some(problem) = problems.into_iter().find(|one| one.severity == Severity::Error) {
        return Err(Box::new(problem));
    }
    secured(contract, operation, known, is_listed)?;
    let key = named(contract, operation, known)?;
    if let Some(path) = &operation.template
        && let Err(conflict) = routes.insert(operation.method.clone(), path, key.clone())
    {
        let message = format!("`{key}` matches the same requests as `{}`", conflict.earlier);
        let help = "the first one gets them all: remove one of the two";
        return Err(Box::new(Diagnostic::error(operation.place, message).help(help)));
    }
    Ok(key)
}

/// Whether everything that it demands of its caller is known to somebody. For a document that is new, everything is said
/// to be for the legacy service.
fn secured(
    contract: &Contract,
    operation: &Operation,
    known: &Known,
    is_listed: bool,
) -> Result<(), Box<Diagnostic>> {
    let uses = operation.security.iter().flat_map(|security| security.alternatives.iter().flatten());
    let unknown = uses.map(|one| &one.scheme).find(|name| is_listed && !known.verifies(contract, name));
    let Some(name) = unknown else { return Ok(()) };
    let message = format!("nothing verifies the security scheme `{}`", name.value);
    let verifier = known.upstream_verifier();
    let first = match verifier {
        Some(_) => "map it in the configuration",
        None => "write `security: { legacy: { upstream: true } }` into the configuration, and map it",
    };
    let help = format!(
        "{first}: `contracts: [{{ …, security: {{ {}: {} }} }}]`",
        name.value,
        verifier.unwrap_or("legacy")
    );
    Err(Box::new(Diagnostic::error(name.place, message).help(help)))
}

/// Its `operationId`, where that names it alone; else its method and path.
fn named(contract: &Contract, operation: &Operation, known: &Known) -> Result<String, Box<Diagnostic>> {
    let alone = |id: &&str| {
        let own =
            contract.operations().iter().filter(|one| one.id.as_ref().is_some_and(|own| own.value == **id));
        own.count() == 1 && !known.has_id(id, contract)
    };
    let id = operation.id.as_ref().map(|id| id.value.as_str());
    let id = id.filter(|id| matches!(OperationKey::parse(id), Ok(OperationKey::Id(_)))).filter(alone);
    if let Some(id) = id {
        return Ok(id.to_owned());
    }
    let key = format!("{} {}", operation.method, operation.path);
    match OperationKey::parse(&key) {
        Ok(OperationKey::Route { .. }) => Ok(key),
        _ => {
            let message = format!("`{key}` cannot be the name of an operation");
            let help = match operation.method == Method::TRACE {
                true => "give it an `operationId`, if anybody needs TRACE",
                false => "give it an `operationId` without spaces",
            };
            Err(Box::new(Diagnostic::error(operation.place, message).help(help)))
        }
    }
}
