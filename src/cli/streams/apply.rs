//! `natsgate streams apply`.

use clap::Args;
use serde_json::json;

use super::super::{DIFFERENCES, DONE, FAILED, Output};
use super::{Target, plan, plan_of};
use crate::jetstream::apply::{Applied, Options, apply, render};

#[derive(Debug, Args)]
pub(super) struct ApplyArgs {
    #[command(flatten)]
    target: Target,
    /// Also make changes that delete data, or that can never be undone.
    #[arg(long)]
    allow_destructive: bool,
    /// Also delete and create again what the server never changes. A stream that holds messages, and a consumer that
    /// messages are kept for, need --allow-destructive too.
    #[arg(long)]
    replace: bool,
    /// Show the plan and change nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(args: ApplyArgs) -> anyhow::Result<u8> {
    let planned = match plan_of(&args.target).await? {
        Ok(planned) => planned,
        Err(code) => return Ok(code),
    };
    if args.dry_run {
        plan::show(&planned, args.target.output);
        let code = plan::exit_code(&planned.plan);
        planned.close().await;
        return Ok(code);
    }
    let options =
        Options { allow_destructive: args.allow_destructive, replace: args.replace, create_only: false };
    let applied = apply(&planned.nats, &planned.plan, options, planned.deadline).await;
    match args.target.output {
        Output::Text => {
            eprint!("{}", planned.diagnostics.render());
            print!("{}", render(&applied));
        }
        Output::Json => {
            let rows: Vec<_> = applied.iter().map(Applied::to_json).collect();
            println!("{:#}", json!({ "server": planned.plan.version.to_string(), "applied": rows }));
        }
    }
    planned.close().await;
    Ok(match () {
        () if applied.iter().any(Applied::is_failure) => FAILED,
        () if applied.iter().any(Applied::is_difference) => DIFFERENCES,
        () => DONE,
    })
}
