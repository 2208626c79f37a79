//! One operation: its stages compiled, each from its part of the configuration.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode};

use super::expressions::Expressions;
use super::living::Living;
use super::migration;
use super::readable::Body;
use super::upstreams::Upstreams;
use super::{Target, callers, schemas};
use crate::admit::{InFlight, RateLimit};
use crate::authenticate::{Access, Authorize, Demanded, Registry};
use crate::config::{Binding as Written, Defaults, Operation as Config, Publish, Request, Stage, Validation};
use crate::diagnostic::{Diagnostics, Place};
use crate::dispatch::{self, Binding, Window};
use crate::expression::{Known, KnownBody, KnownName, Location, Names, Occurrence, Schema};
use crate::gateway::operation::{Counters, Finding, Inspects, OnNats, Operation};
use crate::migrate::is_safe;
use crate::translate::answer::Answering;
use crate::translate::case::Case;
use crate::translate::compile::REPLY_HEADERS;
use crate::translate::promise::Promises;
use crate::validate::{Accept, Admitted, BodyRules, BodySchemas, Input, ParameterDecoder};

/// What operations have in common.
pub(super) struct Shared<'a> {
    pub(super) defaults: &'a Defaults,
    pub(super) windows: &'a mut Windows,
    pub(super) registry: &'a mut Registry,
    pub(super) living: &'a Living<'a>,
    pub(super) upstreams: &'a Upstreams,
}

/// The windows of the streams that operations publish to, by the streams' names.
pub(super) type Windows = HashMap<String, Window>;

