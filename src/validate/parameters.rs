//! The parameters of a request, decoded to the types that the contract declares.
//!
//! Numbers keep their digits: what is checked is their grammar, and what is handed on is their text. Without a
//! contract, parameters of path and query are text, and a query name that is given more than once is an array
//! of texts: which one was meant is not guessed. Query parameters that a contract does not declare are ignored.

mod query;
mod value;

use std::fmt;
use std::sync::Arc;

use http::HeaderMap;

use crate::contract::{self, ArrayForm, BadValue, Operation, ParameterKind, PathParam, PathTemplate, Scalar};
use crate::expression::{KnownName, Location, Parameter, ParameterValue};
use query::Query;
use value::{Encoding, Sent};

/// How the parameters of one operation are read.
#[derive(Debug)]
pub struct ParameterDecoder {
    path: Vec<Rule>,
    query: Vec<Rule>,
    headers: Vec<Rule>,
    cookies: Vec<Rule>,
    /// Nobody declares the query: every name is text.
    any_query: bool,
}

/// How one parameter is read.
#[derive(Debug)]
struct Rule {
    name: Arc<str>,
    location: Location,
    required: bool,
    kind: ParameterKind,
    default: Option<ParameterValue>,
}

impl Rule {
    fn known(&self) -> KnownName<'_> {
        let readable = self.kind != ParameterKind::Raw;
        KnownName { name: &self.name, required: self.always(), readable }
    }
}

/// The parameters of a request, ready for expressions.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// Of the path, from left to right.
    pub path: Vec<Parameter>,
    /// Of the query.
    pub query: Vec<Parameter>,
    /// Headers that the contract declares, under lower-case names.
    pub headers: Vec<Parameter>,
    /// Cookies that the contract declares.
    pub cookies: Vec<Parameter>,
}

/// What is wrong with one parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Where it stands.
    pub location: Location,
    /// Its name.
    pub name: Arc<str>,
    /// What is wrong, to be read after the name. Never quotes what was sent.
    pub detail: String,
}

/// `query.limit is not an integer`
impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{} {}", self.location, self.name, self.detail)
    }
}

impl ParameterDecoder {
    /// For an operation of a contract.
    pub fn compile(operation: &Operation, template: &PathTemplate) -> ParameterDecoder {
        let of = |location| operation.parameters.iter().filter(move |one| one.location == location);
        let path = template.names().iter().map(|name| {
            let declared = of(Location::Path).find(|one| one.name == *name);
            declared.map_or_else(|| Rule::text(name), Rule::new)
        });
        ParameterDecoder {
            path: path.collect(),
            query: of(Location::Query).map(Rule::new).collect(),
            headers: of(Location::Header).map(Rule::new).collect(),
            cookies: of(Location::Cookie).map(Rule::new).collect(),
            any_query: false,
        }
    }

    /// For an operation that no contract describes.
    pub fn without_contract(template: &PathTemplate) -> ParameterDecoder {
        ParameterDecoder {
            path: template.names().iter().map(Rule::text).collect(),
            query: Vec::new(),
            headers: Vec::new(),
            cookies: Vec::new(),
            any_query: true,
        }
    }

    /// The names that expressions can rely on; `None`: any name may be there.
    pub fn known(&self, location: Location) -> Option<Vec<KnownName<'_>>> {
        let unknown = self.any_query && location != Location::Path;
        let rules = || self.rules(location).iter();
        (!unknown).then(|| rules().map(Rule::known).collect())
    }

    /// The first path parameter whose style or type is not decoded.
    pub fn undecodable_in_path(&self) -> Option<&str> {
        self.path.iter().find(|rule| rule.kind == ParameterKind::Raw).map(|rule| &*rule.name)
    }

    /// Reads the parameters of a request. `path` is what the route table captured.
    ///
    /// # Errors
    /// With everything that is wrong, at once.
    pub fn decode(
        &self,
        path: &[PathParam<'_>],
        query: Option<&str>,
        headers: &HeaderMap,
    ) -> Result<Parameters, Vec<Violation>> {
        let (mut parameters, mut violations) = (Parameters::default(), Vec::new());
        for (rule, param) in self.path.iter().zip(path) {
            let sent = Sent { raw: vec![param.raw], encoding: Encoding::Path };
            rule.read(Ok(sent), &mut parameters.path, &mut violations);
        }
        let query = query.unwrap_or_default();
        if self.any_query {
            query::texts(query, &mut parameters.query, &mut violations);
        } else if !self.query.is_empty() {
            let query = Query::parse(query);
            for rule in &self.query {
                rule.read(Ok(query.values(&rule.name)), &mut parameters.query, &mut violations);
            }
        }
        for rule in &self.headers {
            rule.read(value::of_header(headers, &rule.name), &mut parameters.headers, &mut violations);
        }
        for rule in &self.cookies {
            rule.read(value::of_cookie(headers, &rule.name), &mut parameters.cookies, &mut violations);
        }
        if violations.is_empty() { Ok(parameters) } else { Err(violations) }
    }

    fn rules(&self, location: Location) -> &[Rule] {
        match location {
            Location::Path => &self.path,
            Location::Query => &self.query,
            Location::Header => &self.headers,
            Location::Cookie => &self.cookies,
        }
    }
}

impl Rule {
    fn new(declared: &contract::Parameter) -> Rule {
        let default = declared.default.as_ref();
        Rule {
            name: Arc::clone(&declared.name),
            location: declared.location,
            required: declared.required,
            kind: declared.kind,
            default: default.and_then(|value| value::default(declared.kind, value)),
        }
    }

    /// A path parameter of which nothing is known.
    fn text(name: &Arc<str>) -> Rule {
        let kind = ParameterKind::Scalar(Scalar::Text);
        Rule { name: Arc::clone(name), location: Location::Path, required: true, kind, default: None }
    }

    /// Whether every request that passes has it.
    fn always(&self) -> bool {
        self.location == Location::Path
            || (self.kind != ParameterKind::Raw && (self.required || self.default.is_some()))
    }

    fn read(
        &self,
        sent: Result<Sent<'_>, BadValue>,
        parameters: &mut Vec<Parameter>,
        violations: &mut Vec<Violation>,
    ) {
        let value = sent.map_err(|bad| bad.to_string()).and_then(|sent| sent.read(self.kind));
        let value = value.map(|value| value.or_else(|| self.default.clone()));
        let detail = match value {
            Ok(Some(value)) => return parameters.push(Parameter { name: Arc::clone(&self.name), value }),
            // How an object is spread over a query is not looked into, so nobody knows whether it is missing.
            Ok(None) if !self.required || self.kind == ParameterKind::Raw => return,
            Ok(None) => "is missing".to_owned(),
            Err(detail) => detail,
        };
        violations.push(Violation { location: self.location, name: Arc::clone(&self.name), detail });
    }
}

#[cfg(test)]
mod tests;
