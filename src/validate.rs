//! The stage that takes a request in: its parameters decoded to their types, its body read within its limits.
//! Both halves report everything that is wrong with them at once.

mod accept;
mod body;
mod form;
pub mod parameters;
pub mod schema;

use bytes::Bytes;
use hyper::body::Body;
use tokio::time::Instant;
use tower::BoxError;

pub use accept::Accept;
pub use body::{Admitted, BodyRules, Received};
pub use parameters::{ParameterDecoder, Parameters};
pub use schema::BodySchemas;

use crate::config::Validation;
use crate::contract::PathParam;
use crate::expression::{Parameter, ParameterValue};
use crate::head::Head;
use crate::problem::{Code, Problem, Violation};

/// What a request of one operation must bring.
#[derive(Debug)]
pub struct Input {
    /// How its parameters are read.
    pub parameters: ParameterDecoder,
    /// What its body may be.
    pub body: BodyRules,
    /// What it answers with.
    pub accept: Accept,
}

/// What a request has brought.
#[derive(Debug, Default)]
pub struct Payload {
    /// Its parameters, typed.
    pub parameters: Parameters,
    /// Its body.
    pub body: Received,
}

/// A request of which the parameters have been read, and the body is still on its way.
#[derive(Debug)]
pub struct Opened<'i> {
    input: &'i Input,
    payload: Payload,
    /// What is wrong so far.
    violations: Vec<Violation>,
}

impl Input {
    /// Reads the parameters. What is wrong with them is told together with what is wrong with the body.
    pub fn open(&self, head: &Head, path: &[PathParam<'_>]) -> Opened<'_> {
        let read = self.parameters.read(head, path);
        let (parameters, violations) = match read {
            Ok(parameters) => (parameters, Vec::new()),
            Err(violations) => (Parameters::default(), violations),
        };
        let told = violations.iter().map(Violation::from);
        let payload = Payload { parameters, body: Received::default() };
        Opened { input: self, payload, violations: told.collect() }
    }
}

impl Opened<'_> {
    /// The parameters, without a body; `None` if they are wrong.
    pub fn payload(&self) -> Option<&Payload> {
        self.violations.is_empty().then_some(&self.payload)
    }

    /// What is wrong with the parameters, if anything is.
    pub fn wrong(&self) -> Option<Problem> {
        (!self.violations.is_empty()).then(|| invalid(self.violations.clone()))
    }

    /// As [`Opened::payload`], of a request of which no more is read.
    pub fn into_payload(self) -> Option<Payload> {
        self.violations.is_empty().then_some(self.payload)
    }

    /// Reads the body. `max_payload` is the server's own limit of a message, in bytes.
    ///
    /// # Errors
    /// `not_acceptable`, `invalid_parameter` with everything that is wrong, `invalid_body`, and those of [`BodyRules::read`].
    pub async fn receive<B: Body<Data = Bytes, Error: Into<BoxError>>>(
        &self,
        head: &Head,
        body: B,
        max_payload: Option<usize>,
        deadline: Instant,
    ) -> Result<Received, Problem> {
        self.input.accept.check(head)?;
        let body = self.input.body.read(head, body, max_payload, deadline).await;
        let body = match body {
            Ok(body) => body,
            Err(problem) if self.violations.is_empty() => return Err(problem),
            // A body that cannot be read is one more thing that is wrong; one that did not come is another story.
            Err(problem) if problem.code == Code::MalformedBody => {
                return Err(invalid([self.violations.clone(), malformed(problem)].concat()));
            }
            Err(problem) => return Err(problem),
        };
        let wrong = match (body.media_type, &body.document) {
            (Some(media_type), Some(document)) => {
                self.input.body.schemas.violations(head, media_type, document)
            }
            _ => Vec::new(),
        };
        match (self.violations.is_empty(), wrong.is_empty()) {
            (true, true) => Ok(body),
            (true, false) => Err(schema::invalid(wrong)),
            (false, _) => Err(invalid([self.violations.clone(), wrong].concat())),
        }
    }

    /// Puts the body to the parameters. Where there is a problem instead of it, what has been read and is right stays.
    ///
    /// # Errors
    /// With that problem.
    pub fn close(
        self,
        received: Result<Received, Problem>,
        kept: &mut Option<Payload>,
    ) -> Result<&Payload, Problem> {
        match received {
            Ok(body) => Ok(kept.insert(Payload { body, ..self.payload })),
            Err(problem) => {
                *kept = self.into_payload();
                Err(problem)
            }
        }
    }
}

/// What is wrong with a body that cannot be read.
fn malformed(problem: Problem) -> Vec<Violation> {
    match problem.errors.is_empty() {
        true => vec![Violation::body("", problem.detail)],
        false => problem.errors,
    }
}

/// Path parameters as text: all that is known of them before they are decoded.
pub fn as_text(path: &[PathParam<'_>]) -> Vec<Parameter> {
    let text = |one: &PathParam<'_>| Parameter {
        name: one.name.clone(),
        value: ParameterValue::Text(one.value.clone().into_owned()),
    };
    path.iter().map(text).collect()
}

/// The answer to a request with parameters that are wrong, and what else is.
fn invalid(violations: Vec<Violation>) -> Problem {
    let detail = match violations.as_slice() {
        [one] => one.detail.clone(),
        several if several.iter().all(|one| one.parameter.is_some()) => {
            format!("{} parameters are invalid", several.len())
        }
        several => format!("the request violates the contract in {} places", several.len()),
    };
    Problem::new(Code::InvalidParameter, detail).with_errors(violations)
}

/// What is done with a request that violates its contract.
///
/// # Errors
/// With the problem, where the contract is enforced.
fn violates(validation: Validation, head: &Head, problem: Problem) -> Result<(), Problem> {
    match validation {
        Validation::Enforce => return Err(problem),
        Validation::Log => tracing::warn!(
            request_id = head.id.as_str(),
            trace_id = head.trace.id().as_str(),
            code = problem.code.row().name,
            "the request violates its contract: {}",
            problem.detail
        ),
        Validation::Off => {}
    }
    Ok(())
}
