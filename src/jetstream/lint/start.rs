//! Where a consumer begins to read.

use super::{ConsumerRule, Reader};
use crate::diagnostic::{Diagnostic, Place};
use crate::jetstream::manifest::{Consumer, DeliverPolicy};
use crate::jetstream::rule::{LAST_PER_SUBJECT_WITHOUT_FILTER, START_MISSING, START_UNUSED};

pub(super) const RULES: &[ConsumerRule] = &[start_missing, start_unused, last_per_subject_without_filter];

/// A deliver policy's own field, and the other one's.
struct Start {
    field: &'static str,
    example: &'static str,
    place: Option<Place>,
    policy: DeliverPolicy,
}

fn starts(consumer: &Consumer) -> [Start; 2] {
    [
        Start {
            field: "optStartSeq",
            example: "optStartSeq: 1",
            place: consumer.opt_start_seq.as_ref().filter(|start| start.value > 0).map(|start| start.place),
            policy: DeliverPolicy::ByStartSequence,
        },
        Start {
            field: "optStartTime",
            example: "optStartTime: \"2026-01-31T12:00:00Z\"",
            place: consumer.opt_start_time.as_ref().map(|start| start.place),
            policy: DeliverPolicy::ByStartTime,
        },
    ]
}

fn policy(consumer: &Consumer) -> DeliverPolicy {
    consumer.deliver_policy.as_ref().map_or(DeliverPolicy::All, |policy| policy.value)
}

fn start_missing(reader: &Reader<'_>) -> Option<Diagnostic> {
    let written = reader.consumer.deliver_policy.as_ref()?;
    let start = starts(reader.consumer).into_iter().find(|start| start.policy == written.value)?;
    start.place.is_none().then(|| {
        START_MISSING
            .at(written.place, format!("this policy needs `{}`", start.field))
            .help(format!("add `{}`, or write `deliverPolicy: all`", start.example))
    })
}

fn start_unused(reader: &Reader<'_>) -> Option<Diagnostic> {
    let policy = policy(reader.consumer);
    let unused =
        starts(reader.consumer).into_iter().find(|start| start.place.is_some() && start.policy != policy)?;
    let wanted = match unused.policy {
        DeliverPolicy::ByStartSequence => "byStartSequence",
        _ => "byStartTime",
    };
    Some(
        START_UNUSED
            .at(unused.place?, format!("`{}` is for another deliver policy", unused.field))
            .help(format!("write `deliverPolicy: {wanted}`, or remove `{}`", unused.field)),
    )
}

fn last_per_subject_without_filter(reader: &Reader<'_>) -> Option<Diagnostic> {
    let written = reader.consumer.deliver_policy.as_ref()?;
    let filtered = super::filter::filters(reader.consumer).next().is_some();
    (written.value == DeliverPolicy::LastPerSubject && !filtered).then(|| {
        LAST_PER_SUBJECT_WITHOUT_FILTER
            .at(written.place, "`lastPerSubject` needs a filter")
            .help("add `filterSubject`; `\">\"` stands for every subject")
    })
}
