//! `natsgate openapi`.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::load::load_or_tell;
use super::{CONFIG_FILE, DONE, FAILED, INVALID};
use crate::config::Overrides;

/// How the document is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// As JSON.
    #[default]
    Json,
    /// As YAML.
    Yaml,
}

/// Of which configuration, and how.
#[derive(Debug, Args)]
pub(super) struct OpenapiArgs {
    /// The configuration file.
    #[arg(long, short, env = "NATSGATE_CONFIG", default_value = CONFIG_FILE, value_name = "FILE")]
    config: PathBuf,
    /// How the document is written.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Format,
}

pub(super) fn run(args: &OpenapiArgs) -> u8 {
    let Some(loaded) = load_or_tell(&args.config, &Overrides::default()) else { return INVALID };
    let published = &loaded.table.published;
    let text = match args.output {
        Format::Json => published.json(),
        Format::Yaml => published.yaml(),
    };
    // Whoever reads no further has what it wanted.
    match std::io::stdout().write_all(&text) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => FAILED,
        _ => DONE,
    }
}
