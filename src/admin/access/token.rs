//! The token of the admin listener: kept as its hash, compared in constant time, read again when its file has changed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout};

use crate::config::{Secret, SecretError, token_fault};

/// Between two looks at a file.
const LOOK: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Token {
    source: Secret,
    hash: ArcSwap<Hash>,
    looked: Mutex<Looked>,
    /// One look at a time: each of a disk that hangs keeps a thread.
    looks: Arc<Semaphore>,
}

#[derive(Debug)]
struct Looked {
    at: Instant,
    /// What was wrong with the file then: told once.
    fault: Option<String>,
}

struct Hash([u8; 32]);

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hash(…)")
    }
}

impl Hash {
    fn of(text: &str) -> Hash {
        Hash(Sha256::digest(text.as_bytes()).into())
    }
}

impl Token {
    /// Reads it for the first time, blocking. That it is a token has been seen when the configuration was checked.
    pub(super) fn read(source: Secret) -> Result<Token, SecretError> {
        let hash = Hash::of(&source.read()?);
        let looked = Looked { at: Instant::now(), fault: None };
        let looks = Arc::new(Semaphore::new(1));
        Ok(Token { source, hash: ArcSwap::from_pointee(hash), looked: Mutex::new(looked), looks })
    }

    /// Whether this is it. How long that takes says nothing of how much of it is right.
    pub(super) async fn is(&self, given: &str) -> bool {
        self.look_again().await;
        Hash::of(given).0.ct_eq(&self.hash.load().0).into()
    }

    /// Reads the file again, where it is one, now and then. One that cannot be used leaves the former token in use.
    async fn look_again(&self) {
        if !matches!(self.source, Secret::File(_)) || !self.is_due() {
            return;
        }
        let Ok(look) = Arc::clone(&self.looks).try_acquire_owned() else { return };
        let source = self.source.clone();
        // A disk that hangs must not hold up whoever comes with the token.
        let Ok(Ok(read)) = timeout(LOOK, spawn_blocking(move || (source.read(), look).0)).await else {
            return;
        };
        let fault = match &read {
            Ok(text) => token_fault(text),
            Err(error) => Some(error.to_string()),
        };
        if let (Ok(text), None) = (&read, &fault) {
            self.hash.store(Hash::of(text).into());
        }
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(fault), true) = (&fault, looked.fault != fault) {
            tracing::error!(fault, "the admin token cannot be read again, and the last one stays");
        }
        looked.fault = fault;
    }

    /// Whether it is time for a look; whoever is told so has to look.
    fn is_due(&self) -> bool {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        let due = looked.at.elapsed() >= LOOK;
        if due {
            looked.at = Instant::now();
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_that_hangs_is_looked_at_once_and_holds_up_nobody_after_that() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "correct-horse-battery-staple").unwrap();
        let token = Token::read(Secret::File(path.clone())).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
        let mut found = Vec::new();
        for wait in [LOOK * 2, LOOK / 2] {
            token.looked.lock().unwrap().at = Instant::now().checked_sub(LOOK).unwrap();
            found.push(timeout(wait, token.is("correct-horse-battery-staple")).await);
        }
        // Lets the thread go.
        std::fs::write(&path, "another-token-of-the-right-length").unwrap();
        assert_eq!(found, [Ok(true), Ok(true)]);
    }
}
