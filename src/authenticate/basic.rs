//! Users with passwords. Checking a password is made to be slow, so it is done apart from requests, by a few at a
//! time, and what was right is remembered for a while.

mod password;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};

use super::cache::Cache;
use super::caller::{Identity, Scopes};
use super::entries;
use super::failure::Failure;
use super::file::{self, Watched};
use super::random;
use super::state::Entries;
use crate::diagnostic::{Diagnostics, Place};

use password::PasswordHash;
pub use password::hash as hash_password;

/// How long a password that was right is not checked again.
const REMEMBERED: Duration = Duration::from_secs(300);
/// What remembering takes, in bytes for all and for one.
const REMEMBERED_BYTES: (usize, usize) = (1 << 20, 128);
/// Requests that may wait for a password to be checked, beside those whose is.
const MOST_WAITING: usize = 32;
/// The longest credentials, decoded, in bytes.
const LONGEST: usize = 1_024;

const MALFORMED: Failure = Failure::Invalid("the credentials are malformed");
const WRONG: Failure = Failure::Invalid("the user or the password is wrong");

/// Padding is optional: clients differ.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A verifier of users.
#[derive(Debug)]
pub(super) struct Users {
    users: Arc<Watched<Table>>,
    /// Places for those who are checked or wait for that.
    places: Semaphore,
    /// Those who are checked: as many as there are processors.
    checking: Arc<Semaphore>,
}

/// The users of one version of the file. What was right goes with it.
#[derive(Debug)]
struct Table {
    users: HashMap<String, User>,
    /// Those of the users, for callers who are none of them.
    hashes: Vec<Arc<PasswordHash>>,
    right: Cache<[u8; 32], (Arc<Identity>, Instant)>,
    /// Keys what is remembered, so that it is of no use to anybody else.
    key: [u8; 32],
}

#[derive(Debug)]
struct User {
    identity: Arc<Identity>,
    hash: Arc<PasswordHash>,
}

impl Users {
    /// Reads the file. What is wrong is told at its place, in the file or where it is named.
    pub(super) fn load(
        verifier: &Arc<str>,
        path: &Path,
        place: Place,
        diagnostics: &mut Diagnostics,
    ) -> Option<Users> {
        let verifier = Arc::clone(verifier);
        let parse = move |path: &Path, text, diagnostics: &mut Diagnostics| {
            let read = |_: &str, hash: &str| PasswordHash::parse(hash);
            let entries = entries::read(path, text, password::HELP, diagnostics, read)?;
            let key =
                random::bytes().map_err(|error| diagnostics.push(file::unreadable(place, &error))).ok()?;
            Some(Table::new(&verifier, entries, key))
        };
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        let users = Watched::load(path, place, Box::new(parse), diagnostics)?;
        Some(Users {
            users: Arc::new(users),
            places: Semaphore::new(processors + MOST_WAITING),
            checking: Arc::new(Semaphore::new(processors)),
        })
    }

    /// Who these credentials are of.
    pub(super) async fn verify(
        &self,
        credentials: &str,
        deadline: Instant,
    ) -> Result<Arc<Identity>, Failure> {
        let decoded = BASE64.decode(credentials).ok().filter(|decoded| decoded.len() <= LONGEST);
        let text = decoded.and_then(|decoded| String::from_utf8(decoded).ok()).ok_or(MALFORMED)?;
        let (name, password) = text.split_once(':').ok_or(MALFORMED)?;
        let table = self.users.get();
        let remembered = table.remembered(name, password);
        if let Some((identity, _)) = table.right.get(&remembered, |(_, until)| Instant::now() < *until) {
            return Ok(identity);
        }
        let user = table.users.get(name);
        // Whoever is no user costs the same time, so that nobody can find out who is one.
        let hash = user.map(|user| &user.hash).or_else(|| table.of_nobody(&remembered)).ok_or(WRONG)?;
        let is_right = self.check(Arc::clone(hash), password.to_owned(), deadline).await?;
        let identity = user.filter(|_| is_right).map(|user| Arc::clone(&user.identity)).ok_or(WRONG)?;
        let entry = (Arc::clone(&identity), Instant::now() + REMEMBERED);
        table.right.insert(remembered, entry, REMEMBERED_BYTES.1);
        Ok(identity)
    }

    /// Whether a password is that of a hash. Over the bound, nobody is checked.
    async fn check(
        &self,
        hash: Arc<PasswordHash>,
        password: String,
        deadline: Instant,
    ) -> Result<bool, Failure> {
        let _place = self.places.try_acquire().map_err(|_| Failure::Overloaded)?;
        let turn = Arc::clone(&self.checking).acquire_owned();
        let Ok(Ok(turn)) = timeout_at(deadline, turn).await else { return Err(Failure::Overloaded) };
        // The turn is over when the check is, even if the client has gone by then.
        let checked = spawn_blocking(move || {
            let is_right = hash.is_of(&password);
            drop(turn);
            is_right
        });
        checked.await.map_err(|_| Failure::Overloaded)
    }

    /// Keeps the users current, for ever.
    pub(super) async fn watch(&self) {
        Arc::clone(&self.users).watch(|_, _| {}).await;
    }

    /// What `/ready` tells.
    pub(super) fn state(&self) -> Value {
        json!({ "kind": "basic", "users": self.entries().json() })
    }

    /// Its users.
    pub(super) fn entries(&self) -> Entries {
        self.users.freshness().with(self.users.get().users.len())
    }
}

impl Table {
    fn new(verifier: &Arc<str>, entries: Vec<(String, Place, PasswordHash)>, key: [u8; 32]) -> Table {
        let user = |(name, _, hash): (String, Place, PasswordHash)| {
            let identity = Arc::new(Identity::new(verifier, "", name.clone(), Scopes::none(), None));
            (name, User { identity, hash: Arc::new(hash) })
        };
        let users: HashMap<String, User> = entries.into_iter().map(user).collect();
        let hashes = users.values().map(|user| Arc::clone(&user.hash)).collect();
        Table { users, hashes, right: Cache::new(REMEMBERED_BYTES.0), key }
    }

    /// What is remembered in place of credentials.
    fn remembered(&self, name: &str, password: &str) -> [u8; 32] {
        let mut digest = Sha256::new_with_prefix(self.key);
        digest.update((name.len() as u64).to_be_bytes());
        digest.update(name);
        digest.update(password);
        digest.finalize().into()
    }

    /// A hash for somebody who is no user, the same each time: one of those that the users have.
    fn of_nobody(&self, chosen_by: &[u8; 32]) -> Option<&Arc<PasswordHash>> {
        let [first, second, third, fourth, ..] = *chosen_by;
        let number = u32::from_be_bytes([first, second, third, fourth]) as usize;
        self.hashes.get(number.checked_rem(self.hashes.len())?)
    }
}
