//! `natsgate init`.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use super::import::{name, tell, url};
use super::{DONE, FAILED};
use crate::import::{First, first};

/// The file that is written.
const FILE: &str = "natsgate.yaml";

#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// The folder that gets a `natsgate.yaml`.
    #[arg(default_value = ".", value_name = "DIR")]
    folder: PathBuf,
    /// What clients see, an OpenAPI document; with --upstream-url its operations are imported.
    #[arg(long, value_name = "FILE")]
    contract: Option<PathBuf>,
    /// Where the legacy service is: everything goes there, until it is moved.
    #[arg(long, value_name = "URL", value_parser = url)]
    upstream_url: Option<String>,
    /// What the legacy service is called.
    #[arg(long, value_name = "NAME", default_value = "legacy", value_parser = name, requires = "upstream_url")]
    upstream: String,
    /// NATS servers, separated by commas.
    #[arg(long, value_name = "URL", default_value = "nats://127.0.0.1:4222")]
    nats: String,
    /// Address of the public listener.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: String,
}

pub(super) fn run(args: &InitArgs) -> anyhow::Result<u8> {
    let file = match args.folder.as_os_str() == "." {
        true => PathBuf::from(FILE),
        false => args.folder.join(FILE),
    };
    if file.exists() {
        eprintln!("error: {} is there already; it is not touched", file.display());
        eprintln!("add a document to it: natsgate import FILE --upstream NAME --write {}", file.display());
        return Ok(FAILED);
    }
    std::fs::create_dir_all(&args.folder)
        .with_context(|| format!("cannot make {}", args.folder.display()))?;
    let wanted = First {
        file: &file,
        document: args.contract.as_deref(),
        upstream: args.upstream_url.as_deref().map(|url| (args.upstream.as_str(), url)),
        nats: &args.nats,
        listen: &args.listen,
    };
    let (text, imported) = match first(wanted) {
        Ok(made) => made,
        Err(refused) => return tell(refused),
    };
    // Not even over a file that somebody has made in the meantime.
    let mut created = File::options().write(true).create_new(true).open(&file);
    let written = created.as_mut().map_err(|error| std::io::Error::new(error.kind(), error.to_string()));
    written
        .and_then(|created| created.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write {}", file.display()))?;
    if let Some(imported) = &imported {
        print!("{}", imported.report.text());
    }
    print!("{}", next(&file, &args.listen));
    Ok(DONE)
}

/// Commands to try.
fn next(file: &Path, listen: &str) -> String {
    let file = file.display();
    format!(
        "{file} is written. Try:
  natsgate check --config {file}    # every problem, at its place
  natsgate dev --config {file}      # serve, with a nats-server for development
  natsgate serve --config {file}    # serve, with the NATS servers that it names
  curl -i http://{listen}/docs/openapi.json
"
    )
}
