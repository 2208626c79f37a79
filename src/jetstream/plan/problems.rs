//! Why a declaration cannot be applied to this server at all, told before anything is sent. Pure.

use serde_json::{Map, Value};

use super::{Action, Planned};
use crate::diagnostic::Diagnostic;
use crate::jetstream::declared::Declared;
use crate::jetstream::effective::{Around, at_rest, effective};
use crate::jetstream::field::{Field, Form, Kind, VALUES};
use crate::jetstream::live::Live;
use crate::jetstream::version::Version;
use crate::subject::overlaps;

pub(super) fn of(planned: &Planned, streams: &[Declared], live: &Live) -> Vec<Diagnostic> {
    if planned.action == Action::None {
        return Vec::new();
    }
    let declared = &planned.declared;
    let mut out: Vec<_> = too_new(declared, live.version)
        .into_iter()
        .map(|(field, since)| newer(declared, &field, since, live))
        .collect();
    match declared.kind {
        Kind::Stream => {
            out.extend(overlap(planned, streams, live));
            out.extend(born_sealed(planned));
        }
        Kind::Consumer => {
            let known = streams.iter().any(|stream| stream.stream == declared.stream)
                || live.streams.contains_key(&declared.stream);
            if !known {
                out.push(no_stream(declared));
            }
        }
    }
    out
}

/// Fields that ask for something that servers of this version do not know, and the first that does.
fn too_new(declared: &Declared, version: Version) -> Vec<(String, Version)> {
    let mut out = Vec::new();
    for (name, value) in &declared.config {
        let Some(field) = declared.kind.field(name).filter(|field| !rests(field, value)) else { continue };
        let later = VALUES.iter().find(|(of, word, _)| of == name && value == word).map(|(.., since)| *since);
        let since = later.unwrap_or(field.since);
        if version < since {
            out.push((field.manifest.unwrap_or(name).to_owned(), since));
        }
    }
    out
}

fn rests(field: &Field, value: &Value) -> bool {
    at_rest(value) || matches!(field.form, Form::Word(word) if value == word)
}

/// A configuration without fields that are newer than the server and ask for nothing: it would refuse their names.
pub(in crate::jetstream) fn sendable(
    kind: Kind,
    config: Map<String, Value>,
    version: Version,
) -> Map<String, Value> {
    let known = |name: &str, value: &Value| {
        kind.field(name).is_none_or(|field| field.since <= version || !rests(field, value))
    };
    config.into_iter().filter(|(name, value)| known(name, value)).collect()
}

fn newer(declared: &Declared, field: &str, since: Version, live: &Live) -> Diagnostic {
    let Version(major, minor, _) = since;
    Diagnostic::error(
        declared.place,
        format!(
            "{} `{}` asks for `{field}`, which this server does not know",
            declared.kind.word(),
            declared.title()
        ),
    )
    .reason(format!("servers from {major}.{minor} on know it, this one is {}", live.version))
    .help("upgrade the server, or remove the field")
}

/// Only what exists can be sealed.
fn born_sealed(planned: &Planned) -> Option<Diagnostic> {
    let declared = &planned.declared;
    let creates = matches!(planned.action, Action::Create | Action::Replace);
    let sealed = declared.config.get("sealed").is_some_and(|sealed| *sealed == true);
    (creates && sealed).then(|| {
        Diagnostic::error(
            declared.place,
            format!("stream `{}` would have to be created sealed", declared.stream),
        )
        .reason("the server creates no sealed stream, it seals one that exists")
        .help("apply it without `sealed`, fill it, and add `sealed: true` then")
    })
}

/// A subject that another stream captures, which no manifest declares; among declared ones the linter looks.
fn overlap(planned: &Planned, streams: &[Declared], live: &Live) -> Vec<Diagnostic> {
    let declared = &planned.declared;
    let touched = planned.live.is_none() || planned.changes.iter().any(|change| change.field == "subjects");
    if !touched {
        return Vec::new();
    }
    let own = subjects(&declared.config);
    let mut out = Vec::new();
    for (name, other) in &live.streams {
        if streams.iter().any(|stream| stream.stream == *name) {
            continue;
        }
        let theirs = subjects(&other.config);
        let both = own.iter().find_map(|a| Some((a, theirs.iter().find(|b| overlaps(a, b))?)));
        if let Some((own, theirs)) = both {
            out.push(
                Diagnostic::error(
                    declared.place,
                    format!("stream `{}` would capture `{own}`, and the stream `{name}` on the server captures `{theirs}`", declared.stream),
                )
                .reason("a server lets one stream capture a subject")
                .help(format!("narrow one of both, or delete `{name}` if nobody needs it")),
            );
        }
    }
    out
}

fn subjects(config: &Map<String, Value>) -> Vec<String> {
    let effective = effective(Kind::Stream, config, &Around::default());
    let items = effective.get("subjects").and_then(Value::as_array).into_iter().flatten();
    items.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn no_stream(declared: &Declared) -> Diagnostic {
    Diagnostic::error(
        declared.place,
        format!("the stream `{}` is in no manifest and not on the server", declared.stream),
    )
    .reason(format!("consumer `{}` has nothing to read", declared.title()))
    .help("name the stream's manifest too, or correct the name")
}
