//! A client of the Common service over the crate that `make sdk` generates. It says what it got and exits 1 if that is not
//! what the contract promises.
//!
//! `client BASE_URL` calls both operations and provokes an error of the contract; `client BASE_URL unavailable` provokes a
//! problem of the gateway, while no Auth service runs.

use std::time::UNIX_EPOCH;

use anyhow::{Context as _, Result, bail, ensure};
use common_service_client::types::{AssignUserRoleFailure, ProblemOutcome, RoleAssignment};
use common_service_client::{Client, Error};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let base = arguments.next().context("usage: client BASE_URL [unavailable]")?;
    let client = Client::new(&base);
    match arguments.next() {
        None => works(&client).await,
        Some(_) => unavailable(&client).await,
    }
}

async fn works(client: &Client) -> Result<()> {
    let role = RoleAssignment { role_id: "editor".parse()? };
    let assigned = client.assign_user_role(&"ada".parse()?, None, &role).await?;
    ensure!(assigned.success, "no success");
    println!("assigned: {}", assigned.message);

    match client.assign_user_role(&"nobody".parse()?, None, &role).await {
        Err(Error::ErrorResponse(answer)) => match answer.into_inner() {
            AssignUserRoleFailure::Error(refused) => println!("refused: {}", refused.error),
            AssignUserRoleFailure::Problem(problem) => bail!("a problem: {}", problem.code),
        },
        other => bail!("no error of the contract: {other:?}"),
    }

    // With a key, a repetition stores nothing: it may be sent again if nobody knows what became of it.
    let key = format!("rust-{}", UNIX_EPOCH.elapsed()?.as_nanos()).parse()?;
    let deleted = client.delete_stack(&"5f2b".parse()?, &"rust".parse()?, Some(&key)).await?;
    ensure!(deleted.success, "no success");
    println!("deleted: {}", deleted.message);
    Ok(())
}

async fn unavailable(client: &Client) -> Result<()> {
    let role = RoleAssignment { role_id: "editor".parse()? };
    let Err(Error::ErrorResponse(answer)) = client.assign_user_role(&"ada".parse()?, None, &role).await
    else {
        bail!("no problem");
    };
    let AssignUserRoleFailure::Problem(problem) = answer.into_inner() else {
        bail!("an error of the contract")
    };
    println!("{} {}: {}, retryable {}", problem.status, problem.code, problem.outcome, problem.retryable);
    ensure!(problem.code == "no_responders" && problem.outcome == ProblemOutcome::NotExecuted);
    ensure!(problem.retryable && !problem.request_id.is_empty());
    Ok(())
}
