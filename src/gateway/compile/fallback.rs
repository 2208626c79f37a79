//! The fallback: an operation without method and path of its own, for every request that no other one matches.

use std::sync::Arc;

use http::Method;

use super::living::Living;
use super::upstreams::Upstreams;
use crate::admit::InFlight;
use crate::authenticate::{Demanded, Registry};
use crate::config::{Config, Validation};
use crate::contract::PathTemplate;
use crate::diagnostic::Diagnostics;
use crate::forward::Forward;
use crate::gateway::operation::{Counters, Finding, Inspects, Operation};
use crate::validate::{Accept, Admitted, BodyRules, BodySchemas, Input, ParameterDecoder};
use crate::yaml::Located;

/// No operation of a configuration can have this name.
const NAME: &str = "(fallback)";

/// The fallback, if there is one and nothing is wrong with it.
pub(super) fn fallback(
    config: &Config,
    (upstreams, registry, living): (&Upstreams, &mut Registry, &Living<'_>),
    diagnostics: &mut Diagnostics,
) -> Option<Arc<Operation>> {
    let written = config.fallback.as_ref()?;
    let name = Located { value: NAME.to_owned(), place: written.place };
    let demanded = Demanded { name: &name, contract: None, written: written.security.as_ref(), nats: None };
    let access = registry.access(&demanded, diagnostics);
    let upstream = upstreams.named(&written.upstream, diagnostics);
    let limit = config.defaults.in_flight.value as usize;
    let in_flight = living
        .operation(NAME)
        .map_or_else(|| InFlight::new(limit), |former| former.in_flight.with_limit(limit));
    let anything = PathTemplate::parse("/").ok()?;
    Some(Arc::new(Operation {
        name: NAME.into(),
        method: Method::GET,
        path: "/*".to_owned(),
        timeout: config.defaults.timeout.value.0,
        in_flight,
        rate: None,
        access: access?,
        authorize: None,
        input: Input {
            parameters: ParameterDecoder::without_contract(&anything),
            body: BodyRules {
                max: usize::MAX,
                read: false,
                required: false,
                admitted: Admitted::Anything,
                schemas: BodySchemas::default(),
                validation: Validation::Off,
            },
            accept: Accept::any(),
        },
        nats: None,
        legacy: Some(Forward::to(upstream?)),
        migration: None,
        safe: false,
        inspects: Inspects::Nothing,
        problems: Vec::new(),
        finding: Finding::default(),
        counters: Counters::default(),
    }))
}
