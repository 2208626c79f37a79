//! HTTP request → message: subject, payload, headers, and the identity of a message for a stream.

use std::time::Duration;

use async_nats::HeaderMap;
use http::HeaderName;
use http::header::{CONNECTION, FORWARDED};
use tokio::time::Instant;

use super::{Seen, named_by_connection, unfit_request};
use crate::authenticate::Caller;
use crate::exchange::{self, Identity, Outbound, identity};
use crate::head::Head;
use crate::nats::headers::{Headers, get};
use crate::nats::{Outgoing, publication};
use crate::problem::{Code, Problem, Violation};
use crate::template::Template;
use crate::template::message_id::{MessageIdTemplate, message_id};
use crate::template::payload::PayloadTemplate;
use crate::template::subject::SubjectTemplate;
use crate::validate::Payload;

/// How a request becomes a message.
#[derive(Debug)]
pub struct Mapping {
    /// Where it goes.
    pub subject: SubjectTemplate,
    /// What it holds; `None`: the body's bytes, untouched.
    pub payload: Option<PayloadTemplate>,
    /// Headers of the operator's making.
    pub headers: Vec<(String, Template)>,
    /// Request headers that travel on: the name that clients send, and the name on the message.
    pub forward: Vec<(HeaderName, String)>,
    /// For publishes: what makes two messages the same.
    pub storing: Option<Storing>,
}

/// What makes two messages of an operation the same.
#[derive(Debug)]
pub struct Storing {
    /// The operation's name: the first part of every id.
    pub operation: String,
    /// The stream that must store it.
    pub stream: String,
    /// Where the id comes from.
    pub id: IdSource,
}

/// Where a message id comes from.
#[derive(Debug)]
pub enum IdSource {
    /// The operator says what is the same.
    Declared(MessageIdTemplate),
    /// The caller says so, by `Idempotency-Key`; without one the id is fresh, unless it is required.
    Caller {
        /// Refuse requests without a key.
        required: bool,
    },
    /// Every request is a new message.
    Fresh,
}

impl Mapping {
    /// Whether it reads a variable, such as `body`.
    pub fn reads(&self, variable: &str) -> bool {
        let id = match self.storing.as_ref().map(|storing| &storing.id) {
            Some(IdSource::Declared(template)) => template.reads(variable),
            _ => false,
        };
        let headers = self.headers.iter().any(|(_, template)| template.reads(variable));
        id || headers
            || self.subject.reads(variable)
            || self.payload.as_ref().is_some_and(|payload| payload.reads(variable))
    }

    /// Builds the message.
    ///
    /// # Errors
    /// `invalid_parameter`, `malformed_body`, `idempotency_key_required`.
    pub fn outbound(
        &self,
        seen: Seen<'_>,
        caller: &Caller,
        payload: &Payload,
        deadline: Instant,
    ) -> Result<Outbound, Problem> {
        let scope = seen.scope(None, None);
        let subject = self.subject.render(&scope).map_err(|error| unfit_request(&error, seen.head))?;
        let body = match &self.payload {
            Some(template) => template.render(&scope).map_err(|error| unfit_request(&error, seen.head))?,
            None => payload.body.bytes.clone(),
        };
        let mut headers = self.headers(seen, payload)?;
        match &self.storing {
            None => {
                headers.set(exchange::DEADLINE, due(seen.head, deadline));
                Ok(Outbound::Request(Outgoing {
                    subject,
                    headers: finish(headers, seen.head),
                    payload: body,
                }))
            }
            Some(storing) => {
                let identity = storing.identify(seen, caller, payload)?;
                if let Some(fingerprint) = &identity.fingerprint {
                    headers.set(exchange::FINGERPRINT, fingerprint.clone());
                }
                let message = Outgoing { subject, headers: finish(headers, seen.head), payload: body };
                let message = publication(message, &identity.id, &storing.stream).ok_or_else(|| {
                    Problem::new(Code::Internal, "the message id is not legal").because(identity.id.clone())
                })?;
                Ok(Outbound::Publish(message, identity))
            }
        }
    }

