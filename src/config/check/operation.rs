//! Checks of one operation.

use super::{above_zero, header, limits, migration, upstream};
use crate::config::{Case, Operation, OperationKey, ProblemCase, Request};
use crate::diagnostic::{Diagnostic, Diagnostics, Place};
use crate::yaml::{Entries, Key, Located, Node, Value};

/// Whether the name of an operation is legal.
pub(in crate::config) fn key(key: &Key, diagnostics: &mut Diagnostics) -> bool {
    let Err(error) = OperationKey::parse(&key.name) else { return true };
    let (message, help) = error.split_once('\n').unwrap_or((&error, "write an operationId, or GET /path"));
    diagnostics.push(Diagnostic::error(key.place, message).help(help));
    false
}

/// Whether an operation goes somewhere, and on NATS to one place at most, by what is written: what was cut has been
/// reported.
pub(in crate::config) fn binding(key: &Key, operation: &Node, diagnostics: &mut Diagnostics) -> bool {
    // What is no map is reported by reading.
    let Value::Map(entries) = &operation.value else { return false };
    let places = |names: &[&str]| -> Vec<&(Key, Node)> {
        entries.iter().filter(|(key, _)| names.contains(&key.name.as_str())).collect()
    };
    let (bindings, all) = (places(&["request", "publish"]), places(&["request", "publish", "forward"]));
    if let Some((key, _)) = all.iter().find(|(_, node)| matches!(node.value, Value::Null)) {
        let least = if key.name == "forward" { "upstream" } else { "subject" };
        diagnostics.push(
            Diagnostic::error(key.place, format!("nothing stands under `{}`", key.name))
                .help(format!("add at least `{least}: …`")),
        );
        return false;
    }
    match (bindings.as_slice(), all.as_slice()) {
        (_, []) => diagnostics.push(
            Diagnostic::error(key.place, format!("the operation `{}` goes nowhere", key.name))
                .help("add `request: { subject: … }`, `publish: { subject: …, stream: … }` or `forward: { upstream: … }`"),
        ),
        ([(first, _), (second, _), ..], _) => diagnostics.push(
            Diagnostic::error(
                second.place,
                format!("`{}` and `{}` in one operation", first.name, second.name),
            )
            .also(first.place, format!("`{}`", first.name))
            .reason("an operation goes to one place on NATS")
            .help("keep one of them"),
        ),
        ([_], [(first, _), (second, _), ..]) if operation.get("migration").is_none() => diagnostics.push(
            Diagnostic::error(second.place, format!("`{}` and `{}` in one operation", first.name, second.name))
                .also(first.place, format!("`{}`", first.name))
                .reason("nobody says who of the two answers")
                .help("add `migration: { stage: legacy }`, which lets the legacy service answer, and go on from there"),
        ),
        _ => return both(operation, all.len(), diagnostics),
    }
    false
}

/// A migration is one between two sides.
fn both(operation: &Node, sides: usize, diagnostics: &mut Diagnostics) -> bool {
    let migration = operation.entry("migration").filter(|_| sides < 2);
    if let Some((key, _)) = migration {
        diagnostics.push(
            Diagnostic::error(key.place, "`migration` with one side alone")
                .help("add `forward: { upstream: … }` for the legacy side and `request` or `publish` for NATS, or remove it"),
        );
    }
    migration.is_none()
}

/// Checks what an operation says.
pub(in crate::config) fn operation(operation: &Operation, diagnostics: &mut Diagnostics) {
    if let Some(request) = &operation.request {
        let Request { headers, forward_headers, timeout, .. } = &request.value;
        header::of_message(headers, diagnostics);
        header::travelling(forward_headers.as_deref().unwrap_or_default(), diagnostics);
        header::credentials(forward_headers.as_deref().unwrap_or_default(), diagnostics);
        above_zero("timeout", timeout.as_ref(), diagnostics);
    }
    if let Some(publish) = &operation.publish {
        header::of_message(&publish.headers, diagnostics);
        header::travelling(publish.forward_headers.as_deref().unwrap_or_default(), diagnostics);
        header::credentials(publish.forward_headers.as_deref().unwrap_or_default(), diagnostics);
        above_zero("timeout", publish.timeout.as_ref(), diagnostics);
        stream(&publish.stream, diagnostics);
        message_id(publish.place, publish.message_id.as_deref(), diagnostics);
    }
    reply_headers(operation, diagnostics);
    upstream::passing(operation, diagnostics);
    cases(operation, diagnostics);
    limits::limits(&operation.limits, diagnostics);
    migration::operation(operation, diagnostics);
}

