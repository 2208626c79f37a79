//! Who sent a request: the value that later stages and expressions read. Proving it is not done here.

use std::sync::Arc;

use crate::expression::CallerInfo;
use crate::json::{Document, write_string};

/// Who sent a request. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Caller {
    /// `None`: nobody was asked, or nobody is known where that is allowed.
    identity: Option<Arc<Identity>>,
}

/// Who somebody is, once that has been verified.
#[derive(Debug)]
pub struct Identity {
    /// Tells callers apart, over all verifiers and the issuers of each. Not for people: see [`Identity::name`].
    pub key: String,
    /// The token's subject, the name of an API key, or of a user.
    pub name: String,
    /// Who vouches for it: a name under `security`.
    pub verifier: Arc<str>,
    /// What was granted.
    pub scopes: Scopes,
    /// The claims of a token, as they came.
    pub claims: Option<Document>,
}

/// What was granted to a caller, kept in the two forms in which it is asked for.
#[derive(Debug)]
pub struct Scopes {
    names: Vec<String>,
    json: String,
}

impl Caller {
    /// Somebody who is known.
    pub fn known(identity: Arc<Identity>) -> Caller {
        Caller { identity: Some(identity) }
    }

    /// Separates what belongs to one caller from what belongs to another: idempotency keys, rates. Callers that are
    /// not authenticated share one space, the empty one.
    pub fn key_space(&self) -> &str {
        self.identity().map_or("", |identity| &identity.key)
    }

    /// Who it is, if that is known.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_deref()
    }

    /// What expressions read of it.
    pub fn info(&self) -> Option<CallerInfo<'_>> {
        let Identity { name, verifier, scopes, claims, .. } = self.identity()?;
        Some(CallerInfo { name, verifier, scopes: &scopes.json, claims: claims.as_ref() })
    }
}

impl Identity {
    /// Somebody whom a verifier knows by a name; `issuer` separates the names of its issuers.
    pub fn new(
        verifier: &Arc<str>,
        issuer: &str,
        name: String,
        scopes: Scopes,
        claims: Option<Document>,
    ) -> Identity {
        let key = key(&[verifier, issuer, &name]);
        Identity { key, name, verifier: Arc::clone(verifier), scopes, claims }
    }

    /// The caller of a request that had to bring several proofs: this one names it, the first token has the claims,
    /// and whoever differs in any of them is somebody else.
    #[must_use]
    pub fn with(&self, others: &[Arc<Identity>]) -> Identity {
        let all = || std::iter::once(self).chain(others.iter().map(|other| &**other));
        Identity {
            key: key(&all().map(|one| one.key.as_str()).collect::<Vec<_>>()),
            name: self.name.clone(),
            verifier: Arc::clone(&self.verifier),
            scopes: Scopes::new(all().flat_map(|one| one.scopes.names.iter().cloned()).collect()),
            claims: all().find_map(|one| one.claims.clone()),
        }
    }
}

/// Parts with their lengths, so that no two lists look alike, whatever stands in them.
fn key(parts: &[&str]) -> String {
    parts.iter().map(|part| format!("{}:{part}", part.len())).collect()
}

impl Scopes {
    /// Those of a list.
    pub fn new(names: Vec<String>) -> Scopes {
        let mut json = vec![b'['];
        for (index, name) in names.iter().enumerate() {
            if index > 0 {
                json.push(b',');
            }
            write_string(&mut json, name);
        }
        json.push(b']');
        Scopes { names, json: String::from_utf8(json).unwrap_or_default() }
    }

    /// None at all.
    pub fn none() -> Scopes {
        Scopes::new(Vec::new())
    }

    /// Whether one was granted.
    pub fn grants(&self, scope: &str) -> bool {
        self.names.iter().any(|name| name == scope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(verifier: &str, issuer: &str, name: &str) -> Arc<Identity> {
        Arc::new(Identity::new(&verifier.into(), issuer, name.to_owned(), Scopes::none(), None))
    }

    #[test]
    fn no_two_callers_share_a_key_space() {
        let callers = [
            identity("people", "https://a", "ada"),
            identity("people", "https://b", "ada"),
            identity("people", "https://a", "bob"),
            identity("services", "", "ada"),
            identity("people", "", "https://aada"),
            identity("a", "b", "c:d"),
            identity("a", "b:c", "d"),
        ];
        let both: Vec<_> = [[0, 3], [3, 0], [1, 3]]
            .map(|[first, second]| Arc::new(callers[first].with(&[Arc::clone(&callers[second])])))
            .into();
        let all = callers.iter().chain(&both).map(|one| Caller::known(Arc::clone(one)));
        let mut spaces: Vec<String> = all.map(|caller| caller.key_space().to_owned()).collect();
        spaces.push(Caller::default().key_space().to_owned());
        let count = spaces.len();
        spaces.sort();
        spaces.dedup();
        assert_eq!(spaces.len(), count, "{spaces:?}");
    }

    #[test]
    fn scopes_are_a_list_for_expressions() {
        let scopes = Scopes::new(vec!["a".into(), "b\"c".into()]);
        assert_eq!(scopes.json, r#"["a","b\"c"]"#);
        assert!(scopes.grants("a") && !scopes.grants("b"));
        assert_eq!(Scopes::none().json, "[]");
    }
}
