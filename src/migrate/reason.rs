//! Why a request is for one side or the other, in words.

use super::{Migration, SIDE, Side, hash};
use crate::config::Stage;
use crate::expression::Scope;
use crate::head::Head;

/// Which side a request is for, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The side; none: by chance.
    pub side: Option<Side>,
    /// Why.
    pub why: String,
    /// What the other side gets.
    pub copy: Option<String>,
}

impl Migration {
    /// Decides on a request as [`turn`](Self::turn) does, and says why.
    pub fn reason(&self, head: &Head, scope: &Scope<'_>) -> Reason {
        if let Some(side) = self.forced(head, Some(scope)) {
            let why = format!("the caller may choose, and has sent Natsgate-Side: {}", side.name());
            return Reason { side: Some(side), why, copy: None };
        }
        let (side, mut why) = match self.stage {
            Stage::Legacy | Stage::Shadow => (Some(Side::Legacy), "the legacy service answers".to_owned()),
            Stage::Mirror | Stage::Nats => (Some(Side::Nats), "NATS answers".to_owned()),
            Stage::Canary => self.of_canary(scope),
        };
        why = format!("stage {}: {why}", self.stage.name());
        if self.fallback && side != Some(Side::Legacy) {
            why.push_str("; the legacy service does where NATS provably did not take the request");
        }
        if head.headers().contains_key(SIDE) {
            why.push_str("; the header Natsgate-Side does not count: this caller may not choose (`force`)");
        }
        Reason { side, why, copy: self.copied(side) }
    }

    fn of_canary(&self, scope: &Scope<'_>) -> (Option<Side>, String) {
        let percent = self.percent();
        let key = self.key.as_ref().and_then(|key| key.render(scope).ok().flatten());
        match (&self.key, key) {
            (None, _) => {
                (None, format!("NATS answers {percent} % of the requests, by chance: there is no `key`"))
            }
            (Some(_), None) => {
                (None, format!("NATS answers {percent} %, by chance: the key has no value here"))
            }
            (Some(_), Some(key)) => {
                let position = hash(&key);
                let side = if position < self.share { Side::Nats } else { Side::Legacy };
                let stands = position as f64 / 2f64.powi(64) * 100.0;
                let than = if side == Side::Nats { "below" } else { "not below" };
                (Some(side), format!("the key `{key}` stands at {stands:.2} %, {than} {percent} %"))
            }
        }
    }

    fn copied(&self, side: Option<Side>) -> Option<String> {
        let percent = self.shadow.sample as f64 / 2f64.powi(64) * 100.0;
        let of = format!("a copy of {} % of the requests", (percent * 100.0).round() / 100.0);
        match (self.stage, side) {
            (Stage::Shadow, Some(Side::Legacy)) => {
                let subject =
                    self.shadow.subject.as_ref().map(|subject| format!(", on {}", subject.pattern()));
                Some(format!("NATS gets {of}{}", subject.unwrap_or_default()))
            }
            (Stage::Mirror, Some(Side::Nats)) => Some(format!("the legacy service gets {of}")),
            _ => None,
        }
    }
}
