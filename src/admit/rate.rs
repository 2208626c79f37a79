//! The rate of an operation: whose requests it counts together, what it lets through, and what the client is told.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::header::HeaderMap;
use http::{HeaderName, HeaderValue};

use super::limiter::{Limiter, Standing};
use crate::expression::Scope;
use crate::problem::{Code, Problem};
use crate::template::Template;

/// What is left of the quota (draft-ietf-httpapi-ratelimit-headers).
const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// What the quota is.
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Whose requests are counted together.
#[derive(Debug)]
pub enum Per {
    /// Those of one address, before anybody is asked who it is.
    Ip,
    /// Those of one caller; of one address where nobody is authenticated.
    Caller,
    /// Those for which this text is the same.
    Value(Template),
}

/// The rate of one operation.
#[derive(Debug)]
pub struct RateLimit {
    limiter: Arc<Limiter>,
    per: Per,
    name: String,
    policy: Option<HeaderValue>,
    /// Somebody could not say who it is: from then on failures are looked at.
    has_failures: AtomicBool,
}

/// What is counted. Each kind has its own numbers, so that no value of one is a value of another.
#[derive(Hash)]
enum Counted<'a> {
    Address([u8; 16]),
    Failures([u8; 16]),
    Caller(&'a str),
    Value(&'a str),
}

impl RateLimit {
    /// The rate of an operation, by its name.
    pub fn new(operation: &str, limiter: Arc<Limiter>, per: Per) -> RateLimit {
        let name = quoted(operation);
        let policy = format!("{name};q={};w={}", limiter.burst(), limiter.window());
        let policy = HeaderValue::from_str(&policy).ok();
        RateLimit { limiter, per, name, policy, has_failures: AtomicBool::new(false) }
    }

    /// Goes on with the counts of a former rate of the operation, if that was the same.
    #[must_use]
    pub fn after_former(self, former: &RateLimit) -> RateLimit {
        if !self.limiter.is_like(&former.limiter) {
            return self;
        }
        let has_failures = AtomicBool::new(former.has_failures.load(Ordering::Relaxed));
        RateLimit { limiter: Arc::clone(&former.limiter), has_failures, ..self }
    }

    /// The counts.
    pub fn limiter(&self) -> &Arc<Limiter> {
        &self.limiter
    }

    /// Whether the text by which requests are counted reads a variable, such as `path`.
    pub fn reads(&self, variable: &str) -> bool {
        matches!(&self.per, Per::Value(template) if template.reads(variable))
    }

    /// Before a caller is asked who it is: counts the request for its address, or sees whether too many from there have
    /// failed to say who they are.
    ///
    /// # Errors
    /// `rate_limited`.
    pub fn before(&self, ip: IpAddr, told: &mut Option<Standing>) -> Result<(), Problem> {
        if matches!(self.per, Per::Ip) {
            let standing = self.limiter.take(Counted::Address(network(ip)));
            *told = Some(standing);
            return allowed(standing);
        }
        if !self.has_failures.load(Ordering::Relaxed) {
            return Ok(());
        }
        let standing = self.limiter.ask(Counted::Failures(network(ip)));
        *told = Some(standing).filter(|standing| standing.wait.is_some());
        allowed(standing)
    }

    /// A caller could not say who it is: trying is not free, or it could be done for ever.
    pub fn failed(&self, ip: IpAddr) {
        if !matches!(self.per, Per::Ip) {
            self.has_failures.store(true, Ordering::Relaxed);
            self.limiter.take(Counted::Failures(network(ip)));
        }
    }

    /// Once the caller is known: counts the request for it. A text that is absent, empty or cannot be had counts for the
    /// caller: nobody escapes by leaving something out.
    ///
    /// # Errors
    /// `rate_limited`.
    pub fn after(
        &self,
        ip: IpAddr,
        caller: Option<&str>,
        scope: &Scope<'_>,
        told: &mut Option<Standing>,
    ) -> Result<(), Problem> {
        let value = match &self.per {
            Per::Ip => return Ok(()),
            Per::Caller => None,
            Per::Value(template) => text(template, scope),
        };
        let counted = match (&value, caller) {
            (Some(value), _) => Counted::Value(value),
            (None, Some(caller)) => Counted::Caller(caller),
            (None, None) => Counted::Address(network(ip)),
        };
        let standing = self.limiter.take(counted);
        *told = Some(standing);
        allowed(standing)
    }

    /// Tells the client what the quota is, and what is left of it. A service's own fields stay beside ours.
    pub fn tell(&self, standing: Standing, headers: &mut HeaderMap) {
        let Standing { remaining, reset, .. } = standing;
        if let Some(policy) = &self.policy {
            headers.append(POLICY, policy.clone());
        }
        if let Ok(value) = HeaderValue::try_from(format!("{};r={remaining};t={reset}", self.name)) {
            headers.append(RATE_LIMIT, value);
        }
    }
}

fn allowed(standing: Standing) -> Result<(), Problem> {
    let Some(wait) = standing.wait else { return Ok(()) };
    let mut problem = Problem::new(Code::RateLimited, "there were more requests than the quota allows");
    problem.retry_after = Some(wait);
    Err(problem)
}

fn text<'a>(template: &'a Template, scope: &Scope<'a>) -> Option<Cow<'a, str>> {
    match template.render(scope) {
        Ok(text) => text.filter(|text| !text.is_empty()),
        Err(error) => {
            tracing::debug!(
                request_id = scope.request.id,
                expression = %error.expression,
                "what a rate counts by cannot be evaluated: it counts for the caller"
            );
            None
        }
    }
}

/// An address as it is counted: of IPv6, whoever has one has all of its /64.
fn network(ip: IpAddr) -> [u8; 16] {
    let mut octets = match ip.to_canonical() {
        IpAddr::V4(v4) => return v4.to_ipv6_mapped().octets(),
        IpAddr::V6(v6) => v6.octets(),
    };
    octets[8..].fill(0);
    octets
}

/// A string of a structured field (RFC 9651). What it cannot hold is left out.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars().filter(|c| matches!(c, ' '..='~')) {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted + "\""
}

#[cfg(test)]
mod tests;
