//! API keys that were given out by name. Only their hashes are known here; a key has 256 random bits, so that a plain
//! hash cannot be turned back.

use std::collections::HashMap;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::caller::{Identity, Scopes};
use super::entries;
use super::failure::Failure;
use super::file::Watched;
use super::state::Entries;
use crate::diagnostic::{Diagnostic, Diagnostics, Place};

const HELP: &str =
    "write `name: <SHA-256 of the key, 64 hexadecimal digits>`; `natsgate hash-key NAME` makes such a line";

/// A verifier of API keys.
#[derive(Debug)]
pub(super) struct ApiKeys {
    keys: Arc<Watched<Table>>,
}

/// Who has which key. Found by a keyed hash of the hash, and compared in constant time: how long that takes says
/// nothing of the keys that are known.
type Table = HashMap<Fingerprint, Arc<Identity>>;

/// The SHA-256 of a key.
#[derive(Clone, Copy)]
pub(super) struct Fingerprint([u8; 32]);

impl ApiKeys {
    /// Reads the file. What is wrong is told at its place, in the file or where it is named.
    pub(super) fn load(
        verifier: &Arc<str>,
        path: &Path,
        place: Place,
        diagnostics: &mut Diagnostics,
    ) -> Option<ApiKeys> {
        let verifier = Arc::clone(verifier);
        let parse =
            move |path: &Path, text, diagnostics: &mut Diagnostics| table(&verifier, path, text, diagnostics);
        let keys = Watched::load(path, place, Box::new(parse), diagnostics)?;
        Some(ApiKeys { keys: Arc::new(keys) })
    }

    /// Whose key it is.
    pub(super) fn verify(&self, key: &str) -> Result<Arc<Identity>, Failure> {
        let known = self.keys.get().get(&Fingerprint::of(key)).cloned();
        known.ok_or(Failure::Invalid("the key is not known"))
    }

    /// Keeps the keys current, for ever.
    pub(super) async fn watch(&self) {
        Arc::clone(&self.keys).watch(|_, _| {}).await;
    }

    /// What `/ready` tells.
    pub(super) fn state(&self) -> Value {
        json!({ "kind": "api_key", "keys": self.entries().json() })
    }

    /// Its keys.
    pub(super) fn entries(&self) -> Entries {
        self.keys.freshness().with(self.keys.get().len())
    }
}

fn table(verifier: &Arc<str>, path: &Path, text: String, diagnostics: &mut Diagnostics) -> Option<Table> {
    let read =
        |_: &str, hash: &str| Fingerprint::parse(hash).ok_or("this is not the hash of a key".to_owned());
    let entries = entries::read(path, text, HELP, diagnostics, read)?;
    let mut places: HashMap<Fingerprint, Place> = HashMap::new();
    let mut table = Table::new();
    for (name, place, hash) in entries {
        if let Some(earlier) = places.insert(hash, place) {
            let diagnostic = Diagnostic::error(place, "two names have the same key")
                .also(earlier, "the other one")
                .help("make a key of its own for one of them: `natsgate hash-key NAME`");
            diagnostics.push(diagnostic);
            return None;
        }
        table.insert(hash, Arc::new(Identity::new(verifier, "", name, Scopes::none(), None)));
    }
    Some(table)
}

impl Fingerprint {
    /// Of a key.
    pub(super) fn of(key: &str) -> Fingerprint {
        Fingerprint(Sha256::digest(key.as_bytes()).into())
    }

    fn parse(text: &str) -> Option<Fingerprint> {
        let mut hash = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        for (index, byte) in hash.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
        }
        text.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(Fingerprint(hash))
    }
}

/// In hexadecimal.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl PartialEq for Fingerprint {
    fn eq(&self, other: &Fingerprint) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Fingerprint {}

impl Hash for Fingerprint {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_64_digits() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(Fingerprint::of("").to_string(), empty);
        assert!(Fingerprint::parse(&empty.to_uppercase()).unwrap() == Fingerprint::of(""));
        for text in
            ["", &empty[1..], &format!("{empty}0"), &empty.replace('e', "g"), &empty.replace("e3", "+3")]
        {
            assert!(Fingerprint::parse(text).is_none(), "{text}");
        }
    }
}
