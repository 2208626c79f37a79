//! From an OpenAPI document to operations that go to the legacy service as they come: `natsgate import` and the first
//! configuration of `natsgate init`.
//!
//! A configuration that stands is kept as it stands: what is new in the document is added, what is not in it any more is
//! told, and nothing is deleted, changed or reordered. Nothing here writes a configuration that would be refused.

mod edit;
mod entry;
mod first;
mod known;
mod paths;
mod plan;
mod replace;
mod report;
mod section;

use std::io;
use std::path::Path;

use crate::config::Overrides;
use crate::contract::Contract;
use crate::diagnostic::{Diagnostics, Severity};
use crate::gateway::load::read;
pub use first::{First, first};
use known::Known;
use plan::Plan;
pub use replace::Replaced;
pub use report::Report;

/// What is to be imported, and into what.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The OpenAPI document.
    pub document: &'a Path,
    /// The name of the upstream that its operations go to.
    pub upstream: &'a str,
    /// Where that is, if the configuration does not say so.
    pub url: Option<&'a str>,
    /// What stands before each path of the document. Default: the path of its first server.
    pub base_path: Option<&'a str>,
    /// The configuration that gets them. Without one, a new configuration is made for the working directory.
    pub file: Option<&'a Path>,
}

/// What came of it. Nothing is written yet.
#[derive(Debug)]
pub struct Imported {
    /// The whole configuration.
    pub text: String,
    /// What was added, kept, left out, and what is not in the document any more.
    pub report: Report,
    /// What was found on the way, with the files that places stand in.
    pub diagnostics: Diagnostics,
}

/// Why nothing came of it.
#[derive(Debug)]
pub enum Refused {
    /// The document, or the configuration that stands, cannot be read.
    Unreadable(Diagnostics),
    /// What would be written would be refused.
    Unfit(Diagnostics),
    /// The configuration cannot be added to by a program.
    Unwritable(String),
}

/// Imports a document. Blocking.
///
/// # Errors
/// If nothing can be made of it; then nothing is to be written.
pub fn import(wanted: Wanted<'_>) -> Result<Imported, Refused> {
    let mut diagnostics = Diagnostics::default();
    if let Some(Err(error)) = wanted.file.map(replace::replaceable) {
        return Err(Refused::Unwritable(error.to_string()));
    }
    let known = match wanted.file.filter(|file| file.exists()) {
        Some(file) => Known::read(file, &mut diagnostics),
        None => Some(Known::default()),
    };
    let Some(known) = known else { return Err(Refused::Unreadable(diagnostics)) };
    let own;
    let (contract, is_listed) = match known.contract(wanted.document) {
        Some(contract) => (contract, true),
        None => match Contract::load_under(wanted.document, wanted.base_path, &mut diagnostics) {
            Some(contract) => {
                own = contract;
                (&own, false)
            }
            None => return Err(Refused::Unreadable(diagnostics)),
        },
    };
    let plan = Plan::of(contract, &known, wanted.upstream, is_listed);
    let text = edit::configuration(&wanted, contract, &known, &plan).map_err(Refused::Unwritable)?;
    let report = Report::of(&wanted, contract, &known, plan, &diagnostics);
    if let Some(file) = wanted.file.filter(|_| report.upstream_is_there) {
        fits(file, &text).map_err(Refused::Unfit)?;
    }
    Ok(Imported { text, report, diagnostics })
}

/// Whether a configuration would be taken in the place of a file, as far as that one was.
fn fits(file: &Path, text: &str) -> Result<(), Diagnostics> {
    let messages = |diagnostics: &Diagnostics| -> Vec<String> {
        let all = diagnostics.sorted().into_iter().filter(|one| one.severity == Severity::Error);
        all.map(|one| one.message.clone()).collect()
    };
    let before = match file.exists() {
        true => messages(&read(file, &Overrides::default(), None).diagnostics),
        false => Vec::new(),
    };
    let Ok(beside) = replace::Beside::write(file, text) else { return Ok(()) };
    let mut after = read(beside.path(), &Overrides::default(), None).diagnostics;
    if messages(&after).iter().all(|message| before.contains(message)) {
        return Ok(());
    }
    // What is told is told of the file that people know.
    if let Some(source) = after.sources.first_mut() {
        source.path = file.to_owned();
    }
    after.retain(|one| one.severity == Severity::Error && !before.contains(&one.message));
    Err(after)
}

/// Puts a configuration in the place of a file, as a whole or not at all. Blocking.
///
/// # Errors
/// If it cannot be written, or the file has changed since it was read.
pub fn write(file: &Path, imported: &Imported) -> io::Result<Replaced> {
    replace::replace(file, imported.report.before.as_deref(), &imported.text)
}
