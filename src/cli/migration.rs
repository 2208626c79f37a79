//! `natsgate migration …`: what a running gateway knows of operations between the legacy service and NATS.

mod figures;
mod story;
mod summary;

use std::time::{Duration, SystemTime};

use anyhow::bail;
use clap::{Args, Subcommand};
use reqwest::{StatusCode, Url};
use serde::Deserialize;
use serde_json::Value;

use super::admin::{AdminArgs, TokenArgs, answer, client};
use super::{DIFFERENCES, DONE, Output};
use crate::migrate::status::Status;

/// How long a gateway may take to answer.
const WITHIN: Duration = Duration::from_secs(30);

#[derive(Debug, Args)]
pub(super) struct MigrationArgs {
    #[command(subcommand)]
    command: MigrationCommand,
}

#[derive(Debug, Subcommand)]
enum MigrationCommand {
    /// Show how far operations have come, what was compared, what differs, and what is missing.
    #[command(after_help = "\
Examples:
  natsgate migration status
  natsgate migration status getUser
  natsgate migration status 'GET /users/{id}' --admin http://10.0.0.7:9090 --output json
  # In a pipeline: wait until it may be moved on.
  until natsgate migration status getUser --gate; do sleep 60; done

Counts are of all instances together, and of the time that `promote_when.for` says.
MISMATCH has the 95 % interval in brackets: the gate looks at its upper end. P99 L/N
is that of the legacy service and of NATS; FALLS counts requests that were for NATS
and that the legacy service answered; GATE is the first condition that does not hold.

Exit codes: 0, 1 failed, 3 under --gate if `promote_when` does not hold.")]
    Status(StatusArgs),
    /// Begin with the evidence of an operation anew, on all instances.
    #[command(after_help = "\
Examples:
  natsgate migration reset getUser
  natsgate migration reset 'GET /users/{id}' --token-file /etc/natsgate/admin.token

For a service behind NATS that was corrected: what it answered before is no longer
evidence. A changed `compare` or mapping begins anew by itself.")]
    Reset(ResetArgs),
}

#[derive(Debug, Args)]
struct Asked {
    #[command(flatten)]
    admin: AdminArgs,
    #[command(flatten)]
    token: TokenArgs,
    /// How the result is shown.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Output,
}

#[derive(Debug, Args)]
struct StatusArgs {
    /// The operation, by its name. Default: all that have two sides.
    operation: Option<String>,
    /// Exit with 3 unless `promote_when` holds, of all operations that are shown, and there is one.
    #[arg(long)]
    gate: bool,
    #[command(flatten)]
    asked: Asked,
}

#[derive(Debug, Args)]
struct ResetArgs {
    /// The operation, by its name.
    operation: String,
    #[command(flatten)]
    asked: Asked,
}

/// One operation, as the API tells of it.
#[derive(Debug, Deserialize)]
struct Told {
    #[serde(flatten)]
    status: Status,
    /// What is to be done next.
    #[serde(default)]
    next: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct All {
    migrations: Vec<Told>,
}

pub(super) async fn run(args: MigrationArgs) -> anyhow::Result<u8> {
    match args.command {
        MigrationCommand::Status(args) => status(args).await,
        MigrationCommand::Reset(args) => reset(args).await,
    }
}

async fn status(args: StatusArgs) -> anyhow::Result<u8> {
    let url = at(&args.asked, args.operation.as_deref(), None)?;
    let request = args.asked.token.with(client(WITHIN)?.get(url.clone()))?;
    let document = succeeded(&url, answer(&url, request).await?)?;
    let holds = shown(args.operation.is_some(), &document, args.asked.output)?;
    Ok(if args.gate && !holds { DIFFERENCES } else { DONE })
}

/// Shows it, and says whether every gate holds.
fn shown(one: bool, document: &Value, output: Output) -> anyhow::Result<bool> {
    let told = match one {
        true => vec![Told::deserialize(document)?],
        false => All::deserialize(document)?.migrations,
    };
    match output {
        Output::Json => println!("{document:#}"),
        Output::Text => {
            let now = SystemTime::now();
            let text = match told.as_slice() {
                [told] if one => story::of(&told.status, &told.next, now),
                all => summary::of(all.iter().map(|told| &told.status)),
            };
            print!("{text}");
        }
    }
    // Where nothing moves, nothing has been shown to be ready.
    Ok(!told.is_empty() && told.iter().all(|told| told.status.gate.holds))
}

async fn reset(args: ResetArgs) -> anyhow::Result<u8> {
    let url = at(&args.asked, Some(&args.operation), Some("reset"))?;
    let request = client(WITHIN)?.post(url.clone()).header("Content-Type", "application/json").body("{}");
    let document = succeeded(&url, answer(&url, args.asked.token.with(request)?).await?)?;
    match args.asked.output {
        Output::Json => println!("{document:#}"),
        Output::Text => println!("evidence of {} begins anew", figures::clean(&args.operation)),
    }
    Ok(DONE)
}

/// Where the API tells of an operation, or of all.
fn at(asked: &Asked, operation: Option<&str>, then: Option<&str>) -> anyhow::Result<Url> {
    let mut url = asked.admin.admin.join("/api/migrations")?;
    if let Ok(mut path) = url.path_segments_mut() {
        path.extend(operation.into_iter().chain(then));
    }
    Ok(url)
}

fn succeeded(url: &Url, (status, document): (StatusCode, Value)) -> anyhow::Result<Value> {
    if status != StatusCode::OK {
        let detail = document["detail"].as_str().unwrap_or("is it the admin listener (server.admin)?");
        bail!("{url} answers {}: {}", status.as_u16(), figures::clean(detail));
    }
    Ok(document)
}
