//! What streams capture: not twice, not the server's own interfaces, and not what they send on themselves.

use super::{Keeper, StreamRule};
use crate::diagnostic::{Diagnostic, Place};
use crate::jetstream::manifest::{Manifests, Stream};
use crate::jetstream::rule::{
    CAPTURES_EVERYTHING, REPUBLISH_CYCLE, SUBJECTS_OVERLAP, SUBJECTS_OVERLAP_THEMSELVES,
};
use crate::subject::{covers, overlaps};

pub(super) const RULES: &[StreamRule] = &[overlap_themselves, captures_everything, republish_cycle];

/// The interfaces that nobody may answer in the server's place, and the parts of them that only tell news.
const INTERFACES: [&str; 4] = ["$JS.>", "$JSC.>", "$NRG.>", "$SYS.>"];
const NEWS: [&str; 2] = ["$JS.EVENT.>", "$SYS.ACCOUNT.>"];

fn overlap_themselves(keeper: &Keeper<'_>) -> Option<Diagnostic> {
    let subjects = keeper.stream.subjects();
    let pairs = subjects
        .iter()
        .enumerate()
        .flat_map(|(at, one)| subjects[..at].iter().map(move |other| (one, other)));
    let (one, other) = pairs.into_iter().find(|(one, other)| overlaps(one.0, other.0))?;
    Some(
        SUBJECTS_OVERLAP_THEMSELVES
            .at(one.1, format!("`{}` and `{}` overlap", one.0, other.0))
            .also(other.1, "the other one stands here")
            .help("keep the wider one"),
    )
}

/// The subject of a stream that captures what is not its to capture.
fn captured_interface(stream: &Stream) -> Option<(&str, Place)> {
    let reaches = |subject: &str| {
        let interface = INTERFACES.iter().any(|interface| overlaps(interface, subject));
        interface && !NEWS.iter().any(|news| covers(news, subject))
    };
    stream.subjects().into_iter().find(|(subject, _)| *subject == ">" || reaches(subject))
}

fn captures_everything(keeper: &Keeper<'_>) -> Option<Diagnostic> {
    let (subject, place) = captured_interface(keeper.stream)?;
    let silent = keeper.stream.stays_silent();
    let replicated = subject == ">" && super::bounds::replicas(keeper.stream) > 1;
    let (message, help) = match (silent, replicated) {
        (true, false) => return None,
        (true, true) => {
            ("a stream that captures everything has one replica".to_owned(), "write `replicas: 1`")
        }
        (false, _) => (
            format!("`{subject}` captures the server's own interfaces"),
            "name the subjects that are meant; a record of everything needs `noAck: true`",
        ),
    };
    Some(CAPTURES_EVERYTHING.at(place, message).help(help))
}

fn republish_cycle(keeper: &Keeper<'_>) -> Option<Diagnostic> {
    let destination = keeper.stream.republish.as_ref()?.destination.as_ref()?;
    // A mapping such as `{{wildcard(1)}}` becomes one token.
    let tokens = destination.value.split('.').map(|token| if token.contains("{{") { "*" } else { token });
    let pattern = tokens.collect::<Vec<_>>().join(".");
    let (captured, place) =
        keeper.stream.subjects().into_iter().find(|(subject, _)| overlaps(subject, &pattern))?;
    Some(
        REPUBLISH_CYCLE
            .at(destination.place, format!("the stream captures what it sends to `{}`", destination.value))
            .also(place, format!("it captures `{captured}` here"))
            .help("send to a subject that the stream does not capture"),
    )
}

/// Each stream that captures what an earlier one captures too.
pub(super) fn between_streams(manifests: &Manifests) -> Vec<Diagnostic> {
    let streams = &manifests.streams;
    let clash = |(at, one): (usize, &Stream)| {
        streams[..at]
            .iter()
            .filter(|other| other.name.value != one.name.value)
            .find_map(|other| both(one, other))
    };
    streams.iter().enumerate().filter_map(clash).collect()
}

fn both(one: &Stream, other: &Stream) -> Option<Diagnostic> {
    let others = other.subjects();
    let (subject, place, captured, other_place) =
        one.subjects().into_iter().find_map(|(subject, place)| {
            let (captured, other_place) = others.iter().find(|(captured, _)| overlaps(subject, captured))?;
            Some((subject, place, *captured, *other_place))
        })?;
    let (name, other) = (one.name.as_str(), other.name.as_str());
    Some(
        SUBJECTS_OVERLAP
            .at(place, format!("`{subject}` of `{name}` overlaps with `{captured}` of `{other}`"))
            .also(other_place, format!("`{other}` captures it here"))
            .help("narrow one of them; a second copy of the messages is a `sources` or `mirror` entry"),
    )
}
