//! One operation of a contract: what a client may send to it, and what it may get.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use http::{Method, StatusCode};

use super::cursor::SchemaRef;
use super::parameter::Parameter;
use super::path::PathTemplate;
use super::security::Security;
use super::shape::Shapes;
use super::style::Serialization;
use crate::diagnostic::{Diagnostic, Place};
use crate::media_type;
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
    /// What it does, in the words of the contract: its `summary`, else its `description`.
    pub summary: Option<String>,
    /// The first of its `tags`.
    pub tag: Option<String>,
    /// Parameters of the path and its own, `$ref`s resolved.
    pub parameters: Vec<Parameter>,
    /// What its body may be, if it has one.
    pub body: Option<RequestBody>,
    /// Its answers.
    pub responses: Vec<Response>,
    /// Marked `deprecated`.
    pub deprecated: bool,
    /// Who may call it: its own `security`, else the document's. `None`: neither says anything.
    pub security: Option<Security>,
    /// The path item around it, and itself.
    pub(super) spots: [SchemaRef; 2],
    pub(super) problems: Problems,
}

/// What is wrong with an operation, by whom it concerns.
#[derive(Debug, Clone, Default)]
pub(super) struct Problems {
    /// Whoever serves it.
    pub(super) always: Vec<Diagnostic>,
    /// Whoever names it by its id.
    pub(super) named: Vec<Diagnostic>,
    /// Whoever reads its parameters or its body.
    pub(super) read: Vec<Diagnostic>,
}

/// How an operation is used, as far as that tells what of its problems matters.
#[derive(Debug, Clone, Copy)]
pub struct Use {
    /// It is named by its `operationId`.
    pub named: bool,
    /// Its parameters and its body are read, and not only passed on.
    pub read: bool,
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
    /// How its fields are read, if it is the media type of HTML forms and a body of requests.
    pub form: Option<Form>,
}

/// How the fields of a form are read.
#[derive(Debug, Clone)]
pub struct Form {
    /// What the form looks like as an object.
    pub shapes: Shapes,
    /// Fields that are not written in the usual way, by their names.
    pub fields: HashMap<String, Serialization>,
    /// Names of fields that are members of another one: it is spread over the form.
    pub claimed: HashSet<Arc<str>>,
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
}

impl RequestBody {
    /// The declared media type that a `Content-Type` belongs to, by its number: itself, else `type/*`, else `*/*`.
    /// Parameters (`; charset=…`) make no difference.
    pub fn position(&self, sent: &media_type::MediaType<'_>) -> Option<usize> {
        let declared = self.media_types.iter().enumerate();
        let declared =
            declared.filter_map(|(index, one)| Some((index, media_type::MediaType::parse(&one.name)?)));
        let covering = declared.filter(|(_, declared)| declared.covers(sent));
        covering.min_by_key(|(_, declared)| declared.openness()).map(|(index, _)| index)
    }

    /// The same, by the text of the header.
    pub fn media_type(&self, content_type: &str) -> Option<&MediaType> {
        let sent = media_type::MediaType::parse(content_type)?;
        self.media_types.get(self.position(&sent)?)
    }
}
