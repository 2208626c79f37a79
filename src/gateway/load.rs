//! Files → what a gateway runs on, or every problem of every file. Blocking.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::compile::{Compiled, compile};
use crate::config::{self, Config, Overrides};
use crate::diagnostic::Diagnostics;
use crate::jetstream::manifest::{self, Manifests};

/// Stands for the files that a folder may have: no file has this name.
const NO_FILE: &str = "*";

/// A configuration that is fit for use.
#[derive(Debug)]
pub struct Loaded {
    /// As it is written.
    pub config: Config,
    /// As it runs.
    pub table: Compiled,
    /// What its manifests declare.
    pub manifests: Manifests,
    /// What it was made from.
    pub inputs: Inputs,
}

/// What could be made of a configuration that may have errors.
#[derive(Debug)]
pub struct Read {
    config: Option<Config>,
    table: Option<Compiled>,
    /// What its manifests declare.
    pub manifests: Manifests,
    /// What was found.
    pub diagnostics: Diagnostics,
    /// What was looked at.
    pub inputs: Inputs,
}

/// The files that a configuration was made from, each with a digest of its content; `None`: it could not be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Inputs(BTreeMap<PathBuf, Option<[u8; 32]>>);

impl Read {
    /// What is fit for use: nothing if there is an error by now.
    pub fn fit(self) -> (Option<Loaded>, Diagnostics) {
        let fit = !self.diagnostics.has_errors();
        let parts = self.config.zip(self.table).filter(|_| fit);
        let loaded = parts.map(|(config, table)| Loaded {
            config,
            table,
            manifests: self.manifests,
            inputs: self.inputs,
        });
        (loaded, self.diagnostics)
    }
}

/// Reads and compiles everything; what is found is in the diagnostics. What is counted and known of the operations and
/// verifiers of `former` goes on.
pub fn read(path: &Path, overrides: &Overrides, former: Option<&Compiled>) -> Read {
    let (config, mut diagnostics) = config::load(path, overrides);
    let mut manifests = Manifests::default();
    let mut table = None;
    if let Some(config) = &config {
        manifests = manifest::load(&config.manifests, &mut diagnostics);
        table = compile(config, &manifests, former, &mut diagnostics);
    }
    let inputs = Inputs::of(config.as_ref(), &diagnostics);
    Read { config, table, manifests, diagnostics, inputs }
}

impl Inputs {
    fn of(config: Option<&Config>, diagnostics: &Diagnostics) -> Inputs {
        // What flags say is no file.
        let sources =
            diagnostics.sources.iter().filter(|source| !source.path.to_string_lossy().starts_with("--"));
        let texts = sources.map(|source| (source.path.clone(), Some(digest(source.text.as_bytes()))));
        // One that cannot be read is told by whoever needs it.
        let beside = config.map(Config::beside).unwrap_or_default().into_iter().map(|path| {
            let content = read_digest(&path);
            (path, content)
        });
        let places = config.map(|config| folders(config, diagnostics)).unwrap_or_default();
        let places = places.into_iter().map(|folder| (folder.join(NO_FILE), None));
        Inputs(texts.chain(beside).chain(places).collect())
    }

    /// Whether all of them still hold what they held. Blocking.
    pub fn still_hold(&self) -> bool {
        self.0.iter().all(|(path, content)| read_digest(path) == *content)
    }

    /// The files.
    pub fn paths(&self) -> impl Iterator<Item = &PathBuf> {
        self.0.keys()
    }
}

/// Folders in which another file would count, although there may be none now.
fn folders(config: &Config, diagnostics: &Diagnostics) -> Vec<PathBuf> {
    let patterns = config.include.iter().filter_map(|pattern| {
        let literal = pattern.split(['*', '?', '[']).next()?;
        let folder = literal.rsplit_once('/').map_or("", |(folder, _)| folder);
        let main = diagnostics.sources.get(pattern.place.file as usize)?;
        Some(main.path.parent()?.join(folder))
    });
    patterns.chain(config.manifests.iter().map(|path| path.value.clone())).collect()
}

fn digest(content: &[u8]) -> [u8; 32] {
    Sha256::digest(content).into()
}

fn read_digest(path: &Path) -> Option<[u8; 32]> {
    crate::file::read_regular(path).ok().map(|content| digest(&content))
}
