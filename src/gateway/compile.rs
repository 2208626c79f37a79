//! Configuration and contracts → route table, or every problem of every file. The only door between what is
//! written and what runs.

mod bind;
mod callers;
mod compare;
mod contracts;
mod copying;
mod docs;
mod expressions;
mod fallback;
mod living;
mod migration;
mod rate;
mod readable;
mod schemas;
mod upstreams;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use http::Method;

use super::operation::{Operation, Route};
use super::route::{Guard, RouteTable};
use crate::authenticate::{Registry, Verifiers};
use crate::config::{self, Config, OperationKey};
use crate::contract::{self, PathTemplate, Use};
use crate::cors::Cors;
use crate::diagnostic::{Diagnostic, Diagnostics, Place};
use crate::head::TrustedProxies;
use crate::jetstream::declared::{Declared, declared};
use crate::jetstream::manifest::Manifests;
use crate::jetstream::{self, Sending};
use crate::openapi::{self, Bound, Published, Source};
use crate::yaml::{Entries, Located};
use contracts::{Contracts, Found};
use living::Living;
pub use upstreams::Upstreams;

/// What a gateway runs on.
#[derive(Debug)]
pub struct Compiled {
    /// Every operation by method and path.
    pub routes: RouteTable<Route>,
    /// The same for paths that may be read as theirs, where anything goes to the legacy service.
    pub guard: Guard<Arc<Operation>>,
    /// Those that are bound.
    pub operations: Vec<Arc<Operation>>,
    /// The legacy services.
    pub upstreams: Upstreams,
    /// Where a request goes that no operation matches.
    pub fallback: Option<Arc<Operation>>,
    /// Requests in flight, of all operations together.
    pub in_flight: usize,
    /// The proxies whose word on where a request comes from is believed.
    pub trusted_proxies: TrustedProxies,
    /// Who says who calls.
    pub verifiers: Verifiers,
    /// What the manifests declare.
    pub declared: Vec<Declared>,
    /// Which web pages may call.
    pub cors: Option<Cors>,
    /// From the complete head to the end of the body, at most.
    pub body_timeout: Duration,
    /// What is published of it.
    pub published: Published,
}

/// Compiles a configuration. `None` if anything refuses it; the diagnostics then say what.
///
/// What is counted and known of an operation or verifier of `former` goes on under its name.
pub fn compile(
    config: &Config,
    manifests: &Manifests,
    former: Option<&Compiled>,
    diagnostics: &mut Diagnostics,
) -> Option<Compiled> {
    let living = Living::of(former);
    let contracts = Contracts::load(config, diagnostics);
    let mut registry = Registry::load(config, living.verifiers(), diagnostics);
    contracts.check_schemes(&registry, diagnostics);
    let upstreams = Upstreams::load(config, former, diagnostics);
    let mut table = Table::default();
    let (mut operations, mut places, mut described) = (Vec::new(), Vec::new(), Vec::new());
    let mut windows = living.windows();
    for (key, operation) in &config.operations.0 {
        let Some(target) = target(key, operation, &contracts, diagnostics) else { continue };
        table.claim(&target, key.place, diagnostics);
        let shared = bind::Shared {
            defaults: &config.defaults,
            windows: &mut windows,
            registry: &mut registry,
            living: &living,
            upstreams: &upstreams,
        };
        let bound = bind::operation(&target, operation, shared, diagnostics);
        if let Some(bound) = bound {
            let bound = Arc::new(bound);
            table.insert(&target, Route::Bound(Arc::clone(&bound)));
            let place = subject_place(operation).unwrap_or(key.place);
            placeholder_forgotten(&bound, place, diagnostics);
            described.push((target, operation, Arc::clone(&bound)));
            operations.push(bound);
            places.push((place, key_required(operation)));
        }
    }
    table.insert_unbound(&contracts, diagnostics);
    let fallback = fallback::fallback(config, (&upstreams, &mut registry, &living), diagnostics);
    operations.extend(fallback.clone());
    jetstream::check_operations(manifests, &sendings(&operations, &places), diagnostics);
    copying::among(manifests, &described, diagnostics);
    docs::check(config.server.docs.as_ref(), &table.routes, diagnostics);
    let verifiers = registry.finish(diagnostics);
    if diagnostics.has_errors() {
        return None;
    }
    let described: Vec<Bound<'_>> = described.iter().map(described_as).collect();
    let source = Source {
        config,
        manifests,
        contracts: &contracts.all(),
        bound: &described,
        fallback: fallback.as_deref(),
    };
    let published = Published::new(&openapi::document(&source));
    let trusted = config.server.trusted_proxies.iter().map(|network| network.value.0);
    Some(Compiled {
        guard: guard(&operations, fallback.as_ref()),
        routes: table.routes,
        operations,
        upstreams,
        fallback,
        in_flight: config.server.in_flight.value as usize,
        trusted_proxies: TrustedProxies::new(trusted),
        verifiers,
        declared: declared(manifests, None),
        cors: config.cors.as_ref().map(|cors| Cors::new(cors)),
        body_timeout: config.server.timeouts.body.0,
        published,
    })
}

