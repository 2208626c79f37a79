//! What every command begins with: the configuration, compiled, or its problems on standard error.

use std::path::Path;

use crate::config::{self, Config, Overrides};
use crate::diagnostic::Diagnostics;
use crate::gateway::compile::{Compiled, compile};
use crate::jetstream::manifest::{self, Manifests};

/// A configuration that is fit for use.
pub(super) struct Loaded {
    pub(super) config: Config,
    pub(super) table: Compiled,
    pub(super) manifests: Manifests,
}

/// Reads and compiles everything; what is found is in the diagnostics in either case.
pub(super) fn load(path: &Path, overrides: &Overrides) -> (Option<Loaded>, Diagnostics) {
    let (config, mut diagnostics) = config::load(path, overrides);
    let loaded = config.and_then(|config| {
        let paths: Vec<_> = config.manifests.iter().map(|path| (path.value.clone(), path.place)).collect();
        let manifests = manifest::load(&paths, &mut diagnostics);
        let table = compile(&config, &manifests, &mut diagnostics)?;
        Some(Loaded { config, table, manifests })
    });
    let fit = !diagnostics.has_errors();
    (loaded.filter(|_| fit), diagnostics)
}

/// The same for commands that go on only if all is well: problems are printed.
pub(super) fn load_or_tell(path: &Path, overrides: &Overrides) -> Option<Loaded> {
    let (loaded, diagnostics) = load(path, overrides);
    eprint!("{}", diagnostics.render());
    loaded
}
