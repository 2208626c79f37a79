//! `natsgate streams lint`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::super::{ConfigArgs, DIFFERENCES, DONE, INVALID, Output};
use super::named;
use super::rules::RuleArgs;
use crate::config::Overrides;
use crate::diagnostic::{Diagnostics, Severity};
use crate::gateway::load::read;
use crate::jetstream::manifest::{self, Manifests};

#[derive(Debug, Args)]
pub(super) struct LintArgs {
    /// Manifests and folders of them, instead of those of the configuration; its operations are then left out.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    rules: RuleArgs,
    /// Warnings count: exit with 3 if there are any.
    #[arg(long)]
    strict: bool,
    /// How the result is shown.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Output,
}

pub(super) fn run(args: &LintArgs) -> u8 {
    let (manifests, mut diagnostics) = manifests(args);
    args.rules.lint(&manifests, &mut diagnostics);
    show(&manifests, &diagnostics, args.output);
    match (diagnostics.has_errors(), args.strict && diagnostics.count(Severity::Warning) > 0) {
        (true, _) => INVALID,
        (_, true) => DIFFERENCES,
        _ => DONE,
    }
}

/// What the paths declare; without any, what the configuration names, with what its operations make of it.
fn manifests(args: &LintArgs) -> (Manifests, Diagnostics) {
    if args.paths.is_empty() {
        let overrides = Overrides { nats: args.config.nats.clone(), ..Overrides::default() };
        let read = read(&args.config.config, &overrides, None);
        return (read.manifests, read.diagnostics);
    }
    let mut diagnostics = Diagnostics::default();
    let paths = named(&args.paths, &mut diagnostics);
    let manifests = manifest::load(&paths, &mut diagnostics);
    (manifests, diagnostics)
}

fn show(manifests: &Manifests, diagnostics: &Diagnostics, output: Output) {
    let (streams, consumers) = (manifests.streams.len(), manifests.consumers.len());
    match output {
        Output::Json => println!(
            "{:#}",
            json!({ "diagnostics": diagnostics.to_json(), "streams": streams, "consumers": consumers })
        ),
        Output::Text => {
            eprint!("{}", diagnostics.render());
            let counted = |count, noun| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
            println!("{}, {}", counted(streams, "stream"), counted(consumers, "consumer"));
        }
    }
}
