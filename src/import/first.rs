//! A first configuration, with comments that teach: `natsgate init`.

use std::path::Path;

use super::edit::VERIFIER;
use super::entry::{quoted, scalar};
use super::{Imported, Refused, Wanted, import};
use crate::contract::Contract;
use crate::diagnostic::Diagnostics;

/// What is known of what is to be written.
#[derive(Debug, Clone, Copy)]
pub struct First<'a> {
    /// The configuration that does not exist yet.
    pub file: &'a Path,
    /// The OpenAPI document of the legacy service.
    pub document: Option<&'a Path>,
    /// Where the legacy service is, and its name.
    pub upstream: Option<(&'a str, &'a str)>,
    /// The NATS servers.
    pub nats: &'a str,
    /// The address of the public listener.
    pub listen: &'a str,
}

/// Makes the text of a first configuration. Blocking.
///
/// # Errors
/// As for an import.
pub fn first(wanted: First<'_>) -> Result<(String, Option<Imported>), Refused> {
    let imported = match (wanted.document, wanted.upstream) {
        (Some(document), Some((upstream, url))) => Some(import(Wanted {
            document,
            upstream,
            url: Some(url),
            base_path: None,
            file: Some(wanted.file),
        })?),
        _ => None,
    };
    let mut text = process(&wanted);
    let rest = match (&imported, wanted.document, wanted.upstream) {
        (Some(imported), ..) => imported.text.clone(),
        (None, Some(document), _) => contract(&wanted, document)?,
        (None, None, Some((name, url))) => {
            format!(
                "# The legacy services.\nupstreams:\n  {}: {{ url: {} }}\n\n{EXAMPLES}",
                scalar(name),
                quoted(url)
            )
        }
        (None, None, None) => EXAMPLES.to_owned(),
    };
    // Before the operations, which may be many.
    let (before, operations) = match rest.find("# Operations ") {
        Some(at) => rest.split_at_checked(at).unwrap_or(("", &rest)),
        None => ("", rest.as_str()),
    };
    text.push_str(before);
    if let Some((name, _)) = wanted.upstream {
        text.push_str(&fallback(name, rest.contains("\nsecurity:")));
    }
    text.push_str(operations);
    Ok((text, imported))
}

fn process(wanted: &First<'_>) -> String {
    format!(
        "# The configuration of natsgate. Each key, and what it is when it is left out: docs/configuration.md, or
# `natsgate schema` for editors. Paths are relative to this file.

server:
  listen: {listen} # where clients call
  docs: /docs # a page on every operation, and /docs/openapi.json for generators of clients

nats:
  servers: [{nats}]

",
        listen = scalar_or_quoted(wanted.listen),
        nats = wanted.nats.split(',').map(|server| quoted(server.trim())).collect::<Vec<_>>().join(", "),
    )
}

/// An address is plain enough for YAML, unless it has brackets.
fn scalar_or_quoted(address: &str) -> String {
    let is_plain = address.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".:-".contains(&byte));
    if is_plain { address.to_owned() } else { quoted(address) }
}

fn fallback(name: &str, is_secured: bool) -> String {
    let security = if is_secured { format!("[{{ {VERIFIER}: [] }}]") } else { "[]".to_owned() };
    format!(
        "# Whatever no operation matches goes to the legacy service too, so that on the first day nothing changes for anybody.
fallback: {{ upstream: {}, security: {security} }}

",
        scalar(name)
    )
}

/// A contract whose operations are not bound yet.
fn contract(wanted: &First<'_>, document: &Path) -> Result<String, Refused> {
    let mut diagnostics = Diagnostics::default();
    let Some(contract) = Contract::load_under(document, None, &mut diagnostics) else {
        return Err(Refused::Unreadable(diagnostics));
    };
    let way = super::paths::way(wanted.file, document);
    let base = match contract.base_path() {
        "" => String::new(),
        path => format!(", base_path: {}", scalar(path)),
    };
    let file = scalar(&way.to_string_lossy());
    Ok(format!(
        "# What clients see. An operation that nothing binds is answered 501.\ncontracts:\n  - {{ file: {file}{base} }}\n\n{EXAMPLES}"
    ))
}

const EXAMPLES: &str = "\
# Operations by the operationId of a contract, or by method and path. Two to begin with:
#
#   GET /users/{id}:
#     request: # asks a service on NATS
#       subject: users.${path.id}.get
#
#   POST /jobs:
#     publish: # stores a message in a stream, and answers once that is done
#       subject: jobs.new
#       stream: JOBS
operations: {}
";
