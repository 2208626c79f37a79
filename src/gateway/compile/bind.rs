//! One operation: its stages compiled, each from its part of the configuration.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode};

use super::Target;
use crate::admit::InFlight;
use crate::config::{Binding as Written, Defaults, Operation as Config, Publish, Request};
use crate::diagnostic::{Diagnostic, Diagnostics, Place};
use crate::dispatch::{self, Binding, Window};
use crate::expression::{Known, KnownName, Location, Names, Position, Schema};
use crate::gateway::operation::{Finding, Operation};
use crate::translate::answer::Answering;
use crate::translate::case::Case;
use crate::translate::compile::{Compiler, REPLY_HEADERS};
use crate::translate::outbound::Mapping;
use crate::translate::problem::ProblemCase;
use crate::validate::{BodyRules, Input, ParameterDecoder};

/// The windows of the streams that operations publish to, by the streams' names.
pub(super) type Windows = HashMap<String, Window>;

/// Compiles one operation; `None` if something is wrong with it.
pub(super) fn operation(
    target: &Target<'_>,
    written: &Config,
    defaults: &Defaults,
    windows: &mut Windows,
    diagnostics: &mut Diagnostics,
) -> Option<Operation> {
    let binding = written.binding()?;
    let decoder = match target.contract {
        Some((_, operation)) => ParameterDecoder::compile(operation, &target.path),
        None => ParameterDecoder::without_contract(&target.path),
    };
    if let (Some(name), Some((_, in_contract))) = (decoder.undecodable_in_path(), target.contract) {
        diagnostics.push(unreadable(name, in_contract.place));
    }
    let names = Readable::of(target, &decoder);
    let resolve =
        |reference: &str| target.contract.and_then(|(contract, _)| contract.resolve_json(reference));
    let body = target.body_schema().map(|schema| Schema { schema, resolve: &resolve });
    let known = names.known(body);
    let mut compiler = Compiler { operation: &target.name, known: &known, diagnostics };
    let (mapping, cases) = match binding {
        Written::Request(request) => {
            (compiler.request(request, defaults), compiler.cases(&written.reply, Position::Reply))
        }
        Written::Publish(publish) => {
            (compiler.publish(publish, defaults), compiler.cases(&written.reply, Position::Stored))
        }
    };
    let problems = compiler.problem_cases(&written.problem);
    let (mapping, cases, problems) = (mapping?, cases?, problems?);
    let timeout = binding_timeout(binding).unwrap_or(defaults.timeout.value.0);
    let in_flight = written.limits.in_flight.as_ref().map_or(defaults.in_flight.value, |limit| limit.value);
    Some(Operation {
        name: Arc::from(target.name.as_str()),
        timeout,
        in_flight: InFlight::new(in_flight as usize),
        input: Input {
            body: body_rules(target, written, defaults, &mapping, &cases, &problems),
            parameters: decoder,
        },
        binding: bind(binding, windows),
        answering: answering(target, written, cases),
        mapping,
        problems,
        finding: Finding::default(),
    })
}

fn unreadable(name: &str, place: Place) -> Diagnostic {
    Diagnostic::error(place, format!("the path parameter `{name}` cannot be read yet"))
        .reason("objects, several types and the styles label and matrix are not available yet")
        .help("leave this operation unbound until then")
}

impl Target<'_> {
    fn body_schema(&self) -> Option<&serde_json::Value> {
        let (contract, operation) = self.contract?;
        let body = operation.body.as_ref()?;
        let json = body.media_types.iter().find(|media_type| crate::validate::is_json(&media_type.name))?;
        contract.schema_json(json.schema.as_ref()?)
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
    fn of(target: &'a Target<'_>, decoder: &'a ParameterDecoder) -> Readable<'a> {
        Readable {
            path: target.path.names().iter().map(|name| &**name).collect(),
            query: decoder.known(Location::Query),
            header: decoder.known(Location::Header),
            cookie: decoder.known(Location::Cookie),
        }
    }

    fn known(&'a self, body: Option<Schema<'a>>) -> Known<'a> {
        let names =
            |names: &'a Option<Vec<KnownName<'a>>>| names.as_deref().map_or(Names::Any, Names::Declared);
        Known {
            path: &self.path,
            query: names(&self.query),
            header: names(&self.header),
            cookie: names(&self.cookie),
            body,
        }
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
    mapping: &Mapping,
    cases: &[Case],
    problems: &[ProblemCase],
) -> BodyRules {
    let max = written.limits.max_body.as_ref().map_or(defaults.max_body.value.0, |size| size.value.0);
    let declared = target.contract.and_then(|(_, operation)| operation.body.as_ref());
    let read_later =
        cases.iter().chain(problems.iter().map(|problem| &problem.case)).any(|case| case.reads("body"));
    BodyRules {
        max: usize::try_from(max).unwrap_or(usize::MAX),
        json: mapping.reads("body") || read_later,
        required: declared.is_some_and(|body| body.required),
        media_types: declared
            .map(|body| {
                body.media_types.iter().map(|media_type| media_type.name.to_ascii_lowercase()).collect()
            })
            .unwrap_or_default(),
    }
}

fn answering(target: &Target<'_>, written: &Config, cases: Vec<Case>) -> Answering {
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
        reads_reply: cases.iter().any(|case| case.reads("reply")),
        cases,
        reply_headers,
        status,
        media_type: media_type.and_then(|media_type| HeaderValue::from_str(media_type).ok()),
    }
}
