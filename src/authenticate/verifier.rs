//! The verifiers of a configuration: who says whether a caller is who it claims to be.

use std::sync::Arc;
use std::time::SystemTime;

use serde_json::Value;
use tokio::time::Instant;

use super::api_key::ApiKeys;
use super::basic::Users;
use super::caller::Identity;
use super::failure::Failure;
use super::jwt::Jwt;

/// One verifier.
#[derive(Debug)]
pub(super) struct Verifier {
    pub(super) name: Arc<str>,
    pub(super) kind: Kind,
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

    /// Fetches keys and looks at files again and again, for ever. Until somebody does, no key set is ever loaded.
    pub async fn watch(self) {
        futures_util::future::join_all(self.0.iter().map(|verifier| verifier.watch())).await;
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
