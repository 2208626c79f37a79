//! Manifests: files of `jetstream.nats.io/v1beta2` streams and consumers, read into types that know their places.
//!
//! Every problem of every file becomes a diagnostic. Whether a server agrees is not asked here.

mod check;
mod consumer;
mod document;
mod duration;
mod files;
mod stream;
mod values;

use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Diagnostics, Place, Severity};

pub use consumer::{AckPolicy, Consumer, DeliverPolicy, PriorityPolicy, ReplayPolicy};
pub use duration::GoDuration;
pub use stream::{
    Compression, ConsumerLimits, Discard, PersistMode, Placement, Republish, Retention, Source, Storage,
    Stream, SubjectTransform,
};
pub(crate) use values::moment;
pub use values::{Limit, Name, SubjectFilter, Timestamp, Tls};

/// Everything that the manifests declare, in the order of the files.
#[derive(Debug, Default)]
pub struct Manifests {
    pub streams: Vec<Stream>,
    pub consumers: Vec<Consumer>,
    /// A stream could not be read, so that a name which is not found says nothing.
    incomplete: bool,
}

impl Manifests {
    /// The stream of this name.
    pub fn stream(&self, name: &str) -> Option<&Stream> {
        self.streams.iter().find(|stream| stream.name.as_str() == name)
    }
}

/// Reads files, and folders with all their `*.yaml` and `*.yml` files. Each path comes with the place that names it.
/// What cannot be read is left out of the result and stands in the diagnostics.
pub fn load(paths: &[(PathBuf, Place)], diagnostics: &mut Diagnostics) -> Manifests {
    let mut manifests = Manifests::default();
    for (path, named_at) in paths {
        let before = manifests.streams.len() + manifests.consumers.len();
        let problems = known(diagnostics);
        for file in files::under(path, *named_at, diagnostics) {
            for root in files::documents(&file, *named_at, diagnostics) {
                document::read_into(&mut manifests, root, diagnostics);
            }
        }
        let after = manifests.streams.len() + manifests.consumers.len();
        if after == before && known(diagnostics) == problems {
            diagnostics.push(nothing_in(path, *named_at));
        }
    }
    check::check(&manifests, diagnostics);
    manifests
}

fn nothing_in(path: &Path, named_at: Place) -> Diagnostic {
    Diagnostic::warning(named_at, format!("`{}` declares no stream and no consumer", path.display()))
        .reason("only documents of jetstream.nats.io/v1beta2 count, in files that end in .yaml or .yml")
        .help("correct the path, or remove it")
}

fn known(diagnostics: &Diagnostics) -> usize {
    diagnostics.count(Severity::Error) + diagnostics.count(Severity::Warning)
}
