//! What can be wrong with an expression when it is loaded, and when it is evaluated.
//! No message repeats a value of a request or a reply.

use super::path::{Key, Path, Root};
use crate::subject::IllegalToken;
use std::fmt;
use std::sync::Arc;

/// Why an expression or a template is refused when it is loaded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExpressionError {
    /// What is wrong, in lower case and without a full stop.
    pub message: String,
    /// What to do next.
    pub help: String,
    /// Where, in bytes from the start of the text that was given.
    pub offset: usize,
}

impl ExpressionError {
    pub(crate) fn new(message: impl Into<String>, help: impl Into<String>, offset: usize) -> Self {
        Self { message: message.into(), help: help.into(), offset }
    }

    /// The same error in a text that holds this one from byte `start` on.
    pub(crate) fn shifted(mut self, start: usize) -> Self {
        self.offset += start;
        self
    }
}

/// Why an expression has no value for one request. Its text may be shown to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvalError {
    /// The expression, as it stands between `${` and `}`.
    pub expression: Arc<str>,
    /// What the value would have come from; [`Place::Expression`] where no single source is to blame.
    pub place: Place,
    /// Why there is none; reads on from the place, as in "the body is missing".
    pub reason: Reason,
}

/// What has to change so that the expression gets a value: this chooses the problem code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A parameter of the request.
    Parameter {
        /// The part of the request that it would stand in.
        location: Location,
        /// As the expression has it; headers in lower case.
        name: String,
    },
    /// The request's body, at this JSON Pointer.
    Body {
        /// Empty for the whole body.
        pointer: String,
    },
    /// The claims of the caller's token, at this JSON Pointer.
    Claims {
        /// Empty for all of them.
        pointer: String,
    },
    /// Who calls.
    Caller,
    /// The reply, at this JSON Pointer.
    Reply {
        /// Empty for the whole reply, and where a header or an acknowledgement was read.
        pointer: String,
    },
    /// Neither: the expression itself.
    Expression,
}

/// Where a parameter stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Location {
    /// A segment of the path, percent-decoded.
    Path,
    /// A value of the query string.
    Query,
    /// A field of the request's head, whatever the case of its name.
    Header,
    /// A pair of the `Cookie` header.
    Cookie,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The value is not there, and was not read with `.?`.
    #[error("is missing")]
    Missing,
    /// An array, an object or `null`, where text was to be made of it.
    #[error("is not a text, a number or a boolean")]
    NotText,
    /// Stands where a condition is needed; nothing else counts as true or false.
    #[error("is not a boolean")]
    NotBool,
    /// The text would change where the message goes, or could not be sent; `token()` encodes all but the empty one.
    #[error("cannot be part of a subject: it {0}")]
    NotToken(IllegalToken),
    /// The text would change which path it is part of.
    #[error("cannot be part of a path: it is empty, or makes a segment `.` or `..`")]
    NotSegment,
    /// The caller sent so much that the expression's loops would keep a thread busy; refused before they start.
    #[error("is too large for a loop over it")]
    TooCostly,
    /// Evaluation stopped: a division by zero, a wrong type, an index out of bounds. Says which, never a value.
    #[error("cannot be evaluated: {0}")]
    Failed(String),
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
            Self::Cookie => "cookie",
        })
    }
}

impl fmt::Display for EvalError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Parameter { location, name } => write!(formatter, "the {location} parameter {name:?}")?,
            Place::Body { pointer } if pointer.is_empty() => formatter.write_str("the body")?,
            Place::Body { pointer } => write!(formatter, "the body's member {pointer:?}")?,
            Place::Claims { pointer } if pointer.is_empty() => formatter.write_str("the caller's token")?,
            Place::Claims { pointer } => write!(formatter, "the token's claim {pointer:?}")?,
            Place::Caller => formatter.write_str("the caller's identity")?,
            Place::Reply { pointer } if pointer.is_empty() => formatter.write_str("the reply")?,
            Place::Reply { pointer } => write!(formatter, "the reply's member {pointer:?}")?,
            Place::Expression => write!(formatter, "the expression `{}`", self.expression)?,
        }
        write!(formatter, " {}", self.reason)
    }
}

impl std::error::Error for EvalError {}

impl Place {
    /// The place to which the first `count` steps of a path lead.
    pub(super) fn of(path: &Path, count: usize) -> Self {
        let location = match path.root {
            Root::Path => Location::Path,
            Root::Query => Location::Query,
            Root::Header => Location::Header,
            Root::Cookie => Location::Cookie,
            Root::Body => return Self::Body { pointer: path.pointer(count) },
            Root::Claims => return Self::Claims { pointer: path.pointer(count) },
            Root::Caller => return Self::Caller,
            Root::Reply => return Self::Reply { pointer: path.pointer(count) },
            // A reply that lacks a header, or an acknowledgement that is none, is the reply's fault too.
            Root::Ack | Root::ReplyHeader => return Self::Reply { pointer: String::new() },
            Root::Request | Root::Status | Root::Problem => return Self::Expression,
        };
        match path.steps.first().map(|step| &step.key) {
            Some(Key::Name(name)) => Self::Parameter { location, name: name.clone() },
            Some(Key::Index(_)) | None => Self::Expression,
        }
    }
}
