//! Hashes of passwords: argon2id and bcrypt, as they stand in files.

use argon2::password_hash::phc;
use argon2::{Argon2, Params, PasswordHasher, PasswordVerifier};

use crate::authenticate::random;

/// What a file of users is made of.
pub(super) const HELP: &str =
    "write `name: <bcrypt ($2b$…) or argon2id ($argon2id$…) hash>`; `natsgate hash-password` makes one";

/// The most that checking one password may cost: memory in KiB, passes over it, and the rounds of bcrypt (2^n).
const MOST_MEMORY: u32 = 256 << 10;
const MOST_PASSES: u32 = 16;
const MOST_ROUNDS: u32 = 15;

/// The hash of a password.
pub(super) enum PasswordHash {
    /// By argon2id.
    Argon2(Box<phc::PasswordHash>),
    /// By bcrypt.
    Bcrypt(String),
}

impl std::fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordHash")
    }
}

impl PasswordHash {
    /// Reads a hash. The error says what is wrong with it, without its text.
    pub(super) fn parse(text: &str) -> Result<PasswordHash, String> {
        match text.starts_with("$2") {
            true => bcrypt(text),
            false => argon2(text),
        }
    }

    /// Whether it is the hash of this password. Takes long, and is meant to.
    pub(super) fn is_of(&self, password: &str) -> bool {
        match self {
            PasswordHash::Argon2(hash) => {
                Argon2::default().verify_password(password.as_bytes(), hash.as_ref()).is_ok()
            }
            PasswordHash::Bcrypt(hash) => bcrypt::verify(password, hash).unwrap_or(false),
        }
    }
}

fn bcrypt(text: &str) -> Result<PasswordHash, String> {
    let parts: bcrypt::HashParts = text.parse().map_err(|_| "this is not a bcrypt hash")?;
    match parts.get_cost() {
        4..=MOST_ROUNDS => Ok(PasswordHash::Bcrypt(text.to_owned())),
        cost => Err(format!("the cost {cost} of this bcrypt hash is not from 4 to {MOST_ROUNDS}")),
    }
}

fn argon2(text: &str) -> Result<PasswordHash, String> {
    let wrong = || "this is not the hash of a password".to_owned();
    let hash = phc::PasswordHash::new(text).map_err(|_| wrong())?;
    if hash.algorithm.as_str() != "argon2id" || hash.salt.is_none() || hash.hash.is_none() {
        return Err(wrong());
    }
    let params = Params::try_from(&hash).map_err(|_| wrong())?;
    if params.m_cost() > MOST_MEMORY || params.t_cost() > MOST_PASSES {
        return Err(format!(
            "checking this hash would take more than {MOST_MEMORY} KiB or {MOST_PASSES} passes"
        ));
    }
    Ok(PasswordHash::Argon2(Box::new(hash)))
}

/// The argon2id hash of a password, with a fresh salt, as it is written into a file of users.
///
/// # Errors
/// If the password is longer than the algorithm takes, or the system has no random bytes.
pub fn hash(password: &str) -> Result<String, String> {
    let salt: [u8; 16] = random::bytes().map_err(|error| error.to_string())?;
    let hash: phc::PasswordHash = Argon2::default()
        .hash_password_with_salt(password.as_bytes(), &salt)
        .map_err(|error| error.to_string())?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARGON2: &str =
        "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$2pLOZCGbmIV0fSM2EWZpZ1wh9uUbMFy7jdDpZcGG2ZU";

    #[test]
    fn hashes_are_read_and_their_cost_is_bounded() {
        let bcrypt = bcrypt::hash("pass word", 4).unwrap();
        assert!(PasswordHash::parse(&bcrypt).unwrap().is_of("pass word"));
        assert!(PasswordHash::parse(&bcrypt.replace("$2b$", "$2y$")).unwrap().is_of("pass word"));
        assert!(!PasswordHash::parse(&bcrypt).unwrap().is_of("pass words"));
        let parsed = PasswordHash::parse(ARGON2).unwrap();
        assert!(!parsed.is_of("anything"));
        for text in [
            "",
            "secret",
            "$2b$",
            "$2b$99$",
            &bcrypt[1..],
            &bcrypt.replace("$04$", "$31$"),
            &ARGON2.replace("argon2id", "argon2i"),
            &ARGON2.replace("m=64", "m=4194304"),
            &ARGON2.replace("t=1", "t=1000"),
            "$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ",
        ] {
            let error = PasswordHash::parse(text).unwrap_err();
            assert!(text.is_empty() || !error.contains(text), "{error}");
        }
    }
}
