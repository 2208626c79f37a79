//! `natsgate streams plan`.

use clap::Args;

use super::super::{DIFFERENCES, DONE, FAILED, Output};
use super::{Planned, Target, plan_of};
use crate::jetstream::plan::Plan;

#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    target: Target,
}

pub(super) async fn run(args: PlanArgs) -> anyhow::Result<u8> {
    let planned = match plan_of(&args.target).await? {
        Ok(planned) => planned,
        Err(code) => return Ok(code),
    };
    show(&planned, args.target.output);
    let code = exit_code(&planned.plan);
    planned.close().await;
    Ok(code)
}

pub(super) fn show(planned: &Planned, output: Output) {
    match output {
        Output::Text => {
            eprint!("{}", planned.diagnostics.render());
            print!("{}", planned.plan.render());
        }
        Output::Json => println!("{:#}", planned.plan.to_json(&planned.diagnostics)),
    }
}

pub(super) fn exit_code(plan: &Plan) -> u8 {
    match (plan.has_problems(), plan.has_differences()) {
        (true, _) => FAILED,
        (false, true) => DIFFERENCES,
        (false, false) => DONE,
    }
}
