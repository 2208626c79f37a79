//! Secrets as sources: where to read them, never what they are. Nothing here prints a value.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};

use super::elsewhere::Elsewhere;
use crate::file;

/// Where a secret is read from, each time that it is needed: a rotated one is seen at the next reconnect.
#[derive(Clone, PartialEq, Eq)]
pub enum Secret {
    /// Written in the configuration itself.
    Literal(String),
    /// An environment variable.
    Env(String),
    /// A file; the newline at its end does not count.
    File(PathBuf),
}

/// A NATS credentials file: its path as text or `{file: …}`, or a variable that holds the path or the content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials(pub Secret);

/// Why a secret cannot be read. Names the source, never the content.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The variable is not there, or is not UTF-8.
    #[error("the environment variable `{0}` is not set")]
    Env(String),
    /// What should be the name of a variable cannot be one, and may be the secret itself.
    #[error("this is not the name of an environment variable")]
    BadName,
    /// The file cannot be read, or is not UTF-8.
    #[error("the file `{}` cannot be read: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A variable that should hold the path of a credentials file, or its content. May hold half of a secret.
    #[error(
        "the environment variable `{name}` holds no credentials, and no path of a file that can be read: {reason}"
    )]
    PathIn {
        /// The variable.
        name: String,
        /// Why the file cannot be read.
        reason: String,
    },
    /// There is nothing in it.
    #[error("{0} is empty")]
    Empty(String),
}

impl Secret {
    /// Reads the secret now. A file is read in full, at most 1 MiB of it, blocking.
    pub fn read(&self) -> Result<String, SecretError> {
        let text = match self {
            Secret::Literal(text) => return Ok(text.clone()),
            Secret::Env(name) if !is_variable(name) => return Err(SecretError::BadName),
            Secret::Env(name) => std::env::var(name).map_err(|_| SecretError::Env(name.clone()))?,
            Secret::File(path) => read_file(path)?,
        };
        match text.is_empty() {
            true => Err(SecretError::Empty(self.to_string())),
            false => Ok(text),
        }
    }
}

impl Credentials {
    /// Reads the content of the credentials file now. A path in a variable is relative to the working directory.
    pub fn read(&self) -> Result<String, SecretError> {
        let text = self.0.read()?;
        match &self.0 {
            Secret::Env(name) if !text.contains("-----BEGIN ") => {
                let failed =
                    |error: io::Error| SecretError::PathIn { name: name.clone(), reason: error.to_string() };
                file::read_text(Path::new(&text), LONGEST).map_err(failed)
            }
            _ => Ok(text),
        }
    }
}

/// Whether this can be the name of an environment variable.
pub(super) fn is_variable(name: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    !name.is_empty() && name.bytes().all(legal) && !name.starts_with(|c: char| c.is_ascii_digit())
}

/// The shortest token of the admin listener, in characters.
const SHORTEST_TOKEN: usize = 24;

/// Why a text is no token of the admin listener, if it is none. Never repeats it.
pub fn token_fault(text: &str) -> Option<String> {
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some("holds something else than visible ASCII characters".to_owned());
    }
    (text.len() < SHORTEST_TOKEN)
        .then(|| format!("is too short to keep anybody out: {SHORTEST_TOKEN} characters or more"))
}

/// The longest secret, in bytes.
const LONGEST: u64 = 1 << 20;

fn read_file(path: &Path) -> Result<String, SecretError> {
    let failed = |error: io::Error| SecretError::File { path: path.to_owned(), reason: error.to_string() };
    let mut text = file::read_text(path, LONGEST).map_err(failed)?;
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    Ok(text)
}

/// The source, for messages.
impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Secret::Literal(_) => f.write_str("a literal"),
            Secret::Env(name) => write!(f, "the environment variable `{name}`"),
            Secret::File(path) => write!(f, "the file `{}`", path.display()),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({self})")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        deserializer.deserialize_any(SecretVisitor)
    }
}

struct SecretVisitor;

impl<'de> Visitor<'de> for SecretVisitor {
    type Value = Secret;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, { env: NAME } or { file: path }")
    }

    fn visit_str<E>(self, text: &str) -> Result<Secret, E> {
        Ok(Secret::Literal(text.to_owned()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Secret, E> {
        Ok(Secret::Literal(number.to_string()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Secret, A::Error> {
        match Elsewhere::deserialize(MapAccessDeserializer::new(map))? {
            Elsewhere { env: Some(name), file: None } => Ok(Secret::Env(name)),
            Elsewhere { env: None, file: Some(path) } => Ok(Secret::File(path)),
            _ => Err(A::Error::custom("expected one of `env` and `file`")),
        }
    }
}

impl<'de> Deserialize<'de> for Credentials {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Credentials, D::Error> {
        match Secret::deserialize(deserializer)? {
            Secret::Literal(content) if content.contains('\n') => Err(D::Error::custom(
                "this is the content of a credentials file\nwrite its path, or { env: NAME } for a variable that holds the content",
            )),
            Secret::Literal(path) => Ok(Credentials(Secret::File(path.into()))),
            elsewhere => Ok(Credentials(elsewhere)),
        }
    }
}

macro_rules! text_or_elsewhere {
    ($($name:ident),*) => { $(
        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            // The section's transform adds `{ env }` and `{ file }`, as for every scalar in it.
            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                String::json_schema(generator)
            }
        }
    )* };
}

text_or_elsewhere!(Secret, Credentials);
