//! The key sets of issuers: where the keys of tokens come from, and how they stay current.
//!
//! A set is fetched in the background and kept until a better one is there. A token with a key that nobody knows
//! asks for one more fetch, for all who wait together, and not again for a while: whoever sends nonsense cannot make
//! the gateway flood an issuer.

mod fetch;
mod key;
mod remote;
mod set;

use std::path::Path;
use std::sync::Arc;

use tokio::time::Instant;

use super::file::Watched;
use super::state::Entries;
use crate::config::Algorithm;
use crate::diagnostic::{Diagnostic, Diagnostics, Place};
pub(super) use fetch::Address;
use remote::Remote;
use set::{Found, Keys};

pub(super) use key::verifies;

/// Where keys come from. Clones share them.
#[derive(Debug, Clone)]
pub(super) enum KeySource {
    /// A URL.
    Remote(Arc<Remote>),
    /// A file.
    File(FileKeys),
}

/// Keys in a file.
#[derive(Debug, Clone)]
pub(super) struct FileKeys(Arc<Watched<Keys>>);

/// A key that has signed a token. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct SigningKey(Arc<key::Key>);

/// Why no key has signed it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoKey {
    /// Its key is in no set.
    Unknown,
    /// The key that it names has not signed it.
    Forged,
    /// There never was a set.
    NeverLoaded,
}

/// What somebody wants to know of a token.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signed<'a> {
    pub(super) key_id: Option<&'a str>,
    pub(super) algorithm: Algorithm,
    pub(super) message: &'a str,
    pub(super) signature: &'a str,
}

impl SigningKey {
    /// Whether the key still is in its set.
    pub(super) fn is_current(&self) -> bool {
        !self.0.is_revoked()
    }
}

impl KeySource {
    /// Keys in a file, read now. What is wrong with it is told at the place that names it.
    pub(super) fn file(
        path: &Path,
        place: Place,
        algorithms: &[Algorithm],
        diagnostics: &mut Diagnostics,
    ) -> Option<KeySource> {
        let algorithms = algorithms.to_vec();
        let parse = move |path: &Path, text: String, diagnostics: &mut Diagnostics| {
            let fit = |keys: Keys| match keys.fits_any(&algorithms) {
                true => Ok(keys),
                false => Err("no key in it fits one of the `algorithms`".to_owned()),
            };
            let keys = Keys::parse(&text).and_then(fit);
            keys.map_err(|message| {
                let file = Place::file(diagnostics.add_source(path, ""));
                let help = "give a key set in JSON (RFC 7517), or public keys in PEM, one after another";
                let message = format!("these keys cannot be used: {message}");
                diagnostics.push(Diagnostic::error(file, message).also(place, "named here").help(help));
            })
            .ok()
        };
        let keys = Watched::load(path, place, Box::new(parse), diagnostics)?;
        Some(KeySource::File(FileKeys(Arc::new(keys))))
    }

    /// Keys at a URL, fetched once somebody [watches](Self::watch).
    pub(super) fn remote(address: Address) -> KeySource {
        KeySource::Remote(Arc::new(Remote::new(address)))
    }

    /// Whether these are the keys at an address.
    pub(super) fn is_at(&self, address: &Address) -> bool {
        matches!(self, KeySource::Remote(remote) if remote.address == *address)
    }

    /// Keeps the keys current, for ever.
    pub(super) async fn watch(&self) {
        match self {
            KeySource::Remote(remote) => remote.watch().await,
            KeySource::File(FileKeys(watched)) => Arc::clone(watched).watch(Keys::succeed).await,
        }
    }

    /// The key that has signed a token. Waits, not longer than until the deadline, if a fetch can bring it.
    pub(super) async fn find(&self, signed: Signed<'_>, deadline: Instant) -> Result<SigningKey, NoKey> {
        match self {
            KeySource::File(FileKeys(watched)) => look(Some(&watched.get()), signed),
            KeySource::Remote(remote) => remote.find(signed, deadline).await,
        }
    }

    /// How many keys there are, and how old they are.
    pub(super) fn entries(&self) -> Entries {
        match self {
            KeySource::File(FileKeys(watched)) => watched.freshness().with(watched.get().len()),
            KeySource::Remote(remote) => remote.freshness.with(remote.count()),
        }
    }
}

fn look(keys: Option<&Keys>, signed: Signed<'_>) -> Result<SigningKey, NoKey> {
    let Signed { key_id, algorithm, message, signature } = signed;
    match keys.ok_or(NoKey::NeverLoaded)?.find(key_id, algorithm, message, signature) {
        Found::Signed(key) => Ok(SigningKey(key)),
        Found::Unknown => Err(NoKey::Unknown),
        Found::Forged => Err(NoKey::Forged),
    }
}
