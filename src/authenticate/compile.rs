//! What a contract, or an operation itself, demands of who calls → [`Access`], or every reason why nobody could say
//! who calls. An operation is never open by oversight.

mod scheme;

use std::collections::HashSet;
use std::sync::Arc;

use super::access::{Access, Alternative, Demand};
use super::carrier::Carrier;
use super::load::{Loaded, WrittenKind, load};
use super::verifier::{Origin, Verifiers};
use crate::config::{self, Config, SecurityAlternative};
use crate::contract::{Contract, Operation, SchemeUse};
use crate::diagnostic::{Diagnostic, Diagnostics, Place};
use crate::yaml::{Entries, Located};
use scheme::DemandedScheme;

/// The verifiers of a configuration while its operations are compiled.
pub struct Registry {
    loaded: Vec<Loaded>,
    used: HashSet<String>,
    /// Names that the configuration has written, whatever is wrong with them.
    written: HashSet<String>,
    /// For some operation nobody knows what it demands, so a verifier may be used all the same.
    incomplete: bool,
}

/// The operation whose demands are compiled.
pub struct Demanded<'a> {
    /// As the configuration names it.
    pub name: &'a Located<String>,
    /// Its contract, and which verifiers that contract's schemes are mapped to.
    pub contract: Option<(&'a Contract, &'a Operation, &'a Entries<Located<String>>)>,
    /// Its own `security`.
    pub written: Option<&'a Located<Vec<SecurityAlternative>>>,
}

impl Registry {
    /// Loads every verifier, unless `former` has it as it is written. What is wrong is told at its place.
    pub fn load(config: &Config, former: Option<&Verifiers>, diagnostics: &mut Diagnostics) -> Registry {
        let verifiers = &config.security.0;
        let mut load_one = |(name, verifier): &(Located<String>, Located<config::Verifier>)| {
            let origin = Origin::of(verifier, config.written.verifier(name)?);
            load(name, verifier, origin, former, diagnostics)
        };
        let loaded = verifiers.iter().filter_map(&mut load_one).collect();
        let written = verifiers.iter().map(|(name, _)| name.value.clone()).collect();
        Registry { loaded, used: HashSet::new(), written, incomplete: false }
    }

    /// Checks what a contract's schemes are mapped to.
    pub fn check_mapping(
        &self,
        contract: &Contract,
        mapping: &Entries<Located<String>>,
        diagnostics: &mut Diagnostics,
    ) {
        for (scheme, verifier) in &mapping.0 {
            if contract.scheme(scheme).is_none() {
                let message = format!("the contract has no security scheme `{}`", scheme.value);
                let names: Vec<&str> = contract.scheme_names().collect();
                diagnostics.push(Diagnostic::error(scheme.place, message).help(nearest(scheme, &names)));
            }
            self.tell_unknown(verifier, diagnostics);
        }
    }

    /// Compiles what an operation demands; `None` if that cannot be done, which is told.
    pub fn access(&mut self, demanded: &Demanded<'_>, diagnostics: &mut Diagnostics) -> Option<Access> {
        let access = self.compiled(demanded, diagnostics);
        self.incomplete |= access.is_none();
        access
    }

    fn compiled(&mut self, demanded: &Demanded<'_>, diagnostics: &mut Diagnostics) -> Option<Access> {
        match (&demanded.contract, demanded.written) {
            (Some((_, operation, _)), Some(own)) => {
                let place = operation.security.as_ref().map_or(operation.place, |security| security.place);
                diagnostics.push(
                    Diagnostic::error(own.place, "`security` of an operation that a contract describes")
                        .also(place, "its contract says who may call it")
                        .help("remove it, or change the contract"),
                );
                None
            }
            (Some((contract, operation, mapping)), None) => {
                let Some(security) = &operation.security else { return Some(Access::default()) };
                let alternatives: Vec<Option<Vec<Demand>>> = security
                    .alternatives
                    .iter()
                    .map(|uses| self.in_contract(contract, mapping, uses, demanded.name, diagnostics))
                    .collect();
                finished(alternatives)
            }
            (None, Some(own)) => {
                let alternatives: Vec<Option<Vec<Demand>>> =
                    own.iter().map(|alternative| self.own(alternative, diagnostics)).collect();
                finished(alternatives)
            }
            (None, None) if self.written.is_empty() => Some(Access::default()),
            (None, None) => {
                let name = demanded.name;
                diagnostics.push(
                    Diagnostic::error(name.place, format!("nobody says who may call `{}`", name.value))
                        .reason("there are verifiers, and this operation has no contract that demands one")
                        .help(format!(
                            "write `security: [{{ {}: [] }}]`, or `security: []` if it is meant to be open",
                            self.loaded.first().map_or("name", |first| &first.name)
                        )),
                );
                None
            }
        }
    }

    /// Whether the configuration has no verifiers at all, and so asks nobody.
    pub fn is_empty(&self) -> bool {
        self.written.is_empty()
    }

    /// The verifiers that operations use. The others are told.
    pub fn finish(self, diagnostics: &mut Diagnostics) -> Verifiers {
        let (used, unused): (Vec<Loaded>, Vec<Loaded>) =
            self.loaded.into_iter().partition(|loaded| self.used.contains(&loaded.name.value));
        for Loaded { name, .. } in unused.into_iter().filter(|_| !self.incomplete) {
            diagnostics.push(
                Diagnostic::warning(name.place, format!("no operation uses the verifier `{}`", name.value))
                    .help("remove it, or let a contract or `security` demand it"),
            );
        }
        Verifiers::new(used.into_iter().filter_map(|loaded| loaded.verifier).collect())
    }

