//! Checks of `cors:`.

use http::{HeaderName, HeaderValue};
use url::Url;

use crate::config::Cors;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::yaml::{Located, Node};

pub(super) fn check(cors: &Located<Cors>, tree: &Node, diagnostics: &mut Diagnostics) {
    if cors.origins.is_empty() {
        let place = tree.pointer("/cors/origins").map_or(cors.place, |origins| origins.place);
        diagnostics.push(
            Diagnostic::error(place, "`origins` is empty")
                .help("name one: [https://app.example.com], or remove `cors`"),
        );
    }
    for given in &cors.origins {
        if let Err(help) = origin(given) {
            diagnostics.push(
                Diagnostic::error(given.place, format!("`{}` is not an origin", given.value)).help(help),
            );
        }
    }
    if let Some(all) = cors.origins.iter().find(|origin| *origin.value == *"*") {
        everybody(all, cors, diagnostics);
    }
    names("headers", cors.headers.as_deref(), cors.credentials, diagnostics);
    names("expose", cors.expose.as_deref(), cors.credentials, diagnostics);
}

/// An origin as browsers send it: compared character by character.
fn origin(text: &str) -> Result<(), String> {
    if matches!(text, "*" | "null") {
        return Ok(());
    }
    let shown = "write scheme, host and port as browsers send them: https://app.example.com".to_owned();
    let url = Url::parse(text).map_err(|_| shown.clone())?;
    let host = url.host_str().ok_or_else(|| shown.clone())?;
    // Of other schemes than the web's, the standard knows no origins: what is left is their text.
    let origin = match url.port() {
        Some(port) => format!("{}://{host}:{port}", url.scheme()),
        None => format!("{}://{host}", url.scheme()),
    };
    match origin == text && HeaderValue::from_str(text).is_ok() {
        true => Ok(()),
        false if url.username().is_empty() && url.password().is_none() => Err(format!("write {origin}")),
        false => Err(shown),
    }
}

fn everybody(all: &Located<String>, cors: &Cors, diagnostics: &mut Diagnostics) {
    if cors.credentials {
        diagnostics.push(
            Diagnostic::error(all.place, "`*` and `credentials: true` exclude each other")
                .reason("every page of the web could act as the user that is logged in")
                .help("name the origins, or remove `credentials`"),
        );
    }
    if cors.origins.len() > 1 {
        diagnostics.push(
            Diagnostic::error(all.place, "`*` stands beside other origins")
                .help("keep `*` alone, or only the origins that are meant"),
        );
    }
}

fn names(key: &str, names: Option<&[Located<String>]>, credentials: bool, diagnostics: &mut Diagnostics) {
    for name in names.unwrap_or_default() {
        if *name.value == *"*" && credentials {
            diagnostics.push(
                Diagnostic::error(
                    name.place,
                    format!("`*` in `{key}` means nothing with `credentials: true`"),
                )
                .reason("browsers take it for a header of that name then")
                .help(match key {
                    "headers" => "remove `headers`: pages may then send what they ask for",
                    _ => "name the headers",
                }),
            );
        } else if HeaderName::from_bytes(name.as_bytes()).is_err() {
            diagnostics.push(
                Diagnostic::error(name.place, format!("`{}` is not the name of a header", name.value))
                    .help("write names such as Content-Type"),
            );
        }
    }
}
