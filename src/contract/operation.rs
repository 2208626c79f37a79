//! One operation of a contract: what a client may send to it, and what it may get.

use http::{Method, StatusCode};

use super::cursor::SchemaRef;
use super::parameter::Parameter;
use super::path::PathTemplate;
use crate::diagnostic::{Diagnostic, Place};
use crate::yaml::Located;

/// A method and path of a contract.
#[derive(Debug, Clone)]
pub struct Operation {
    /// Its method.
    pub method: Method,
    /// Its path, with the contract's base path before it.
    pub path: String,
    /// The same, taken apart; absent if it never could match, which is one of its problems.
    pub template: Option<PathTemplate>,
    /// Its `operationId`.
    pub id: Option<Located<String>>,
    /// Where its method stands.
    pub place: Place,
    /// Parameters of the path and its own, `$ref`s resolved.
    pub parameters: Vec<Parameter>,
    /// What its body may be, if it has one.
    pub body: Option<RequestBody>,
    /// Its answers.
    pub responses: Vec<Response>,
    /// Marked `deprecated`.
    pub deprecated: bool,
    pub(super) security: Option<Security>,
    pub(super) problems: Vec<Diagnostic>,
}

/// A `security` list: alternatives, each a set of schemes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Security {
    pub(super) place: Place,
    /// Every alternative names a scheme.
    pub(super) required: bool,
}

/// A `requestBody`.
#[derive(Debug, Clone)]
pub struct RequestBody {
    /// Whether a request without a body is wrong.
    pub required: bool,
    /// What it may be, in the order of the contract.
    pub media_types: Vec<MediaType>,
    /// Where it stands.
    pub place: Place,
}

/// An entry of `content`.
#[derive(Debug, Clone)]
pub struct MediaType {
    /// As it was written: `application/json`, `image/*`.
    pub name: String,
    /// What its values look like.
    pub schema: Option<SchemaRef>,
}

/// An entry of `responses`.
#[derive(Debug, Clone)]
pub struct Response {
    /// For which status.
    pub status: ResponseStatus,
    /// What its body may be. Empty: none is declared.
    pub media_types: Vec<MediaType>,
}

/// The key of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResponseStatus {
    /// `200`
    Code(u16),
    /// `2XX` is `Range(2)`.
    Range(u8),
    /// `default`
    Default,
}

impl Operation {
    /// The contract's only success: the one 2xx code, if there is one and no range beside it.
    pub fn only_success(&self) -> Option<StatusCode> {
        let mut successes =
            self.responses.iter().map(|response| response.status).filter(|status| {
                matches!(status, ResponseStatus::Code(200..=299) | ResponseStatus::Range(2))
            });
        match (successes.next(), successes.next()) {
            (Some(ResponseStatus::Code(code)), None) => StatusCode::from_u16(code).ok(),
            _ => None,
        }
    }

    /// The only media type of the answer with a status: the status itself is looked for, then its range
    /// (`2XX`), then `default`. A wildcard is none.
    pub fn only_media_type(&self, status: StatusCode) -> Option<&str> {
        let keys = [
            ResponseStatus::Code(status.as_u16()),
            ResponseStatus::Range((status.as_u16() / 100) as u8),
            ResponseStatus::Default,
        ];
        let response = keys.iter().find_map(|key| self.responses.iter().find(|one| one.status == *key))?;
        match response.media_types.as_slice() {
            [only] if !only.name.contains('*') => Some(&only.name),
            _ => None,
        }
    }

    /// Whether a request without credentials is refused by the contract. An empty list, and an empty
    /// alternative (`{}`), leave the operation open.
    pub fn requires_security(&self) -> bool {
        self.security.is_some_and(|security| security.required)
    }

    /// Where the `security` that applies stands.
    pub fn security_place(&self) -> Option<Place> {
        self.security.map(|security| security.place)
    }
}

impl RequestBody {
    /// The declared media type that a `Content-Type` belongs to: itself, else `type/*`, else `*/*`.
    /// Parameters (`; charset=…`) make no difference.
    pub fn media_type(&self, content_type: &str) -> Option<&MediaType> {
        let sent = essence(content_type);
        let range = sent.split_once('/').map(|(kind, _)| format!("{kind}/*"))?;
        [sent.as_str(), &range, "*/*"].iter().find_map(|wanted| {
            self.media_types.iter().find(|media_type| essence(&media_type.name) == *wanted)
        })
    }
}

fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