/// Compiles one operation; `None` if something is wrong with it.
pub(super) fn operation(
    target: &Target<'_>,
    written: &Config,
    shared: Shared<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Operation> {
    let Shared { defaults, windows, registry, living, upstreams } = shared;
    let access = access(target, written, registry, diagnostics);
    let validation = schemas::validation(written);
    let decoder = match target.contract {
        Some((contract, operation)) if !passes_on(written) => {
            ParameterDecoder::compile(contract, operation, &target.path, validation, diagnostics)
        }
        _ => ParameterDecoder::without_contract(&target.path),
    };
    let resolve =
        |reference: &str| target.contract.and_then(|(contract, _)| contract.resolve_json(reference));
    let names = Readable::of(target, &decoder, &resolve);
    let body = Body::of(target, validation, &resolve);
    // Whoever may call is unknown where that could not be compiled, and then every read is taken to be right.
    let (caller, claims) = access
        .as_ref()
        .map_or((Occurrence::Always, Occurrence::Always), |access| (access.caller(), access.claims()));
    let known = Known { caller, claims, ..names.known(body.known()) };
    let expressions = Expressions::compile(target, written, defaults, &known, diagnostics);
    let body_schemas = schemas::of_bodies(target, written, diagnostics);
    let promises = schemas::of_replies(target, written, diagnostics);
    let former = living.operation(&target.key);
    let legacy = upstreams.forward((&target.key, &known), written, diagnostics);
    let own = expressions.as_ref().and_then(|one| one.mapping.as_ref()).map(|mapping| &mapping.subject);
    let migration = migration::migration(target, written, (&known, former, own), diagnostics);
    let (access, expressions) = (access?, expressions?);
    if let Some(mapping) = expressions.mapping.as_ref().filter(|_| !registry.is_empty()) {
        callers::check(target, written, defaults, (&access, mapping), diagnostics);
    }
    let body = body_rules(target, written, defaults, &expressions, body_schemas);
    let accept = match target.contract {
        Some((_, operation)) => Accept::compile(operation, validation),
        None => Accept::any(),
    };
    let in_flight = written.limits.in_flight.as_ref().map_or(defaults.in_flight.value, |limit| limit.value);
    let Expressions { mapping, cases, problems, authorize, rate } = expressions;
    let (bound, finding) = match (written.binding(), &mapping) {
        (Some(binding), Some(mapping)) => {
            let (bound, finding) = living.findings(bind(binding, windows), mapping, former);
            (Some(bound), finding)
        }
        _ => (None, Finding::default()),
    };
    let answering = answering(target, written, cases, promises);
    let nats = mapping.zip(bound).map(|(mapping, binding)| OnNats { mapping, binding, answering });
    let inspects = inspects(written, authorize.as_ref());
    Some(Operation {
        name: Arc::from(target.key.as_str()),
        method: target.method.clone(),
        path: target.path.as_str().to_owned(),
        access,
        timeout: written.binding().and_then(binding_timeout).unwrap_or(defaults.timeout.value.0),
        in_flight: limited(in_flight as usize, former),
        rate: rate.map(|rate| continued(rate, former)),
        input: Input { body, parameters: decoder, accept },
        authorize,
        nats,
        legacy: legacy?,
        migration: migration?,
        // A message that is stored is more than reading, whatever the method says.
        safe: written.publish.is_none()
            && written.safe.as_ref().map_or(is_safe(&target.method), |safe| safe.value),
        inspects,
        problems,
        finding,
        counters: Counters::default(),
    })
}

/// Requests that are in flight on the former table stay counted.
fn limited(limit: usize, former: Option<&Operation>) -> InFlight {
    former.map_or_else(|| InFlight::new(limit), |former| former.in_flight.with_limit(limit))
}

fn continued(rate: RateLimit, former: Option<&Operation>) -> RateLimit {
    match former.and_then(|former| former.rate.as_ref()) {
        Some(former) => rate.after_former(former),
        None => rate,
    }
}

fn access(
    target: &Target<'_>,
    written: &Config,
    registry: &mut Registry,
    diagnostics: &mut Diagnostics,
) -> Option<Access> {
    let contract = target.contract.zip(target.schemes);
    let demanded = Demanded {
        name: &target.key,
        contract: contract.map(|((contract, operation), schemes)| (contract, operation, schemes)),
        written: written.security.as_ref(),
        nats: reaches_nats(written),
    };
    registry.access(&demanded, diagnostics)
}

/// Where the binding on NATS stands, if that may answer a request, or get a copy of one.
fn reaches_nats(written: &Config) -> Option<Place> {
    let place = match written.binding()? {
        Written::Request(request) => request.place,
        Written::Publish(publish) => publish.place,
    };
    let stays = written.migration.as_ref().is_some_and(|migration| {
        migration.stage.value == Stage::Legacy && migration.force.is_none() && written.forward.is_some()
    });
    (!stays).then_some(place)
}

impl<'c> Target<'c> {
    fn parameter_schema(&self, location: Location, name: &str) -> Option<&'c serde_json::Value> {
        let (contract, operation) = self.contract?;
        let mut declared = operation.parameters.iter();
        let declared = declared.find(|one| one.location == location && *one.name == *name)?;
        contract.schema_json(declared.schema.as_ref()?)
    }
}

/// The names that expressions may read.
struct Readable<'a> {
    path: Vec<&'a str>,
    query: Option<Vec<KnownName<'a>>>,
    header: Option<Vec<KnownName<'a>>>,
    cookie: Option<Vec<KnownName<'a>>>,
}

impl<'a> Readable<'a> {
    fn of(
        target: &'a Target<'a>,
        decoder: &'a ParameterDecoder,
        resolve: &'a dyn Fn(&str) -> Option<&'a serde_json::Value>,
    ) -> Readable<'a> {
        let known = |location| {
            decoder.known(location, &|name| {
                let schema = target.parameter_schema(location, name)?;
                Some(Schema { schema, resolve })
            })
        };
        Readable {
            path: target.path.names().iter().map(|name| &**name).collect(),
            query: known(Location::Query),
            header: known(Location::Header),
            cookie: known(Location::Cookie),
        }
    }

    fn known(&'a self, body: KnownBody<'a>) -> Known<'a> {
        let names =
            |names: &'a Option<Vec<KnownName<'a>>>| names.as_deref().map_or(Names::Any, Names::Declared);
        Known {
            path: &self.path,
            query: names(&self.query),
            header: names(&self.header),
            cookie: names(&self.cookie),
            body,
            caller: Occurrence::Never,
            claims: Occurrence::Never,
        }
    }
}

