//! The filters of consumers.

use super::{ConsumerRule, Reader};
use crate::diagnostic::Diagnostic;
use crate::jetstream::manifest::{Consumer, Stream, SubjectFilter};
use crate::jetstream::rule::{FILTER_OUTSIDE_STREAM, FILTER_TWICE, FILTERS_OVERLAP};
use crate::subject::overlaps;
use crate::yaml::Located;

pub(super) const RULES: &[ConsumerRule] = &[filter_twice, filters_overlap, filter_outside_stream];

/// Every filter of a consumer, from whichever field.
pub(in crate::jetstream) fn filters(consumer: &Consumer) -> impl Iterator<Item = &Located<SubjectFilter>> {
    consumer.filter_subject.iter().chain(consumer.filter_subjects.iter().flatten())
}

fn filter_twice(reader: &Reader<'_>) -> Option<Diagnostic> {
    let one = reader.consumer.filter_subject.as_ref()?;
    let first = reader.consumer.filter_subjects.as_ref()?.first()?;
    Some(
        FILTER_TWICE
            .at(one.place, "both `filterSubject` and `filterSubjects` are written")
            .also(first.place, "the list begins here")
            .help("put all of them into `filterSubjects`, and remove `filterSubject`"),
    )
}

fn filters_overlap(reader: &Reader<'_>) -> Option<Diagnostic> {
    let list = reader.consumer.filter_subjects.as_deref()?;
    let pairs =
        list.iter().enumerate().flat_map(|(at, one)| list[..at].iter().map(move |earlier| (one, earlier)));
    let (one, earlier) =
        pairs.into_iter().find(|(one, earlier)| overlaps(one.value.as_str(), earlier.value.as_str()))?;
    Some(
        FILTERS_OVERLAP
            .at(one.place, format!("`{}` and `{}` overlap", one.value.as_str(), earlier.value.as_str()))
            .also(earlier.place, "the other one stands here")
            .help("keep the wider one"),
    )
}

/// Messages that come from elsewhere, or change their subjects on the way, have subjects that are not declared here.
fn subjects_are_known(stream: &Stream) -> bool {
    stream.mirror.is_none()
        && stream.sources.as_ref().is_none_or(Vec::is_empty)
        && stream.subject_transform.is_none()
}

fn filter_outside_stream(reader: &Reader<'_>) -> Option<Diagnostic> {
    let stream = reader.stream.filter(|stream| subjects_are_known(stream))?;
    let subjects = stream.subjects();
    let inside = |filter: &&Located<SubjectFilter>| {
        subjects.iter().any(|(subject, _)| overlaps(subject, filter.value.as_str()))
    };
    let outside = filters(reader.consumer).find(|filter| !inside(filter))?;
    let place = subjects.first().map_or(stream.name.place, |(_, place)| *place);
    let names: Vec<_> = subjects.iter().map(|(subject, _)| format!("`{subject}`")).collect();
    Some(
        FILTER_OUTSIDE_STREAM
            .at(
                outside.place,
                format!("no message of `{}` matches `{}`", stream.name.as_str(), outside.value.as_str()),
            )
            .also(place, format!("the stream captures {}", names.join(", ")))
            .help("correct the filter, or let the stream capture its subject"),
    )
}
