//! Settings of a stream that exclude each other.

use super::{Keeper, StreamRule, on};
use crate::diagnostic::Diagnostic;
use crate::jetstream::manifest::{Discard, PersistMode, Retention, Stream};
use crate::jetstream::rule::{
    ASYNC_PERSIST_CONFLICT, COUNTER_CONFLICT, DENY_PURGE_WITH_ROLLUP, DISCARD_PER_SUBJECT, SCHEDULE_CONFLICT,
    SEALED,
};

pub(super) const RULES: &[StreamRule] = &[
    discard_per_subject,
    deny_purge_with_rollup,
    counter_conflict,
    schedule_conflict,
    async_persist_conflict,
    sealed,
];

fn refuses_new(stream: &Stream) -> bool {
    stream.discard.as_ref().is_some_and(|discard| discard.value == Discard::New)
}

fn discard_per_subject(keeper: &Keeper<'_>) -> Option<Diagnostic> {
    let stream = keeper.stream;
    let switch = stream.discard_per_subject.as_ref().filter(|switch| switch.value)?;
    let counted = stream.max_msgs_per_subject.as_ref().is_some_and(|most| most.value > 0);
    let missing = match (refuses_new(stream), counted) {
        (true, true) => return None,
        (false, _) => "discard: new",
        (true, false) => "maxMsgsPerSubject: 1",
    };
    Some(
        DISCARD_PER_SUBJECT
            .at(switch.place, "`discardPerSubject` needs `discard: new` and `maxMsgsPerSubject`")
            .help(format!("add `{missing}`, or remove `discardPerSubject`")),
    )
}

fn deny_purge_with_rollup(keeper: &Keeper<'_>) -> Option<Diagnostic> {
    let rollup = keeper.stream.allow_rollup.as_ref().filter(|rollup| rollup.value)?;
    let deny = keeper.stream.deny_purge.as_ref().filter(|deny| deny.value)?;
    Some(
        DENY_PURGE_WITH_ROLLUP
            .at(rollup.place, "`allowRollup` needs purges, which are denied")
            .also(deny.place, "they are denied here")
            .help("remove one of both"),
    )
}

fn counter_conflict(keeper: &Keeper<'_>) -> Option<Diagnostic> {
    let stream = keeper.stream;
    let counter = stream.allow_msg_counter.as_ref().filter(|counter| counter.value)?;
    let consumed = stream.retention.as_ref().is_some_and(|retention| retention.value != Retention::Limits);
    let conflicts = [
        ("discard: new", refuses_new(stream)),
        ("allowMsgTtl", on(&stream.allow_msg_ttl)),
        ("allowMsgSchedules", on(&stream.allow_msg_schedules)),
        ("a retention by consumers", consumed),
    ];
    let (name, _) = conflicts.into_iter().find(|(_, conflict)| *conflict)?;
    Some(
        COUNTER_CONFLICT
            .at(counter.place, format!("a stream of counters does not go with {}", quoted(name)))
            .help("give counters a stream of their own"),
    )
}

fn schedule_conflict(keeper: &Keeper<'_>) -> Option<Diagnostic> {
    let stream = keeper.stream;
    let schedules = stream.allow_msg_schedules.as_ref().filter(|schedules| schedules.value)?;
    let sourced = stream.sources.as_ref().is_some_and(|sources| !sources.is_empty());
    let conflicts = [("discard: new", refuses_new(stream)), ("sources", sourced)];
    let (name, _) = conflicts.into_iter().find(|(_, conflict)| *conflict)?;
    Some(
        SCHEDULE_CONFLICT
            .at(schedules.place, format!("scheduled messages do not go with {}", quoted(name)))
            .help("give schedules a stream of their own"),
    )
}

fn async_persist_conflict(keeper: &Keeper<'_>) -> Option<Diagnostic> {
    let stream = keeper.stream;
    let mode = stream.persist_mode.as_ref().filter(|mode| mode.value == PersistMode::Async)?;
    let conflicts = [
        ("storage: memory", super::storage::in_memory(stream)),
        ("several replicas", super::bounds::replicas(stream) > 1),
        ("allowAtomicPublish", on(&stream.allow_atomic_publish)),
    ];
    let (name, _) = conflicts.into_iter().find(|(_, conflict)| *conflict)?;
    Some(
        ASYNC_PERSIST_CONFLICT
            .at(mode.place, format!("`persistMode: async` does not go with {}", quoted(name)))
            .help("remove `persistMode`: what is acknowledged is then stored"),
    )
}

fn sealed(keeper: &Keeper<'_>) -> Option<Diagnostic> {
    let sealed = keeper.stream.sealed.as_ref().filter(|sealed| sealed.value)?;
    Some(
        SEALED
            .at(sealed.place, "a stream cannot be created sealed")
            .help("remove it, and seal the stream by hand when it has its messages: it cannot be undone"),
    )
}

/// Words for people stay as they are; what is written in a file is marked as code.
fn quoted(name: &str) -> String {
    if name.contains(' ') && !name.contains(':') { name.to_owned() } else { format!("`{name}`") }
}
