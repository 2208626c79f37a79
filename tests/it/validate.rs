//! What is taken from a request, and what is refused: parameters, bodies, media types; what schemas mean, and what
//! is said of a body that violates one.

mod accept;
mod bodies;
mod bounds;
mod contract;
mod endless;
mod forms;
mod hostile;
mod media_types;
mod oddities;
mod openapi_3_0;
mod parameters;
mod replies;
mod samples;
mod schemas;
mod styles;
mod suite;
mod words;

use natsgate::config::Validation;
use natsgate::contract::{BadValue, Contract, PathParam};
use natsgate::diagnostic::Diagnostics;
use natsgate::expression::{Parameter, ParameterValue};
use natsgate::validate::ParameterDecoder;
use natsgate::validate::parameters::Decoded;

use http::HeaderMap;

/// The decoder of an operation `GET /{path}` with these parameters, as YAML.
struct Operation {
    decoder: ParameterDecoder,
    names: Vec<std::sync::Arc<str>>,
    report: String,
}

/// What a request brings.
#[derive(Default, Clone, Copy)]
struct Sent<'s> {
    path: &'s [&'s str],
    query: Option<&'s str>,
    headers: &'s [(&'s str, &'s [u8])],
}

impl Operation {
    fn new(path: &str, parameters: &str, validation: Validation) -> Operation {
        let directory = tempfile::tempdir().expect("temporary directory");
        let file = directory.path().join("contract.yaml");
        let text = format!(
            "openapi: 3.1.0\ninfo: {{ title: t, version: '1' }}\npaths:\n  {path}:\n    get:\n      parameters:\n{parameters}{SCHEMAS}"
        );
        std::fs::write(&file, text).expect("write the contract");
        let mut diagnostics = Diagnostics::default();
        let contract = Contract::load(&file, "/", &mut diagnostics)
            .unwrap_or_else(|| panic!("{parameters}\n{}", diagnostics.render()));
        let operation = &contract.operations()[0];
        let template = operation.template.as_ref().expect("a path");
        let decoder = ParameterDecoder::compile(&contract, operation, template, validation, &mut diagnostics);
        Operation { decoder, names: template.names().to_vec(), report: diagnostics.render() }
    }

    /// With one parameter, which is called `color`.
    fn color(location: &str, attributes: &str) -> Operation {
        let path = if location == "path" { "/x/{color}" } else { "/x" };
        let required = if location == "path" { ", required: true" } else { "" };
        let line = format!("        - {{ name: color, in: {location}{required}, {attributes} }}\n");
        Operation::new(path, &line, Validation::Enforce)
    }

    fn decode(&self, sent: Sent<'_>) -> Decoded {
        let path: Vec<PathParam<'_>> = self
            .names
            .iter()
            .zip(sent.path)
            .map(|(name, raw)| PathParam {
                name: name.clone(),
                raw,
                value: BadValue::decode(raw).unwrap_or_default(),
            })
            .collect();
        let mut headers = HeaderMap::new();
        for (name, value) in sent.headers {
            let name: http::HeaderName = name.parse().expect("a header's name");
            headers.append(name, http::HeaderValue::from_bytes(value).expect("a header's value"));
        }
        self.decoder.decode(&path, sent.query, &headers)
    }

    /// What expressions see, or everything that is wrong.
    fn seen(&self, sent: Sent<'_>) -> String {
        let decoded = self.decode(sent);
        if !decoded.violations.is_empty() {
            let told: Vec<String> = decoded.violations.iter().map(ToString::to_string).collect();
            return format!("wrong: {}", told.join("; "));
        }
        let parameters = decoded.parameters;
        line([parameters.path, parameters.query, parameters.headers, parameters.cookies].iter().flatten())
    }

    fn query(&self, query: &str) -> String {
        self.seen(Sent { query: Some(query), ..Sent::default() })
    }
}

/// Text in quotation marks, JSON as it is; checked to be JSON.
fn line<'p>(parameters: impl Iterator<Item = &'p Parameter>) -> String {
    let one = |parameter: &Parameter| match &parameter.value {
        ParameterValue::Text(text) => format!("{}={text:?}", parameter.name),
        ParameterValue::Json(text) => {
            let _: serde_json::Value =
                serde_json::from_str(text).unwrap_or_else(|error| panic!("{text} is not JSON: {error}"));
            format!("{}={text}", parameter.name)
        }
    };
    parameters.map(one).collect::<Vec<_>>().join(" ")
}

const SCHEMAS: &str = "
components:
  schemas:
    Tree: { type: object, properties: { name: { type: string }, size: { type: integer }, children: { type: array, items: { $ref: '#/components/schemas/Tree' } }, up: { $ref: '#/components/schemas/Tree' } } }
    Circle: { oneOf: [{ properties: { a: { $ref: '#/components/schemas/Circle' } } }, { properties: { a: { $ref: '#/components/schemas/Other' } } }] }
    Other: { anyOf: [{ $ref: '#/components/schemas/Circle' }, { properties: { a: { $ref: '#/components/schemas/Other' }, n: { type: integer } } }] }
";
