//! What `/metrics` tells of operations that have a legacy side: who answers, how long that takes, and what was compared.

use std::fmt;

use prometheus_client::encoding::DescriptorEncoder;

use super::family::Family;
use crate::gateway::Gateway;
use crate::gateway::operation::Operation;
use crate::migrate::{Migration, Side};
use crate::telemetry::catalogue as of;

/// Everything of the legacy side, and of operations between the two.
pub(super) fn sides(gateway: &Gateway, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let table = gateway.table();
    let mut upstream = Family::new(of::UPSTREAM_DURATION);
    let mut moving = Moving::default();
    for operation in table.operations.iter().filter(|operation| operation.legacy.is_some()) {
        if let Some(traffic) = operation.counters.traffic() {
            upstream.latency(&[&operation.name], traffic.upstream());
        }
        if let Some(migration) = &operation.migration {
            moving.add(operation, migration);
        }
    }
    upstream.write(out)?;
    moving.write(out)
}

/// What is told of operations that have two sides.
struct Moving {
    stage: Family,
    served: Family,
    fallbacks: Family,
    breaker: Family,
    comparisons: Family,
    dropped: Family,
}

impl Default for Moving {
    fn default() -> Moving {
        Moving {
            stage: Family::new(of::MIGRATION_STAGE),
            served: Family::new(of::MIGRATION_SERVED),
            fallbacks: Family::new(of::MIGRATION_FALLBACKS),
            breaker: Family::new(of::MIGRATION_BREAKER),
            comparisons: Family::new(of::MIGRATION_COMPARISONS),
            dropped: Family::new(of::MIGRATION_DROPPED),
        }
    }
}

impl Moving {
    fn add(&mut self, operation: &Operation, migration: &Migration) {
        let name = &*operation.name;
        self.stage.gauge(&[name, migration.stage.name()], 1);
        if let Some(traffic) = operation.counters.traffic() {
            let sides = [Side::Legacy, Side::Nats].into_iter().zip(traffic.sides());
            sides.for_each(|(side, count)| self.served.count(&[name, side.name()], count));
        }
        let totals = migration.evidence.totals();
        totals.fallbacks.iter().for_each(|(code, count)| self.fallbacks.count(&[name, code], *count));
        totals.comparisons.iter().for_each(|(result, count)| self.comparisons.count(&[name, result], *count));
        self.dropped.count(&[name], totals.dropped);
        if let Some(breaker) = &migration.breaker {
            self.breaker.gauge(&[name], usize::from(breaker.is_open()));
        }
    }

    fn write(self, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let Moving { stage, served, fallbacks, breaker, comparisons, dropped } = self;
        let families = [stage, served, fallbacks, breaker, comparisons, dropped];
        families.into_iter().try_for_each(|family| family.write(out))
    }
}
