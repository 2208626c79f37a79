//! `security:` as written → verifiers with their keys and users, or what is wrong with those, each at its place.

use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use jsonwebtoken::DecodingKey;
use url::Url;

use super::api_key::ApiKeys;
use super::basic::Users;
use super::jwks::{Address, KeySource};
use super::jwt::{Issuer, IssuerKeys, Jwt};
use super::verifier::{Kind, Origin, Verifier, Verifiers};
use crate::config::{self, JwtIssuer};
use crate::diagnostic::Diagnostics;
use crate::yaml::Located;

/// Where an API key is sent to operations without a contract, unless the verifier says otherwise.
const KEY_HEADER: HeaderName = HeaderName::from_static("x-api-key");

/// A verifier as compiling sees it.
pub(super) struct Loaded {
    pub(super) name: Located<String>,
    pub(super) kind: WrittenKind,
    /// `None`: something is wrong with it, which has been told.
    pub(super) verifier: Option<Arc<Verifier>>,
    /// Asks for its credentials.
    pub(super) challenge: HeaderValue,
    /// Where its keys are sent to operations without a contract.
    pub(super) header: HeaderName,
}

/// What a verifier is written to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WrittenKind {
    Jwt,
    ApiKey,
    Basic,
    /// Nothing: the legacy service does.
    Upstream,
}

impl WrittenKind {
    /// As it is written.
    pub(super) fn name(self) -> &'static str {
        match self {
            WrittenKind::Jwt => "jwt",
            WrittenKind::ApiKey => "api_key",
            WrittenKind::Basic => "basic",
            WrittenKind::Upstream => "upstream",
        }
    }
}

/// Loads one verifier; `None` if it is of no kind, which was told when the file was read. If all is well with it, and a
/// former one is of the same origin, that one goes on.
pub(super) fn load(
    name: &Located<String>,
    written: &Located<config::Verifier>,
    origin: Origin,
    former: Option<&Verifiers>,
    diagnostics: &mut Diagnostics,
) -> Option<Loaded> {
    let shared: Arc<str> = Arc::from(name.value.as_str());
    let mut header = KEY_HEADER;
    let kinds = (&written.jwt, &written.api_key, &written.basic, &written.upstream);
    let (written_kind, scheme, kind) = match kinds {
        (Some(issuers), None, None, None) => {
            // All of them are read, so that every problem is told.
            let issuers: Vec<Option<Issuer>> =
                issuers.iter().map(|one| issuer(one, former, diagnostics)).collect();
            let issuers: Option<Vec<Issuer>> = issuers.into_iter().collect();
            let jwt = issuers.map(|issuers| Kind::Jwt(Jwt::new(Arc::clone(&shared), issuers)));
            (WrittenKind::Jwt, "Bearer", jwt)
        }
        (None, Some(keys), None, None) => {
            let own = keys.header.as_ref().and_then(|name| HeaderName::from_bytes(name.as_bytes()).ok());
            header = own.unwrap_or(header);
            let keys = ApiKeys::load(&shared, &keys.keys.value, keys.keys.place, diagnostics);
            (WrittenKind::ApiKey, "ApiKey", keys.map(Kind::ApiKey))
        }
        (None, None, Some(users), None) => {
            let users = Users::load(&shared, &users.users.value, users.users.place, diagnostics);
            (WrittenKind::Basic, "Basic", users.map(Kind::Basic))
        }
        // Nothing of it runs: it only says that nobody here checks.
        (None, None, None, Some(upstream)) if upstream.value => (WrittenKind::Upstream, "", None),
        _ => return None,
    };
    let charset = if written_kind == WrittenKind::Basic { ", charset=\"UTF-8\"" } else { "" };
    let challenge = HeaderValue::from_str(&format!("{scheme} realm=\"{shared}\"{charset}"));
    Some(Loaded {
        name: name.clone(),
        kind: written_kind,
        verifier: kind.map(|kind| {
            let same = former.and_then(|former| former.same(name, &origin));
            same.unwrap_or_else(|| Arc::new(Verifier { name: shared, kind, origin }))
        }),
        challenge: challenge.unwrap_or(HeaderValue::from_static("Bearer")),
        header,
    })
}

fn issuer(
    written: &Located<JwtIssuer>,
    former: Option<&Verifiers>,
    diagnostics: &mut Diagnostics,
) -> Option<Issuer> {
    let algorithms: Vec<config::Algorithm> = written.algorithms.iter().map(|one| one.value).collect();
    // What is wrong with URLs, authorities and secrets was told when the configuration was read.
    let keys = match (&written.jwks, &written.keys, &written.secret) {
        (Some(url), None, None) => {
            let ca =
                written.ca.as_ref().map(|path| crate::file::read_regular(&path.value)).transpose().ok()?;
            let address = Address { url: Url::parse(url).ok()?, ca };
            let known = former.and_then(|former| former.remote(&address));
            IssuerKeys::Public(known.unwrap_or_else(|| KeySource::remote(address)))
        }
        (None, Some(path), None) => {
            IssuerKeys::Public(KeySource::file(&path.value, path.place, &algorithms, diagnostics)?)
        }
        (None, None, Some(secret)) => {
            IssuerKeys::Secret(DecodingKey::from_secret(secret.read().ok()?.as_bytes()))
        }
        _ => return None,
    };
    Some(Issuer {
        issuer: written.issuer.value.clone(),
        audience: written.audience.iter().map(|one| one.value.clone()).collect(),
        algorithms,
        keys,
        leeway: written.leeway.0,
        scopes: written.scopes.value.clone(),
    })
}
