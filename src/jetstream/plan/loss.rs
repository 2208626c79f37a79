//! What deleting something takes with it. Pure.

use std::collections::BTreeSet;

use crate::jetstream::declared::{Declared, title};
use crate::jetstream::field::Kind;
use crate::jetstream::live::LiveStream;

/// What does not come back when it is created again; none if all of it does. `known` are the titles of everything that
/// is declared, which is created again too.
pub(super) fn of(declared: &Declared, stream: &LiveStream, known: &BTreeSet<String>) -> Option<String> {
    match declared.kind {
        Kind::Stream => of_stream(&declared.stream, stream, known),
        Kind::Consumer if stream.config.get("retention").is_some_and(|kind| kind == "interest") => {
            Some("the messages that no other consumer waits for".to_owned())
        }
        Kind::Consumer => place(declared).filter(|_| stream.messages > 0),
    }
}

fn of_stream(name: &str, stream: &LiveStream, known: &BTreeSet<String>) -> Option<String> {
    let strangers = stream.consumers.keys().filter(|consumer| !known.contains(&title(name, Some(consumer))));
    // Where messages go, so does what each consumer has done with them.
    let consumers: Vec<_> = match stream.messages {
        0 => strangers.map(String::as_str).collect(),
        _ => stream.consumers.keys().map(String::as_str).collect(),
    };
    match (stream.messages, consumers.as_slice()) {
        (0, []) => None,
        (0, names) => Some(format!("its consumers {}, which no manifest declares", names.join(", "))),
        (count, []) => Some(messages(count)),
        (count, names) => Some(format!("{} and its consumers {}", messages(count), names.join(", "))),
    }
}

/// A new consumer begins where its policy says, and not where the old one was.
fn place(declared: &Declared) -> Option<String> {
    let policy = declared.config.get("deliver_policy")?.as_str()?;
    matches!(policy, "new" | "last" | "last_per_subject")
        .then(|| "its place in the stream, so that what it has not delivered is skipped".to_owned())
}

/// `its 3 messages`.
pub(in crate::jetstream) fn messages(count: u64) -> String {
    format!("its {count} message{}", if count == 1 { "" } else { "s" })
}