/// Whether nothing of a request is read before the legacy service has it, and nobody else ever gets it: what is wrong
/// with what the contract says of it is that service's.
pub(super) fn passes_on(written: &Config) -> bool {
    let looks = [written.authorize.is_some(), written.limits.per.is_some(), !written.problem.is_empty()];
    written.binding().is_none() && schemas::validation(written) == Validation::Off && !looks.contains(&true)
}

/// A legacy service sees what clients send, unless it is written that somebody looks at it before.
fn inspects(written: &Config, authorize: Option<&Authorize>) -> Inspects {
    let validates = written.validate.as_ref().is_some_and(|validation| validation.value != Validation::Off);
    match authorize {
        _ if validates => Inspects::Everything,
        Some(authorize) if authorize.reads("body") => Inspects::Everything,
        Some(_) => Inspects::Parameters,
        None => Inspects::Nothing,
    }
}

fn binding_timeout(binding: Written<'_>) -> Option<Duration> {
    let timeout = match binding {
        Written::Request(request) => &request.timeout,
        Written::Publish(publish) => &publish.timeout,
    };
    timeout.as_ref().map(|timeout| timeout.value.0)
}

fn bind(binding: Written<'_>, windows: &mut Windows) -> Binding {
    match binding {
        Written::Request(request) => Binding::Request(dispatch::Request {
            retry_for: request.retry_for.as_ref().map_or(Request::RETRY_FOR, |span| span.value.0),
            captured: dispatch::Captured::default(),
        }),
        Written::Publish(publish) => Binding::Publish(dispatch::Publish {
            stream: publish.stream.value.clone(),
            retry_for: publish.retry_for.as_ref().map_or(Publish::RETRY_FOR, |span| span.value.0),
            window: windows.entry(publish.stream.value.clone()).or_default().clone(),
        }),
    }
}

fn body_rules(
    target: &Target<'_>,
    written: &Config,
    defaults: &Defaults,
    expressions: &Expressions,
    body_schemas: BodySchemas,
) -> BodyRules {
    let max = written.limits.max_body.as_ref().map_or(defaults.max_body.value.0, |size| size.value.0);
    let declared = target.contract.map(|(_, operation)| operation.body.as_ref());
    BodyRules {
        max: usize::try_from(max).unwrap_or(usize::MAX),
        read: expressions.read("body"),
        required: declared.flatten().is_some_and(|body| body.required),
        admitted: match declared {
            None => Admitted::Anything,
            Some(None) => Admitted::Nothing,
            Some(Some(body)) if body.media_types.is_empty() => Admitted::Anything,
            Some(Some(body)) => Admitted::Types(body.clone()),
        },
        schemas: body_schemas,
        validation: schemas::validation(written),
    }
}

fn answering(
    target: &Target<'_>,
    written: &Config,
    cases: Vec<Case>,
    promises: Option<Promises>,
) -> Answering {
    let usual = match written.binding() {
        Some(Written::Publish(_)) => StatusCode::ACCEPTED,
        _ => StatusCode::OK,
    };
    let contract = target.contract.map(|(_, operation)| operation);
    let status = contract.and_then(|operation| operation.only_success()).unwrap_or(usual);
    let media_type = contract.and_then(|operation| operation.only_media_type(status));
    let reply_headers = match &written.reply_headers {
        Some(names) => names.iter().filter_map(|name| HeaderName::from_bytes(name.as_bytes()).ok()).collect(),
        None => REPLY_HEADERS.iter().map(|name| HeaderName::from_static(name)).collect(),
    };
    Answering {
        promises,
        reads_reply: cases.iter().any(|case| case.reads("reply")),
        cases,
        reply_headers,
        status,
        media_type: media_type.and_then(|media_type| HeaderValue::from_str(media_type).ok()),
    }
}
