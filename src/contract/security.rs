//! `security` and `components/securitySchemes`: what a contract demands of who calls. Who can prove it is not
//! decided here.

use std::collections::HashMap;

use super::cursor::Cursor;
use crate::diagnostic::{Diagnostic, Place};
use crate::expression::Location;
use crate::yaml::{Located, Node, Value};

/// A `security` list: alternatives, of which one must hold.
#[derive(Debug, Clone)]
pub struct Security {
    /// Where it stands.
    pub place: Place,
    /// Each with the schemes that must all hold. One without any lets everybody in.
    pub alternatives: Vec<Vec<SchemeUse>>,
}

/// A scheme that an alternative demands.
#[derive(Debug, Clone)]
pub struct SchemeUse {
    /// Its name under `components/securitySchemes`.
    pub scheme: Located<String>,
    /// The scopes, or roles, that it must grant.
    pub scopes: Vec<Located<String>>,
}

/// An entry of `components/securitySchemes`.
#[derive(Debug, Clone)]
pub struct SecurityScheme {
    /// Where it is defined.
    pub place: Place,
    /// How the caller proves who it is.
    pub kind: SchemeKind,
}

/// How a caller proves who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemeKind {
    /// `http` with `scheme: bearer`.
    Bearer,
    /// `http` with `scheme: basic`.
    Basic,
    /// A key in a header, the query or a cookie, and its name there.
    ApiKey(Location, String),
    /// `oauth2`: a bearer token.
    OAuth2,
    /// `openIdConnect`: a bearer token.
    OpenIdConnect,
    /// `mutualTLS`: a client certificate.
    MutualTls,
    /// Anything else, as it would be written.
    Other(String),
}

/// The schemes of a contract by name; what is wrong with one matters to whoever uses it.
pub(super) type Schemes = HashMap<String, Result<SecurityScheme, Diagnostic>>;

impl Security {
    /// Whether a request without credentials is let in.
    pub fn admits_anybody(&self) -> bool {
        self.alternatives.is_empty() || self.alternatives.iter().any(Vec::is_empty)
    }
}

/// Reads the schemes of the main document.
pub(super) fn schemes(root: &Cursor<'_>) -> Schemes {
    let Some(written) = root.get("components").and_then(|components| components.get("securitySchemes"))
    else {
        return Schemes::new();
    };
    // Every key is a name here, also one that begins as an extension does.
    let names = written.node.entries().iter().map(|(key, _)| key.name.clone());
    names.filter_map(|name| Some((name.clone(), scheme(written.get(&name)?)))).collect()
}

fn scheme(cursor: Cursor<'_>) -> Result<SecurityScheme, Diagnostic> {
    let cursor = cursor.follow()?;
    let wrong = |message: &str, help: &str| Err(Diagnostic::error(cursor.place(), message).help(help));
    let kind = match cursor.text("type") {
        Some("http") => match cursor.text("scheme").map(str::to_ascii_lowercase).as_deref() {
            Some("bearer") => SchemeKind::Bearer,
            Some("basic") => SchemeKind::Basic,
            Some(other) => SchemeKind::Other(format!("http {other}")),
            None => return wrong("this security scheme has no `scheme`", "add `scheme: bearer`, or basic"),
        },
        Some("apiKey") => {
            let location = match cursor.text("in") {
                Some("header") => Location::Header,
                Some("query") => Location::Query,
                Some("cookie") => Location::Cookie,
                _ => return wrong("this key is nowhere", "write `in: header`, or query, or cookie"),
            };
            match cursor.text("name") {
                Some(name) if !name.is_empty() => SchemeKind::ApiKey(location, name.to_owned()),
                _ => return wrong("this key has no `name`", "add the name: `name: X-API-Key`"),
            }
        }
        Some("oauth2") => SchemeKind::OAuth2,
        Some("openIdConnect") => SchemeKind::OpenIdConnect,
        Some("mutualTLS") => SchemeKind::MutualTls,
        Some(other) => SchemeKind::Other(other.to_owned()),
        None => {
            return wrong(
                "this security scheme has no `type`",
                "add `type: http`, apiKey, oauth2 or openIdConnect",
            );
        }
    };
    Ok(SecurityScheme { place: cursor.place(), kind })
}

/// Reads a `security` list. What cannot be read is a problem, and never an open door.
pub(super) fn read(cursor: &Cursor<'_>, problems: &mut Vec<Diagnostic>) -> Security {
    let Value::List(items) = &cursor.node.value else {
        problems.push(unreadable(cursor.node, "a list"));
        return Security { place: cursor.place(), alternatives: Vec::new() };
    };
    let alternatives = items.iter().map(|item| alternative(item, problems)).collect();
    Security { place: cursor.place(), alternatives }
}

fn alternative(item: &Node, problems: &mut Vec<Diagnostic>) -> Vec<SchemeUse> {
    let Value::Map(entries) = &item.value else {
        problems.push(unreadable(item, "a map of schemes"));
        return Vec::new();
    };
    let entry = |(key, scopes): &(crate::yaml::Key, Node)| {
        if !matches!(scopes.value, Value::List(_)) {
            problems.push(unreadable(scopes, "a list of scopes"));
        }
        SchemeUse {
            scheme: Located { value: key.name.clone(), place: key.place },
            scopes: scopes.items().iter().filter_map(|scope| text(scope, problems)).collect(),
        }
    };
    entries.iter().map(entry).collect()
}

fn text(scope: &Node, problems: &mut Vec<Diagnostic>) -> Option<Located<String>> {
    match scope.as_str() {
        Some(text) => Some(Located { value: text.to_owned(), place: scope.place }),
        None => {
            problems.push(unreadable(scope, "text"));
            None
        }
    }
}

fn unreadable(node: &Node, wanted: &str) -> Diagnostic {
    Diagnostic::error(node.place, format!("expected {wanted}, found {}", node.kind()))
        .reason("nobody knows who may call an operation whose `security` cannot be read")
        .help("write alternatives, each a map of schemes: `security: [{ bearerAuth: [] }]`")
}
