//! Where a stream keeps its messages, for how long, and how long it remembers their ids.

use super::{Keeper, StreamRule, Target};
use crate::diagnostic::Diagnostic;
use crate::jetstream::manifest::{GoDuration, Origin, Storage, Stream};
use crate::jetstream::rule::{
    DUPLICATE_WINDOW_ABOVE_MAX_AGE, DUPLICATE_WINDOW_SHORTENED, MAX_AGE_MISSING, MEMORY_SINGLE_REPLICA,
    STORAGE_MISSING, TOO_SHORT,
};
use crate::yaml::Located;

pub(super) const RULES: &[StreamRule] = &[
    storage_missing,
    memory_single_replica,
    duplicate_window_above_max_age,
    duplicate_window_shortened,
    too_short,
    max_age_missing,
];

const USUAL_WINDOW: i64 = 120_000_000_000;
const SHORTEST: i64 = 100_000_000;
const SHORTEST_MARKER: i64 = 1_000_000_000;

/// Whether the messages are in memory, which is what the resource says when nothing is written.
pub(super) fn in_memory(stream: &Stream) -> bool {
    stream.storage.as_ref().is_none_or(|storage| storage.value == Storage::Memory)
}

fn storage_missing(keeper: &Keeper<'_>) -> Option<Diagnostic> {
    let stream = keeper.stream;
    let message = format!("the stream `{}` has no storage", stream.name.as_str());
    stream.storage.is_none().then(|| {
        STORAGE_MISSING
            .at(stream.name.place, message)
            .help("add `storage: file`; `storage: memory` says that loss is meant")
    })
}

/// Where no storage is written, that is said instead.
fn memory_single_replica(keeper: &Keeper<'_>) -> Option<Diagnostic> {
    let stream = keeper.stream;
    let memory = stream.storage.as_ref().filter(|storage| storage.value == Storage::Memory)?;
    (super::bounds::replicas(stream) == 1).then(|| {
        MEMORY_SINGLE_REPLICA
            .at(
                memory.place,
                format!("the stream `{}` is gone when its server restarts", stream.name.as_str()),
            )
            .help("write `storage: file`, or `replicas: 3`")
    })
}

fn duplicate_window_above_max_age(keeper: &Keeper<'_>) -> Option<Diagnostic> {
    let (window, age) = (keeper.stream.duplicate_window.as_ref()?, keeper.stream.max_age.as_ref()?);
    (age.value.nanoseconds() > 0 && window.value > age.value).then(|| {
        DUPLICATE_WINDOW_ABOVE_MAX_AGE
            .at(
                window.place,
                format!("a window of {} is longer than messages are kept, {}", window.value, age.value),
            )
            .also(age.place, "messages go after this time")
            .help(format!("write at most `duplicateWindow: {}`, or a longer maxAge", age.value))
    })
}

fn duplicate_window_shortened(keeper: &Keeper<'_>) -> Option<Diagnostic> {
    let stream = keeper.stream;
    let age = stream.max_age.as_ref().filter(|age| (1..USUAL_WINDOW).contains(&age.value.nanoseconds()))?;
    (stream.duplicate_window.is_none() && stream.origin == Origin::Stream && stream.mirror.is_none()).then(
        || {
            DUPLICATE_WINDOW_SHORTENED
                .at(age.place, format!("message ids are remembered for {}, not for 2m", age.value))
                .help(format!("write `duplicateWindow: {}` if that is meant, or a longer maxAge", age.value))
        },
    )
}

fn too_short(keeper: &Keeper<'_>) -> Option<Diagnostic> {
    let stream = keeper.stream;
    let fields = [
        ("maxAge", &stream.max_age, SHORTEST, "100ms"),
        ("duplicateWindow", &stream.duplicate_window, SHORTEST, "100ms"),
        ("subjectDeleteMarkerTtl", &stream.subject_delete_marker_ttl, SHORTEST_MARKER, "1s"),
    ];
    let short = |(name, field, least, text): (&str, &Option<Located<GoDuration>>, i64, &str)| {
        let field = field.as_ref()?;
        let value = field.value;
        (1..least).contains(&value.nanoseconds()).then(|| {
            TOO_SHORT
                .at(field.place, format!("{value} is too short for `{name}`"))
                .help(format!("write `{name}: {text}` or longer"))
        })
    };
    fields.into_iter().find_map(short)
}

fn max_age_missing(keeper: &Keeper<'_>) -> Option<Diagnostic> {
    let stream = keeper.stream;
    let concerned = keeper.options.target == Target::ControlLoop && stream.origin == Origin::Stream;
    // It skips a zero too.
    let missing = stream.max_age.as_ref().is_none_or(|age| age.value.nanoseconds() == 0);
    (concerned && missing).then(|| {
        MAX_AGE_MISSING
            .at(stream.name.place, format!("the stream `{}` has no maxAge", stream.name.as_str()))
            .help("write how long messages are kept, as in `maxAge: 720h`")
    })
}
