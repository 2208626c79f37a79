//! The parameters of a request, decoded to the types that the contract declares, and held against its schemas.
//!
//! Without a contract, parameters of path and query are text, and a query name that is given more than once is an
//! array of texts: which one was meant is not guessed. Query parameters that a contract does not declare are
//! ignored, unless an object that is spread over the query foresees them.
//!
//! Where the operation does not enforce its contract, nothing is refused: a text that is not of its type is handed
//! on as text, and what cannot be taken at all is absent.

mod flat;
mod pairs;
mod parts;
mod reading;
mod rule;
mod scalar;
mod texts;
mod violation;
mod writer;

use std::collections::HashSet;
use std::sync::Arc;

use http::{HeaderMap, header};

use crate::config::Validation;
use crate::contract::{BadValue, Contract, Operation, Parameter as Declared, PathParam, PathTemplate};
use crate::diagnostic::Diagnostics;
use crate::expression::{KnownName, Location, Parameter, Schema};
use crate::head::Head;
use reading::{Reading, Source};
use rule::Rule;

pub(super) use pairs::{MOST as MOST_PAIRS, Pairs, TooMany};
pub(super) use reading::field;
pub(super) use scalar::Encoding;
pub use violation::Violation;
pub(super) use writer::{Fault, Writer};

/// Violations that one answer lists.
const MOST_VIOLATIONS: usize = 100;
/// Violations that one line of the log tells.
const LOGGED: usize = 10;

/// How the parameters of one operation are read.
#[derive(Debug)]
pub struct ParameterDecoder {
    path: Vec<Rule>,
    query: Vec<Rule>,
    headers: Vec<Rule>,
    cookies: Vec<Rule>,
    /// Names of the query that parameters have, for objects that are spread over it and take what is left.
    claimed: HashSet<Arc<str>>,
    /// Nobody declares the query: every name is text.
    any_query: bool,
    validation: Validation,
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

/// What could be decoded, and what is wrong.
#[derive(Debug, Default)]
pub struct Decoded {
    /// Everything that has a value.
    pub parameters: Parameters,
    /// Everything that violates the contract.
    pub violations: Vec<Violation>,
}

impl ParameterDecoder {
    /// For an operation of a contract. What cannot be read is told: an error in the path, a warning elsewhere.
    pub fn compile(
        contract: &Contract,
        operation: &Operation,
        template: &PathTemplate,
        validation: Validation,
        diagnostics: &mut Diagnostics,
    ) -> ParameterDecoder {
        let mut rule = |one: &Declared| Rule::compile(contract, one, validation, diagnostics);
        let of = |location| operation.parameters.iter().filter(move |one| one.location == location);
        let path = template.names().iter().map(|name| {
            let declared = of(Location::Path).find(|one| one.name == *name);
            declared.map_or_else(|| Rule::text(name), &mut rule)
        });
        let path = path.collect();
        let query: Vec<Rule> = of(Location::Query).map(&mut rule).collect();
        let headers = of(Location::Header).map(&mut rule).collect();
        let cookies = of(Location::Cookie).map(&mut rule).collect();
        let claimed = query.iter().flat_map(Rule::claims).collect();
        ParameterDecoder { path, query, headers, cookies, claimed, any_query: false, validation }
    }

    /// For an operation that no contract describes.
    pub fn without_contract(template: &PathTemplate) -> ParameterDecoder {
        ParameterDecoder {
            path: template.names().iter().map(Rule::text).collect(),
            query: Vec::new(),
            headers: Vec::new(),
            cookies: Vec::new(),
            claimed: HashSet::new(),
            any_query: true,
            validation: Validation::Enforce,
        }
    }

