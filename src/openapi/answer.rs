//! The answers of one operation: those that its contract declares, and beside them every one that the gateway gives.

use std::collections::BTreeMap;

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::codes::{self, Possible};
use super::content::{self, Body};
use super::header::{self, Header};
use super::operation::{Entry, Known};
use super::problem::{fate, status};
use super::within;
use super::words::{component_name, describe};
use crate::contract::{Components, Section};
use crate::dispatch::Binding;
use crate::gateway::operation::Operation;
use crate::problem::{Code, MEDIA_TYPE};
use crate::translate::case::{Case, CaseBody};

/// The answers of any status that has no entry of its own.
const DEFAULT: &str = "default";

/// What the gateway answers under one status.
#[derive(Debug, Default)]
struct Answer {
    /// The problems that are documents.
    codes: Vec<Code>,
    /// The problems that a case writes otherwise.
    rewritten: Vec<Code>,
    /// Bodies that are no problem documents.
    bodies: Vec<Body>,
    /// Headers of answers that are no problems.
    headers: Vec<Header>,
}

/// All of them, by status.
pub(super) struct Answers<'k> {
    known: &'k Known,
    by_status: BTreeMap<String, Answer>,
    limited: bool,
    bound: bool,
    /// A service can answer anything; a stream cannot.
    serves: bool,
    /// No contract says what that service answers.
    open: bool,
    /// It is a legacy service, whose answers pass as they come.
    forwards: bool,
    /// HEAD: answers have no body, and clients fail on one that they look for in vain.
    head: bool,
}

