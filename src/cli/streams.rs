//! `natsgate streams …`: what its commands share.

mod apply;
mod drift;
mod lint;
mod plan;
mod rules;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use tokio::time::Instant;

pub(super) use rules::RuleArgs;

use super::{ConfigArgs, INVALID, Output};
use crate::config::{self, Overrides};
use crate::diagnostic::{Diagnostics, Place};
use crate::gateway::connect;
use crate::jetstream::declared::declared;
use crate::jetstream::live;
use crate::jetstream::manifest::{self, Manifests};
use crate::jetstream::plan::Plan;
use crate::nats::{self, Nats};
use crate::yaml::Located;

/// How long the server may take to be reached.
const REACHED: Duration = Duration::from_secs(10);
/// How long everything that is asked of it may take.
const DONE_WITHIN: Duration = Duration::from_secs(120);

#[derive(Debug, Args)]
pub(super) struct StreamsArgs {
    #[command(subcommand)]
    command: StreamsCommand,
}

#[derive(Debug, Subcommand)]
enum StreamsCommand {
    /// Hold the manifests against the rules of the server, of NACK and of the clients, without a server.
    #[command(after_help = "\
Examples:
  natsgate streams lint
  natsgate streams lint deploy/jetstream --strict
  natsgate streams lint deploy/ --target control-loop --server 2.12 --output json
  natsgate streams lint deploy/jetstream --helm-values nats-values.yaml
  natsgate streams lint deploy/jetstream --allow memory-single-replica

Every finding names its rule; docs/lint.md has them all.
Exit codes: 0 nothing is wrong, 2 usage, 3 warnings under --strict, 64 errors.")]
    Lint(lint::LintArgs),
    /// Show what would be done to make the server what the manifests say, and what each step costs.
    #[command(after_help = "\
Examples:
  natsgate streams plan
  natsgate streams plan deploy/jetstream --nats nats://127.0.0.1:4222
  natsgate streams plan --output json

Each field is marked: + comes, ~ changes, - goes, = stays though no manifest can
write it. `destructive` deletes data or can never be undone; `replace` is what
the server never changes, so that it has to be deleted and created again.

Exit codes: 0 nothing to do, 1 failed or something cannot be done,
3 there is something to do, 64 a manifest or the configuration has errors.")]
    Plan(plan::PlanArgs),
    /// Make the server what the manifests say, and prove it by reading back.
    #[command(after_help = "\
Examples:
  natsgate streams apply --dry-run
  natsgate streams apply
  natsgate streams apply deploy/jetstream --allow-destructive

Whole configurations are written, so a field that was removed from a manifest is
removed from the server too: NACK would leave it there. Right before each write
the server is read again; what somebody changed meanwhile is left alone and told.

Exit codes: 0 the server is as declared, 1 something failed or was refused,
3 something was held back by preventUpdate or preventDelete,
64 a manifest or the configuration has errors.")]
    Apply(apply::ApplyArgs),
    /// Tell where the server is not what the manifests say, and why: for monitoring.
    #[command(after_help = "\
Examples:
  natsgate streams drift deploy/jetstream --nats nats://127.0.0.1:4222
  natsgate streams drift --output json

It catches what nobody tells otherwise: the chart was upgraded without an error,
and nothing changed.

Exit codes: 0 no drift, 1 failed, 3 drift, 64 a manifest or the configuration has
errors.")]
    Drift(drift::DriftArgs),
}

/// Which manifests, and which server.
#[derive(Debug, Args)]
struct Target {
    /// Manifests, files or folders, instead of those of the configuration.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    config: ConfigArgs,
    /// Replicas of every stream, whatever its manifest says: 1 for a single server.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=5))]
    replicas: Option<u32>,
    /// How the result is shown.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Output,
}

pub(super) async fn run(args: StreamsArgs) -> anyhow::Result<u8> {
    match args.command {
        StreamsCommand::Lint(args) => Ok(lint::run(&args)),
        StreamsCommand::Plan(args) => plan::run(args).await,
        StreamsCommand::Apply(args) => apply::run(args).await,
        StreamsCommand::Drift(args) => drift::run(args).await,
    }
}

/// A plan, and what it was made with.
struct Planned {
    plan: Plan,
    nats: Nats,
    deadline: Instant,
    diagnostics: Diagnostics,
}