/// Those that must not be got around; first those that demand something.
fn guard(operations: &[Arc<Operation>], fallback: Option<&Arc<Operation>>) -> Guard<Arc<Operation>> {
    let mut guard = Guard::default();
    if operations.iter().all(|operation| operation.legacy.is_none()) {
        return guard;
    }
    let is_fallback = |one: &Arc<Operation>| fallback.is_some_and(|fallback| Arc::ptr_eq(fallback, one));
    let mut declared: Vec<_> = operations.iter().filter(|operation| !is_fallback(operation)).collect();
    declared.sort_by_key(|operation| operation.passes_everything());
    for operation in declared {
        guard.insert(operation.method.clone(), &operation.path, Arc::clone(operation));
    }
    guard
}

/// What is published of an operation that is bound.
fn described_as<'a>(
    (target, written, operation): &'a (Target<'_>, &config::Operation, Arc<Operation>),
) -> Bound<'a> {
    let declared = target.contract.map(|(_, declared)| declared);
    Bound { method: &target.method, path: &target.path, declared, written, operation }
}

fn subject_place(operation: &config::Operation) -> Option<Place> {
    match operation.binding()? {
        config::Binding::Request(request) => Some(request.subject.place),
        config::Binding::Publish(publish) => Some(publish.subject.place),
    }
}

/// Where a client's Idempotency-Key is demanded, and counts.
fn key_required(operation: &config::Operation) -> Option<Place> {
    let config::Binding::Publish(publish) = operation.binding()? else { return None };
    let wanted =
        publish.idempotency.as_ref().filter(|wanted| wanted.value == config::Idempotency::Required)?;
    publish.message_id.is_none().then_some(wanted.place)
}

/// A subject may hold braces and dollar signs, and hardly anybody means them.
fn placeholder_forgotten(operation: &Operation, place: Place, diagnostics: &mut Diagnostics) {
    let Some(subject) = operation.subject() else { return };
    if let Some(sign) = subject.chars().find(|c| matches!(c, '$' | '{' | '}')) {
        diagnostics.push(
            Diagnostic::warning(place, format!("the subject holds `{sign}`, which is sent as it stands"))
                .help("write a placeholder as `${path.id}`, with the dollar sign and both braces"),
        );
    }
}

/// What the operations send, to be held against the manifests.
fn sendings<'a>(operations: &'a [Arc<Operation>], places: &[(Place, Option<Place>)]) -> Vec<Sending<'a>> {
    let sending = |(operation, (place, key_required)): (&'a Arc<Operation>, &(Place, Option<Place>))| {
        Some(Sending {
            operation: &operation.name,
            pattern: operation.subject()?,
            stream: operation.stream(),
            place: *place,
            key_required: *key_required,
        })
    };
    operations.iter().zip(places).filter_map(sending).collect()
}

/// What a key of `operations:` stands for.
pub(super) struct Target<'c> {
    /// Its name, as it is written in the configuration.
    pub(super) key: Located<String>,
    pub(super) method: Method,
    pub(super) path: PathTemplate,
    /// The operation's contract, if it has one.
    pub(super) contract: Option<(&'c contract::Contract, &'c contract::Operation)>,
    /// That contract's security schemes, and the verifier of each.
    pub(super) schemes: Option<&'c Entries<Located<String>>>,
}

