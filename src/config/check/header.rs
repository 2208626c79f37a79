//! Names of headers: which ones may be set, and which may travel.

use http::{HeaderName, HeaderValue};

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::yaml::{Entries, Located};

/// What belongs to one connection and never travels (RFC 9110, 7.6.1), and what the gateway computes itself.
const HOP_BY_HOP: [&str; 12] = [
    "connection",
    "content-length",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authentication-info",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Request headers that travel on to NATS, or reply headers that reach the client.
pub(super) fn travelling(names: &[Located<String>], diagnostics: &mut Diagnostics) {
    for name in names {
        let own = || first_prefix(name, &["nats-", "natsgate-"]);
        refuse(name, listed(name).or_else(|| hop_by_hop(name)).or_else(own), diagnostics);
    }
}

/// Request headers that travel on, and by which a caller proves who it is.
pub(super) fn credentials(names: &[Located<String>], diagnostics: &mut Diagnostics) {
    for name in names.iter().filter(|name| ["authorization", "cookie"].contains(&&*name.to_ascii_lowercase()))
    {
        diagnostics.push(
            Diagnostic::warning(name.place, format!("`{}` hands the caller's credentials on", name.value))
                .reason("whoever sees the message can call in the caller's name, and a stream keeps it")
                .help(
                    "set what the service needs to know instead: `headers: { X-User: \"${caller.name}\" }`",
                ),
        );
    }
}

/// Headers that are set on a message.
pub(super) fn of_message(headers: &Entries<Located<String>>, diagnostics: &mut Diagnostics) {
    for (name, value) in &headers.0 {
        let own = || first_prefix(name, &["nats-", "natsgate-"]).or_else(|| trace(name));
        refuse(name, legal(name).or_else(own), diagnostics);
        one_line(value, diagnostics);
    }
    once(headers, diagnostics);
}

/// Headers that are set on an answer.
pub(super) fn of_answer(headers: &Entries<Located<String>>, diagnostics: &mut Diagnostics) {
    for (name, value) in &headers.0 {
        let own = || first_prefix(name, &["natsgate-"]);
        refuse(name, legal(name).or_else(|| hop_by_hop(name)).or_else(own), diagnostics);
        one_line(value, diagnostics);
    }
    once(headers, diagnostics);
}

/// Text of a header is one line.
pub(super) fn one_line(value: &Located<String>, diagnostics: &mut Diagnostics) {
    if value.contains(|c: char| c.is_control() && c != '\t') {
        diagnostics.push(
            Diagnostic::error(value.place, "the text of a header is one line, without control characters")
                .help("remove the line breaks"),
        );
    }
}

/// The content type of an answer.
pub(super) fn media_type(value: &Located<String>, diagnostics: &mut Diagnostics) {
    let essence = value.split(';').next().unwrap_or_default().trim();
    let is_token = |text: &str| !text.is_empty() && HeaderName::from_bytes(text.as_bytes()).is_ok();
    let legal = essence.split_once('/').is_some_and(|(kind, of)| is_token(kind) && is_token(of))
        && HeaderValue::from_str(value).is_ok();
    if !legal {
        diagnostics.push(
            Diagnostic::error(value.place, format!("{:?} is not a media type", value.value))
                .help("write type/subtype: text/plain, or application/json; charset=utf-8"),
        );
    }
}

fn refuse(name: &Located<String>, reason: Option<String>, diagnostics: &mut Diagnostics) {
    if let Some(reason) = reason {
        diagnostics.push(
            Diagnostic::error(name.place, format!("the header `{}` cannot stand here", name.value))
                .reason(reason)
                .help("remove it, or use another name"),
        );
    }
}

fn legal(name: &str) -> Option<String> {
    HeaderName::from_bytes(name.as_bytes()).err().map(|_| "this is not a legal header name".to_owned())
}

/// A name in a list of headers that may pass.
fn listed(name: &str) -> Option<String> {
    let wildcard =
        || name.contains('*').then(|| "names are written out, one by one: `*` is no wildcard".to_owned());
    legal(name).or_else(wildcard)
}

fn trace(name: &str) -> Option<String> {
    let is_trace = ["traceparent", "tracestate"].contains(&name.to_ascii_lowercase().as_str());
    is_trace.then(|| "natsgate itself sets it, from the request's own".to_owned())
}

/// Names are told apart without their case: two spellings would be one header, and one of the values lost.
fn once(headers: &Entries<Located<String>>, diagnostics: &mut Diagnostics) {
    for (index, (name, _)) in headers.0.iter().enumerate() {
        let earlier = headers.0.iter().take(index).find(|(other, _)| other.eq_ignore_ascii_case(name));
        if let Some((earlier, _)) = earlier {
            diagnostics.push(
                Diagnostic::error(name.place, format!("the header `{}` stands twice", name.value))
                    .also(earlier.place, format!("`{}` is here", earlier.value))
                    .help("remove one of them"),
            );
        }
    }
}

fn hop_by_hop(name: &str) -> Option<String> {
    HOP_BY_HOP
        .contains(&name.to_ascii_lowercase().as_str())
        .then(|| "it belongs to one connection, and never travels on".to_owned())
}

fn first_prefix(name: &str, prefixes: &[&str]) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    let prefix = prefixes.iter().find(|prefix| lower.starts_with(**prefix))?;
    let owner = if *prefix == "nats-" { "the NATS server acts on" } else { "natsgate itself sets" };
    Some(format!("{owner} headers whose name begins with `{prefix}`"))
}
