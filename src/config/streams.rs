//! `streams:` as written.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::scalar::TimeSpan;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::yaml::Located;

/// More often would cost a server with many streams more than it tells.
const SHORTEST: Duration = Duration::from_secs(1);

/// What is done about the streams and consumers of `manifests` while the gateway serves.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Streams {
    /// How often the server is compared with the manifests, at least `1s`. What is not as declared stands in the log and
    /// in the metric `natsgate_stream_drift`; nothing is changed. Default: never.
    pub watch: Option<Located<TimeSpan>>,
}

impl Streams {
    /// Finds what is wrong by itself. `declared`: there are manifests.
    pub(super) fn check(&self, declared: bool, diagnostics: &mut Diagnostics) {
        let Some(watch) = &self.watch else { return };
        if watch.0 < SHORTEST {
            diagnostics.push(
                Diagnostic::error(watch.place, "`watch` must be at least 1s")
                    .reason("each comparison reads every stream of the account")
                    .help("write 1m, say"),
            );
        }
        if !declared {
            diagnostics.push(
                Diagnostic::error(watch.place, "there are no manifests to watch")
                    .help("name them: `manifests: [deploy/jetstream]`"),
            );
        }
    }
}
