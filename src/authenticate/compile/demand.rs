//! A verifier that is demanded, with the scopes that it must grant.

use std::sync::Arc;

use super::super::access::Demand;
use super::super::carrier::Carrier;
use super::super::load::{Loaded, WrittenKind};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::yaml::Located;

impl Loaded {
    /// A demand for it, with these scopes; `None` if it is broken, or grants no scopes, which is told.
    pub(super) fn demand(
        &self,
        carrier: Carrier,
        scopes: &[Located<String>],
        diagnostics: &mut Diagnostics,
    ) -> Option<Demand> {
        if !self.grants(scopes, diagnostics) {
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

    /// Whether it can grant what is asked for: only tokens have scopes that are seen here.
    pub(super) fn grants(&self, scopes: &[Located<String>], diagnostics: &mut Diagnostics) -> bool {
        let Some(scope) = scopes.first().filter(|_| self.kind != WrittenKind::Jwt) else { return true };
        let (kind, help) = match self.kind {
            WrittenKind::Upstream => (
                "it is `upstream`: the legacy service alone knows what it grants",
                "remove the scope, or name a verifier with `jwt`",
            ),
            WrittenKind::Basic => ("it is `basic`, whose callers have a name alone", NO_SCOPES),
            WrittenKind::ApiKey | WrittenKind::Jwt => {
                ("it is `api_key`, whose callers have a name alone", NO_SCOPES)
            }
        };
        let diagnostic = Diagnostic::error(scope.place, format!("`{}` grants no scopes", self.name.value));
        let diagnostic = diagnostic.also(self.name.place, kind);
        diagnostics.push(match self.kind {
            WrittenKind::Upstream => diagnostic.help(help),
            _ => diagnostic.reason("so nobody could call this operation").help(help),
        });
        false
    }
}

const NO_SCOPES: &str = "remove the scope, or demand a token; `authorize` can tell callers apart by name";
