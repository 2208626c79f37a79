//! Who may call an operation: alternatives, of which one must hold, each with demands that must all be met.

use std::fmt;
use std::sync::Arc;

use http::HeaderValue;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::caller::{Caller, Identity, Scopes};
use super::carrier::Carrier;
use super::failure::Failure;
use super::verifier::Verifier;
use crate::expression::Occurrence;
use crate::head::Head;
use crate::json::{Document, Json};
use crate::problem::Problem;

/// What an operation demands of who calls. By default nothing.
#[derive(Debug, Default)]
pub struct Access {
    /// Empty: it is open to everybody.
    alternatives: Vec<Alternative>,
    /// One of them demands nothing: whoever sends no credentials at all may call, and is nobody.
    anonymous: bool,
    /// Those of which the legacy service checks everything, by the verifiers that say so. Here, everybody passes, with
    /// whatever credentials.
    elsewhere: Vec<Vec<Arc<str>>>,
    /// What may be asked for, each once.
    challenges: Vec<HeaderValue>,
}

/// Demands that must all be met.
#[derive(Debug)]
pub(super) struct Alternative {
    first: Demand,
    others: Vec<Demand>,
    /// What the legacy service checks beside them, by the verifiers that say so.
    elsewhere: Vec<Arc<str>>,
}

/// What one alternative asks for, before it is known whether that is anything.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) demands: Vec<Demand>,
    /// The verifiers that leave it to the legacy service.
    pub(super) elsewhere: Vec<Arc<str>>,
}

/// One proof that a caller must bring.
#[derive(Debug)]
pub(super) struct Demand {
    pub(super) verifier: Arc<Verifier>,
    pub(super) carrier: Carrier,
    /// What must have been granted.
    pub(super) scopes: Vec<String>,
    /// Asks for it (RFC 9110, 11.6.1).
    pub(super) challenge: HeaderValue,
}

impl Access {
    /// From alternatives, of which one must hold. One that asks for nothing lets everybody in who sends no credentials.
    pub(super) fn new(asked: Vec<Asked>) -> Access {
        let mut access = Access::default();
        for Asked { demands, elsewhere } in asked {
            let mut demands = demands.into_iter();
            match demands.next() {
                Some(first) => {
                    access.alternatives.push(Alternative { first, others: demands.collect(), elsewhere });
                }
                None if elsewhere.is_empty() => access.anonymous = true,
                None => access.elsewhere.push(elsewhere),
            }
        }
        for demand in access.alternatives.iter().flat_map(Alternative::demands) {
            if !access.challenges.contains(&demand.challenge) {
                access.challenges.push(demand.challenge.clone());
            }
        }
        access
    }

    /// The verifier that leaves some of it to the legacy service, if one does: on NATS nobody would check that.
    pub fn checked_elsewhere(&self) -> Option<&str> {
        let beside = self.alternatives.iter().flat_map(|all| &all.elsewhere);
        self.elsewhere.iter().flatten().chain(beside).next().map(|name| &**name)
    }

    /// Whether a caller is known when the operation is carried out.
    pub fn caller(&self) -> Occurrence {
        self.occurrence(|_| true)
    }

    /// Whether it has come with a token.
    pub fn claims(&self) -> Occurrence {
        self.occurrence(|demand| demand.verifier.gives_claims())
    }

    fn occurrence(&self, has: impl Fn(&Demand) -> bool) -> Occurrence {
        let having = self.alternatives.iter().filter(|all| all.demands().any(&has)).count();
        match having {
            0 => Occurrence::Never,
            some if some == self.alternatives.len() && self.demands_credentials() => Occurrence::Always,
            _ => Occurrence::Sometimes,
        }
    }

    /// Says who calls: by the first alternative that holds, whatever order its proofs come in.
    pub(super) async fn check(&self, head: &Head, deadline: Instant) -> Result<Caller, Problem> {
        let mut worst: Option<(Failure, &Demand)> = None;
        for alternative in &self.alternatives {
            match alternative.check(head, deadline).await {
                Ok(identity) => return Ok(Caller::known(identity)),
                Err(failure) => {
                    if worst.as_ref().is_none_or(|(known, _)| known.rank() < failure.0.rank()) {
                        worst = Some(failure);
                    }
                }
            }
        }
        match worst {
            // What is not valid here may be so for the legacy service.
            Some(_) if !self.elsewhere.is_empty() => Ok(Caller::default()),
            // Whoever sends credentials wants to be known by them, and shall hear that they are not valid.
            Some((failure, demand)) if !self.anonymous || self.is_tried(head) => {
                Err(failure.problem(demand, &self.challenges))
            }
            _ => Ok(Caller::default()),
        }
    }

    /// Whether nobody passes without credentials that are valid here.
    fn demands_credentials(&self) -> bool {
        !self.anonymous && self.elsewhere.is_empty()
    }

    /// Whether somebody can be refused, for credentials that are missing or not valid.
    pub fn may_refuse(&self) -> bool {
        !self.alternatives.is_empty() && self.elsewhere.is_empty()
    }

