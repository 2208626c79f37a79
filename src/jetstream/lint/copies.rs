//! Streams that hold what others hold: mirrors and sources.

use super::{Keeper, StreamRule, on};
use crate::diagnostic::{Diagnostic, Place};
use crate::jetstream::manifest::Source;
use crate::jetstream::rule::{
    COPIES_ITSELF, MIRROR_CONFLICT, MIRROR_DIRECT_WITHOUT_MIRROR, MIRROR_WITH_SOURCES, MIRROR_WITH_SUBJECTS,
    SOURCE_FILTERED_TWICE, SOURCE_TWICE,
};
use crate::yaml::Located;

pub(super) const RULES: &[StreamRule] = &[
    mirror_with_subjects,
    mirror_with_sources,
    mirror_conflict,
    mirror_direct_without_mirror,
    copies_itself,
    source_twice,
    source_filtered_twice,
];

fn mirror_with_subjects(keeper: &Keeper<'_>) -> Option<Diagnostic> {
    let mirror = keeper.stream.mirror.as_ref()?;
    let first = keeper.stream.subjects.as_ref()?.first()?;
    Some(
        MIRROR_WITH_SUBJECTS
            .at(first.place, "a mirror captures no subjects")
            .also(mirror.name.place, "it is a mirror")
            .help("remove `subjects`; or write `sources` instead of `mirror` for a stream with messages of its own"),
    )
}

fn mirror_with_sources(keeper: &Keeper<'_>) -> Option<Diagnostic> {
    let mirror = keeper.stream.mirror.as_ref()?;
    let first = keeper.stream.sources.as_ref()?.first()?;
    Some(
        MIRROR_WITH_SOURCES
            .at(first.name.place, "a mirror has no sources")
            .also(mirror.name.place, "it is a mirror")
            .help("put the mirrored stream into `sources` too, and remove `mirror`"),
    )
}

fn mirror_conflict(keeper: &Keeper<'_>) -> Option<Diagnostic> {
    let stream = keeper.stream;
    let mirror = stream.mirror.as_ref()?;
    let switch = |field: &Option<Located<bool>>| field.as_ref().filter(|one| one.value).map(|one| one.place);
    let marker = stream.subject_delete_marker_ttl.as_ref().filter(|ttl| ttl.value.nanoseconds() > 0);
    let fields: [(&str, Option<Place>); 5] = [
        (
            "firstSequence",
            stream.first_sequence.as_ref().filter(|first| first.value > 0).map(|first| first.place),
        ),
        ("subjectDeleteMarkerTtl", marker.map(|marker| marker.place)),
        ("allowMsgCounter", switch(&stream.allow_msg_counter)),
        ("allowAtomicPublish", switch(&stream.allow_atomic_publish)),
        ("allowMsgSchedules", switch(&stream.allow_msg_schedules)),
    ];
    let (name, place) = fields.into_iter().find_map(|(name, place)| Some((name, place?)))?;
    Some(
        MIRROR_CONFLICT
            .at(place, format!("a mirror has no `{name}`"))
            .also(mirror.name.place, "it is a mirror")
            .help(format!("remove `{name}`")),
    )
}

fn mirror_direct_without_mirror(keeper: &Keeper<'_>) -> Option<Diagnostic> {
    let direct = keeper.stream.mirror_direct.as_ref().filter(|direct| direct.value)?;
    (keeper.stream.mirror.is_none() && on(&keeper.stream.mirror_direct)).then(|| {
        MIRROR_DIRECT_WITHOUT_MIRROR
            .at(direct.place, "`mirrorDirect` needs a mirror")
            .help("remove it; `allowDirect` is for a stream's own messages")
    })
}

fn origins<'k>(keeper: &Keeper<'k>) -> impl Iterator<Item = &'k Source> {
    keeper.stream.mirror.iter().chain(keeper.stream.sources.iter().flatten())
}

fn copies_itself(keeper: &Keeper<'_>) -> Option<Diagnostic> {
    let own = |source: &&Source| {
        source.name.value == keeper.stream.name.value && source.external_api_prefix.is_none()
    };
    let source = origins(keeper).find(own)?;
    Some(
        COPIES_ITSELF
            .at(source.name.place, format!("the stream `{}` copies itself", source.name.as_str()))
            .help("name the other stream; one of another domain needs `externalApiPrefix`"),
    )
}

/// By what the server tells two sources apart.
fn identity(source: &Source) -> impl PartialEq {
    let text = |text: &Option<Located<String>>| text.as_ref().map(|text| text.value.clone());
    let transforms = source.subject_transforms.iter().flatten();
    (
        source.name.value.clone(),
        source.filter_subject.as_ref().map(|filter| filter.value.clone()),
        text(&source.external_api_prefix),
        transforms.map(|one| (text(&one.source), text(&one.dest))).collect::<Vec<_>>(),
    )
}

fn source_twice(keeper: &Keeper<'_>) -> Option<Diagnostic> {
    let sources = keeper.stream.sources.as_deref().unwrap_or_default();
    let pairs =
        sources.iter().enumerate().flat_map(|(at, one)| sources[..at].iter().map(move |first| (one, first)));
    let (one, first) = pairs.into_iter().find(|(one, first)| identity(one) == identity(first))?;
    Some(
        SOURCE_TWICE
            .at(one.name.place, format!("`{}` is a source twice", one.name.as_str()))
            .also(first.name.place, "the first time here")
            .help("remove one, or give each a `filterSubject` of its own"),
    )
}

fn source_filtered_twice(keeper: &Keeper<'_>) -> Option<Diagnostic> {
    let twice = |source: &&Source| source.subject_transforms.as_ref().is_some_and(|list| !list.is_empty());
    let filter = origins(keeper).filter(twice).find_map(|source| source.filter_subject.as_ref())?;
    Some(
        SOURCE_FILTERED_TWICE
            .at(filter.place, "`filterSubject` and `subjectTransforms` exclude each other")
            .help("remove `filterSubject`; a transform with an empty `dest` filters and keeps the subject"),
    )
}
