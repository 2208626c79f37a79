//! `natsgate health`: asks a running gateway on its admin listener, for images and units that hold no other HTTP client.

use std::time::Duration;

use anyhow::bail;
use clap::Args;
use reqwest::StatusCode;
use serde_json::Value;

use super::admin::{AdminArgs, answer, client};
use super::{DONE, FAILED};

/// Whom to ask, and what.
#[derive(Debug, Args)]
pub(super) struct HealthArgs {
    #[command(flatten)]
    admin: AdminArgs,
    /// Ask whether the process lives, not whether it takes traffic.
    #[arg(long)]
    live: bool,
    /// How long the answer may take.
    #[arg(long, default_value = "3s", value_parser = humantime::parse_duration, value_name = "TIME")]
    timeout: Duration,
}

pub(super) async fn run(args: HealthArgs) -> anyhow::Result<u8> {
    let path = if args.live { "/live" } else { "/ready" };
    let url = args.admin.admin.join(path)?;
    let (status, body) = answer(&url, client(args.timeout)?.get(url.clone())).await?;
    Ok(match (status, args.live) {
        (StatusCode::OK, true) => told("live", DONE),
        (StatusCode::OK, false) => told("ready", DONE),
        (StatusCode::SERVICE_UNAVAILABLE, false) => told(&format!("not ready: {}", reason(&body)), FAILED),
        (status, _) => bail!("{url} answers {}; is it the admin listener (server.admin)?", status.as_u16()),
    })
}

fn reason(ready: &Value) -> &'static str {
    match (ready["draining"].as_bool(), ready["nats"]["connected"].as_bool()) {
        (Some(true), _) => "it is draining",
        (_, Some(false)) => "NATS is not connected",
        _ => "it does not say why",
    }
}

fn told(line: &str, code: u8) -> u8 {
    println!("{line}");
    code
}