impl Planned {
    async fn close(self) {
        self.nats.shutdown(Instant::now() + Duration::from_secs(1)).await;
    }
}

/// Reads manifests and server. The error is the exit code of what was printed: files that have errors.
async fn plan_of(target: &Target) -> anyhow::Result<Result<Planned, u8>> {
    let (loaded, mut diagnostics) = load(target);
    let Some((options, manifests)) = loaded else {
        tell(target.output, &diagnostics);
        return Ok(Err(INVALID));
    };
    let next = "name another server with --nats";
    let (nats, plan, deadline) = compared(options, &manifests, target.replicas, DONE_WITHIN, next).await?;
    plan.assets.iter().flat_map(|planned| &planned.problems).for_each(|one| diagnostics.push(one.clone()));
    Ok(Ok(Planned { plan, nats, deadline, diagnostics }))
}

/// Holds manifests against a server, and plans. What follows has until the deadline, `within` from the connection on;
/// `next` is what a person does who cannot connect.
pub(super) async fn compared(
    options: nats::Options,
    manifests: &Manifests,
    replicas: Option<u32>,
    within: Duration,
    next: &str,
) -> anyhow::Result<(Nats, Plan, Instant)> {
    let servers = options.servers.join(", ");
    let nats = Nats::start(options)?;
    if !nats.connected(Instant::now() + REACHED).await {
        let reason = nats.status().last_error.unwrap_or_else(|| "no answer".to_owned());
        anyhow::bail!("cannot connect to {servers}: {reason}; {next}");
    }
    let (declared, deadline) = (declared(manifests, replicas), Instant::now() + within);
    let live = live::read(&nats, &declared, deadline).await;
    let live =
        live.map_err(|failure| anyhow::anyhow!("cannot read {servers}: {}", live::explain(&failure)))?;
    Ok((nats, crate::jetstream::plan::plan(declared, &live), deadline))
}

fn tell(output: Output, diagnostics: &Diagnostics) {
    match output {
        Output::Text => eprint!("{}", diagnostics.render()),
        Output::Json => println!("{:#}", serde_json::json!({ "diagnostics": diagnostics.to_json() })),
    }
}

/// How to connect, and the manifests; none if a file has errors, which are in the diagnostics.
fn load(target: &Target) -> (Option<(nats::Options, Manifests)>, Diagnostics) {
    let (written, mut diagnostics) = connection(target);
    let Some((options, configured)) = written else { return (None, diagnostics) };
    let paths = match target.paths.as_slice() {
        [] => configured,
        paths => named(paths, &mut diagnostics),
    };
    let manifests = manifest::load(&paths, &mut diagnostics);
    let fit = !diagnostics.has_errors();
    (fit.then_some((options, manifests)), diagnostics)
}

type Paths = Vec<Located<PathBuf>>;

/// A configuration is not needed where the arguments say all that would be read from it.
fn connection(target: &Target) -> (Option<(nats::Options, Paths)>, Diagnostics) {
    let file = &target.config.config;
    if let (Some(servers), false, true) =
        (&target.config.nats, target.paths.is_empty(), is_absent_default(file))
    {
        let servers = servers.split(',').map(|server| server.trim().to_owned()).collect();
        let options = nats::Options { servers, ..nats::Options::default() };
        return (Some((options, Vec::new())), Diagnostics::default());
    }
    let overrides = Overrides { nats: target.config.nats.clone(), ..Overrides::default() };
    let (config, diagnostics) = config::load(file, &overrides);
    let config = config.filter(|_| !diagnostics.has_errors());
    (config.map(|config| (connect::options(&config.nats), config.manifests)), diagnostics)
}

fn is_absent_default(file: &Path) -> bool {
    file == Path::new(super::CONFIG_FILE) && !file.exists()
}

/// The arguments as if a file named them, a line each, so that what is wrong with one has a place.
fn named(paths: &[PathBuf], diagnostics: &mut Diagnostics) -> Paths {
    let lines: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
    let file = diagnostics.add_source(Path::new("arguments"), lines.join("\n"));
    let length = |line: &String| u32::try_from(line.chars().count()).unwrap_or(0);
    let place = |(line, text)| Place { file, line, column: 1, length: length(text) };
    let places = (1..).zip(&lines).map(place);
    paths.iter().cloned().zip(places).map(|(value, place)| Located { value, place }).collect()
}
