//! `natsgate import`.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::{DIFFERENCES, DONE, INVALID, Output};
use crate::import::{self, Imported, Refused, Replaced, Wanted};

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// The OpenAPI document, 3.0 or 3.1, YAML or JSON.
    file: PathBuf,
    /// The name of the upstream that the operations go to.
    #[arg(long, value_name = "NAME", value_parser = name)]
    upstream: String,
    /// Where it is, if the configuration does not say so yet.
    #[arg(long, value_name = "URL", value_parser = url)]
    url: Option<String>,
    /// What stands before each path of the document. Default: the path of the document's first server.
    #[arg(long, value_name = "PATH", value_parser = base_path)]
    base_path: Option<String>,
    /// The configuration that gets the operations; what stands in it stays as it is. Default: a new one is printed.
    #[arg(long, value_name = "FILE")]
    write: Option<PathBuf>,
    /// Write nothing; the exit code is 3 if document and configuration differ.
    #[arg(long, requires = "write")]
    dry_run: bool,
    /// How the report is shown.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Output,
}

pub(super) fn run(args: &ImportArgs) -> anyhow::Result<u8> {
    let wanted = Wanted {
        document: &args.file,
        upstream: &args.upstream,
        url: args.url.as_deref(),
        base_path: args.base_path.as_deref(),
        file: args.write.as_deref(),
    };
    let imported = match import::import(wanted) {
        Ok(imported) => imported,
        Err(refused) => return tell(refused),
    };
    let written = match &args.write {
        Some(file) if !args.dry_run => {
            let replaced = import::write(file, &imported);
            replaced.with_context(|| format!("cannot write {}", file.display()))? == Replaced::Written
        }
        _ => false,
    };
    report(args, &imported, written);
    Ok(if args.dry_run && imported.report.differs { DIFFERENCES } else { DONE })
}

/// What stands in the way, on standard error.
pub(super) fn tell(refused: Refused) -> anyhow::Result<u8> {
    match refused {
        Refused::Unreadable(diagnostics) => eprint!("{}", diagnostics.render()),
        Refused::Unfit(diagnostics) => {
            eprint!("{}", diagnostics.render());
            eprintln!("nothing is written: with this import the configuration would be refused");
        }
        Refused::Unwritable(why) => {
            eprintln!("error: the configuration cannot be added to: {why}");
            eprintln!("import without --write, and copy what is printed");
        }
    }
    Ok(INVALID)
}

fn report(args: &ImportArgs, imported: &Imported, written: bool) {
    match (args.output, &args.write) {
        (Output::Json, file) => {
            let mut report = imported.report.json();
            report["written"] = json!(written);
            report["differs"] = json!(imported.report.differs);
            if file.is_none() {
                report["configuration"] = json!(imported.text);
            }
            println!("{report:#}");
        }
        // The configuration is what is piped on.
        (Output::Text, None) => {
            eprint!("{}", imported.report.text());
            print!("{}", imported.text);
        }
        (Output::Text, Some(file)) => {
            print!("{}", imported.report.text());
            let file = file.display();
            match (written, args.dry_run) {
                (true, _) => println!("{file} is written; next: natsgate check --config {file}"),
                (false, true) => println!("{file} is left as it is"),
                (false, false) => println!("{file} has it all already"),
            }
        }
    }
}

/// A name as configurations have it.
pub(super) fn name(text: &str) -> Result<String, String> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    match !text.is_empty() && text.bytes().all(legal) {
        true => Ok(text.to_owned()),
        false => Err("use letters, digits, `_`, `.` and `-`".to_owned()),
    }
}

/// The URL of an HTTP service.
pub(super) fn url(text: &str) -> Result<String, String> {
    match url::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(text.to_owned()),
        _ => Err("write http:// or https://, a host and a port: http://127.0.0.1:8000".to_owned()),
    }
}

fn base_path(text: &str) -> Result<String, String> {
    let is_plain =
        text.starts_with('/') && !text.contains(['?', '#', '{', '}']) && !text.contains(char::is_whitespace);
    if is_plain {
        Ok(text.to_owned())
    } else {
        Err("write a plain path from its first slash: /api/v1".to_owned())
    }
}
