//! The streams that operations publish to, and their consumers, looked at again and again: how much waits, what comes
//! back, who stands still. Nothing is changed, and no request waits for it.

mod read;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::future::join_all;
use tokio::time::Instant;

use super::Gateway;
use super::changes::Changes;

pub use read::{Consumer, Stream};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(15);
/// How long the server may take for what is asked about one stream.
const WITHIN: Duration = Duration::from_secs(5);
/// Streams that are asked about at the same time.
const TOGETHER: usize = 8;
/// A consumer that has not moved for so long, and has messages, stands still.
const STILL: Duration = Duration::from_secs(60);

/// What was seen at the last look.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// The streams, by name.
    pub streams: Vec<Stream>,
    /// When; none before the first look.
    pub at: Option<SystemTime>,
    /// Why nothing could be seen at the last look: what stands here is of an earlier one.
    pub failure: Option<String>,
}

/// Looks, forever. Also when a connection has come or gone, or another table is in place.
pub async fn watch(gateway: Arc<Gateway>) {
    let mut changes = Changes::of(&gateway);
    let mut movements = Movements::default();
    loop {
        round(&gateway, &mut movements).await;
        if !changes.next(EVERY).await {
            return;
        }
    }
}

/// One look at every stream.
async fn round(gateway: &Gateway, movements: &mut Movements) {
    let before = gateway.consumers();
    if !gateway.nats().is_connected() {
        // Who could not be served meanwhile has not stood still by itself. The connection tells of itself in the log.
        *movements = Movements::default();
        let failure = Some("not connected".to_owned());
        gateway.consumers.store(Arc::new(Seen { failure, ..Seen::clone(&before) }));
        return;
    }
    let table = gateway.table();
    let names = table.operations.iter().filter_map(|operation| operation.stream().map(str::to_owned));
    let names: BTreeSet<String> = names.collect();
    let names: Vec<String> = names.into_iter().collect();
    let mut streams = Vec::with_capacity(names.len());
    for some in names.chunks(TOGETHER) {
        let reading = some.iter().map(|name| read::stream(gateway.nats(), name, Instant::now() + WITHIN));
        streams.extend(join_all(reading).await);
    }
    movements.note(&mut streams, Instant::now());
    streams.iter().for_each(|stream| tell(stream, &before));
    gateway.consumers.store(Arc::new(Seen { streams, at: Some(SystemTime::now()), failure: None }));
}

/// Tells what is new about a stream.
fn tell(stream: &Stream, before: &Seen) {
    let name = stream.name.as_str();
    let former = before.streams.iter().find(|former| former.name == name);
    let failed = former.and_then(|former| former.failure.as_ref());
    match &stream.failure {
        Some(failure) if failed != Some(failure) => {
            tracing::warn!(stream = name, failure, "the state of a stream cannot be read");
        }
        None if failed.is_some() => tracing::info!(stream = name, "the state of a stream can be read again"),
        _ => {}
    }
    if stream.cut && !former.is_some_and(|former| former.cut) {
        let shown = stream.consumers.len();
        tracing::warn!(stream = name, shown, "a stream has more consumers than are looked at");
    }
    for consumer in &stream.consumers {
        let was = former.and_then(|former| former.consumers.iter().find(|was| was.name == consumer.name));
        let was_stalled = was.is_some_and(|was| was.stalled);
        let (stream, consumer_name, pending) = (name, consumer.name.as_str(), consumer.pending);
        match (consumer.stalled, was_stalled) {
            (true, false) => {
                tracing::warn!(stream, consumer = consumer_name, pending, "a consumer stands still");
            }
            (false, true) => {
                tracing::info!(stream, consumer = consumer_name, pending, "a consumer moves again");
            }
            _ => {}
        }
    }
}

/// Where each consumer was, and since when it has been there. It holds what the last look has seen. Looks say nothing of
/// time: each new table and each new connection is followed by one.
#[derive(Debug, Default)]
struct Movements(HashMap<(String, String), (Position, Instant)>);

type Position = (u64, u64, Option<SystemTime>);

impl Movements {
    /// Says of each consumer whether it stands still. Of a stream that could not be read nothing is known.
    fn note(&mut self, streams: &mut [Stream], at: Instant) {
        let mut now = HashMap::new();
        for stream in streams {
            for consumer in &mut stream.consumers {
                let key = (stream.name.clone(), consumer.name.clone());
                let position = (consumer.delivered, consumer.acknowledged, consumer.last_ack);
                let since = match self.0.get(&key) {
                    Some((former, since)) if *former == position => *since,
                    _ => at,
                };
                let still = at.saturating_duration_since(since);
                consumer.stalled = consumer.pending > 0 && !consumer.paused && still >= STILL;
                now.insert(key, (position, since));
            }
        }
        self.0 = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(pending: u64, delivered: u64, paused: bool) -> [Stream; 1] {
        let consumer = Consumer { name: "c".into(), pending, delivered, paused, ..Consumer::default() };
        [Stream { name: "s".into(), consumers: vec![consumer], ..Stream::default() }]
    }

    fn stalled(looks: &[(u64, u64, bool)]) -> bool {
        stalled_after(EVERY, looks)
    }

    fn stalled_after(pause: Duration, looks: &[(u64, u64, bool)]) -> bool {
        let (mut movements, mut at) = (Movements::default(), Instant::now());
        let mut last = false;
        for (pending, delivered, paused) in looks {
            let mut streams = seen(*pending, *delivered, *paused);
            at += pause;
            movements.note(&mut streams, at);
            last = streams[0].consumers[0].stalled;
        }
        last
    }

    #[test]
    fn who_has_messages_and_does_not_move_stands_still() {
        assert!(stalled(&[(5, 1, false); 5]));
        assert!(!stalled(&[(5, 1, false); 4]), "not at once");
        assert!(!stalled_after(Duration::from_millis(10), &[(5, 1, false); 99]), "reloads make it no older");
        assert!(!stalled(&[(0, 1, false); 9]), "there is nothing to do");
        assert!(!stalled(&[(5, 1, true); 9]), "somebody has paused it");
        assert!(!stalled(&[(5, 1, false), (5, 1, false), (5, 1, false), (5, 1, false), (5, 2, false)]));
        assert!(
            stalled(&[[(5, 1, false); 2], [(9, 1, false); 2], [(50, 1, false); 2]].concat()),
            "only the lag moves"
        );
    }
}
