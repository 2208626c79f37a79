//! What a contract, or an operation itself, demands of who calls → [`Access`], or every reason why nobody could say
//! who calls. An operation is never open by oversight.

mod demand;
mod scheme;

use std::collections::HashSet;
use std::sync::Arc;

use super::access::{Access, Asked};
use super::carrier::Carrier;
use super::load::{Loaded, WrittenKind, load};
use super::verifier::{Origin, Verifiers};
use crate::config::{self, Config, SecurityAlternative};
use crate::contract::{Contract, Operation, SchemeUse};
use crate::diagnostic::{Diagnostic, Diagnostics, Place, most_like};
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
    /// Its binding on NATS, if that may answer, or get a copy.
    pub nats: Option<Place>,
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
            let is_elsewhere = self.get(verifier).is_some_and(|loaded| loaded.kind == WrittenKind::Upstream);
            if contract.scheme(scheme).is_none() {
                let names: Vec<&str> = contract.scheme_names().collect();
                diagnostics.push(match contract.demand_of(scheme).filter(|_| is_elsewhere) {
                    None => {
                        let message = format!("the contract has no security scheme `{}`", scheme.value);
                        Diagnostic::error(scheme.place, message).help(nearest(scheme, &names))
                    }
                    Some(place) => undefined(scheme, place),
                });
            }
            self.tell_unknown(verifier, diagnostics);
        }
    }

    /// Compiles what an operation demands; `None` if that cannot be done, which is told.
    pub fn access(&mut self, demanded: &Demanded<'_>, diagnostics: &mut Diagnostics) -> Option<Access> {
        let access = self.compiled(demanded, diagnostics);
        self.incomplete |= access.is_none();
        let unchecked = access.as_ref().and_then(Access::checked_elsewhere).zip(demanded.nats);
        if let Some((verifier, place)) = unchecked {
            diagnostics.push(self.unchecked(demanded.name, verifier, place));
            return None;
        }
        access
    }

    /// What only the legacy service checks, nobody has checked when NATS gets the request. That holds for a shadow too: a
    /// copy is on its way before the legacy service has said anything of the caller, so that anybody could have work done
    /// there, and every refusal would be a mismatch.
    fn unchecked(&self, operation: &Located<String>, verifier: &str, place: Place) -> Diagnostic {
        let message = format!("on NATS nobody would check who calls `{}`", operation.value);
        let others = self.loaded.iter().find(|loaded| loaded.kind != WrittenKind::Upstream);
        let help = format!(
            "name who checks it here: `security: [{{ {}: [] }}]`, or keep it in `migration: {{ stage: legacy }}`",
            others.map_or("people", |loaded| &loaded.name)
        );
        let diagnostic = Diagnostic::error(place, message)
            .reason(format!(
                "`{verifier}` leaves that to the legacy service, which does not see what goes to NATS"
            ))
            .help(help);
        match self.get(verifier) {
            Some(loaded) => diagnostic.also(loaded.name.place, format!("`{verifier}` is here")),
            None => diagnostic,
        }
    }

    fn compiled(&mut self, demanded: &Demanded<'_>, diagnostics: &mut Diagnostics) -> Option<Access> {
        match (&demanded.contract, demanded.written) {
            (Some((_, operation, mapping)), Some(own)) if self.leaves_open(operation, mapping) => {
                self.instead(operation, own, diagnostics)
            }
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
                let alternatives: Vec<Option<Asked>> = security
                    .alternatives
                    .iter()
                    .map(|uses| self.in_contract(contract, mapping, uses, demanded.name, diagnostics))
                    .collect();
                finished(alternatives)
            }
            (None, Some(own)) => self.written(own, diagnostics),
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

    /// An operation's own `security`.
    fn written(
        &mut self,
        own: &Located<Vec<SecurityAlternative>>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Access> {
        let alternatives: Vec<Option<Asked>> =
            own.iter().map(|alternative| self.own(alternative, diagnostics)).collect();
        finished(alternatives)
    }

    /// Whether some of what a contract demands of an operation is left to the legacy service.
    fn leaves_open(&mut self, operation: &Operation, mapping: &Entries<Located<String>>) -> bool {
        let uses = operation.security.iter().flat_map(|security| security.alternatives.iter().flatten());
        let mut left = false;
        for scheme in uses {
            let verifier = scheme::verifier(mapping, &scheme.scheme);
            if self.get(verifier).is_some_and(|loaded| loaded.kind == WrittenKind::Upstream) {
                self.used.insert(verifier.to_owned());
                left = true;
            }
        }
        left
    }

    /// Who checks here what the contract's schemes leave to the legacy service: so one operation moves while the others
    /// stay. It must be somebody, since the contract demands credentials.
    fn instead(
        &mut self,
        operation: &Operation,
        own: &Located<Vec<SecurityAlternative>>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Access> {
        let demanded = operation.security.as_ref().filter(|security| !security.admits_anybody());
        let lets_in = own.value.is_empty() || own.value.iter().any(|all| all.0.is_empty());
        if let Some(security) = demanded.filter(|_| lets_in) {
            diagnostics.push(
                Diagnostic::error(own.place, "this lets anybody in, and the contract does not")
                    .also(security.place, "it demands credentials here")
                    .help("name the verifier that checks them: `security: [{ people: [] }]`"),
            );
            return None;
        }
        self.written(own, diagnostics)
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
    ) -> Option<Asked> {
        let (mut asked, mut broken) = (Asked::default(), false);
        for scheme in uses {
            let demanded = DemandedScheme { contract, mapping, scheme, operation };
            if let Some(name) = demanded.elsewhere(self) {
                self.used.insert(name.to_string());
                asked.elsewhere.push(name);
                continue;
            }
            match demanded.demand(self, diagnostics) {
                Some(demand) => {
                    self.used.insert(demand.verifier.name().to_owned());
                    asked.demands.push(demand);
                }
                None => broken = true,
            }
        }
        let place = uses.first().map(|scheme| scheme.scheme.place);
        if broken { None } else { compatible(asked, place, diagnostics) }
    }

    fn own(&mut self, alternative: &SecurityAlternative, diagnostics: &mut Diagnostics) -> Option<Asked> {
        let (mut asked, mut broken) = (Asked::default(), false);
        for (name, scopes) in &alternative.0 {
            let Some(loaded) = self.get(name) else {
                self.tell_unknown(name, diagnostics);
                broken = true;
                continue;
            };
            let carrier = match loaded.kind {
                WrittenKind::Jwt => Some(Carrier::Bearer),
                WrittenKind::Basic => Some(Carrier::Basic),
                WrittenKind::ApiKey => Some(Carrier::Header(loaded.header.clone())),
                WrittenKind::Upstream => None,
            };
            match carrier {
                None if loaded.grants(scopes, diagnostics) => {
                    asked.elsewhere.push(Arc::from(name.value.as_str()));
                }
                None => broken = true,
                Some(carrier) => match loaded.demand(carrier, scopes, diagnostics) {
                    Some(demand) => asked.demands.push(demand),
                    None => broken = true,
                },
            }
            self.used.insert(name.value.clone());
        }
        let place = alternative.0.first().map(|(name, _)| name.place);
        if broken { None } else { compatible(asked, place, diagnostics) }
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

fn finished(alternatives: Vec<Option<Asked>>) -> Option<Access> {
    Some(Access::new(alternatives.into_iter().collect::<Option<_>>()?))
}

/// A token and a password stand in one header, and a request has that once.
fn compatible(asked: Asked, place: Option<Place>, diagnostics: &mut Diagnostics) -> Option<Asked> {
    let has = |carrier| asked.demands.iter().any(|demand| demand.carrier == carrier);
    match place {
        Some(place) if has(Carrier::Bearer) && has(Carrier::Basic) => {
            diagnostics.push(
                Diagnostic::error(place, "a token and a password cannot be sent together")
                    .reason("both stand in the Authorization header, of which a request has one")
                    .help("write them as alternatives: `[{ a: [] }, { b: [] }]`"),
            );
            None
        }
        _ => Some(asked),
    }
}

/// A scheme that operations demand and nobody defines: the legacy service may know what it is, and clients cannot.
fn undefined(scheme: &Located<String>, place: Place) -> Diagnostic {
    let message = format!("the contract does not define the security scheme `{}`", scheme.value);
    Diagnostic::warning(scheme.place, message)
        .also(place, "it is demanded here")
        .reason("clients are not told what to send")
        .help("define it under `components/securitySchemes` of the contract")
}

/// Says which name was probably meant, or which there are.
fn nearest(name: &str, names: &[&str]) -> String {
    let mut names = names.to_vec();
    names.sort_unstable();
    match (most_like(name, names.iter().copied()), names.as_slice()) {
        (Some(known), _) => format!("did you mean `{known}`?"),
        (None, []) => {
            "there are none: add it under `security`, with `upstream: true` if the legacy service checks"
                .to_owned()
        }
        (None, names) => format!("the names are: {}", names.join(", ")),
    }
}
