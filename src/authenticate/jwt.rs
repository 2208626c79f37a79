//! Bearer tokens (RFC 7519): issuers, and what their tokens have to say.
//!
//! Nothing that a token says of itself is believed before its signature holds: its issuer chooses among those of the
//! configuration, its algorithm must be one that the configuration names for that issuer and that the key is for, and
//! the name of its key is compared with those of the set. Keys, certificates and URLs in a token are not looked at.
//!
//! A token is verified once, in some tens of microseconds on the task of its request, and then remembered until it
//! expires or its key leaves its set.

mod claims;
mod token;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jsonwebtoken::DecodingKey;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::cache::Cache;
use super::caller::Identity;
use super::failure::Failure;
use super::jwks::{KeySource, NoKey, Signed, SigningKey, verifies};
use super::state::Entries;
use crate::config::Algorithm;
use claims::Claims;
use token::Token;

/// Verified tokens of one verifier, in bytes.
const REMEMBERED: usize = 32 << 20;
/// What an entry takes beside the token and its claims.
const OVERHEAD: usize = 512;
/// The longest token, in bytes.
const LONGEST: usize = 8 << 10;

/// A verifier of tokens.
#[derive(Debug)]
pub(super) struct Jwt {
    verifier: Arc<str>,
    issuers: Vec<Issuer>,
    verified: Cache<Box<[u8]>, Verified>,
}

/// One issuer.
#[derive(Debug)]
pub(super) struct Issuer {
    pub(super) issuer: String,
    pub(super) audience: Vec<String>,
    pub(super) algorithms: Vec<Algorithm>,
    pub(super) keys: IssuerKeys,
    pub(super) leeway: Duration,
    /// The claim with the scopes, or a JSON Pointer to it.
    pub(super) scopes: String,
}

/// What an issuer's signatures are verified with.
#[derive(Debug)]
pub(super) enum IssuerKeys {
    /// Public keys.
    Public(KeySource),
    /// A secret that the issuer shares, for HMAC. Its `Debug` shows nothing.
    Secret(DecodingKey),
}

/// A token that was verified.
#[derive(Debug, Clone)]
struct Verified {
    identity: Arc<Identity>,
    until: SystemTime,
    /// `None`: verified with a secret.
    key: Option<SigningKey>,
}

impl Jwt {
    pub(super) fn new(verifier: Arc<str>, issuers: Vec<Issuer>) -> Jwt {
        Jwt { verifier, issuers, verified: Cache::new(REMEMBERED) }
    }

    /// Who a token is of. Waits, not longer than until the deadline, only for keys that are being fetched.
    pub(super) async fn verify(
        &self,
        text: &str,
        now: SystemTime,
        deadline: Instant,
    ) -> Result<Arc<Identity>, Failure> {
        let holds =
            |known: &Verified| now < known.until && known.key.as_ref().is_none_or(SigningKey::is_current);
        if let Some(known) = self.verified.get(text.as_bytes(), holds) {
            return Ok(known.identity);
        }
        if text.len() > LONGEST {
            return Err(Failure::Invalid("the token is too long"));
        }
        let token = Token::parse(text)?;
        let claims = Claims::parse(token.payload)?;
        let issuer =
            self.issuers.iter().find(|known| claims.issuer().is_some_and(|issuer| issuer == known.issuer));
        let issuer = issuer.ok_or(Failure::Invalid("the token is of another issuer"))?;
        let key = issuer.signed(&token, deadline).await?;
        let until = claims.check(issuer, now)?;
        let identity = Arc::new(claims.identity(&self.verifier, issuer)?);
        let known = Verified { identity: Arc::clone(&identity), until, key };
        self.verified.insert(text.as_bytes().into(), known, 2 * text.len() + OVERHEAD);
        Ok(identity)
    }

    /// Keeps the keys of its issuers current, for ever.
    pub(super) async fn watch(&self) {
        futures_util::future::join_all(self.sources().map(KeySource::watch)).await;
    }

    /// Where the public keys of its issuers come from.
    pub(super) fn sources(&self) -> impl Iterator<Item = &KeySource> {
        self.issuers.iter().filter_map(|issuer| match &issuer.keys {
            IssuerKeys::Public(source) => Some(source),
            IssuerKeys::Secret(_) => None,
        })
    }

    /// What `/ready` tells.
    pub(super) fn state(&self) -> Value {
        let issuers = self.issuers.iter().map(|issuer| {
            let keys = match &issuer.keys {
                IssuerKeys::Public(source) => source.entries().json(),
                IssuerKeys::Secret(_) => json!("a shared secret"),
            };
            json!({ "issuer": issuer.issuer, "keys": keys })
        });
        json!({ "kind": "jwt", "issuers": issuers.collect::<Vec<_>>() })
    }

    /// The keys of each issuer that has some to read.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, Entries)> {
        self.issuers.iter().filter_map(|issuer| match &issuer.keys {
            IssuerKeys::Public(source) => Some((issuer.issuer.as_str(), source.entries())),
            IssuerKeys::Secret(_) => None,
        })
    }
}

impl Issuer {
    /// The key that has signed a token, if one of this issuer has, by an algorithm that is allowed.
    async fn signed(&self, token: &Token<'_>, deadline: Instant) -> Result<Option<SigningKey>, Failure> {
        let algorithm = self.algorithms.iter().find(|known| known.name() == token.algorithm);
        let algorithm = *algorithm.ok_or(Failure::Invalid("the token's algorithm is not accepted"))?;
        let Token { message, signature, key_id, .. } = token;
        let forged = Failure::Invalid("the token's signature is not valid");
        match &self.keys {
            IssuerKeys::Secret(secret) => {
                let genuine =
                    algorithm == Algorithm::HS256 && verifies(secret, algorithm, message, signature);
                if genuine { Ok(None) } else { Err(forged) }
            }
            IssuerKeys::Public(source) => {
                let signed = Signed { key_id: key_id.as_deref(), algorithm, message, signature };
                source.find(signed, deadline).await.map(Some).map_err(|none| match none {
                    NoKey::Forged => forged,
                    NoKey::Unknown => Failure::Invalid("the token's key is not known"),
                    NoKey::NeverLoaded => Failure::KeysUnavailable,
                })
            }
        }
    }
}