/// The server's own rule for names of streams.
fn stream(name: &Located<String>, diagnostics: &mut Diagnostics) {
    let illegal = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '.' | '*' | '>' | '/' | '\\');
    if name.is_empty() || name.contains(illegal) {
        diagnostics.push(
            Diagnostic::error(name.place, format!("`{}` is not the name of a stream", name.value))
                .help("write the stream's name, not its subjects: no spaces, dots, wildcards or slashes"),
        );
    }
}

fn message_id(publish: Place, parts: Option<&[Located<String>]>, diagnostics: &mut Diagnostics) {
    if parts.is_some_and(<[_]>::is_empty) {
        diagnostics.push(
            Diagnostic::error(publish, "`message_id` is an empty list")
                .reason("every message of this operation would be the same one, and only the first stored")
                .help("name what tells messages apart: [\"${path.id}\"], or remove it"),
        );
    }
}

fn reply_headers(operation: &Operation, diagnostics: &mut Diagnostics) {
    let Some(names) = &operation.reply_headers else { return };
    if let (Some(name), Some(_)) = (names.first(), &operation.publish) {
        diagnostics.push(
            Diagnostic::error(name.place, "`reply_headers` on a `publish`")
                .reason("an acknowledgement has no headers")
                .help("remove it, or set `headers` in a `reply` case"),
        );
    }
    header::travelling(names, diagnostics);
}

/// What the two kinds of cases have in common.
struct Answer<'a> {
    place: Place,
    when: Option<&'a Located<String>>,
    status: Option<&'a Located<u16>>,
    headers: &'a Entries<Located<String>>,
    body: Option<&'a Node>,
}

fn cases(operation: &Operation, diagnostics: &mut Diagnostics) {
    let replies =
        operation.reply.iter().map(|Located { place, value: Case { when, status, headers, body } }| Answer {
            place: *place,
            when: when.as_ref(),
            status: status.as_ref(),
            headers,
            body: body.as_ref(),
        });
    answers(&replies.collect::<Vec<_>>(), diagnostics);
    let problems = operation.problem.iter().map(|Located { place, value }| {
        let ProblemCase { when, status, headers, body, .. } = value;
        Answer { place: *place, when: when.as_ref(), status: status.as_ref(), headers, body: body.as_ref() }
    });
    answers(&problems.collect::<Vec<_>>(), diagnostics);
    let types = operation.problem.iter().filter_map(|case| case.content_type.as_ref());
    types.for_each(|content_type| header::media_type(content_type, diagnostics));
}

fn answers(cases: &[Answer<'_>], diagnostics: &mut Diagnostics) {
    for case in cases {
        status(case, diagnostics);
        header::of_answer(case.headers, diagnostics);
    }
    let always = cases.iter().position(|case| case.when.is_none());
    if let Some(at) = always
        && let (Some(always), Some(unreached)) = (cases.get(at), cases.get(at + 1))
    {
        diagnostics.push(
            Diagnostic::warning(unreached.place, "this case is never reached")
                .also(always.place, "this one has no `when`, so it always holds")
                .help("put the case without `when` last"),
        );
    }
}

fn status(case: &Answer<'_>, diagnostics: &mut Diagnostics) {
    let Some(status) = case.status else { return };
    if !(200..=599).contains(&status.value) {
        diagnostics.push(
            Diagnostic::error(status.place, format!("{} is not the status of an answer", status.value))
                .help("write one from 200 to 599"),
        );
    }
    if let (204 | 205 | 304, Some(body)) = (status.value, case.body) {
        diagnostics.push(
            Diagnostic::error(body.place, format!("an answer with status {} has no body", status.value))
                .also(status.place, "the status")
                .help("remove the body, or answer with 200"),
        );
    }
}
