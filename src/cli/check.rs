//! `natsgate check`.

mod sides;

use std::time::Duration;

use clap::Args;
use serde_json::json;
use tokio::time::Instant;

use super::streams::RuleArgs;
use super::{ConfigArgs, DIFFERENCES, DONE, FAILED, INVALID, Output};
use crate::config::Overrides;
use crate::diagnostic::Severity;
use crate::gateway::load::{Loaded, read};
use crate::gateway::operation::State;
use crate::gateway::{checks, connect};
use crate::nats::Nats;
use sides::Sides;

/// How long the live server may take to be reached.
const REACHED: Duration = Duration::from_secs(5);

/// What is checked, and how.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Also ask the live server for what the operations need.
    #[arg(long)]
    live: bool,
    #[command(flatten)]
    rules: RuleArgs,
    /// Warnings count: exit with 3 if there are any.
    #[arg(long)]
    strict: bool,
    /// How the result is shown.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Output,
}

pub(super) async fn run(args: CheckArgs) -> anyhow::Result<u8> {
    let overrides = Overrides { nats: args.config.nats.clone(), ..Overrides::default() };
    let mut read = read(&args.config.config, &overrides, None);
    // What the manifests forbid keeps nothing from being served: it is for whoever deploys them.
    args.rules.lint(&read.manifests, &mut read.diagnostics);
    let (loaded, diagnostics) = read.fit();
    let warnings = diagnostics.count(Severity::Warning);
    let live = match &loaded {
        Some(loaded) if args.live => Some(live(loaded).await),
        _ => None,
    };
    // What the files say is told also where the server cannot be reached.
    let (live, unreached) = match live.transpose() {
        Ok(live) => (live, None),
        Err(error) => (None, Some(error)),
    };
    let sides = loaded.as_ref().map(|loaded| Sides::of(&loaded.table)).unwrap_or_default();
    match args.output {
        Output::Json => {
            let rows = live.as_ref().map(|live| live.iter().map(row).collect::<Vec<_>>());
            let document = json!({
                "diagnostics": diagnostics.to_json(),
                "operations": sides.operations,
                "forwards": sides.forwards,
                "migrations": sides.migrations(),
                "fallback": sides.fallback,
                "live": rows,
            });
            println!("{document:#}");
        }
        Output::Text => {
            eprint!("{}", diagnostics.render());
            if loaded.is_some() {
                print!("{}: {}", args.config.config.display(), sides.text());
            }
            for (name, state) in live.iter().flatten() {
                println!("{}", line(name, state));
            }
        }
    }
    if let Some(error) = unreached {
        return Err(error);
    }
    let broken = live.iter().flatten().any(|(_, state)| !matches!(state, State::Ready | State::Unchecked));
    Ok(match (loaded, broken, args.strict && warnings > 0) {
        (None, ..) => INVALID,
        (_, true, _) => FAILED,
        (_, _, true) => DIFFERENCES,
        _ => DONE,
    })
}

async fn live(loaded: &Loaded) -> anyhow::Result<Vec<(String, State)>> {
    let options = connect::options(&loaded.config.nats);
    let servers = options.servers.join(", ");
    let nats = Nats::start(options)?;
    if !nats.connected(Instant::now() + REACHED).await {
        let reason = nats.status().last_error.unwrap_or_else(|| "no answer".to_owned());
        anyhow::bail!("cannot connect to {servers}: {reason}; name another server with --nats");
    }
    let mut states = Vec::new();
    for operation in &loaded.table.operations {
        let state = match operation.nats {
            Some(_) => checks::inspect(&nats, operation).await,
            // A legacy service is asked by requests alone.
            None => State::Unchecked,
        };
        states.push((operation.name.to_string(), state));
    }
    nats.shutdown(Instant::now() + Duration::from_secs(1)).await;
    Ok(states)
}

fn row((name, state): &(String, State)) -> serde_json::Value {
    let (state, problems) = match state {
        State::Ready => ("ready", Vec::new()),
        State::Broken(problems) => ("broken", problems.clone()),
        State::Unknown(reason) => ("unknown", vec![reason.clone()]),
        State::Unchecked => ("unchecked", Vec::new()),
    };
    json!({ "operation": name, "state": state, "problems": problems })
}

fn line(name: &str, state: &State) -> String {
    match state {
        State::Ready => format!("ready    {name}"),
        State::Broken(problems) => format!("broken   {name}\n           {}", problems.join("\n           ")),
        State::Unknown(reason) => format!("unknown  {name}\n           {reason}"),
        State::Unchecked => format!("legacy   {name} (not asked)"),
    }
}