    /// The names that expressions can rely on, with what `schema` knows of their values; `None`: any name may be
    /// there.
    pub fn known<'a>(
        &'a self,
        location: Location,
        schema: &dyn Fn(&str) -> Option<Schema<'a>>,
    ) -> Option<Vec<KnownName<'a>>> {
        let unknown = self.any_query && location != Location::Path;
        (!unknown).then(|| self.rules(location).iter().map(|rule| rule.known(schema(&rule.name))).collect())
    }

    /// Reads the parameters of a request. `path` is what the route table captured.
    ///
    /// # Errors
    /// With everything that is wrong, at once, if the operation enforces its contract.
    pub fn read(&self, head: &Head, path: &[PathParam<'_>]) -> Result<Parameters, Vec<Violation>> {
        let Decoded { parameters, violations } = self.decode(path, head.parts.uri.query(), head.headers());
        match self.validation {
            _ if violations.is_empty() => Ok(parameters),
            Validation::Enforce => Err(violations),
            Validation::Log => {
                let told: Vec<String> = violations.iter().take(LOGGED).map(Violation::to_string).collect();
                tracing::warn!(request_id = head.id.as_str(), trace_id = head.trace.id().as_str(), violations = ?told, "parameters violate the contract");
                Ok(parameters)
            }
            Validation::Off => Ok(parameters),
        }
    }

    /// Decodes the parameters of a request, whatever is done with what is wrong.
    pub fn decode(&self, path: &[PathParam<'_>], query: Option<&str>, headers: &HeaderMap) -> Decoded {
        let mut decoded = Decoded::default();
        let Decoded { parameters, violations } = &mut decoded;
        for (rule, param) in self.path.iter().zip(path) {
            let reading = rule.read(Source::Text { raw: param.raw, encoding: Encoding::Path });
            take(rule, reading, &mut parameters.path, violations);
        }
        self.decode_query(query.unwrap_or_default(), parameters, violations);
        for rule in &self.headers {
            let reading = match lines(headers, &rule.name) {
                Ok(lines) => rule.read(Source::Lines(&lines)),
                Err(bad) => Reading::wrong(bad.to_string()),
            };
            take(rule, reading, &mut parameters.headers, violations);
        }
        self.decode_cookies(headers, parameters, violations);
        violations.truncate(MOST_VIOLATIONS);
        decoded
    }

    fn decode_query(&self, query: &str, parameters: &mut Parameters, violations: &mut Vec<Violation>) {
        if self.any_query {
            return texts::read(query, &mut parameters.query, violations);
        }
        if self.query.is_empty() {
            return;
        }
        let Ok(pairs) = Pairs::of_form(query) else {
            return violations.push(Violation::too_many(Location::Query));
        };
        for rule in &self.query {
            let reading =
                rule.read(Source::Pairs { pairs: &pairs, claimed: &|name| self.claimed.contains(name) });
            take(rule, reading, &mut parameters.query, violations);
        }
    }

    fn decode_cookies(
        &self,
        headers: &HeaderMap,
        parameters: &mut Parameters,
        violations: &mut Vec<Violation>,
    ) {
        if self.cookies.is_empty() {
            return;
        }
        let lines = match lines(headers, header::COOKIE.as_str()) {
            Ok(lines) => lines,
            Err(bad) => {
                let wrong = |rule: &Rule| rule.violation("", bad.to_string());
                return violations.extend(self.cookies.iter().map(wrong));
            }
        };
        let Ok(plain) = Pairs::of_cookies(&lines, false) else {
            return violations.push(Violation::too_many(Location::Cookie));
        };
        for rule in &self.cookies {
            let reading = match rule.is_spread_over_pairs() {
                false => rule.read(Source::Pairs { pairs: &plain, claimed: &|_| false }),
                true => match Pairs::of_cookies(&lines, true) {
                    Ok(pairs) => rule.read(Source::Pairs { pairs: &pairs, claimed: &|_| false }),
                    Err(TooMany) => return violations.push(Violation::too_many(Location::Cookie)),
                },
            };
            take(rule, reading, &mut parameters.cookies, violations);
        }
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

/// The lines of a header.
fn lines<'h>(headers: &'h HeaderMap, name: &str) -> Result<Vec<&'h str>, BadValue> {
    let texts = headers.get_all(name).iter().map(|value| std::str::from_utf8(value.as_bytes()));
    texts.collect::<Result<_, _>>().map_err(|_| BadValue::NotUtf8)
}

/// Keeps what was read under the rule's name, and what is wrong with it.
fn take(rule: &Rule, reading: Reading, parameters: &mut Vec<Parameter>, violations: &mut Vec<Violation>) {
    violations.extend(reading.faults.into_iter().map(|fault| rule.violation(&fault.pointer, fault.detail)));
    parameters.extend(reading.value.map(|value| Parameter { name: Arc::clone(&rule.name), value }));
}

#[cfg(test)]
mod tests;
