//! Which rules manifests are held against: the arguments of `streams lint` and `check`.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::diagnostic::{Diagnostic, Diagnostics, Place};
use crate::jetstream::lint::{Options, Server, Target, lint, lint_values};
use crate::jetstream::manifest::Manifests;
use crate::jetstream::rule;
use crate::yaml::parse;

/// Which rules hold.
#[derive(Debug, Args)]
pub(in crate::cli) struct RuleArgs {
    /// The controller of NACK that reads the manifests.
    #[arg(long, value_enum, default_value_t, value_name = "CONTROLLER")]
    target: Target,
    /// The oldest nats-server that takes them.
    #[arg(long, value_enum, default_value_t, value_name = "VERSION")]
    server: Server,
    /// A rule to keep quiet about, by its name. May be given several times.
    #[arg(long, value_name = "RULE", value_parser = rule_name)]
    allow: Vec<&'static str>,
    /// Values of the nats Helm chart, to be held against the streams.
    #[arg(long, value_name = "FILE")]
    helm_values: Option<PathBuf>,
}

/// The rule of this name, or one that is nearly named so.
fn rule_name(name: &str) -> Result<&'static str, String> {
    if let Some(rule) = rule::named(name) {
        return Ok(rule.name);
    }
    let similar = |rule: &&rule::Rule| strsim::jaro_winkler(name, rule.name);
    let near = rule::all().max_by(|a, b| similar(a).total_cmp(&similar(b)));
    Err(near
        .map_or_else(|| "there is no such rule".to_owned(), |near| format!("did you mean {}?", near.name)))
}

impl RuleArgs {
    /// Adds what the rules find, and takes out what is allowed.
    pub(in crate::cli) fn lint(&self, manifests: &Manifests, diagnostics: &mut Diagnostics) {
        let options = Options { target: self.target, server: self.server };
        lint(manifests, &options, diagnostics);
        if let Some(file) = &self.helm_values {
            values(file, manifests, diagnostics);
        }
        diagnostics.retain(|one| one.rule.is_none_or(|rule| !self.allow.contains(&rule)));
    }
}

fn values(file: &Path, manifests: &Manifests, diagnostics: &mut Diagnostics) {
    let text = std::fs::read_to_string(file);
    let source = diagnostics.add_source(file, text.as_deref().unwrap_or_default());
    match text {
        Ok(_) => {
            if let Some(values) = parse(source, diagnostics) {
                lint_values(&values, manifests, diagnostics);
            }
        }
        Err(error) => diagnostics.push(
            Diagnostic::error(Place::file(source), format!("cannot read the values: {error}"))
                .help("name the file that `helm install -f` takes"),
        ),
    }
}