    /// Whether a request has credentials of any kind that is asked for.
    fn is_tried(&self, head: &Head) -> bool {
        self.alternatives.iter().flat_map(Alternative::demands).any(|demand| demand.carrier.is_used(head))
    }

    /// Whether some caller is asked for scopes.
    pub fn demands_scopes(&self) -> bool {
        self.alternatives.iter().flat_map(Alternative::demands).any(|demand| !demand.scopes.is_empty())
    }

    /// Whether some caller's token is checked with keys that may not be there yet.
    pub fn may_lack_keys(&self) -> bool {
        self.alternatives.iter().flat_map(Alternative::demands).any(|demand| demand.verifier.gives_claims())
    }

    /// Whether everybody may call.
    pub fn is_open(&self) -> bool {
        self.alternatives.is_empty() && self.elsewhere.is_empty()
    }

    /// Whether a header holds the caller's key.
    pub fn is_sent_in(&self, header: &str) -> bool {
        let holds = |demand: &Demand| matches!(&demand.carrier, Carrier::Header(name) if name.as_str().eq_ignore_ascii_case(header));
        self.alternatives.iter().flat_map(Alternative::demands).any(holds)
    }

    /// A caller who would have come with these claims, and everything that one alternative demands: for looking at
    /// what an operation would do, and for nothing else.
    pub fn pretend(&self, claims: Document) -> Caller {
        let with_token =
            self.alternatives.iter().find(|all| all.demands().any(|one| one.verifier.gives_claims()));
        let Some(alternative) = with_token else { return Caller::default() };
        let text = |name| claims.root().member(name).and_then(Json::as_text).unwrap_or_default().into_owned();
        let (issuer, name) = (text("iss"), text("sub"));
        let scopes = alternative.demands().flat_map(|demand| demand.scopes.iter().cloned()).collect();
        let verifier = &alternative.first.verifier.name;
        Caller::known(Arc::new(Identity::new(verifier, &issuer, name, Scopes::new(scopes), Some(claims))))
    }

    /// For people and machines that want to know who may call.
    pub fn describe(&self) -> Value {
        let alternative = |all: &Alternative| {
            let demands = all.demands().map(|demand| {
                json!({
                    "verifier": demand.verifier.name(),
                    "sent_as": demand.carrier.to_string(),
                    "scopes": demand.scopes,
                })
            });
            Value::Array(demands.chain(all.elsewhere.iter().map(elsewhere)).collect())
        };
        let mut alternatives: Vec<Value> = self.alternatives.iter().map(alternative).collect();
        alternatives.extend(self.elsewhere.iter().map(|all| all.iter().map(elsewhere).collect()));
        if self.anonymous || self.is_open() {
            alternatives.push(json!([]));
        }
        Value::Array(alternatives)
    }
}

/// What the legacy service checks, for people and machines.
fn elsewhere(verifier: &Arc<str>) -> Value {
    json!({ "verifier": &**verifier, "checked_by": "upstream" })
}

/// `people (Authorization: Bearer; scopes write) or anybody`
impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let elsewhere = |name: &Arc<str>| format!("{name} (the legacy service checks)");
        let alternatives = self.alternatives.iter().map(|all| {
            let demands = all.demands().map(ToString::to_string).chain(all.elsewhere.iter().map(elsewhere));
            demands.collect::<Vec<_>>().join(" and ")
        });
        let others =
            self.elsewhere.iter().map(|all| all.iter().map(elsewhere).collect::<Vec<_>>().join(" and "));
        let anybody = (self.anonymous || self.is_open()).then(|| "anybody".to_owned());
        // Several schemes may be left to the same verifier: who reads this need not see it twice.
        let mut told: Vec<String> = Vec::new();
        for one in alternatives.chain(others).chain(anybody) {
            if !told.contains(&one) {
                told.push(one);
            }
        }
        f.write_str(&told.join(", or "))
    }
}

impl fmt::Display for Demand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}", self.verifier.name(), self.carrier)?;
        match self.scopes.as_slice() {
            [] => f.write_str(")"),
            scopes => write!(f, "; scopes {})", scopes.join(" ")),
        }
    }
}

impl Alternative {
    fn demands(&self) -> impl Iterator<Item = &Demand> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// Checks every proof; the first that fails fails the whole.
    async fn check(&self, head: &Head, deadline: Instant) -> Result<Arc<Identity>, (Failure, &Demand)> {
        let first = self.first.check(head, deadline).await.map_err(|failure| (failure, &self.first))?;
        if self.others.is_empty() {
            return Ok(first);
        }
        let mut others = Vec::with_capacity(self.others.len());
        for demand in &self.others {
            others.push(demand.check(head, deadline).await.map_err(|failure| (failure, demand))?);
        }
        Ok(Arc::new(first.with(&others)))
    }
}

impl Demand {
    async fn check(&self, head: &Head, deadline: Instant) -> Result<Arc<Identity>, Failure> {
        let credentials = self.carrier.find(head)?;
        let identity = self.verifier.verify(&credentials, head.time, deadline).await?;
        match self.scopes.iter().find(|scope| !identity.scopes.grants(scope)) {
            None => Ok(identity),
            Some(missing) => Err(Failure::Scope(missing.clone())),
        }
    }
}
