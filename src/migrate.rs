//! The stage that says which side of an operation a request is for, while it moves from the legacy service to NATS: who
//! answers, who gets a copy, and whether the other side helps out.

mod breaker;
pub mod compare;
mod evidence;
pub mod gate;
pub mod next;
mod reason;
pub mod status;
pub mod summary;

use std::time::Duration;

use http::{HeaderName, Method};

use crate::config::{Noise, Stage};
use crate::expression::{Expression, Scope};
use crate::head::Head;
use crate::problem::Code;
use crate::template::Template;
use crate::template::subject::SubjectTemplate;
pub use breaker::Breaker;
pub use evidence::{Answer, Evidence, Mismatch, Pair, RESULTS, Rules, Sending, Totals};
pub use reason::Reason;

/// By which callers who may choose the side of a request: `nats` or `legacy`.
pub const SIDE: HeaderName = HeaderName::from_static("natsgate-side");
/// On an answer: who gave it. On a request: that the caller wants to know.
pub const SERVED_BY: HeaderName = HeaderName::from_static("natsgate-served-by");
/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The legacy service, over HTTP.
    Legacy,
    /// NATS.
    Nats,
}

impl Side {
    /// As headers, logs and labels have it.
    pub fn name(self) -> &'static str {
        match self {
            Side::Legacy => "legacy",
            Side::Nats => "nats",
        }
    }
}

/// Why the legacy service answers in the place of NATS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FellBack {
    /// NATS did not take the request, or what only reads was not answered in time.
    Code(Code),
    /// NATS is left alone for a while, because one request after another failed there.
    Breaker,
    /// The body is longer than NATS takes, or too slow.
    Body,
}

impl FellBack {
    /// As logs and labels have it.
    pub fn name(self) -> &'static str {
        match self {
            FellBack::Code(code) => code.name(),
            FellBack::Breaker => "breaker_open",
            FellBack::Body => "body_too_large",
        }
    }
}

/// How the two sides of an operation share its requests.
#[derive(Debug)]
pub struct Migration {
    /// Who answers, and who gets a copy.
    pub stage: Stage,
    /// Of 2^64: how much of all requests NATS answers in a canary.
    pub share: u64,
    /// What keeps requests on the same side.
    pub key: Option<Template>,
    /// The legacy service answers what NATS provably did not take.
    pub fallback: bool,
    /// For whom the header [`SIDE`] counts.
    pub force: Option<Expression>,
    /// When NATS is not even tried. Shared by the tables that have the operation.
    pub breaker: Option<Breaker>,
    /// The copies.
    pub shadow: Shadow,
    /// What has been seen. Shared by the tables that have the operation.
    pub evidence: Evidence,
}

/// How copies are made.
#[derive(Debug)]
pub struct Shadow {
    /// Of 2^64: how many requests are copied.
    pub sample: u64,
    /// Where copies of requests go; none: where requests go.
    pub subject: Option<SubjectTemplate>,
    /// How long the answer to a copy is waited for.
    pub timeout: Duration,
    /// Two answers of the legacy service are compared too.
    pub noise: Noise,
}

/// What is done with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// Who answers.
    pub side: Side,
    /// The other side gets a copy.
    pub copy: bool,
    /// The legacy service answers if NATS provably did not take it.
    pub falls_back: bool,
}

impl Migration {
    /// Whether who answers a request depends on more than its stage.
    pub fn looks(&self, head: &Head) -> bool {
        let by_key = self.stage == Stage::Canary && self.key.is_some();
        by_key || (self.force.is_some() && head.headers().contains_key(SIDE))
    }

    /// Decides on a request. `scope` has its caller and its parameters; it may be absent where nothing is
    /// [looked at](Self::looks).
    pub fn turn(&self, head: &Head, scope: Option<&Scope<'_>>) -> Turn {
        let forced = self.forced(head, scope);
        let side = forced.unwrap_or_else(|| match self.stage {
            Stage::Legacy | Stage::Shadow => Side::Legacy,
            Stage::Mirror | Stage::Nats => Side::Nats,
            Stage::Canary => match self.position(scope) < self.share {
                true => Side::Nats,
                false => Side::Legacy,
            },
        });
        let copies =
            matches!((self.stage, side), (Stage::Shadow, Side::Legacy) | (Stage::Mirror, Side::Nats));
        let copy = copies && forced.is_none() && takes(self.shadow.sample);
        Turn { side, copy, falls_back: self.fallback && side == Side::Nats && forced.is_none() }
    }

    /// The share of a canary that NATS answers, in percent; hundredths are exact.
    pub fn percent(&self) -> f64 {
        (self.share as f64 / 2f64.powi(64) * 1e6).round() / 1e4
    }

    /// A client was answered. Where copies are made, pairs tell of it.
    pub fn answered(&self, side: Side, status: u16, took: Option<Duration>) {
        if matches!(self.stage, Stage::Legacy | Stage::Canary | Stage::Nats) {
            self.evidence.answered(side, status, took);
        }
    }

    fn forced(&self, head: &Head, scope: Option<&Scope<'_>>) -> Option<Side> {
        let wanted = head.headers().get(SIDE)?;
        let side = [Side::Legacy, Side::Nats].into_iter().find(|side| wanted == side.name())?;
        let allowed = self.force.as_ref()?.bool(scope?).unwrap_or(false);
        allowed.then_some(side)
    }

    /// Where among all requests this one stands. One whose key cannot be told, or is absent, stands anywhere.
    fn position(&self, scope: Option<&Scope<'_>>) -> u64 {
        let key = self.key.as_ref().zip(scope).and_then(|(key, scope)| key.render(scope).ok().flatten());
        key.map_or_else(|| fastrand::u64(..), |key| hash(&key))
    }
}

/// One of so many of 2^64.
fn takes(share: u64) -> bool {
    share == u64::MAX || fastrand::u64(..) < share
}

/// The same on every instance and in every version.
fn hash(text: &str) -> u64 {
    use sha2::{Digest as _, Sha256};
    let digest = Sha256::digest(text);
    digest.iter().take(8).fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}

/// Of 2^64. Hundredths of a percent are exact enough.
pub fn share_of(part: f64) -> u64 {
    // All is all: a saturating cast keeps it.
    (part * 2f64.powi(64)) as u64
}

/// Whether requests of a method only read, unless the operation says otherwise.
pub fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_exact_to_hundredths_of_a_percent_and_all_is_all() {
        assert_eq!((share_of(0.0), share_of(1.0)), (0, u64::MAX));
        let hundredth = share_of(0.0001) as f64 / 2f64.powi(64);
        assert!((hundredth - 0.0001).abs() < 1e-12);
        assert!(!takes(0) && takes(u64::MAX));
    }

    #[test]
    fn keys_are_spread_evenly_and_stand_where_they_stood() {
        // A number that other instances, and later versions, must find too.
        assert_eq!(hash("ada"), 0xfdee_430d_40bd_57de);
        let below = |part: f64| (0..10_000).filter(|id| hash(&id.to_string()) < share_of(part)).count();
        for (part, expected) in [(0.01, 100), (0.1, 1000), (0.5, 5000)] {
            let found = below(part);
            assert!(found.abs_diff(expected) < expected / 3, "{part}: {found}");
        }
    }
}
