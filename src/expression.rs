//! The expressions between `${` and `}`: plain paths, `token(<path>)`, and CEL for everything else.
//! Compiled once, with every name checked; evaluated for each request against a [`Scope`].
//! Stops at single values: texts around them are `template`'s.

mod error;
mod functions;
mod known;
mod path;
mod program;
mod scope;
mod uses;
mod values;

pub use error::{EvalError, ExpressionError, Location, Place, Reason};
pub use known::{Known, KnownBody, KnownName, Names, Occurrence, Schema};
pub use scope::{AckInfo, CallerInfo, Parameter, ParameterValue, ProblemInfo, ReplyInfo, RequestInfo, Scope};

use crate::json::{Json, Kind, write_string};
use crate::subject::encode_token;
use path::Path;
use program::Program;
use scope::Found;
use std::borrow::Cow;
use std::sync::Arc;

/// Where an expression stands, which decides what is in scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// While the outbound message is built: the request alone.
    Request,
    /// In a `reply` case of a request: `reply`, `status` and `reply_header` too.
    Reply,
    /// In a `reply` case of a publish: `ack` and `status` too.
    Stored,
    /// In a `problem` case: `problem` too.
    Problem,
}

/// Whether a value was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// At least one byte was written; JSON's `null` is a value like any other.
    Present,
    /// An optional value that is not there; nothing was written.
    Absent,
}

/// One compiled expression.
#[derive(Debug)]
pub struct Expression {
    source: Arc<str>,
    form: Form,
}

#[derive(Debug)]
enum Form {
    Path(Path),
    /// A path whose text is percent-encoded to one subject token.
    Token(Path),
    Program(Box<Program>),
}

impl Expression {
    /// Compiles what stands between `${` and `}`.
    ///
    /// # Errors
    /// Everything that is wrong with it: syntax, unknown names, variables that the position does not have, optional
    /// members read without `.?`, calls and loops whose cost a caller could choose.
    pub fn compile(
        source: &str,
        position: Position,
        known: &Known<'_>,
    ) -> Result<Self, Vec<ExpressionError>> {
        let text = source.trim();
        let start = source.len() - source.trim_start().len();
        if text.is_empty() {
            let help = "name a value, like `path.id`";
            return Err(vec![ExpressionError::new("the placeholder is empty", help, start)]);
        }
        let form = match (Path::parse(text), inside_token(text)) {
            (Some(path), _) => check(&path, position, known, 0).map(|()| Form::Path(path)),
            (None, Some((path, offset))) => check(&path, position, known, offset).map(|()| Form::Token(path)),
            (None, None) => {
                Program::compile(text, position, known).map(|program| Form::Program(Box::new(program)))
            }
        };
        let form =
            form.map_err(|errors| errors.into_iter().map(|error| error.shifted(start)).collect::<Vec<_>>())?;
        Ok(Self { source: text.into(), form })
    }

    /// The text that was compiled, without surrounding white space.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether it reads a variable, such as `body`.
    #[must_use]
    pub fn reads(&self, variable: &str) -> bool {
        match &self.form {
            Form::Path(path) | Form::Token(path) => path.root.name() == variable,
            Form::Program(program) => program.reads(variable),
        }
    }

    /// The path parameter that it inserts as it came, if it does nothing else.
    #[must_use]
    pub(crate) fn path_parameter(&self) -> Option<&str> {
        match &self.form {
            Form::Path(path) => path.only_name(path::Root::Path),
            Form::Token(_) | Form::Program(_) => None,
        }
    }

    /// Whether it is more than the way to a value, so that nobody knows beforehand whether it has one.
    #[must_use]
    pub(crate) fn is_computed(&self) -> bool {
        matches!(&self.form, Form::Program(_))
    }

    /// Whether this is a path with `.?`, so that absence is no error.
    #[must_use]
    pub(crate) fn may_be_absent(&self) -> bool {
        matches!(&self.form, Form::Path(path) | Form::Token(path) if path.may_lack(path.steps.len()))
    }

    /// Appends the value as JSON. Plain paths append what is there as it came.
    pub fn json(&self, scope: &Scope<'_>, out: &mut Vec<u8>) -> Result<Presence, EvalError> {
        let found = match &self.form {
            Form::Program(program) => {
                return program.evaluate(&self.source, scope, |value| {
                    values::write(value, out).map_err(Reason::Failed)
                });
            }
            Form::Path(path) => self.find(path, scope)?,
            Form::Token(_) => self.text(scope)?.map(Found::Text),
        };
        let Some(found) = found else { return Ok(Presence::Absent) };
        match found {
            Found::Text(text) => write_string(out, &text),
            Found::Json(json) => out.extend_from_slice(json.raw().as_bytes()),
            Found::Bool(value) => out.extend_from_slice(value.to_string().as_bytes()),
            Found::Number(value) => out.extend_from_slice(value.to_string().as_bytes()),
        }
        Ok(Presence::Present)
    }

