//! `streams:` as written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::scalar::TimeSpan;
use crate::yaml::Located;

/// What is done about the streams and consumers of `manifests` while the gateway serves.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Streams {
    /// How often the server is compared with the manifests, at least `1s`. What is not as declared stands in the log and
    /// in the metric `natsgate_stream_drift`; nothing is changed. Default: never.
    pub watch: Option<Located<TimeSpan>>,
}