impl<'k> Answers<'k> {
    /// Of an operation.
    pub(super) fn of(entry: &Entry<'_>, known: &'k Known) -> Answers<'k> {
        let (bound, served) = (entry.bound, entry.served());
        let described = entry.declared.is_some_and(|declared| !declared.responses.is_empty());
        let serves = served.is_some_and(serves);
        let mut answers = Answers {
            known,
            by_status: BTreeMap::new(),
            limited: served.is_some_and(|operation| operation.rate.is_some()),
            bound: served.is_some(),
            serves,
            open: serves && !described,
            forwards: served.is_some_and(|operation| operation.legacy.is_some()),
            head: *entry.method == Method::HEAD,
        };
        let has_parameters = !entry.path.names().is_empty();
        match (bound, entry.fallback) {
            (None, None) => {
                codes::of_unbound(has_parameters).into_iter().for_each(|one| answers.plain(one.code));
            }
            (None, Some(fallback)) => {
                let codes = codes::of(fallback, has_parameters, false);
                codes.into_iter().for_each(|one| answers.plain(one.code));
                if answers.open {
                    answers.anything();
                }
            }
            (Some(bound), _) => {
                let declares = entry.declared.is_some_and(|declared| !declared.parameters.is_empty());
                for possible in codes::of(bound.operation, has_parameters, declares) {
                    answers.problem(possible, &bound);
                }
                answers.successes(&bound);
            }
        }
        answers
    }

    fn at(&mut self, status: &str) -> &mut Answer {
        self.by_status.entry(status.to_owned()).or_default()
    }

    fn plain(&mut self, code: Code) {
        let status = status(code).map_or_else(|| DEFAULT.to_owned(), |status| status.as_str().to_owned());
        let codes = &mut self.at(&status).codes;
        if !codes.contains(&code) {
            codes.push(code);
        }
    }

    /// A problem: as the document that it is, and as whatever the cases of the operation make of it.
    fn problem(&mut self, possible: Possible, bound: &super::Bound<'_>) {
        let fate = fate(&bound.operation.problems, possible.code);
        if possible.before || fate.plain {
            self.plain(possible.code);
        }
        for case in fate.cases.iter().filter(|_| possible.inside) {
            let own = case.case.status.or_else(|| status(possible.code));
            let answer = self.at(own.as_ref().map_or(DEFAULT, StatusCode::as_str));
            let Some(body) = &case.case.body else {
                // The document itself, with another status or other headers.
                answer.codes.extend((!answer.codes.contains(&possible.code)).then_some(possible.code));
                continue;
            };
            if !answer.rewritten.contains(&possible.code) {
                answer.rewritten.push(possible.code);
            }
            let named = case.content_type.as_ref().and_then(|value| value.to_str().ok());
            let body = Body { yields: true, ..of_case(&case.case, body, named) };
            answer.bodies.extend((!answer.bodies.contains(&body)).then_some(body));
        }
    }

    /// Any answer, with any body.
    fn anything(&mut self) {
        let answer = self.at(DEFAULT);
        for body in of_anything() {
            answer.bodies.extend((!answer.bodies.contains(&body)).then_some(body));
        }
    }

    /// What is answered where all went well.
    fn successes(&mut self, bound: &super::Bound<'_>) {
        if self.forwards && self.open {
            // Nobody says what the legacy service answers, not even which status.
            self.anything();
        }
        let Some(answering) = bound.operation.nats.as_ref().map(|nats| &nats.answering) else { return };
        for case in &answering.cases {
            let status = case.status.unwrap_or(answering.status);
            let body = case.body.as_ref().map(|body| Body { yields: true, ..of_case(case, body, None) });
            self.success(bound, status, body);
        }
        if answering.cases.iter().all(|case| case.when.is_some()) {
            self.success(bound, answering.status, None);
        }
    }

    /// One success; without a body of a case it is what came back.
    fn success(&mut self, bound: &super::Bound<'_>, status: StatusCode, body: Option<Body>) {
        let came_back = || match bound.operation.binding()? {
            Binding::Publish(_) => Some(Body {
                media_type: JSON.to_owned(),
                schema: self.known.own.receipt.clone(),
                example: None,
                yields: false,
            }),
            // The contract says what its service answers, or nobody does.
            Binding::Request(_) => None,
        };
        let body = body.or_else(came_back).filter(|_| has_body(status));
        let repeats = bound
            .operation
            .mapping()
            .and_then(|mapping| mapping.storing.as_ref())
            .is_some_and(|storing| !matches!(storing.id, crate::translate::outbound::IdSource::Fresh));
        let came_back =
            if body.is_none() && self.open && has_body(status) { of_anything() } else { Vec::new() };
        let answer = self.at(status.as_str());
        for body in came_back.into_iter().chain(body) {
            answer.bodies.extend((!answer.bodies.contains(&body)).then_some(body));
        }
        if repeats && !answer.headers.contains(&Header::Replayed) {
            answer.headers.extend([Header::Replayed, Header::Unverified]);
        }
    }

    /// Puts them beside those that are declared.
    pub(super) fn beside(
        mut self,
        declared: Option<Value>,
        components: &mut Components,
    ) -> Map<String, Value> {
        let declared = match declared {
            Some(Value::Object(declared)) => declared,
            _ => Map::new(),
        };
        if self.serves {
            // A service's error may have any status.
            let service_error =
                self.by_status.get(DEFAULT).is_some_and(|answer| answer.codes.contains(&Code::ServiceError));
            let errors = declared.keys().filter(|key| key.starts_with(['4', '5'])).cloned();
            let errors: Vec<String> = errors.chain(self.by_status.keys().cloned()).collect();
            for status in errors.iter().filter(|status| service_error && status.starts_with(['4', '5'])) {
                let codes = &mut self.at(status).codes;
                codes.extend((!codes.contains(&Code::ServiceError)).then_some(Code::ServiceError));
            }
        }
        let mut responses = declared.clone();
        let answers = std::mem::take(&mut self.by_status);
        for (status, answer) in answers {
            let response = self.response(&status, &answer, &declared, components);
            responses.insert(status, response);
        }
        if self.bound {
            self.mark(&mut responses, components);
        }
        responses.sort_keys();
        responses
    }

    fn response(
        &self,
        status: &str,
        answer: &Answer,
        declared: &Map<String, Value>,
        components: &mut Components,
    ) -> Value {
        let resolved = |key: &str| declared.get(key).map(|response| components.resolve(response).clone());
        let exact = resolved(status);
        let range = format!("{}XX", status.get(..1).unwrap_or_default());
        // What a service may answer under this status too; a stream answers nothing.
        let around = [range.as_str(), DEFAULT].into_iter().filter(|_| self.serves && status != DEFAULT);
        let around = if exact.is_none() { around.filter_map(resolved).next() } else { None };
        let alone = exact.is_none() && around.is_none() && answer.bodies.is_empty();
        if alone && !self.head && !answer.codes.is_empty() {
            return self.shared(status, answer, components);
        }
        self.made(status, answer, exact, around.as_ref())
    }

    /// One that is the gateway's alone: once in the components for all operations that can answer so.
    fn shared(&self, status: &str, answer: &Answer, components: &mut Components) -> Value {
        let said = (status.to_owned(), answer.codes.clone(), self.limited, self.open);
        // A case that only sets headers leaves the codes where they are, and its own headers are not spoken of.
        if let Some(known) = self.known.responses.borrow().get(&said).filter(|_| answer.rewritten.is_empty())
        {
            return known.clone();
        }
        let made = self.made(status, answer, None, None);
        let reference =
            json!({ "$ref": components.share(Section::Responses, &component_name(status), made) });
        if answer.rewritten.is_empty() {
            self.known.responses.borrow_mut().insert(said, reference.clone());
        }
        reference
    }

    /// `exact`: what is declared for this status, `around`: for a range of statuses that it belongs to.
    fn made(&self, status: &str, answer: &Answer, exact: Option<Value>, around: Option<&Value>) -> Value {
        let mut response = exact.unwrap_or_else(|| json!({ "description": "" }));
        let Some(members) = response.as_object_mut() else { return response };
        describe(members, status, &answer.codes, &answer.rewritten);
        let problems: Vec<Code> = answer.codes.iter().chain(&answer.rewritten).copied().collect();
        let mut headers = answer.headers.clone();
        if !problems.is_empty() {
            headers.extend(Header::of_problems(&problems, self.limited));
            within(members, "headers", |known| header::add_codes(known, &problems));
        }
        within(members, "headers", |known| header::add(known, &headers, &self.known.headers));
        within(members, "content", |content| {
            answer.bodies.iter().for_each(|body| content::add(content, body));
            if !answer.codes.is_empty() {
                content::add(content, &self.document(&answer.codes));
            }
            // The error of a service has the body that it came with.
            if self.open && (self.forwards || answer.codes.contains(&Code::ServiceError)) {
                of_anything().iter().for_each(|body| content::add(content, body));
            }
            if let Some(around) = around {
                content::inherit(content, around);
            }
        });
        if self.head {
            members.shift_remove("content");
        }
        for empty in ["headers", "content"] {
            if members.get(empty).and_then(Value::as_object).is_some_and(Map::is_empty) {
                members.shift_remove(empty);
            }
        }
        response
    }

    /// The problem document. A plain reference: of what stands beside one, generators of clients make a second type. The
    /// codes that it can have here, the header tells.
    fn document(&self, codes: &[Code]) -> Body {
        let media_type = MEDIA_TYPE.to_str().unwrap_or_default().to_owned();
        let example = codes.first().map(|code| crate::problem::example(*code));
        Body { media_type, schema: self.known.own.problem.clone(), example, yields: false }
    }

    /// Adds what is on every answer.
    fn mark(&self, responses: &mut Map<String, Value>, components: &mut Components) {
        let mut everywhere = vec![Header::RequestId];
        everywhere.extend(self.limited.then_some([Header::RateLimit, Header::Policy]).into_iter().flatten());
        for response in responses.values_mut() {
            let resolved = components.resolve(response);
            let mut copy = resolved.clone();
            let Some(members) = copy.as_object_mut() else { continue };
            within(members, "headers", |known| header::add(known, &everywhere, &self.known.headers));
            if copy != *components.resolve(response) {
                *response = copy;
            }
        }
    }
}

const JSON: &str = "application/json";

/// Whether a service answers, on NATS or behind an upstream.
fn serves(operation: &Operation) -> bool {
    operation.waits_as_preferred() || operation.legacy.is_some()
}

/// JSON first, which clients can read.
fn of_anything() -> Vec<Body> {
    let body = |media_type: &str| Body {
        media_type: media_type.to_owned(),
        schema: json!({}),
        example: None,
        yields: true,
    };
    vec![body(JSON), body("*/*")]
}

/// The body of a case, and its media type.
fn of_case(case: &Case, body: &CaseBody, named: Option<&str>) -> Body {
    let own = case.headers.iter().find(|(name, _)| *name == http::header::CONTENT_TYPE);
    let own = own.and_then(|(_, template)| template.is_constant());
    let media_type =
        named.or(own).unwrap_or(JSON).split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let schema = match body {
        CaseBody::Json(template) => template.schema(),
        CaseBody::Text(_) => json!({ "type": "string" }),
    };
    Body { media_type, schema, example: None, yields: true }
}

fn has_body(status: StatusCode) -> bool {
    !matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED)
}
