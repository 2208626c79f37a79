//! What `/metrics` tells of streams and consumers.

use std::fmt;

use prometheus_client::encoding::DescriptorEncoder;

use super::family::{Family, one, seconds, timestamp};
use crate::gateway::Gateway;
use crate::gateway::consumers::{Consumer, Stream};
use crate::telemetry::catalogue as of;

/// What came of messages.
pub(super) fn published(gateway: &Gateway, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let mut results = Family::new(of::PUBLISH);
    for published in gateway.figures().streams() {
        for (result, count) in published.results() {
            results.count(&[published.stream(), result], count);
        }
    }
    results.write(out)
}

/// What was seen at the last look.
pub(super) fn looked_at(gateway: &Gateway, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let seen = gateway.consumers();
    let mut success = Family::new(of::STREAM_WATCH_SUCCESS);
    let mut families = [of::STREAM_WATCH_CUT, of::STREAM_MESSAGES, of::STREAM_BYTES].map(Family::new);
    let mut consumers = Consumers::default();
    for stream in &seen.streams {
        // What stands there of an earlier look is no longer so.
        let current = stream.failure.is_none() && seen.failure.is_none();
        success.gauge(&[&stream.name], usize::from(current));
        if current {
            let values = [u64::from(stream.cut), stream.messages, stream.bytes];
            families.iter_mut().zip(values).for_each(|(family, value)| family.gauge(&[&stream.name], value));
            consumers.add(stream);
        }
    }
    [success].into_iter().chain(families).try_for_each(|family| family.write(out))?;
    consumers.write(out)?;
    seen.at.map_or(Ok(()), |at| seconds(of::STREAM_WATCH_TIMESTAMP, at, out))
}

struct Consumers {
    numbers: [Family; 4],
    waiting: Family,
    last: Family,
}

impl Default for Consumers {
    fn default() -> Consumers {
        let numbers =
            [of::CONSUMER_PENDING, of::CONSUMER_ACK_PENDING, of::CONSUMER_REDELIVERED, of::CONSUMER_STALLED];
        let [waiting, last] = [of::CONSUMER_WAITING, of::CONSUMER_LAST_DELIVERY].map(Family::new);
        Consumers { numbers: numbers.map(Family::new), waiting, last }
    }
}

impl Consumers {
    /// Adds those of a stream that are durable: the others have made-up names, which come and go, and each would stay in
    /// Prometheus as a series of its own.
    fn add(&mut self, stream: &Stream) {
        for consumer in stream.consumers.iter().filter(|consumer| consumer.durable) {
            let Consumer { pending, ack_pending, redelivered, stalled, .. } = *consumer;
            let labels = [stream.name.as_str(), consumer.name.as_str()];
            let values = [pending, ack_pending, redelivered, u64::from(stalled)];
            self.numbers.iter_mut().zip(values).for_each(|(family, value)| family.gauge(&labels, value));
            if consumer.push_bound.is_none() {
                self.waiting.gauge(&labels, consumer.waiting);
            }
            if let Some(at) = consumer.last_delivery {
                self.last.seconds(&labels, timestamp(at));
            }
        }
    }

    fn write(self, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let families = self.numbers.into_iter().chain([self.waiting, self.last]);
        families.into_iter().try_for_each(|family| family.write(out))
    }
}

/// Whether the server is as declared.
pub(super) fn drift(gateway: &Gateway, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let seen = gateway.drift();
    // Without a comparison there is nothing to say, and a 0 would say that all is well.
    if seen.at.is_none() && seen.failure.is_none() {
        return Ok(());
    }
    let mut drifted = Family::new(of::STREAM_DRIFT);
    for asset in &seen.assets {
        let consumer = asset.consumer.as_deref().unwrap_or_default();
        drifted.gauge(&[&asset.stream, consumer], usize::from(asset.drifted));
    }
    drifted.write(out)?;
    one(of::STREAM_DRIFT_SUCCESS, usize::from(seen.failure.is_none()), out)?;
    seen.at.map_or(Ok(()), |at| seconds(of::STREAM_DRIFT_TIMESTAMP, at, out))
}
