//! One security scheme of a contract, demanded by one operation → what a caller must bring, and who verifies it.

use std::sync::Arc;

use http::HeaderName;

use super::super::access::Demand;
use super::super::carrier::Carrier;
use super::super::load::{Loaded, WrittenKind};
use super::Registry;
use crate::contract::{Contract, SchemeKind, SchemeUse, SecurityScheme};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::expression::Location;
use crate::yaml::{Entries, Located};

/// A scheme, and who demands it.
pub(super) struct DemandedScheme<'a> {
    pub(super) contract: &'a Contract,
    pub(super) mapping: &'a Entries<Located<String>>,
    pub(super) scheme: &'a SchemeUse,
    /// As the configuration names it.
    pub(super) operation: &'a Located<String>,
}

/// The verifier that a scheme is mapped to: one of its own name, unless something else is written.
pub(super) fn verifier<'a>(mapping: &'a Entries<Located<String>>, scheme: &'a Located<String>) -> &'a str {
    let mapped = mapping.0.iter().find(|(known, _)| known.value == scheme.value);
    mapped.map_or(scheme.value.as_str(), |(_, verifier)| &verifier.value)
}

impl DemandedScheme<'_> {
    /// The verifier that leaves it to the legacy service, whatever kind of scheme it is; scopes are that service's too.
    pub(super) fn elsewhere(&self, registry: &Registry) -> Option<Arc<str>> {
        // One that the contract does not define is known to somebody only if that is written.
        let is_mapped = self.mapping.0.iter().any(|(known, _)| known.value == self.scheme.scheme.value);
        if !is_mapped && self.contract.scheme(&self.scheme.scheme).is_none() {
            return None;
        }
        let loaded = registry.get(verifier(self.mapping, &self.scheme.scheme))?;
        (loaded.kind == WrittenKind::Upstream).then(|| Arc::from(loaded.name.value.as_str()))
    }

    /// What a caller must bring; `None` if nobody could verify it, which is told once for each place.
    pub(super) fn demand(&self, registry: &Registry, diagnostics: &mut Diagnostics) -> Option<Demand> {
        let SchemeUse { scheme: name, scopes } = self.scheme;
        let scheme = match self.contract.scheme(name) {
            Some(Ok(scheme)) => scheme,
            Some(Err(problem)) => {
                diagnostics.push(problem);
                return None;
            }
            None => {
                let message = format!("the contract does not define the security scheme `{}`", name.value);
                let help = "correct the name, or define it under `components/securitySchemes`";
                diagnostics.push_unless_told(Diagnostic::error(name.place, message).help(help));
                return None;
            }
        };
        let wanted = match wanted(scheme) {
            Ok(wanted) => wanted,
            Err(problem) => {
                diagnostics.push_unless_told(problem.also(self.operation.place, self.bound()));
                return None;
            }
        };
        let is_mapped = self.mapping.0.iter().any(|(known, _)| known.value == name.value);
        let verifier = verifier(self.mapping, name);
        let Some(loaded) = registry.get(verifier) else {
            // What is written and broken, or mapped to nothing, has been told.
            if !is_mapped && !registry.written.contains(verifier) {
                diagnostics.push_unless_told(self.unverified());
            }
            return None;
        };
        if loaded.kind != wanted.0 {
            diagnostics.push_unless_told(self.unfitting(wanted.0, loaded));
            return None;
        }
        loaded.demand(wanted.1, scopes, diagnostics)
    }

    fn unverified(&self) -> Diagnostic {
        let name = &self.scheme.scheme;
        let message = format!("nothing verifies the security scheme `{}`", name.value);
        Diagnostic::error(name.place, message)
            .also(self.operation.place, self.bound())
            .reason("nobody could tell who calls an operation that demands it")
            .help(format!(
                "add a verifier `{0}` under `security`, or map the scheme to one: `contracts: [{{ file: …, security: \
                 {{ {0}: people }} }}]`",
                name.value
            ))
    }

    fn unfitting(&self, wanted: WrittenKind, loaded: &Loaded) -> Diagnostic {
        let name = &self.scheme.scheme;
        let message = format!(
            "the security scheme `{}` needs a verifier with `{}`, and `{}` has `{}`",
            name.value,
            wanted.name(),
            loaded.name.value,
            loaded.kind.name()
        );
        Diagnostic::error(name.place, message)
            .also(loaded.name.place, format!("`{}` is here", loaded.name.value))
            .also(self.operation.place, self.bound())
            .help(format!("map the scheme to a verifier with `{}`: `contracts[].security`", wanted.name()))
    }

    fn bound(&self) -> String {
        format!("`{}` is bound here", self.operation.value)
    }
}

/// Which kind of verifier a scheme needs, and where its credentials stand.
fn wanted(scheme: &SecurityScheme) -> Result<(WrittenKind, Carrier), Diagnostic> {
    let error = |message: String| Diagnostic::error(scheme.place, message);
    Ok(match &scheme.kind {
        SchemeKind::Bearer | SchemeKind::OAuth2 | SchemeKind::OpenIdConnect => {
            (WrittenKind::Jwt, Carrier::Bearer)
        }
        SchemeKind::Basic => (WrittenKind::Basic, Carrier::Basic),
        SchemeKind::ApiKey(location, name) => {
            let carrier = match location {
                Location::Query => Carrier::Query(name.clone()),
                Location::Cookie => Carrier::Cookie(name.clone()),
                Location::Header | Location::Path => {
                    let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| {
                        error(format!("`{name}` is not the name of a header")).help("correct `name`")
                    })?;
                    Carrier::Header(header)
                }
            };
            (WrittenKind::ApiKey, carrier)
        }
        SchemeKind::MutualTls => {
            return Err(error("security schemes of type `mutualTLS` are not available".to_owned())
                .reason("callers cannot be told apart by their certificates")
                .help(
                    "demand certificates of all clients with `server.tls.client_ca`, and another scheme here",
                ));
        }
        SchemeKind::Other(kind) => {
            return Err(error(format!("security schemes of the kind `{kind}` cannot be verified"))
                .help("use http bearer, http basic, apiKey, oauth2 or openIdConnect"));
        }
    })
}
