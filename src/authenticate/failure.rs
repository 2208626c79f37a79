//! Why a caller is not let in, in the words that it may read: never a part of what it has sent.

use std::borrow::Cow;

use http::HeaderValue;

use super::access::Demand;
use super::carrier::Carrier;
use crate::problem::{Code, Problem};

/// Why a demand is not met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// The request has no credentials of this kind.
    Missing,
    /// It has some, and they are not valid; says how, as `error_description` can hold it.
    Invalid(&'static str),
    /// They are valid, and grant less than the operation needs: the first scope that is missing.
    Scope(String),
    /// Too many are being checked at this moment.
    Overloaded,
    /// The issuer's keys were never loaded.
    KeysUnavailable,
}

impl Failure {
    /// How much it tells: of several alternatives the one that came furthest is told, and a failure of ours before
    /// one of the caller's, since trying again can help.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Failure::Missing => 0,
            Failure::Invalid(_) => 1,
            Failure::Scope(_) => 2,
            Failure::Overloaded => 3,
            Failure::KeysUnavailable => 4,
        }
    }

    /// The answer. `others` are the challenges of the operation's other schemes.
    pub(super) fn problem(&self, demand: &Demand, others: &[HeaderValue]) -> Problem {
        let (code, detail): (Code, Cow<'static, str>) = match self {
            Failure::Missing => (Code::Unauthenticated, "this operation needs credentials".into()),
            Failure::Invalid(reason) => (Code::Unauthenticated, (*reason).into()),
            Failure::Scope(scope) => (Code::Forbidden, format!("the scope {scope} is not granted").into()),
            Failure::Overloaded => (Code::Overloaded, "too many passwords are being checked".into()),
            Failure::KeysUnavailable => (
                Code::KeysUnavailable,
                "the keys that tokens are checked with could not be loaded yet".into(),
            ),
        };
        let mut problem = Problem::new(code, detail);
        problem.cause = Some(format!("{demand}: {}", problem.detail));
        if matches!(code, Code::Unauthenticated | Code::Forbidden) {
            problem.challenges.extend(self.challenge(demand));
        }
        if code == Code::Unauthenticated {
            let same = |other: &&HeaderValue| **other != demand.challenge;
            problem.challenges.extend(others.iter().filter(same).cloned());
        }
        problem
    }

    /// What is asked for, with why the last try was not enough where the scheme has words for that (RFC 6750).
    fn challenge(&self, demand: &Demand) -> Option<HeaderValue> {
        let bearer = matches!(demand.carrier, Carrier::Bearer);
        match self {
            Failure::Invalid(reason) if bearer => extended(
                &demand.challenge,
                &format!(", error=\"invalid_token\", error_description=\"{reason}\""),
            ),
            Failure::Scope(_) if bearer => {
                let scopes = demand.scopes.join(" ");
                extended(&demand.challenge, &format!(", error=\"insufficient_scope\", scope=\"{scopes}\""))
            }
            Failure::Scope(_) => None,
            _ => Some(demand.challenge.clone()),
        }
    }
}

fn extended(challenge: &HeaderValue, more: &str) -> Option<HeaderValue> {
    HeaderValue::from_bytes(&[challenge.as_bytes(), more.as_bytes()].concat()).ok()
}