    fn in_contract(
        &mut self,
        contract: &Contract,
        mapping: &Entries<Located<String>>,
        uses: &[SchemeUse],
        operation: &Located<String>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Vec<Demand>> {
        let demands: Vec<Option<Demand>> = uses
            .iter()
            .map(|scheme| {
                let demanded = DemandedScheme { contract, mapping, scheme, operation };
                let demand = demanded.demand(self, diagnostics)?;
                self.used.insert(demand.verifier.name().to_owned());
                Some(demand)
            })
            .collect();
        let place = uses.first().map(|scheme| scheme.scheme.place);
        compatible(demands.into_iter().collect::<Option<_>>()?, place, diagnostics)
    }

    fn own(
        &mut self,
        alternative: &SecurityAlternative,
        diagnostics: &mut Diagnostics,
    ) -> Option<Vec<Demand>> {
        let demands: Vec<Option<Demand>> = alternative
            .0
            .iter()
            .map(|(name, scopes)| {
                let Some(loaded) = self.get(name) else {
                    self.tell_unknown(name, diagnostics);
                    return None;
                };
                let carrier = match loaded.kind {
                    WrittenKind::Jwt => Carrier::Bearer,
                    WrittenKind::Basic => Carrier::Basic,
                    WrittenKind::ApiKey => Carrier::Header(loaded.header.clone()),
                };
                let demand = loaded.demand(carrier, scopes, diagnostics);
                self.used.insert(name.value.clone());
                demand
            })
            .collect();
        let place = alternative.0.first().map(|(name, _)| name.place);
        compatible(demands.into_iter().collect::<Option<_>>()?, place, diagnostics)
    }

    fn get(&self, name: &str) -> Option<&Loaded> {
        self.loaded.iter().find(|loaded| loaded.name.value == name)
    }

    /// A name that no verifier has; one that is written and broken has been told.
    fn tell_unknown(&self, name: &Located<String>, diagnostics: &mut Diagnostics) {
        if self.written.contains(&name.value) {
            return;
        }
        let names: Vec<&str> = self.written.iter().map(String::as_str).collect();
        let message = format!("there is no verifier `{}`", name.value);
        diagnostics.push(Diagnostic::error(name.place, message).help(nearest(name, &names)));
    }
}

impl Loaded {
    /// A demand for it, with these scopes; `None` if it is broken, or grants no scopes, which is told.
    fn demand(
        &self,
        carrier: Carrier,
        scopes: &[Located<String>],
        diagnostics: &mut Diagnostics,
    ) -> Option<Demand> {
        if let (Some(scope), WrittenKind::ApiKey | WrittenKind::Basic) = (scopes.first(), self.kind) {
            diagnostics.push(
                Diagnostic::error(scope.place, format!("`{}` grants no scopes", self.name.value))
                    .also(
                        self.name.place,
                        format!("it is `{}`, whose callers have a name alone", self.kind.name()),
                    )
                    .reason("so nobody could call this operation")
                    .help("remove the scope, or demand a token; `authorize` can tell callers apart by name"),
            );
            return None;
        }
        let legal = |scope: &str| {
            !scope.is_empty() && scope.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte))
        };
        if let Some(scope) = scopes.iter().find(|scope| !legal(scope)) {
            let message = format!("{:?} is not a scope", scope.value);
            diagnostics.push(
                Diagnostic::error(scope.place, message).help("a scope is visible ASCII without quotes"),
            );
            return None;
        }
        Some(Demand {
            verifier: Arc::clone(self.verifier.as_ref()?),
            carrier,
            scopes: scopes.iter().map(|scope| scope.value.clone()).collect(),
            challenge: self.challenge.clone(),
        })
    }
}

fn finished(alternatives: Vec<Option<Vec<Demand>>>) -> Option<Access> {
    let alternatives: Vec<Vec<Demand>> = alternatives.into_iter().collect::<Option<_>>()?;
    let anonymous = alternatives.iter().any(Vec::is_empty);
    Some(Access::new(alternatives.into_iter().filter_map(Alternative::of).collect(), anonymous))
}

/// A token and a password stand in one header, and a request has that once.
fn compatible(
    demands: Vec<Demand>,
    place: Option<Place>,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<Demand>> {
    let has = |carrier| demands.iter().any(|demand| demand.carrier == carrier);
    match place {
        Some(place) if has(Carrier::Bearer) && has(Carrier::Basic) => {
            diagnostics.push(
                Diagnostic::error(place, "a token and a password cannot be sent together")
                    .reason("both stand in the Authorization header, of which a request has one")
                    .help("write them as alternatives: `[{ a: [] }, { b: [] }]`"),
            );
            None
        }
        _ => Some(demands),
    }
}

/// Says which name was probably meant, or which there are.
fn nearest(name: &str, names: &[&str]) -> String {
    let mut names = names.to_vec();
    names.sort_unstable();
    let near = names
        .iter()
        .map(|known| (strsim::jaro_winkler(name, known), *known))
        .filter(|(score, _)| *score > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match (near, names.as_slice()) {
        (Some((_, known)), _) => format!("did you mean `{known}`?"),
        (None, []) => "there are none: add it under `security`".to_owned(),
        (None, names) => format!("the names are: {}", names.join(", ")),
    }
}
