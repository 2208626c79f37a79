//! `/metrics`, as Prometheus reads it: every row of the catalogue that has something to say.

mod family;
mod migration;
mod streams;
mod upstreams;

use std::fmt;
use std::sync::atomic::Ordering;

use http::StatusCode;
use http::header::CONTENT_TYPE;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, prometheus_text};
use prometheus_client::registry::Registry;

use super::Admin;
use crate::gateway::Gateway;
use crate::gateway::operation::State;
use crate::gateway::reload::Reloader;
use crate::telemetry::{Traffic, catalogue as of};
use family::{Family, one, seconds};

/// The answer to a scrape.
pub(super) fn answer(admin: Admin) -> (StatusCode, [(http::HeaderName, &'static str); 1], String) {
    let (status, text) = match text(admin) {
        Ok(text) => (StatusCode::OK, text),
        Err(fmt::Error) => (StatusCode::INTERNAL_SERVER_ERROR, String::new()),
    };
    (status, [(CONTENT_TYPE, prometheus_text::CONTENT_TYPE)], text)
}

fn text(admin: Admin) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix(family::PREFIX);
    registry.register_collector(Box::new(Everything(admin)));
    let mut text = String::new();
    prometheus_text::encode(&mut text, &registry)?;
    Ok(text)
}

#[derive(Debug)]
struct Everything(Admin);

impl Collector for Everything {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let (gateway, out) = (&*self.0.gateway, &mut encoder);
        traffic(gateway, out)?;
        migration::sides(gateway, out)?;
        in_flight(gateway, out)?;
        nats(gateway, out)?;
        upstreams::all(gateway, out)?;
        streams::published(gateway, out)?;
        streams::looked_at(gateway, out)?;
        streams::drift(gateway, out)?;
        verifiers(gateway, out)?;
        reloads(&self.0.reloader, out)?;
        process(gateway, out)
    }
}

fn traffic(gateway: &Gateway, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let figures = gateway.figures();
    let operations = figures.operations();
    let all = || operations.iter().chain([figures.unmatched()]);
    let mut requests = Family::new(of::HTTP_REQUESTS);
    for traffic in all() {
        for kind in traffic.requests() {
            let status = kind.status.to_string();
            requests.count(&[traffic.name(), kind.method, &status, kind.code], kind.count);
        }
    }
    requests.write(out)?;
    let latencies = |metric, read: fn(&Traffic) -> _| {
        let mut family = Family::new(metric);
        all().for_each(|traffic| family.latency(&[traffic.name()], read(traffic)));
        family
    };
    latencies(of::HTTP_DURATION, Traffic::latency).write(out)?;
    latencies(of::NATS_DURATION, Traffic::nats).write(out)
}

fn in_flight(gateway: &Gateway, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let (mut now, mut limit) = (Family::new(of::IN_FLIGHT), Family::new(of::IN_FLIGHT_LIMIT));
    let mut ready = Family::new(of::OPERATION_READY);
    for operation in &gateway.table().operations {
        now.gauge(&[&operation.name], operation.in_flight.count());
        limit.gauge(&[&operation.name], operation.in_flight.limit());
        match &*operation.finding.get() {
            State::Ready => ready.gauge(&[&operation.name], 1),
            State::Broken(_) => ready.gauge(&[&operation.name], 0),
            State::Unchecked | State::Unknown(_) => {}
        }
    }
    [now, limit, ready].into_iter().try_for_each(|family| family.write(out))?;
    one(of::IN_FLIGHT_ALL, gateway.in_flight(), out)?;
    one(of::IN_FLIGHT_ALL_LIMIT, gateway.in_flight_limit(), out)
}

fn nats(gateway: &Gateway, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let status = gateway.nats().status();
    one(of::NATS_CONNECTED, usize::from(status.is_connected()), out)?;
    one(of::WAITING_REPLIES, status.waiting, out)?;
    let mut reconnects = Family::new(of::RECONNECTS);
    reconnects.count(&[], status.reconnects);
    reconnects.write(out)
}

fn verifiers(gateway: &Gateway, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let families = [of::VERIFIER_ENTRIES, of::VERIFIER_AGE, of::VERIFIER_FAILING].map(Family::new);
    let [mut count, mut age, mut failing] = families;
    for (verifier, issuer, entries) in gateway.table().verifiers.entries() {
        let labels = [verifier, issuer];
        count.gauge(&labels, entries.count);
        failing.gauge(&labels, usize::from(entries.last_error.is_some()));
        if let Some(read) = entries.age {
            age.seconds(&labels, read.as_secs_f64());
        }
    }
    [count, age, failing].into_iter().try_for_each(|family| family.write(out))
}

fn reloads(reloader: &Reloader, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let mut results = Family::new(of::CONFIG_RELOADS);
    for (result, count) in reloader.counts() {
        results.count(&[result.name()], count);
    }
    results.write(out)?;
    let agreement = reloader.agreement();
    one(of::CONFIG_SUCCESS, usize::from(agreement.holds), out)?;
    seconds(of::CONFIG_SUCCESS_TIMESTAMP, agreement.since, out)
}

fn process(gateway: &Gateway, out: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let figures = gateway.figures();
    one(of::CONNECTIONS, figures.connections().load(Ordering::Relaxed), out)?;
    let mut lost = Family::new(of::LOG_LINES_LOST);
    lost.count(&[], figures.log_lines_lost());
    lost.write(out)?;
    let mut spans = Family::new(of::TRACE_SPANS);
    for (result, count) in figures.spans().read() {
        spans.count(&[result], count);
    }
    spans.write(out)?;
    let mut build = Family::new(of::BUILD_INFO);
    build.gauge(&[env!("CARGO_PKG_VERSION")], 1);
    build.write(out)?;
    seconds(of::START_TIMESTAMP, figures.started(), out)
}
