//! What the command line makes for files of keys and of users.

use std::io;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::api_key::Fingerprint;
use super::random;

pub use super::basic::hash_password;

/// Before each key, so that one that has leaked is known for what it is.
const PREFIX: &str = "natsgate_";

/// The shortest key that is given out elsewhere, in bytes: its hash is a plain one, so it must not be guessed.
pub const SHORTEST_KEY: usize = 24;

/// A fresh API key of 256 random bits.
///
/// # Errors
/// If the system has no random bytes.
pub fn api_key() -> io::Result<String> {
    let bytes: [u8; 32] = random::bytes()?;
    Ok(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// The hash of an API key, as it is written into a file of keys.
pub fn hash_key(key: &str) -> String {
    Fingerprint::of(key).to_string()
}