    /// The value as text, for a string, a number or a boolean; `None` if it is optional and absent.
    pub fn text<'a>(&self, scope: &Scope<'a>) -> Result<Option<Cow<'a, str>>, EvalError> {
        match &self.form {
            Form::Path(path) => {
                let Some(found) = self.find(path, scope)? else { return Ok(None) };
                plain_text(found).map(Some).ok_or_else(|| self.error(path, Reason::NotText))
            }
            Form::Token(path) => {
                let Some(found) = self.find(path, scope)? else { return Ok(None) };
                let text = plain_text(found).ok_or_else(|| self.error(path, Reason::NotText))?;
                Ok(Some(Cow::Owned(encode_token(&text).into_owned())))
            }
            Form::Program(program) => {
                program.evaluate(&self.source, scope, |value| match values::present(value) {
                    None => Ok(None),
                    Some(value) => match values::text(value) {
                        Some(text) => text.map(|text| Some(Cow::Owned(text))).map_err(Reason::Failed),
                        None => Err(Reason::NotText),
                    },
                })
            }
        }
    }

    /// The value as a condition. An optional value that is absent does not hold.
    pub fn bool(&self, scope: &Scope<'_>) -> Result<bool, EvalError> {
        match &self.form {
            Form::Path(path) => match self.find(path, scope)? {
                None => Ok(false),
                Some(Found::Bool(value)) => Ok(value),
                Some(Found::Json(json)) if json.kind() == Kind::Bool => Ok(json.raw() == "true"),
                Some(_) => Err(self.error(path, Reason::NotBool)),
            },
            Form::Token(path) => Err(self.error(path, Reason::NotBool)),
            Form::Program(program) => {
                program.evaluate(&self.source, scope, |value| values::condition(value).ok_or(Reason::NotBool))
            }
        }
    }

    /// An error about the value of this expression.
    pub(crate) fn reject(&self, reason: Reason) -> EvalError {
        let place = match &self.form {
            Form::Path(path) | Form::Token(path) => Place::of(path, path.steps.len()),
            Form::Program(program) => program.blame(),
        };
        EvalError { expression: Arc::clone(&self.source), place, reason }
    }

    fn find<'a>(&self, path: &Path, scope: &Scope<'a>) -> Result<Option<Found<'a>>, EvalError> {
        scope.find(path).map_err(|count| EvalError {
            expression: Arc::clone(&self.source),
            place: Place::of(path, count),
            reason: Reason::Missing,
        })
    }

    fn error(&self, path: &Path, reason: Reason) -> EvalError {
        EvalError { expression: Arc::clone(&self.source), place: Place::of(path, path.steps.len()), reason }
    }
}

fn check(
    path: &Path,
    position: Position,
    known: &Known<'_>,
    offset: usize,
) -> Result<(), Vec<ExpressionError>> {
    if !path.root.available(position) {
        let (message, help) = uses::unavailable(path.root, position);
        return Err(vec![ExpressionError::new(message, help, offset)]);
    }
    match known.check(path, position, &|_| false) {
        None => Ok(()),
        Some(fault) => Err(vec![ExpressionError::new(fault.message, fault.help, offset)]),
    }
}

/// The path in `token(<path>)` and where it starts.
fn inside_token(text: &str) -> Option<(Path, usize)> {
    let inner = text.strip_prefix("token(")?.strip_suffix(')')?;
    let path = Path::parse(inner.trim())?;
    Some((path, text.len() - 1 - inner.trim_start().len()))
}

fn plain_text(found: Found<'_>) -> Option<Cow<'_, str>> {
    match found {
        Found::Text(text) => Some(text),
        Found::Json(json) => json_text(json),
        Found::Bool(value) => Some(Cow::Owned(value.to_string())),
        Found::Number(value) => Some(Cow::Owned(value.to_string())),
    }
}

fn json_text(json: Json<'_>) -> Option<Cow<'_, str>> {
    match json.kind() {
        Kind::String => json.as_text(),
        Kind::Number | Kind::Bool => Some(Cow::Borrowed(json.raw())),
        Kind::Null | Kind::Array | Kind::Object => None,
    }
}

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;
