//! Manifests: files of `jetstream.nats.io/v1beta2` streams, consumers and buckets, read into types that know their
//! places.
//!
//! Every problem of every file becomes a diagnostic. Whether a server agrees is not asked here.

mod account;
mod bucket;
mod check;
mod consumer;
mod document;
mod duration;
mod files;
mod stream;
mod text;
mod values;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Diagnostics, Place, Severity};
use crate::yaml::Located;

pub use consumer::{AckPolicy, Consumer, DeliverPolicy, PriorityPolicy, ReplayPolicy};
pub use duration::GoDuration;
pub use stream::{
    Compression, ConsumerLimits, Discard, Origin, PersistMode, Placement, Republish, Retention, Source,
    Storage, Stream, SubjectTransform,
};
pub(crate) use values::moment;
pub use values::{Limit, Name, SubjectFilter, Timestamp, Tls};

/// Everything that the manifests declare, in the order of the files.
#[derive(Debug, Default)]
pub struct Manifests {
    /// Every `Stream` that could be read, and the streams behind every `KeyValue` and `ObjectStore`. Names may stand
    /// twice, which is then a diagnostic.
    pub streams: Vec<Stream>,
    /// Every `Consumer` that could be read, also those whose stream nobody declares.
    pub consumers: Vec<Consumer>,
    /// Where a kind is written that is neither a stream nor a consumer.
    pub(in crate::jetstream) other_kinds: Vec<Located<&'static str>>,
    /// Something that may declare a stream could not be read, so that a name which is not found says nothing.
    incomplete: bool,
}

impl Manifests {
    /// The stream of this name.
    pub fn stream(&self, name: &str) -> Option<&Stream> {
        self.streams.iter().find(|stream| stream.name.as_str() == name)
    }

    fn len(&self) -> usize {
        self.streams.len() + self.consumers.len() + self.other_kinds.len()
    }
}

/// Reads files, and folders with all their `*.yaml` and `*.yml` files. Each path comes with the place that names it.
/// What cannot be read is left out of the result and stands in the diagnostics.
pub fn load(paths: &[Located<PathBuf>], diagnostics: &mut Diagnostics) -> Manifests {
    let mut manifests = Manifests::default();
    let mut read = HashSet::new();
    for Located { value: path, place: named_at } in paths {
        let before = (manifests.len(), told(diagnostics));
        let mut files = files::under(path, *named_at, diagnostics);
        let found = files.len();
        // A file may be named, and stand in a folder that is named too.
        files.retain(|file| read.insert(file.canonicalize().unwrap_or_else(|_| file.clone())));
        for file in &files {
            read_file(&mut manifests, file, *named_at, diagnostics);
        }
        if files.len() == found && (manifests.len(), told(diagnostics)) == before {
            diagnostics.push(nothing_in(path, *named_at));
        }
    }
    check::check(&manifests, diagnostics);
    manifests
}

fn read_file(manifests: &mut Manifests, file: &Path, named_at: Place, diagnostics: &mut Diagnostics) {
    let before = told(diagnostics);
    let documents = files::documents(file, named_at, diagnostics);
    manifests.incomplete |= told(diagnostics) > before;
    for root in documents {
        document::read_into(manifests, root, diagnostics);
    }
}

fn told(diagnostics: &Diagnostics) -> usize {
    diagnostics.count(Severity::Error) + diagnostics.count(Severity::Warning)
}

fn nothing_in(path: &Path, named_at: Place) -> Diagnostic {
    Diagnostic::warning(named_at, format!("`{}` declares no stream and no consumer", path.display()))
        .reason("only documents of jetstream.nats.io/v1beta2 count, in files that end in .yaml or .yml")
        .help("correct the path, or remove it")
}
