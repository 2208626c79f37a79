//! What most commands begin with: the configuration, fit for use, or its problems on standard error.

use std::path::Path;

use crate::config::Overrides;
use crate::gateway::load::{Loaded, read};

/// Loads a configuration for a command that goes on only if all is well: problems are printed.
pub(super) fn load_or_tell(path: &Path, overrides: &Overrides) -> Option<Loaded> {
    let (loaded, diagnostics) = read(path, overrides, None).fit();
    eprint!("{}", diagnostics.render());
    loaded
}
