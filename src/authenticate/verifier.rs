//! The verifiers of a configuration: who says whether a caller is who it claims to be.

use std::sync::Arc;
use std::time::SystemTime;

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::api_key::ApiKeys;
use super::basic::Users;
use super::caller::Identity;
use super::failure::Failure;
use super::jwks::{Address, KeySource};
use super::jwt::Jwt;
use super::state::Entries;
use crate::config;

/// One verifier.
#[derive(Debug)]
pub(super) struct Verifier {
    pub(super) name: Arc<str>,
    pub(super) kind: Kind,
    /// What it was made from.
    pub(super) origin: Origin,
}

/// What a verifier is made from: two of the same are one, with everything that it knows and remembers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    written: [u8; 32],
    /// Of secrets and authorities, which are read once. Files of keys and users are looked at all the time.
    beside: [u8; 32],
}

impl Origin {
    /// Reads what is beside the configuration, blocking. What cannot be read is told elsewhere.
    pub(super) fn of(verifier: &config::Verifier, written: [u8; 32]) -> Origin {
        let mut beside = Sha256::new();
        for issuer in verifier.jwt.iter().flat_map(|issuers| issuers.iter()) {
            let secret = issuer.secret.as_ref().and_then(|secret| secret.read().ok());
            let ca = issuer.ca.as_ref().and_then(|path| crate::file::read_regular(&path.value).ok());
            for content in [secret.map(String::into_bytes), ca] {
                let content = content.unwrap_or_default();
                beside.update((content.len() as u64).to_le_bytes());
                beside.update(content);
            }
        }
        Origin { written, beside: beside.finalize().into() }
    }
}

/// What it checks.
#[derive(Debug)]
pub(super) enum Kind {
    /// Tokens.
    Jwt(Jwt),
    /// Keys.
    ApiKey(ApiKeys),
    /// Users with passwords.
    Basic(Users),
}

/// All verifiers that operations use. Clones share their keys, users, and what they remember.
#[derive(Debug, Clone, Default)]
pub struct Verifiers(Vec<Arc<Verifier>>);

impl Verifier {
    /// As the configuration names it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Whether its callers have claims.
    pub(super) fn gives_claims(&self) -> bool {
        matches!(self.kind, Kind::Jwt(_))
    }

    /// Who these credentials are of, at this time of day.
    pub(super) async fn verify(
        &self,
        credentials: &str,
        now: SystemTime,
        deadline: Instant,
    ) -> Result<Arc<Identity>, Failure> {
        match &self.kind {
            Kind::Jwt(jwt) => jwt.verify(credentials, now, deadline).await,
            Kind::ApiKey(keys) => keys.verify(credentials),
            Kind::Basic(users) => users.verify(credentials, deadline).await,
        }
    }

    async fn watch(&self) {
        match &self.kind {
            Kind::Jwt(jwt) => jwt.watch().await,
            Kind::ApiKey(keys) => keys.watch().await,
            Kind::Basic(users) => users.watch().await,
        }
    }
}

impl Verifiers {
    pub(super) fn new(verifiers: Vec<Arc<Verifier>>) -> Verifiers {
        Verifiers(verifiers)
    }

    /// The one of a name, if it is of this origin.
    pub(super) fn same(&self, name: &str, origin: &Origin) -> Option<Arc<Verifier>> {
        self.0.iter().find(|known| *known.name == *name && known.origin == *origin).cloned()
    }

    /// The keys at an address, if they are known.
    pub(super) fn remote(&self, address: &Address) -> Option<KeySource> {
        let tokens = self.0.iter().filter_map(|verifier| match &verifier.kind {
            Kind::Jwt(jwt) => Some(jwt),
            Kind::ApiKey(_) | Kind::Basic(_) => None,
        });
        tokens.flat_map(Jwt::sources).find(|source| source.is_at(address)).cloned()
    }

    /// The keys or users of each verifier, and of each issuer of it (an empty name where it has none).
    pub fn entries(&self) -> Vec<(&str, &str, Entries)> {
        let mut all = Vec::new();
        for verifier in &self.0 {
            match &verifier.kind {
                Kind::Jwt(jwt) => {
                    all.extend(jwt.entries().map(|(issuer, entries)| (verifier.name(), issuer, entries)));
                }
                Kind::ApiKey(keys) => all.push((verifier.name(), "", keys.entries())),
                Kind::Basic(users) => all.push((verifier.name(), "", users.entries())),
            }
        }
        all
    }

    /// What `/ready` tells: for each verifier how many keys or users there are, how old they are, and what went wrong
    /// with them last.
    pub fn state(&self) -> Value {
        let state = |verifier: &Arc<Verifier>| {
            let state = match &verifier.kind {
                Kind::Jwt(jwt) => jwt.state(),
                Kind::ApiKey(keys) => keys.state(),
                Kind::Basic(users) => users.state(),
            };
            (verifier.name.to_string(), state)
        };
        Value::Object(self.0.iter().map(state).collect())
    }
}

/// The verifiers that are kept current: keys are fetched and files looked at, again and again. Until somebody does, no
/// key set is ever loaded. Dropped, it ends.
#[derive(Debug, Default)]
pub struct Watching(Vec<(Arc<Verifier>, AbortOnDropHandle<()>)>);

impl Watching {
    /// From now on these, and no others; those that go on are not disturbed. To be called inside a tokio runtime.
    pub fn follow(&mut self, verifiers: &Verifiers) {
        self.0.retain(|(known, _)| verifiers.0.iter().any(|one| Arc::ptr_eq(one, known)));
        for verifier in &verifiers.0 {
            if !self.0.iter().any(|(known, _)| Arc::ptr_eq(known, verifier)) {
                let watched = Arc::clone(verifier);
                let task = tokio::spawn(async move { watched.watch().await });
                self.0.push((Arc::clone(verifier), AbortOnDropHandle::new(task)));
            }
        }
    }
}
