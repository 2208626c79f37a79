//! HTML forms (`application/x-www-form-urlencoded`) as JSON objects: fields in their types, as far as a contract
//! says them. What is sent on is not changed by it.

use bytes::Bytes;

use super::parameters::{Encoding, Fault, MOST_PAIRS, Pairs, Writer, field};
use crate::contract::{self, ShapeId, Shapes};
use crate::json::Document;
use crate::problem::{Code, Problem, Violation};

/// Reads a form. A field of the wrong type stays text, which is for the schema to judge; without a contract
/// everything is text, or an array of texts where a name is given more than once.
///
/// # Errors
/// `malformed_body`.
pub(super) fn read(bytes: &[u8], form: Option<&contract::Form>) -> Result<Document, Problem> {
    let malformed = |detail: String| Problem::new(Code::MalformedBody, detail);
    let text = std::str::from_utf8(bytes).map_err(|_| malformed("the form is not UTF-8".to_owned()))?;
    let pairs = Pairs::of_form(text.trim_end_matches(['\r', '\n']))
        .map_err(|_| malformed(format!("the form has more than {MOST_PAIRS} fields")))?;
    if pairs.has_unreadable_names() {
        return Err(malformed("the form has a field whose name cannot be decoded".to_owned()));
    }
    let any = Shapes::map();
    let mut writer = Writer::new(form.map_or(&any, |form| &form.shapes), Encoding::Form, false);
    let claimed = |name: &str| form.is_some_and(|form| form.claimed.contains(name));
    writer.spread(ShapeId::ROOT, &pairs, true, &claimed, &|writer, id, pairs, name| match form
        .and_then(|form| form.fields.get(name))
    {
        Some(serialization) => field(writer, serialization, id, pairs, name),
        None => writer.named(id, pairs, name),
    });
    match writer.finish() {
        (Some(json), faults) if faults.is_empty() => {
            let unread = |error| malformed("the form cannot be read".to_owned()).because(format!("{error}"));
            Document::parse(Bytes::from(json)).map_err(unread)
        }
        (_, faults) => Err(refused(&faults)),
    }
}

fn refused(faults: &[Fault]) -> Problem {
    let told = |fault: &Fault| format!("the form's field {} {}", fault.pointer, fault.detail);
    let detail = match faults {
        [one] => told(one),
        several => format!("{} fields of the form cannot be read", several.len()),
    };
    let errors = faults.iter().map(|fault| Violation::body(&*fault.pointer, &*fault.detail)).collect();
    Problem::new(Code::MalformedBody, detail).with_errors(errors)
}
