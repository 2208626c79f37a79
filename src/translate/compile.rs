//! Configuration as written → mapping and cases, or every problem at its place.

use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};

use super::case::{Case, CaseBody};
use super::outbound::{IdSource, Mapping, Storing};
use super::problem::ProblemCase;
use crate::config;
use crate::diagnostic::{Diagnostic, Diagnostics, Place};
use crate::expression::{Expression, ExpressionError, Known, Position};
use crate::media_type::is_json;
use crate::template::message_id::MessageIdTemplate;
use crate::template::path::PathTemplate;
use crate::template::payload::{PayloadSource, PayloadTemplate};
use crate::template::subject::SubjectTemplate;
use crate::template::{Template, condition};
use crate::yaml::{Entries, Key, Located, Node, Value};

/// Reply headers that reach the client unless an operation says otherwise.
pub const REPLY_HEADERS: [&str; 8] = [
    "content-type",
    "content-language",
    "etag",
    "last-modified",
    "location",
    "cache-control",
    "link",
    "retry-after",
];

/// Headers that the gateway puts on a message itself, from those of the request.
const GATEWAYS_OWN: [&str; 3] = ["content-type", "traceparent", "tracestate"];

/// Compiles what one operation says, against the names that it may use.
pub struct Compiler<'a, 'k> {
    /// The operation's name.
    pub operation: &'a str,
    /// What expressions may read.
    pub known: &'a Known<'k>,
    /// Takes every problem.
    pub diagnostics: &'a mut Diagnostics,
}

impl Compiler<'_, '_> {
    /// A request-reply binding. `None` if something is wrong with it.
    pub fn request(&mut self, request: &config::Request, defaults: &config::Defaults) -> Option<Mapping> {
        let subject = self.subject(&request.subject);
        let payload =
            self.optional(request.payload.as_ref(), |this, node| this.payload(node, Position::Request));
        let headers = self.message_headers(&request.headers);
        let forward =
            forward(request.forward_headers.as_ref().unwrap_or(&defaults.forward_headers), &request.headers);
        Some(Mapping { subject: subject?, payload: payload?, headers: headers?, forward, storing: None })
    }

    /// A publish binding. `None` if something is wrong with it.
    pub fn publish(&mut self, publish: &config::Publish, defaults: &config::Defaults) -> Option<Mapping> {
        let subject = self.subject(&publish.subject);
        let payload =
            self.optional(publish.payload.as_ref(), |this, node| this.payload(node, Position::Request));
        let headers = self.message_headers(&publish.headers);
        let forward =
            forward(publish.forward_headers.as_ref().unwrap_or(&defaults.forward_headers), &publish.headers);
        let id = self.id_source(publish);
        let storing =
            Storing { operation: self.operation.to_owned(), stream: publish.stream.value.clone(), id: id? };
        Some(Mapping {
            subject: subject?,
            payload: payload?,
            headers: headers?,
            forward,
            storing: Some(storing),
        })
    }

    /// The `reply` cases of a request ([`Position::Reply`]) or of a publish ([`Position::Stored`]).
    pub fn cases(&mut self, cases: &[Located<config::Case>], position: Position) -> Option<Vec<Case>> {
        let compiled: Vec<Option<Case>> = cases
            .iter()
            .map(|case| {
                let parts = Parts {
                    when: &case.when,
                    status: &case.status,
                    headers: &case.headers,
                    body: &case.body,
                };
                self.case(&parts, None, position)
            })
            .collect();
        compiled.into_iter().collect()
    }

    /// The `problem` cases.
    pub fn problem_cases(&mut self, cases: &[Located<config::ProblemCase>]) -> Option<Vec<ProblemCase>> {
        let compiled: Vec<Option<ProblemCase>> = cases.iter().map(|case| self.problem_case(case)).collect();
        compiled.into_iter().collect()
    }

    /// The condition on the caller. `None` if something is wrong with it.
    pub fn authorize(&mut self, written: Option<&Located<String>>) -> Option<Option<Expression>> {
        self.optional(written, |this, text| {
            let compiled = condition(&text.value, Position::Request, this.known);
            this.noted(text, compiled)
        })
    }

