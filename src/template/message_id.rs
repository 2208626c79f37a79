//! Message ids: readable, bounded, and never the same for two different lists of parts.
//!
//! A stream drops a second message with the same id whatever its subject and body, so two operations, or two lists of
//! values, must never come to one id.

use super::{Template, refuse_absent};
use crate::expression::{EvalError, ExpressionError, Known, Position, Scope};
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// Ids are at most this many bytes long.
pub const MAX_LENGTH: usize = 256;
/// What stands between the readable start of a long id and its hash. No escaped text holds it.
const CUT: &str = "%~";
const HASH_LENGTH: usize = 64;

/// Something that is wrong with one part of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartError {
    /// Its index in the list.
    pub part: usize,
    /// Its offset counts from the start of this part's text.
    pub error: ExpressionError,
}

/// The template of a message id.
#[derive(Debug)]
pub struct MessageIdTemplate {
    operation: String,
    parts: Vec<Template>,
}

impl MessageIdTemplate {
    /// Compiles the list that says what "the same message" is.
    pub fn compile<S: AsRef<str>>(
        operation: &str,
        parts: &[S],
        known: &Known<'_>,
    ) -> Result<Self, Vec<PartError>> {
        let (mut compiled, mut errors) = (Vec::new(), Vec::new());
        for (text, part) in parts.iter().zip(0..) {
            let mut error = |error| errors.push(PartError { part, error });
            match Template::compile(text.as_ref(), Position::Request, known) {
                Ok(template) => {
                    refuse_absent(&template, "a message id").into_iter().for_each(&mut error);
                    compiled.push(template);
                }
                Err(found) => found.into_iter().for_each(error),
            }
        }
        if errors.is_empty() {
            Ok(Self { operation: operation.to_owned(), parts: compiled })
        } else {
            Err(errors)
        }
    }

    /// Whether an expression in it reads a variable, such as `body`.
    #[must_use]
    pub fn reads(&self, variable: &str) -> bool {
        self.parts.iter().any(|part| part.reads(variable))
    }

    /// The id for one request.
    pub fn render(&self, scope: &Scope<'_>) -> Result<String, EvalError> {
        let mut id = escaped(&self.operation);
        for template in &self.parts {
            let text = template.render(scope)?.ok_or_else(|| template.missing())?;
            id.push(':');
            escape(&text, &mut id);
        }
        Ok(bounded(id))
    }
}

/// The id `<operation>:<part>:<part>`, for parts that do not come from templates.
#[must_use]
pub fn message_id(operation: &str, parts: &[&str]) -> String {
    let mut id = escaped(operation);
    for part in parts {
        id.push(':');
        escape(part, &mut id);
    }
    bounded(id)
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(64);
    escape(text, &mut out);
    out
}

/// Percent-encodes the separator, the escape itself, and what is not printable ASCII or is a space.
fn escape(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && byte != b':' && byte != b'%' {
            out.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

/// Keeps the start of a long id readable and the whole of it distinct. The id is ASCII by now.
fn bounded(mut id: String) -> String {
    if id.len() <= MAX_LENGTH {
        return id;
    }
    let hash = Sha256::digest(id.as_bytes());
    id.truncate(MAX_LENGTH - CUT.len() - HASH_LENGTH);
    id.push_str(CUT);
    for byte in hash {
        let _ = write!(id, "{byte:02x}");
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::Reason;
    use crate::expression::fixture::{ANY, Fixture};
    use proptest::prelude::*;

    fn compile(parts: &[&str]) -> Result<MessageIdTemplate, Vec<PartError>> {
        MessageIdTemplate::compile("DELETE /infra/{id}", parts, &ANY)
    }

    #[test]
    fn ids_are_readable() {
        let fixture = Fixture::new();
        let id = compile(&["${path.id}", "x:${body.n}%", "${path.email}"])
            .unwrap()
            .render(&fixture.scope())
            .unwrap();
        assert_eq!(id, "DELETE%20/infra/{id}:u-7:x%3A3%25:a.b@c%20d");
        assert_eq!(message_id("createOrder", &["a", ""]), "createOrder:a:");
        assert_eq!(message_id("createOrder", &[]), "createOrder");
    }

    #[test]
    fn long_ids_are_cut_and_stay_distinct() {
        let long = "a".repeat(10_000);
        let (one, two) = (message_id("op", &[&long, "1"]), message_id("op", &[&long, "2"]));
        assert_eq!((one.len(), two.len()), (MAX_LENGTH, MAX_LENGTH));
        assert_ne!(one, two);
        assert!(one.starts_with("op:aaa") && one.contains(CUT));
        assert_eq!(message_id("o", &[&"b".repeat(MAX_LENGTH - 2)]).len(), MAX_LENGTH);
        // A short id cannot be made to look like a cut one.
        assert_ne!(message_id("", &[one.strip_prefix("op:").unwrap()]), one);
    }

    #[test]
    fn every_error_names_its_part() {
        let errors = compile(&["${path.id}", "${foo}", "${body.?x}", "${"]).err().unwrap();
        assert_eq!(errors.iter().map(|error| error.part).collect::<Vec<_>>(), [1, 2, 3]);
        let fixture = Fixture::new();
        let error = compile(&["${body.?x.optMap(x, x)}"]).unwrap().render(&fixture.scope()).unwrap_err();
        assert_eq!(error.reason, Reason::Missing);
    }

    proptest! {
        #[test]
        fn different_lists_have_different_ids(
            left in proptest::collection::vec("[a:%2A ~é]{0,4}", 0..4),
            right in proptest::collection::vec("[a:%2A ~é]{0,4}", 0..4),
        ) {
            let id = |list: &[String]| message_id("op", &list.iter().map(String::as_str).collect::<Vec<_>>());
            prop_assert_eq!(id(&left) == id(&right), left == right);
            prop_assert!(id(&left).bytes().all(|byte| byte.is_ascii_graphic()));
        }
    }
}
