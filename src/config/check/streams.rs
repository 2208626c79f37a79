//! Checks of `streams:`.

use std::time::Duration;

use crate::config::Config;
use crate::diagnostic::{Diagnostic, Diagnostics};

/// More often would cost a server with many streams more than it tells.
const SHORTEST: Duration = Duration::from_secs(1);

pub(super) fn check(config: &Config, diagnostics: &mut Diagnostics) {
    let Some(watch) = &config.streams.watch else { return };
    if watch.0 < SHORTEST {
        diagnostics.push(
            Diagnostic::error(watch.place, "`watch` must be at least 1s")
                .reason("each comparison reads every stream of the account")
                .help("write 1m, say"),
        );
    }
    if config.manifests.is_empty() {
        diagnostics.push(
            Diagnostic::error(watch.place, "there are no manifests to watch")
                .help("name them: `manifests: [deploy/jetstream]`"),
        );
    }
}
