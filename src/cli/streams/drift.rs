//! `natsgate streams drift`.

use clap::Args;

use super::super::{DIFFERENCES, DONE, Output};
use super::{Target, plan_of};
use crate::jetstream::drift::{drift, render, to_json};

#[derive(Debug, Args)]
pub(super) struct DriftArgs {
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(args: DriftArgs) -> anyhow::Result<u8> {
    let planned = match plan_of(&args.target).await? {
        Ok(planned) => planned,
        Err(code) => return Ok(code),
    };
    let drifted = drift(&planned.plan);
    match args.target.output {
        Output::Text => {
            eprint!("{}", planned.diagnostics.render());
            print!("{}", render(&drifted, planned.plan.assets.len()));
        }
        Output::Json => println!("{:#}", to_json(&drifted)),
    }
    planned.close().await;
    Ok(if drifted.is_empty() { DONE } else { DIFFERENCES })
}