    fn problem_case(&mut self, case: &config::ProblemCase) -> Option<ProblemCase> {
        let parts =
            Parts { when: &case.when, status: &case.status, headers: &case.headers, body: &case.body };
        // One that is no media type has been told when the file was loaded.
        let content_type = case.content_type.as_ref().and_then(|text| HeaderValue::from_str(text).ok());
        let media_type = case.content_type.as_ref().map(|text| text.value.as_str());
        Some(ProblemCase { case: self.case(&parts, media_type, Position::Problem)?, content_type })
    }

    fn case(&mut self, parts: &Parts<'_>, media_type: Option<&str>, position: Position) -> Option<Case> {
        let when = self.optional(parts.when.as_ref(), |this, when| {
            let compiled = condition(&when.value, position, this.known);
            this.noted(when, compiled)
        });
        let status = parts.status.as_ref().and_then(|status| StatusCode::from_u16(status.value).ok());
        let headers = self.case_headers(parts.headers, position);
        let own = parts.headers.0.iter().find(|(name, _)| name.eq_ignore_ascii_case(CONTENT_TYPE.as_str()));
        let media_type = own.map(|(_, value)| value.value.as_str()).or(media_type);
        let body =
            self.optional(parts.body.as_ref(), |this, node| this.case_body(node, media_type, position));
        Some(Case { when: when?, status, headers: headers?, body: body? })
    }

    /// Text of a media type that is not JSON is sent as it is; everything else is sent as JSON.
    fn case_body(&mut self, node: &Node, media_type: Option<&str>, position: Position) -> Option<CaseBody> {
        let essence =
            media_type.map(|text| text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
        match (node.as_str(), essence) {
            (Some(text), Some(essence)) if !is_json(&essence) => {
                let text = Located { value: text.to_owned(), place: node.place };
                self.template(&text, position).map(CaseBody::Text)
            }
            _ => self.payload(node, position).map(CaseBody::Json),
        }
    }

    /// The path of a URL. `None` if something is wrong with it.
    pub fn url_path(&mut self, path: &Located<String>) -> Option<PathTemplate> {
        let compiled = PathTemplate::compile(&path.value, self.known);
        self.noted(path, compiled)
    }

    /// A subject. `None` if something is wrong with it.
    pub fn subject(&mut self, subject: &Located<String>) -> Option<SubjectTemplate> {
        let compiled = SubjectTemplate::compile(&subject.value, self.known);
        self.noted(subject, compiled)
    }

    fn payload(&mut self, node: &Node, position: Position) -> Option<PayloadTemplate> {
        match PayloadTemplate::compile(&source(node), position, self.known) {
            Ok(template) => Some(template),
            Err(errors) => {
                for error in errors {
                    let (place, text) = &error.place;
                    self.note(*place, text, &error.error);
                }
                None
            }
        }
    }

    fn message_headers(&mut self, headers: &Entries<Located<String>>) -> Option<Vec<(String, Template)>> {
        let compiled: Vec<Option<(String, Template)>> = headers
            .0
            .iter()
            .map(|(name, value)| Some((name.value.clone(), self.template(value, Position::Request)?)))
            .collect();
        compiled.into_iter().collect()
    }

    fn case_headers(
        &mut self,
        headers: &Entries<Located<String>>,
        position: Position,
    ) -> Option<Vec<(HeaderName, Template)>> {
        let compiled: Vec<Option<(HeaderName, Template)>> = headers
            .0
            .iter()
            .map(|(name, value)| {
                let template = self.template(value, position);
                Some((HeaderName::from_bytes(name.as_bytes()).ok()?, template?))
            })
            .collect();
        compiled.into_iter().collect()
    }

    fn template(&mut self, text: &Located<String>, position: Position) -> Option<Template> {
        let compiled = Template::compile(&text.value, position, self.known);
        self.noted(text, compiled)
    }

    fn id_source(&mut self, publish: &config::Publish) -> Option<IdSource> {
        let Some(parts) = &publish.message_id else {
            return Some(
                match publish.idempotency.as_ref().map(|idempotency| idempotency.value).unwrap_or_default() {
                    config::Idempotency::Off => IdSource::Fresh,
                    config::Idempotency::Optional => IdSource::Caller { required: false },
                    config::Idempotency::Required => IdSource::Caller { required: true },
                },
            );
        };
        if let Some(Located { value: config::Idempotency::Required, place }) = &publish.idempotency {
            let diagnostic = Diagnostic::error(
                *place,
                "`idempotency: required` has no effect beside `message_id`",
            )
            .reason(
                "the id comes from `message_id`, and an Idempotency-Key would be demanded and then ignored",
            )
            .help("remove one of the two");
            self.diagnostics.push(diagnostic);
        }
        let texts: Vec<&str> = parts.iter().map(|part| part.value.as_str()).collect();
        match MessageIdTemplate::compile(self.operation, &texts, self.known) {
            Ok(template) => Some(IdSource::Declared(template)),
            Err(errors) => {
                for error in errors {
                    let Some(part) = parts.get(error.part) else { continue };
                    self.note(part.place, part, &error.error);
                }
                None
            }
        }
    }

    /// `Some(None)` where nothing is written, `None` where what is written is wrong.
    fn optional<T, R>(
        &mut self,
        written: Option<T>,
        compile: impl FnOnce(&mut Self, T) -> Option<R>,
    ) -> Option<Option<R>> {
        match written {
            None => Some(None),
            Some(written) => compile(self, written).map(Some),
        }
    }

    fn noted<T>(&mut self, text: &Located<String>, compiled: Result<T, Vec<ExpressionError>>) -> Option<T> {
        match compiled {
            Ok(value) => Some(value),
            Err(errors) => {
                for error in &errors {
                    self.note(text.place, text, error);
                }
                None
            }
        }
    }

    /// Notes an error in a text that stands at a place.
    fn note(&mut self, place: Place, text: &str, error: &ExpressionError) {
        let place = self.diagnostics.inside(place, text, error.offset);
        self.diagnostics.push(Diagnostic::error(place, error.message.clone()).help(error.help.clone()));
    }
}

struct Parts<'a> {
    when: &'a Option<Located<String>>,
    status: &'a Option<Located<u16>>,
    headers: &'a Entries<Located<String>>,
    body: &'a Option<Node>,
}