fn target<'c>(
    key: &Located<String>,
    written: &config::Operation,
    contracts: &'c Contracts,
    diagnostics: &mut Diagnostics,
) -> Option<Target<'c>> {
    let used = |named| Use { named, read: !bind::passes_on(written) };
    // A key that cannot be read has been told when the file was loaded.
    match OperationKey::parse(&key.value).ok()? {
        OperationKey::Id(id) => match contracts.by_id(id) {
            Found::One(contract, operation) => {
                in_contract(key, (contract, operation, used(true)), contracts, diagnostics)
            }
            Found::Several(places) => {
                let mut diagnostic =
                    Diagnostic::error(key.place, format!("several contracts have an operation `{id}`"))
                        .help("rename one of them, or name the operation by its method and path");
                for place in places {
                    diagnostic = diagnostic.also(place, "here");
                }
                diagnostics.push(diagnostic);
                None
            }
            Found::None => {
                diagnostics.push(unknown_id(key, id, contracts));
                None
            }
        },
        OperationKey::Route { method, path } => match contracts.by_route(&method, path) {
            Some((contract, operation)) => {
                in_contract(key, (contract, operation, used(false)), contracts, diagnostics)
            }
            None => {
                let template = path_template(path, key.place, diagnostics)?;
                Some(Target { key: key.clone(), schemes: None, method, path: template, contract: None })
            }
        },
    }
}

fn in_contract<'c>(
    key: &Located<String>,
    (contract, operation, used): (&'c contract::Contract, &'c contract::Operation, Use),
    contracts: &'c Contracts,
    diagnostics: &mut Diagnostics,
) -> Option<Target<'c>> {
    contract.problems_of(operation, used).into_iter().for_each(|problem| diagnostics.push(problem));
    Some(Target {
        key: key.clone(),
        schemes: contracts.schemes(contract),
        method: operation.method.clone(),
        // What is wrong with a path that is none is among the problems.
        path: operation.template.clone()?,
        contract: Some((contract, operation)),
    })
}

fn path_template(path: &str, place: Place, diagnostics: &mut Diagnostics) -> Option<PathTemplate> {
    match PathTemplate::parse(path) {
        Ok(template) => Some(template),
        Err(error) => {
            diagnostics.push(Diagnostic::error(place, error.message).help(error.help));
            None
        }
    }
}

fn unknown_id(key: &Located<String>, id: &str, contracts: &Contracts) -> Diagnostic {
    let help = match (contracts.nearest(id), contracts.is_empty()) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, true) => {
            "add its contract under `contracts`, or write a method and a path: `GET /users/{id}`".to_owned()
        }
        (None, false) => {
            "name an operationId of a contract, or a method and a path: `GET /users/{id}`".to_owned()
        }
    };
    Diagnostic::error(key.place, format!("no contract has an operation `{id}`")).help(help)
}

/// The route table while it grows, with the place that has each route.
#[derive(Default)]
struct Table {
    routes: RouteTable<Route>,
    claims: RouteTable<Place>,
    names: HashMap<Place, String>,
}

impl Table {
    /// Notes who has a route; two that match the same requests are a conflict, also if one of them is broken.
    fn claim(&mut self, target: &Target<'_>, place: Place, diagnostics: &mut Diagnostics) {
        let name = &target.key.value;
        self.names.insert(place, name.clone());
        let Err(conflict) = self.claims.insert(target.method.clone(), &target.path, place) else { return };
        let earlier = *conflict.earlier;
        let known = self.names.get(&earlier).cloned().unwrap_or_default();
        diagnostics.push(
            Diagnostic::error(place, format!("`{name}` matches the same requests as `{known}`"))
                .also(earlier, format!("`{known}` is here"))
                .help("remove one of them"),
        );
    }

    fn insert(&mut self, target: &Target<'_>, route: Route) {
        // A conflict has been told when the route was claimed.
        let _ = self.routes.insert(target.method.clone(), &target.path, route);
    }

    /// Operations of contracts that nothing binds: known, and answered `not_bound`.
    fn insert_unbound(&mut self, contracts: &Contracts, diagnostics: &mut Diagnostics) {
        for (contract, operation) in contracts.operations() {
            let Some(path) = &operation.template else {
                let problems = contract.problems(operation).into_iter();
                problems.for_each(|problem| diagnostics.push_unless_told(problem.as_warning()));
                continue;
            };
            let name = match &operation.id {
                Some(id) => id.value.clone(),
                None => format!("{} {}", operation.method, operation.path),
            };
            let _ = self.routes.insert(operation.method.clone(), path, Route::Unbound(name));
        }
    }
}
