//! What a change costs: nothing, data, or the whole thing. Pure.

use serde_json::{Map, Value, json};

use crate::jetstream::effective::Around;
use crate::jetstream::field::{Change, Kind};
use crate::jetstream::version::Version;
use crate::subject::covers;

/// From harmless to costly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// The server takes it and loses nothing.
    InPlace,
    /// The server takes it and data is lost, or it can never be undone.
    Destructive,
    /// The server never takes it: it has to be deleted and created again.
    Replace,
}

impl Class {
    /// As it stands in tables and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Class::InPlace => "in place",
            Class::Destructive => "destructive",
            Class::Replace => "replace",
        }
    }
}

type Reason = Option<String>;

/// The class of a change of one field, and why.
pub(super) fn of(
    kind: Kind,
    root: &str,
    wanted: &Map<String, Value>,
    has: &Map<String, Value>,
    around: &Around<'_>,
    version: Version,
) -> (Class, Reason) {
    let (to, from) = (wanted.get(root), has.get(root));
    let never = |what: &str| (Class::Replace, Some(what.to_owned()));
    match kind.field(root).map_or(Change::InPlace, |field| field.change) {
        Change::InPlace => (Class::InPlace, None),
        Change::Replace => never("the server never changes it"),
        Change::ReplaceBefore(first) if version < first => {
            never(&format!("servers before {}.{} never change it", first.0, first.1))
        }
        Change::ReplaceFrom(first) if version >= first => {
            never(&format!("servers from {}.{} on never change it", first.0, first.1))
        }
        Change::ReplaceBefore(_) | Change::ReplaceFrom(_) => (Class::InPlace, None),
        Change::Bound => bound(root, to, from),
        Change::OnlyOn if to.is_none() => never("the server never turns it off again"),
        Change::OnlyOn => note("it can never be turned off again"),
        Change::Subjects => subjects(to, from),
        Change::Filter => filter(to, from, around, version),
        Change::Retention => retention(to, from),
        Change::Mirror => mirror(to, version),
        Change::DeliverSubject if to.is_some() == from.is_some() => {
            note("refused while somebody listens on the old one")
        }
        Change::DeliverSubject => never("the server never turns push into pull or back"),
        Change::Seal if to.is_none() => never("a sealed stream stays sealed"),
        Change::Seal => (Class::Destructive, Some("it takes no message any more, for ever".to_owned())),
        Change::ConsumerBounds if to.is_none() && version < Version(2, 14, 0) => {
            note("servers before 2.14 refuse it while the stream has consumers")
        }
        Change::ConsumerBounds => (Class::InPlace, None),
        Change::AtCreation => note("it counts when a stream is created, and never again"),
    }
}

fn note(text: &str) -> (Class, Reason) {
    (Class::InPlace, Some(text.to_owned()))
}

fn lost(text: &str) -> (Class, Reason) {
    (Class::Destructive, Some(text.to_owned()))
}

fn bound(root: &str, to: Option<&Value>, from: Option<&Value>) -> (Class, Reason) {
    let most = |value: Option<&Value>| value.and_then(Value::as_i64).filter(|n| *n > 0).unwrap_or(i64::MAX);
    if most(to) >= most(from) {
        return (Class::InPlace, None);
    }
    lost(match root {
        "max_age" => "messages that are older are deleted",
        "max_msgs_per_subject" => "older messages of a subject that has more are deleted",
        _ => "the oldest messages beyond it are deleted",
    })
}

fn subjects(to: Option<&Value>, from: Option<&Value>) -> (Class, Reason) {
    match given_up(to, from).as_slice() {
        [] => (Class::InPlace, None),
        gone => lost(&format!("what is published to {} is not stored any more", gone.join(", "))),
    }
}

/// A stream of interest gives up at once what none of its consumers takes any more. Before 2.11 so does one that is
/// none any longer: its consumers go on as they were created.
fn filter(
    to: Option<&Value>,
    from: Option<&Value>,
    around: &Around<'_>,
    version: Version,
) -> (Class, Reason) {
    let was = around.stream_now.filter(|_| version < Version(2, 11, 0));
    let mut streams = around.stream.into_iter().chain(was);
    let interest = streams.any(|stream| stream.get("retention").is_some_and(|kind| kind == "interest"));
    let everything = json!([">"]);
    let gone = given_up(to.or(Some(&everything)), from.or(Some(&everything)));
    match interest && !gone.is_empty() {
        true => lost("messages that it no longer takes and no other consumer waits for are deleted"),
        false => (Class::InPlace, None),
    }
}

/// The subjects of the old list that the new one covers no more.
fn given_up(to: Option<&Value>, from: Option<&Value>) -> Vec<String> {
    let list = |value: Option<&Value>| -> Vec<String> {
        let items = value.and_then(Value::as_array).into_iter().flatten();
        items.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let new = list(to);
    list(from).into_iter().filter(|old| !new.iter().any(|subject| covers(subject, old))).collect()
}

fn retention(to: Option<&Value>, from: Option<&Value>) -> (Class, Reason) {
    let is = |value: Option<&Value>, word: &str| value.is_some_and(|value| value == word);
    if is(to, "workqueue") || is(from, "workqueue") {
        return (Class::Replace, Some("the server never changes to or from a work queue".to_owned()));
    }
    match is(to, "interest") {
        true => lost("messages that no consumer waits for are deleted"),
        false => (Class::InPlace, None),
    }
}

fn mirror(to: Option<&Value>, version: Version) -> (Class, Reason) {
    match to {
        None if version >= Version(2, 12, 0) => {
            note("it becomes a stream of its own and follows the origin no more")
        }
        _ => (Class::Replace, Some("the server never changes what a mirror copies".to_owned())),
    }
}