    fn headers(&self, seen: Seen<'_>, payload: &Payload) -> Result<Headers, Problem> {
        let mut headers = Headers::default();
        for (name, on_message) in self.forward.iter().filter(|(name, _)| travels(seen.head, name)) {
            for value in seen.head.headers().get_all(name).iter().filter_map(|value| value.to_str().ok()) {
                headers.append(on_message, value);
            }
        }
        let scope = seen.scope(None, None);
        for (name, template) in &self.headers {
            let value = template.render(&scope).map_err(|error| unfit_request(&error, seen.head))?;
            let Some(value) = value else { continue };
            if !headers.insert(name, &value) {
                return Err(unsendable(name, template));
            }
        }
        if get(headers.map(), "Content-Type").is_some() {
            // The operator has said what it is.
        } else if self.payload.is_some() {
            headers.set(exchange::CONTENT_TYPE, "application/json".to_owned());
        } else if let Some(Ok(content_type)) = payload.body.content_type.as_ref().map(|value| value.to_str())
        {
            headers.set(exchange::CONTENT_TYPE, content_type.to_owned());
        }
        Ok(headers)
    }
}

/// A header's value that NATS cannot carry. Where it is the caller's name or claim, no other request would fit better.
fn unsendable(name: &str, template: &Template) -> Problem {
    let (code, whose) = match template.reads("caller") || template.reads("claims") {
        true => (Code::Forbidden, "the caller's identity"),
        false => (Code::InvalidParameter, "the request"),
    };
    Problem::new(code, format!("what {whose} puts into the header {name} is not visible ASCII"))
}

/// What proxies say of where a request comes from: in a client's own words it would be a lie that a service believes.
const OF_PROXIES: [HeaderName; 7] = [
    FORWARDED,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-port"),
    HeaderName::from_static("x-forwarded-prefix"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-real-ip"),
];

/// Whether a header may go on: it is neither for this connection alone (RFC 9110, 7.6.1), nor a proxy's to say where
/// none is trusted.
fn travels(head: &Head, name: &HeaderName) -> bool {
    let declared = head.headers().get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    !named_by_connection(declared, name.as_str()) && (head.from_proxy || !OF_PROXIES.contains(name))
}

/// Adds what is on every message. What NATS cannot carry has been left out, and is told by name.
fn finish(mut headers: Headers, head: &Head) -> HeaderMap {
    if !headers.dropped().is_empty() {
        tracing::debug!(request_id = head.id.as_str(), trace_id = head.trace.id().as_str(), names = ?headers.dropped(), "header values were left out");
    }
    headers.set(exchange::REQUEST_ID, head.id.as_str().to_owned());
    headers.set(exchange::TRACEPARENT, head.trace.parent());
    if let Some(state) = &head.trace.state {
        headers.set(exchange::TRACESTATE, state.clone());
    }
    headers.into_map()
}

/// When the answer is due, by the wall clock.
fn due(head: &Head, deadline: Instant) -> String {
    let left: Duration = deadline.saturating_duration_since(head.received);
    humantime::format_rfc3339_millis(head.time + left).to_string()
}

impl Storing {
    fn identify(&self, seen: Seen<'_>, caller: &Caller, payload: &Payload) -> Result<Identity, Problem> {
        let fingerprint = || Some(identity::fingerprint(seen.head, &payload.body.bytes));
        let required = match &self.id {
            IdSource::Declared(template) => {
                let id = template
                    .render(&seen.scope(None, None))
                    .map_err(|error| unfit_request(&error, seen.head))?;
                return Ok(Identity { id, fingerprint: fingerprint() });
            }
            IdSource::Caller { required } => *required,
            IdSource::Fresh => return Ok(self.fresh(seen.head)),
        };
        match identity::idempotency_key(seen.head.headers()) {
            Ok(Some(key)) => {
                let part = identity::key_part(&self.operation, caller.key_space(), key);
                Ok(Identity { id: message_id(&self.operation, &["key", &part]), fingerprint: fingerprint() })
            }
            Ok(None) if !required => Ok(self.fresh(seen.head)),
            Ok(None) => Err(bad_key("this operation needs an Idempotency-Key header")),
            Err(error) => Err(bad_key(error.detail())),
        }
    }

    fn fresh(&self, head: &Head) -> Identity {
        // A proxy that tries again sends the id that it has sent before.
        Identity { id: message_id(&self.operation, &["request", head.id.own()]), fingerprint: None }
    }
}

fn bad_key(detail: &'static str) -> Problem {
    let violation = Violation::parameter("Idempotency-Key", detail);
    Problem::new(Code::IdempotencyKeyRequired, detail).with_errors(vec![violation])
}
