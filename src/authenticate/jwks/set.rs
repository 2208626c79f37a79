//! A set of keys, from a JSON document (RFC 7517) or PEM. What cannot be used in it is left out, as the RFC asks.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::key::{Jwk, Key};
use crate::config::Algorithm;

/// Keys of one issuer. The largest issuers have some dozens.
const MOST_KEYS: usize = 256;

/// Keys that are tried for one token that does not name its key.
const MOST_TRIES: usize = 8;

/// The keys of an issuer at one time.
#[derive(Debug, Default)]
pub(super) struct Keys(Vec<Arc<Key>>);

/// How looking for the key of a token ended.
#[derive(Debug)]
pub(super) enum Found {
    /// This key has signed it.
    Signed(Arc<Key>),
    /// No key has its name: the set may be old.
    Unknown,
    /// The key that it names has not signed it.
    Forged,
}

#[derive(Deserialize)]
struct Document<'a> {
    #[serde(borrow)]
    keys: Vec<&'a RawValue>,
}

impl Keys {
    /// Reads a set. The error says what is wrong with it, without its text.
    pub(super) fn parse(text: &str) -> Result<Keys, String> {
        let keys = match text.trim_start().starts_with("-----BEGIN ") {
            true => pem(text)?,
            false => json(text)?,
        };
        if keys.len() > MOST_KEYS {
            return Err(format!("there are more than {MOST_KEYS} keys in it"));
        }
        if keys.is_empty() {
            return Err("no key in it can verify a signature of the algorithms known here".to_owned());
        }
        Ok(Keys(keys.into_iter().map(Arc::new).collect()))
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether any of them fits one of the algorithms.
    pub(super) fn fits_any(&self, algorithms: &[Algorithm]) -> bool {
        self.0.iter().any(|key| algorithms.iter().any(|algorithm| key.fits(*algorithm)))
    }

    /// Looks for the key that has signed a message. A name is compared, and nothing else is made of it; keys without
    /// a name, as those in PEM, are tried too.
    pub(super) fn find(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
        message: &str,
        signature: &str,
    ) -> Found {
        let named = || self.0.iter().filter(|key| id.is_some() && key.id.as_deref() == id);
        let others = self.0.iter().filter(|key| id.is_none() || key.id.is_none());
        let candidates = named().chain(others).filter(|key| key.fits(algorithm));
        let signed = |key: &&Arc<Key>| key.verifies(algorithm, message, signature);
        match candidates.take(MOST_TRIES).find(signed) {
            Some(key) => Found::Signed(Arc::clone(key)),
            None if named().next().is_some() => Found::Forged,
            None => Found::Unknown,
        }
    }

    /// Whether two sets hold the same keys.
    pub(super) fn is_same(&self, other: &Keys) -> bool {
        let held = |key: &Arc<Key>| other.0.iter().any(|one| one.is(key));
        self.0.len() == other.0.len() && self.0.iter().all(held)
    }

    /// Takes over from a former set: a key that is in both stays the same one, so that what it has verified holds,
    /// and the others are revoked.
    pub(super) fn succeed(&mut self, former: &Keys) {
        for old in &former.0 {
            match self.0.iter_mut().find(|new| new.is(old)) {
                Some(new) => *new = Arc::clone(old),
                None => old.revoke(),
            }
        }
    }
}

fn json(text: &str) -> Result<Vec<Key>, String> {
    let document: Document<'_> = serde_json::from_str(text).map_err(|error| {
        let what = if error.is_data() { "no key set (an object with `keys`)" } else { "no valid JSON" };
        format!("it is {what}")
    })?;
    let keys = document.keys.into_iter().take(MOST_KEYS + 1);
    Ok(keys.filter_map(|key| Key::of(serde_json::from_str::<Jwk>(key.get()).ok()?)).collect())
}

/// Public keys in PEM, one after another.
fn pem(text: &str) -> Result<Vec<Key>, String> {
    let mut keys = Vec::new();
    for (number, block) in (1..).zip(text.split("-----BEGIN ").skip(1).take(MOST_KEYS + 1)) {
        let (label, _) = block.split_once("-----").unwrap_or((block, ""));
        let complaint = match label {
            "PUBLIC KEY" | "RSA PUBLIC KEY" => match Key::of_pem(&format!("-----BEGIN {block}")) {
                Some(key) => {
                    keys.push(key);
                    continue;
                }
                None => "is no RSA key of 2048 bits or more, no P-256, P-384 or Ed25519 key",
            },
            label if label.ends_with("PRIVATE KEY") => "is a private key: put the public one there",
            "CERTIFICATE" => "is a certificate: put its public key there (openssl x509 -pubkey -noout)",
            _ => "is no public key",
        };
        return Err(format!("block {number} {complaint}"));
    }
    Ok(keys)
}
