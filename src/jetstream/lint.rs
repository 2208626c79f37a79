//! Holds manifests against the rules of the server, of NACK and of the clients, without asking anybody. Pure.
//!
//! One rule is one function, in the file of its topic; names and reasons are in [`crate::jetstream::rule`].

mod ack;
mod bounds;
mod controller;
mod copies;
mod deliver;
mod features;
mod filter;
mod helm;
mod priority;
mod start;
mod storage;
mod subjects;
mod work_queue;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::jetstream::manifest::{Consumer, Manifests, Stream};
use crate::yaml::Located;

pub(super) use filter::filters;
pub use helm::lint_values;

/// What the manifests are meant for.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Which of NACK's two controllers reads them.
    pub target: Target,
    /// The oldest server that takes them.
    pub server: Server,
}

/// The controllers of NACK, which do not treat every field alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Target {
    /// NACK as it starts.
    #[default]
    Legacy,
    /// NACK with --control-loop.
    ControlLoop,
}

/// Versions of nats-server, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, clap::ValueEnum)]
pub enum Server {
    /// 2.10
    #[value(name = "2.10")]
    V2_10,
    /// 2.11
    #[value(name = "2.11")]
    V2_11,
    /// 2.12
    #[value(name = "2.12")]
    V2_12,
    /// 2.14
    #[value(name = "2.14")]
    V2_14,
    /// 2.15
    #[default]
    #[value(name = "2.15")]
    V2_15,
}

/// What the rules of consumers look at.
struct Reader<'a> {
    consumer: &'a Consumer,
    /// Its stream, where a manifest declares it.
    stream: Option<&'a Stream>,
    options: &'a Options,
}

/// What the rules of streams look at.
struct Keeper<'a> {
    stream: &'a Stream,
    options: &'a Options,
}

/// A rule that finds one thing at most.
type ConsumerRule = fn(&Reader<'_>) -> Option<Diagnostic>;
type StreamRule = fn(&Keeper<'_>) -> Option<Diagnostic>;

const CONSUMER_RULES: &[&[ConsumerRule]] = &[
    ack::RULES,
    bounds::CONSUMER_RULES,
    controller::CONSUMER_RULES,
    deliver::RULES,
    filter::RULES,
    priority::RULES,
    start::RULES,
    work_queue::RULES,
];

const STREAM_RULES: &[&[StreamRule]] = &[
    bounds::STREAM_RULES,
    controller::STREAM_RULES,
    copies::RULES,
    features::RULES,
    storage::RULES,
    subjects::RULES,
];

/// Notes everything that is wrong with what the manifests declare.
pub fn lint(manifests: &Manifests, options: &Options, diagnostics: &mut Diagnostics) {
    for stream in &manifests.streams {
        let keeper = Keeper { stream, options };
        let found = STREAM_RULES.iter().copied().flatten().filter_map(|rule| rule(&keeper));
        diagnostics.extend(found.chain(controller::newer_fields_of_stream(&keeper)));
    }
    for consumer in &manifests.consumers {
        let stream = manifests.stream(consumer.stream_name.as_str());
        let reader = Reader { consumer, stream, options };
        let found = CONSUMER_RULES.iter().copied().flatten().filter_map(|rule| rule(&reader));
        diagnostics.extend(found.chain(controller::newer_fields_of_consumer(&reader)));
    }
    diagnostics.extend(subjects::between_streams(manifests));
    diagnostics.extend(work_queue::between_consumers(manifests));
    diagnostics.extend(bounds::too_many_consumers(manifests));
    diagnostics.extend(controller::kinds(manifests, options));
}

/// Whether a switch is written and on.
fn on(switch: &Option<Located<bool>>) -> bool {
    switch.as_ref().is_some_and(|switch| switch.value)
}
