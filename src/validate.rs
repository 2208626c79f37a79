//! The stage that takes a request in: its parameters decoded to their types, its body read within its limits.
//! Both halves report everything that is wrong with them at once.

mod body;
pub mod parameters;

use bytes::Bytes;
use hyper::body::Body;
use tokio::time::Instant;
use tower::BoxError;

pub use body::{BodyRules, Received, is_json};
pub use parameters::{ParameterDecoder, Parameters};

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
}

/// What a request has brought.
#[derive(Debug)]
pub struct Payload {
    /// Its parameters, typed.
    pub parameters: Parameters,
    /// Its body.
    pub body: Received,
}

/// Takes a request in. `max_payload` is the server's own limit of a message, in bytes.
///
/// # Errors
/// `invalid_parameter`, and those of [`BodyRules::read`].
pub async fn receive<B: Body<Data = Bytes, Error: Into<BoxError>>>(
    input: &Input,
    head: &Head,
    path: &[PathParam<'_>],
    body: B,
    max_payload: Option<usize>,
    deadline: Instant,
) -> Result<Payload, Problem> {
    let parameters = input
        .parameters
        .decode(path, head.parts.uri.query(), head.headers())
        .map_err(|violations| invalid(&violations))?;
    let body = input.body.read(head, body, max_payload, deadline).await?;
    Ok(Payload { parameters, body })
}

/// Path parameters as text: all that is known of them before they are decoded.
pub fn as_text(path: &[PathParam<'_>]) -> Vec<Parameter> {
    let text = |one: &PathParam<'_>| Parameter {
        name: one.name.clone(),
        value: ParameterValue::Text(one.value.clone().into_owned()),
    };
    path.iter().map(text).collect()
}

fn invalid(violations: &[parameters::Violation]) -> Problem {
    let detail = match violations {
        [one] => one.to_string(),
        several => format!("{} parameters are invalid", several.len()),
    };
    let errors = violations.iter().map(|one| Violation::parameter(&*one.name, one.to_string())).collect();
    Problem::new(Code::InvalidParameter, detail).with_errors(errors)
}
