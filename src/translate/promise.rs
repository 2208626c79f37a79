//! What a contract promises of an answer, held against what the client would get: after every mapping, before it is sent.
//!
//! The status must be declared, by itself, by its range (`4XX`) or by `default`; the media type must be one that is
//! declared for it; and JSON must be what the schema says. Problems of the gateway's own are none of this.

use bytes::Bytes;
use http::{HeaderValue, StatusCode};

use crate::config::Validation;
use crate::contract::{Contract, Direction, Operation, ResponseStatus, Validator, Violation};
use crate::diagnostic::Diagnostics;
use crate::head::Head;
use crate::json::Document;
use crate::media_type::is_json;
use crate::problem::{Code, Problem};
use crate::validate::schema::in_a_line;

/// The answers of one operation.
#[derive(Debug)]
pub struct Promises {
    answers: Vec<Promise>,
    only_log: bool,
}

#[derive(Debug)]
struct Promise {
    status: ResponseStatus,
    /// Lower case, with what the body must look like.
    media_types: Vec<(String, Option<Validator>)>,
}

impl Promises {
    /// Compiles those of an operation; `None` where nobody looks, or nothing is promised. What is wrong with them goes to
    /// the diagnostics.
    pub fn compile(
        contract: &Contract,
        operation: &Operation,
        validation: Validation,
        diagnostics: &mut Diagnostics,
    ) -> Option<Promises> {
        if validation == Validation::Off || operation.responses.is_empty() {
            return None;
        }
        let mut answers = Vec::with_capacity(operation.responses.len());
        for response in &operation.responses {
            let mut media_types = Vec::with_capacity(response.media_types.len());
            for media_type in &response.media_types {
                let schema =
                    media_type.schema.as_ref().map(|schema| contract.validator(schema, Direction::Response));
                let validator =
                    schema.transpose().map_err(|problem| diagnostics.push(problem)).ok().flatten();
                media_types.push((essence(&media_type.name), validator));
            }
            answers.push(Promise { status: response.status, media_types });
        }
        Some(Promises { answers, only_log: validation == Validation::Log })
    }

    /// Holds an answer against them.
    ///
    /// # Errors
    /// `bad_reply`, where they are enforced.
    pub fn check(
        &self,
        head: &Head,
        status: StatusCode,
        content_type: Option<&HeaderValue>,
        body: &Bytes,
    ) -> Result<(), Problem> {
        let Some(broken) = self.broken(status, content_type, body) else { return Ok(()) };
        if self.only_log {
            tracing::warn!(
                request_id = head.id.as_str(),
                trace_id = head.trace.id().as_str(),
                status = status.as_u16(),
                violations = broken,
                "the reply violates the contract"
            );
            return Ok(());
        }
        let cause = format!("{}: {broken}", status.as_u16());
        Err(Problem::new(Code::BadReply, "the service's reply is not what the contract promises")
            .because(cause))
    }

    /// What is wrong with an answer, for the log.
    fn broken(&self, status: StatusCode, content_type: Option<&HeaderValue>, body: &Bytes) -> Option<String> {
        let Some(promise) = self.promise(status) else {
            return Some("the contract does not declare this status".to_owned());
        };
        // A body that is not sent, and one of which nothing is said.
        let none =
            matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED);
        if none || promise.media_types.is_empty() {
            return None;
        }
        if body.is_empty() {
            return Some("the body is missing".to_owned());
        }
        let given = essence(content_type.and_then(|value| value.to_str().ok()).unwrap_or_default());
        let covering = promise.media_types.iter().filter(|(declared, _)| covers(declared, &given));
        let Some((_, validator)) = covering.min_by_key(|(declared, _)| declared.matches('*').count()) else {
            return Some("the contract does not declare the media type for this status".to_owned());
        };
        let validator = validator.as_ref().filter(|_| is_json(&given))?;
        let violations = match Document::parse(body.clone()) {
            Ok(document) => validator.violations_of(&document),
            Err(malformed) => vec![Violation { pointer: String::new(), detail: malformed.to_string() }],
        };
        (!violations.is_empty()).then(|| in_a_line(&violations))
    }

    /// What is promised of a status: by itself, by its range, by default.
    fn promise(&self, status: StatusCode) -> Option<&Promise> {
        let code = status.as_u16();
        let range = u8::try_from(code / 100).unwrap_or(0);
        [ResponseStatus::Code(code), ResponseStatus::Range(range), ResponseStatus::Default]
            .iter()
            .find_map(|wanted| self.answers.iter().find(|promise| promise.status == *wanted))
    }
}

fn essence(media_type: &str) -> String {
    media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn covers(declared: &str, given: &str) -> bool {
    match declared.strip_suffix("/*") {
        Some("*") => true,
        Some(kind) => given.split('/').next() == Some(kind),
        None => declared == given,
    }
}
