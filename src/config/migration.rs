//! `migration:` as written: of an operation, how its two sides share its requests; at the top level, where the evidence
//! is kept.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::scalar::{ByteSize, TimeSpan};
use super::share::Share;
use crate::yaml::Located;

/// How the two sides of an operation, `forward` and a NATS binding, share its requests.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Migration {
    /// Who answers, and who gets a copy. One field and a reload moves an operation on, or back.
    pub stage: Located<Stage>,
    /// `canary`: the share of requests that NATS answers: `5%`, `0.01%`. Default: `0%`.
    #[serde(default)]
    pub percent: Option<Located<Share>>,
    /// `canary`: requests with the same text stay on the same side, whatever the instance, and those on NATS stay there
    /// as the share grows: `${claims.sub}`. Default: each request by itself.
    #[serde(default)]
    pub key: Option<Located<String>>,
    /// `canary`, `mirror`, `nats`: the legacy service answers where NATS provably did not take a request (the codes that
    /// fall back in the reference of problems); for safe operations also where no answer came in time. Default: false.
    #[serde(default)]
    pub fallback: Option<Located<bool>>,
    /// Callers for whom this holds choose the side of a request by its header `Natsgate-Side: nats` or `legacy`:
    /// `${"tester" in claims.roles}`. Default: nobody.
    #[serde(default)]
    pub force: Option<Located<String>>,
    /// When requests that would go to NATS are not even tried there. Only with `fallback`.
    #[serde(default)]
    pub breaker: Option<Located<Breaker>>,
    /// `shadow`, `mirror`: the copies.
    #[serde(default)]
    pub shadow: Option<Located<Shadow>>,
    /// How the answers of the two sides are compared.
    #[serde(default)]
    pub compare: Option<Located<Compare>>,
    /// What must hold before the operation is moved on; `natsgate migration status` says whether it does.
    #[serde(default)]
    pub promote_when: Option<Located<PromoteWhen>>,
}

/// Who answers, and who gets a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Stage {
    /// The legacy service answers.
    Legacy,
    /// The legacy service answers, and NATS gets a copy of a share of the requests; the answers are compared.
    Shadow,
    /// NATS answers a share of the requests, the legacy service the others.
    Canary,
    /// NATS answers, and the legacy service gets a copy; the answers are compared. For safe operations only.
    Mirror,
    /// NATS answers.
    Nats,
}

impl Stage {
    /// All of them, in the order in which an operation goes through them.
    pub const ALL: [Stage; 5] = [Stage::Legacy, Stage::Shadow, Stage::Canary, Stage::Mirror, Stage::Nats];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Legacy => "legacy",
            Stage::Shadow => "shadow",
            Stage::Canary => "canary",
            Stage::Mirror => "mirror",
            Stage::Nats => "nats",
        }
    }
}

/// When requests go to the legacy service without NATS being tried.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Breaker {
    /// Failures in a row (codes that fall back, and answers that did not come in time) after which NATS is left alone.
    /// Default: 5.
    #[schemars(range(min = 1))]
    pub failures: Located<u32>,
    /// How long; then one request tries it. Default: `10s`.
    pub open_for: Located<TimeSpan>,
}

impl Default for Breaker {
    fn default() -> Breaker {
        Breaker {
            failures: Located::default_of(5),
            open_for: Located::default_of(TimeSpan(Duration::from_secs(10))),
        }
    }
}

/// The copies.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Shadow {
    /// The share of requests that are copied. Default: `100%`.
    pub sample: Located<Share>,
    /// How long the answer to a copy is waited for. Default: `2s`.
    pub timeout: Located<TimeSpan>,
    /// What is done with requests that are not safe. Without it they are not copied, and `shadow` is refused.
    pub writes: Option<Located<Writes>>,
    /// The subject of copies, with placeholders. Needed for `dry_run`; default: the operation's own.
    pub subject: Option<Located<String>>,
    /// `off`, or `legacy`: the legacy service gets the copy too, so that what differs between two of its own answers
    /// (times, ids, order) is known as noise and not taken for a mismatch. For safe operations only. Default: off.
    pub noise: Option<Located<Noise>>,
}

