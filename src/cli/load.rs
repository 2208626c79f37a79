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

/// What could be made of a configuration that may have errors.
pub(super) struct Read {
    config: Option<Config>,
    table: Option<Compiled>,
    pub(super) manifests: Manifests,
    pub(super) diagnostics: Diagnostics,
}

impl Read {
    /// What is fit for use: nothing if there is an error by now.
    pub(super) fn fit(self) -> (Option<Loaded>, Diagnostics) {
        let fit = !self.diagnostics.has_errors();
        let parts = self.config.zip(self.table).filter(|_| fit);
        let loaded = parts.map(|(config, table)| Loaded { config, table, manifests: self.manifests });
        (loaded, self.diagnostics)
    }
}

/// Reads and compiles everything; what is found is in the diagnostics.
pub(super) fn read(path: &Path, overrides: &Overrides) -> Read {
    let (config, mut diagnostics) = config::load(path, overrides);
    let mut manifests = Manifests::default();
    let mut table = None;
    if let Some(config) = &config {
        manifests = manifest::load(&config.manifests, &mut diagnostics);
        table = compile(config, &manifests, &mut diagnostics);
    }
    Read { config, table, manifests, diagnostics }
}

/// The same where only what is fit for use matters.
pub(super) fn load(path: &Path, overrides: &Overrides) -> (Option<Loaded>, Diagnostics) {
    read(path, overrides).fit()
}

/// The same for commands that go on only if all is well: problems are printed.
pub(super) fn load_or_tell(path: &Path, overrides: &Overrides) -> Option<Loaded> {
    let (loaded, diagnostics) = load(path, overrides);
    eprint!("{}", diagnostics.render());
    loaded
}
