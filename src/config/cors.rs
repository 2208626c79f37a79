//! `cors:` as written. Answering preflights is not done here.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::scalar::TimeSpan;
use crate::yaml::Located;

/// Which web pages may call the operations from a browser (Cross-Origin Resource Sharing).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cors {
    /// Origins of the pages, as browsers send them: `https://app.example.com`. `["*"]` lets every page in, without
    /// `credentials`.
    #[schemars(length(min = 1))]
    pub origins: Vec<Located<String>>,
    /// Whether pages may send cookies and `Authorization`. Default: false.
    #[serde(default)]
    pub credentials: bool,
    /// Request headers that pages may send. Default: those that the page asks for.
    #[serde(default)]
    pub headers: Option<Vec<Located<String>>>,
    /// Response headers that pages may read, beside those that every page may. Default: those that the gateway sets
    /// (`Natsgate-*`, `RateLimit`, `Retry-After`, …), `ETag`, `Link`, `Location`, `X-Request-Id`.
    #[serde(default)]
    pub expose: Option<Vec<Located<String>>>,
    /// How long a browser may keep the answer to a preflight. Default: `10m`.
    #[serde(default = "max_age")]
    pub max_age: Located<TimeSpan>,
}

fn max_age() -> Located<TimeSpan> {
    Located::default_of(TimeSpan(Duration::from_secs(600)))
}
