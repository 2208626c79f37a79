//! What `/metrics` tells of legacy services.

use std::fmt;

use prometheus_client::encoding::DescriptorEncoder;

use super::family::Family;
use crate::gateway::Gateway;
use crate::telemetry::catalogue as of;

/// All of them.
pub(super) fn all(gateway: &Gateway, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let gauges = [of::UPSTREAM_IN_FLIGHT, of::UPSTREAM_CONNECTIONS, of::UPSTREAM_LEFT_ALONE];
    let [mut in_flight, mut connections, mut alone] = gauges.map(Family::new);
    let [mut failures, mut broken] = [of::UPSTREAM_FAILURES, of::UPSTREAM_BROKEN].map(Family::new);
    for upstream in gateway.table().upstreams.all() {
        let (name, counts) = (upstream.name(), upstream.counts());
        in_flight.gauge(&[name], counts.in_flight());
        connections.gauge(&[name], counts.connections());
        alone.gauge(&[name], upstream.addresses().iter().filter(|address| address.left_alone).count());
        counts.failures().for_each(|(kind, count)| failures.count(&[name, kind], count));
        broken.count(&[name], counts.broken());
    }
    let families = [in_flight, connections, alone, failures, broken];
    families.into_iter().try_for_each(|family| family.write(out))
}
