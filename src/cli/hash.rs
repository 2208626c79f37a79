//! `natsgate hash-key` and `natsgate hash-password`.

use std::io::Read;

use anyhow::Context;
use clap::Args;
use serde_json::Value;

use super::DONE;
use crate::authenticate::made;

/// The longest key or password, in bytes.
const LONGEST: u64 = 1_024;

/// Whose key.
#[derive(Debug, Args)]
pub(super) struct HashKeyArgs {
    /// The caller's name.
    name: String,
    /// Hash the key on standard input instead of making one.
    #[arg(long)]
    stdin: bool,
}

/// Whose password.
#[derive(Debug, Args)]
pub(super) struct HashPasswordArgs {
    /// The user's name.
    name: String,
}

pub(super) fn key(args: &HashKeyArgs) -> anyhow::Result<u8> {
    let key = match args.stdin {
        true => read("key")?,
        false => made::api_key()?,
    };
    anyhow::ensure!(
        key.len() >= made::SHORTEST_KEY,
        "a key has at least {} bytes, since its hash must not be turned back by guessing",
        made::SHORTEST_KEY
    );
    if !args.stdin {
        eprintln!("the key, shown this once; the line for the file of keys is on standard output:");
        eprintln!("{key}");
    }
    println!("{}: {}", name(&args.name)?, made::hash_key(&key));
    Ok(DONE)
}

pub(super) fn password(args: &HashPasswordArgs) -> anyhow::Result<u8> {
    let password = read("password")?;
    let hash = made::hash_password(&password).map_err(anyhow::Error::msg)?;
    println!("{}: {hash}", name(&args.name)?);
    Ok(DONE)
}

/// One line of standard input.
fn read(what: &str) -> anyhow::Result<String> {
    let mut text = String::new();
    let failed = || format!("cannot read the {what} from standard input");
    std::io::stdin().take(LONGEST + 2).read_to_string(&mut text).with_context(failed)?;
    let line = text.trim_end_matches(['\r', '\n']);
    anyhow::ensure!(!line.is_empty(), "the {what} on standard input is empty");
    anyhow::ensure!(
        line.len() as u64 <= LONGEST && !line.contains(['\r', '\n']),
        "the {what} is one line of at most {LONGEST} bytes"
    );
    Ok(line.to_owned())
}

/// As it is written in YAML.
fn name(name: &str) -> anyhow::Result<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_.@-".contains(&byte);
    anyhow::ensure!(!name.is_empty() && !name.contains(char::is_control), "a name is visible text");
    let reads_as_text =
        name.starts_with(|first: char| first.is_ascii_alphabetic()) && name.bytes().all(plain);
    Ok(if reads_as_text { name.to_owned() } else { Value::from(name).to_string() })
}