/// The request headers that travel on, each once. NATS tells names apart by case and HTTP does not, so what the
/// operator or the gateway sets must not come a second time from the client.
fn forward(names: &[Located<String>], set: &Entries<Located<String>>) -> Vec<(HeaderName, String)> {
    let mut forward: Vec<(HeaderName, String)> = Vec::new();
    for name in names {
        let Ok(header) = HeaderName::from_bytes(name.as_bytes()) else { continue };
        let is_set = GATEWAYS_OWN.contains(&header.as_str())
            || set.0.iter().any(|(other, _)| other.eq_ignore_ascii_case(header.as_str()));
        if !is_set && !forward.iter().any(|(known, _)| *known == header) {
            forward.push((header, name.value.clone()));
        }
    }
    forward
}

/// What a payload is compiled from. With each place goes the text that stands there.
fn source(node: &Node) -> PayloadSource<(Place, &str)> {
    match &node.value {
        Value::Null => PayloadSource::Null,
        Value::Bool(value) => PayloadSource::Bool(*value),
        Value::Number(number) => PayloadSource::Number(number.to_string(), (node.place, "")),
        Value::Text { text, .. } => PayloadSource::String(text.clone(), (node.place, text)),
        Value::List(items) => PayloadSource::Array(items.iter().map(source).collect()),
        Value::Map(entries) => {
            PayloadSource::Object(entries.iter().map(|(key, node)| member(key, node)).collect())
        }
    }
}

fn member<'n>(key: &'n Key, node: &'n Node) -> (String, (Place, &'n str), PayloadSource<(Place, &'n str)>) {
    (key.name.clone(), (key.place, &key.name), source(node))
}