impl Default for Shadow {
    fn default() -> Shadow {
        Shadow {
            sample: Located::default_of(Share::ALL),
            timeout: Located::default_of(TimeSpan(Duration::from_secs(2))),
            writes: None,
            subject: None,
            noise: None,
        }
    }
}

/// What is done with copies of requests that are not safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Writes {
    /// A request is sent to a subject of its own (`shadow.subject`), whose service changes nothing; a publish is mapped,
    /// validated and held against the stream, and not published.
    DryRun,
}

/// Whose answers are compared to learn what differs by itself (A/A).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Noise {
    /// Nobody's.
    Off,
    /// Two of the legacy service.
    Legacy,
}

/// How the answers of the two sides are compared: by status, by the headers that are named, and by body; JSON by value.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Compare {
    /// JSON Pointers of what may differ; `*` stands for any member or item, and `/**` at the end for everything below:
    /// `[/updatedAt, "/items/*/etag"]`.
    pub ignore: Vec<Located<String>>,
    /// JSON Pointers of lists whose order does not matter.
    pub unordered: Vec<Located<String>>,
    /// JSON Pointers of members that may be `null` on one side and missing on the other; `/**` for all. Default: none.
    pub null_is_missing: Vec<Located<String>>,
    /// Headers that are compared. Default: Content-Type, without its parameters.
    pub headers: Option<Vec<Located<String>>>,
    /// JSON Pointers of values that an example of a mismatch may show. Of all others only their kind and length are
    /// kept. Default: none.
    pub show: Vec<Located<String>>,
    /// Bodies that are longer are not compared. Default: `256KiB`.
    pub max_body: Option<Located<ByteSize>>,
}

/// What must hold before an operation is moved on.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PromoteWhen {
    /// Pairs of answers that were compared. Default: 1000.
    pub compared: Option<Located<u64>>,
    /// The share of mismatches that is tolerated: the upper end of its 95 % interval must not be above it. Default: `0.5%`.
    pub mismatch: Option<Located<Share>>,
    /// By how much NATS may be slower at the 99th percentile. Default: not looked at.
    pub p99_delta: Option<Located<TimeSpan>>,
    /// For how long evidence must have been gathered; older evidence does not count. Default: `24h`.
    pub r#for: Option<Located<TimeSpan>>,
}

impl PromoteWhen {
    /// `compared` where nothing is written.
    pub const COMPARED: u64 = 1000;
    /// `mismatch` where nothing is written: 0.5 %.
    pub const MISMATCH: f64 = 0.005;
    /// `for` where nothing is written.
    pub const FOR: Duration = Duration::from_secs(24 * 3600);
}

/// Where the evidence of migrations is kept, for all instances together.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Evidence {
    /// KV bucket of the counts, made if it is not there. Default: `natsgate_migration`.
    pub bucket: Located<String>,
    /// Stream of the mismatches, made if it is not there. Default: `NATSGATE_MISMATCHES`.
    pub mismatches: Located<String>,
    /// How long a mismatch is kept. Default: `7d`.
    pub max_age: Located<TimeSpan>,
    /// Largest size of that stream; the oldest make room. Default: `64MiB`.
    pub max_bytes: Located<ByteSize>,
    /// Copies of both on the servers of a cluster. Default: 1.
    #[schemars(range(min = 1, max = 5))]
    pub replicas: Located<u8>,
    /// How often counts are written. Default: `10s`.
    pub every: Located<TimeSpan>,
}

impl Default for Evidence {
    fn default() -> Evidence {
        let span = |seconds| Located::default_of(TimeSpan(Duration::from_secs(seconds)));
        Evidence {
            bucket: Located::default_of("natsgate_migration".to_owned()),
            mismatches: Located::default_of("NATSGATE_MISMATCHES".to_owned()),
            max_age: span(7 * 24 * 3600),
            max_bytes: Located::default_of(ByteSize(64 << 20)),
            replicas: Located::default_of(1),
            every: span(10),
        }
    }
}
