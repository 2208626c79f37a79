//! Which problems an operation can really answer with: derived from what it was compiled to.

use crate::authenticate::Access;
use crate::dispatch::Binding;
use crate::gateway::operation::{Inspects, Operation};
use crate::problem::Code;
use crate::translate::outbound::IdSource;

/// A code, and who makes the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Possible {
    pub(super) code: Code,
    /// It can come before the operation is known, and then no `problem` case sees it.
    pub(super) before: bool,
    /// It can come from the operation, whose `problem` cases may rewrite it.
    pub(super) inside: bool,
}

/// What any request can get before its operation is found: it breaks the rules of HTTP, or the gateway ends.
const BEFORE: [Code; 6] = [
    Code::MalformedRequest,
    Code::UriTooLong,
    Code::HeadersTooLarge,
    Code::ExpectationFailed,
    Code::Draining,
    Code::Internal,
];

/// What any operation can answer, whatever it is bound to: a body may come with every request, and be too slow, or break
/// off.
const ALWAYS: [Code; 4] = [Code::RequestTimeout, Code::Overloaded, Code::Draining, Code::Internal];

/// Where bodies are read before anything is done: one may be too large, or encoded.
const READING: [Code; 3] = [Code::MalformedBody, Code::UnsupportedMediaType, Code::BodyTooLarge];

/// What is said of a legacy service that does not answer. What it answers passes as it comes.
const FORWARDING: [Code; 3] = [Code::UpstreamUnreachable, Code::UpstreamReset, Code::UpstreamTimeout];

/// What NATS can say of any message.
const SENDING: [Code; 6] = [
    Code::NatsUnavailable,
    Code::Timeout,
    Code::ConnectionLost,
    Code::Misconfigured,
    Code::UriTooLong,
    Code::BadReply,
];

const REQUESTING: [Code; 3] = [Code::NoResponders, Code::ServiceError, Code::CapturedByStream];

const PUBLISHING: [Code; 5] = [
    Code::StreamUnavailable,
    Code::StreamFull,
    Code::SubjectFull,
    Code::MessageTooLarge,
    Code::HeadersTooLarge,
];

/// Those of an operation that nothing binds.
pub(super) fn of_unbound(has_parameters: bool) -> Vec<Possible> {
    let mut all = Codes::default();
    all.before(&BEFORE);
    all.before(&[Code::NotBound]);
    if has_parameters {
        all.before(&[Code::InvalidParameter]);
    }
    all.0
}

/// Those of an operation; `has_parameters`: of its path.
pub(super) fn of(operation: &Operation, has_parameters: bool, declares: bool) -> Vec<Possible> {
    let mut all = Codes::default();
    all.before(&BEFORE);
    all.inside(&ALWAYS);
    let inspects = if operation.nats.is_some() { Inspects::Everything } else { operation.inspects };
    if inspects == Inspects::Everything {
        all.inside(&READING);
    }
    if operation.nats.is_some() {
        all.inside(&SENDING);
    }
    if operation.legacy.is_some() {
        all.inside(&FORWARDING);
    }
    if has_parameters {
        // One that is empty or no text is refused while the operation is looked for.
        all.before(&[Code::InvalidParameter]);
    }
    let mapping = operation.mapping();
    let reads = |name: &str| mapping.is_some_and(|mapping| mapping.reads(name));
    let reads_parameters = ["path", "query", "header", "cookie"].iter().any(|name| reads(name));
    if inspects != Inspects::Nothing && (has_parameters || declares || reads_parameters) {
        all.inside(&[Code::InvalidParameter]);
    }
    let input = &operation.input;
    if input.body.schemas.are_enforced() {
        all.inside(&[Code::InvalidBody]);
    }
    if input.accept.is_enforced() {
        all.inside(&[Code::NotAcceptable]);
    }
    if operation.rate.is_some() {
        all.inside(&[Code::RateLimited]);
    }
    all.inside(&of_callers(operation, &operation.access));
    match operation.binding() {
        Some(Binding::Request(_)) => all.inside(&REQUESTING),
        Some(Binding::Publish(_)) => all.inside(&PUBLISHING),
        None => {}
    }
    match mapping.and_then(|mapping| mapping.storing.as_ref()).map(|storing| &storing.id) {
        Some(IdSource::Caller { .. }) => {
            all.inside(&[Code::IdempotencyKeyRequired, Code::IdempotencyMismatch]);
        }
        Some(IdSource::Declared(_)) => all.inside(&[Code::IdempotencyMismatch]),
        Some(IdSource::Fresh) | None => {}
    }
    all.0
}

fn of_callers(operation: &Operation, access: &Access) -> Vec<Code> {
    let mut codes = Vec::new();
    if access.may_refuse() {
        codes.push(Code::Unauthenticated);
    }
    if access.may_refuse() && access.may_lack_keys() {
        codes.push(Code::KeysUnavailable);
    }
    let asks = ["caller", "claims"]
        .iter()
        .any(|name| operation.mapping().is_some_and(|mapping| mapping.reads(name)));
    if operation.authorize.is_some() || access.may_refuse() && access.demands_scopes() || asks {
        codes.push(Code::Forbidden);
    }
    codes
}

/// Each code once.
#[derive(Default)]
struct Codes(Vec<Possible>);

impl Codes {
    fn before(&mut self, codes: &[Code]) {
        codes.iter().for_each(|code| self.entry(*code).before = true);
    }

    fn inside(&mut self, codes: &[Code]) {
        codes.iter().for_each(|code| self.entry(*code).inside = true);
    }

    fn entry(&mut self, code: Code) -> &mut Possible {
        let known = self.0.iter().position(|one| one.code == code);
        let at = known.unwrap_or_else(|| {
            self.0.push(Possible { code, before: false, inside: false });
            self.0.len() - 1
        });
        &mut self.0[at]
    }
}
