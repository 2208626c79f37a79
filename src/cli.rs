//! The command line: one function a command; what they do is decided elsewhere.

mod admin;
mod check;
mod dev;
mod explain;
mod hash;
mod health;
mod import;
mod init;
mod load;
mod migration;
mod openapi;
mod reload;
mod serve;
mod streams;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::config;
use crate::telemetry::LogFormat;

/// The command did what it was asked for.
const DONE: u8 = 0;
/// It failed.
const FAILED: u8 = 1;
/// There are differences, warnings that `--strict` counts, or a gate that does not hold.
const DIFFERENCES: u8 = 3;
/// The configuration has errors.
const INVALID: u8 = 64;
/// Where the configuration is expected.
const CONFIG_FILE: &str = "config/natsgate.yaml";

/// HTTP-to-NATS gateway: legacy REST clients keep their endpoints while each operation behind them moves to NATS.
#[derive(Debug, Parser)]
#[command(name = "natsgate", version, propagate_version = true, max_term_width = 110)]
#[command(after_help = "\
Examples:
  # A first configuration, in front of a service that is there already.
  natsgate init --contract openapi.yaml --upstream-url http://127.0.0.1:8000
  # Is the configuration right, and does the server have what it needs?
  natsgate check --live
  # What would be sent?
  natsgate explain POST /users/ada/roles -d '{\"roleId\": \"editor\"}'
  # Serve with a nats-server of its own, for development.
  natsgate dev
  # Serve, as in production.
  natsgate serve

Exit codes: 0 done, 1 failed, 2 usage, 3 differences, warnings under --strict, or a
gate that does not hold (migration status --gate), 64 the configuration or a manifest has errors.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the operations of the configuration, until SIGTERM or Ctrl-C.
    #[command(after_help = "\
Examples:
  natsgate serve --config /etc/natsgate/natsgate.yaml
  NATSGATE_NATS_SERVERS=nats://n1:4222,nats://n2:4222 natsgate serve

SIGTERM: /ready turns false; after server.drain_delay the listener closes;
what is in flight may finish within server.drain; the exit code is 0.
A second signal ends at once.")]
    Serve(serve::ServeArgs),
    /// Find every problem of the configuration, its contracts and manifests, each at its place.
    #[command(after_help = "\
Examples:
  natsgate check
  natsgate check --strict --output json
  natsgate check --live --nats nats://127.0.0.1:4222")]
    Check(check::CheckArgs),
    /// Show what would be sent for a request, without sending it.
    #[command(after_help = "\
Examples:
  natsgate explain DELETE /infra/3f9a/smoke
  natsgate explain POST /users/ada/roles -d '{\"roleId\": \"editor\"}'
  natsgate explain POST /users/ada/roles -H 'Prefer: wait=1' -d @body.json
  natsgate explain POST /users/ada/roles -d @body.json --output json")]
    Explain(explain::ExplainArgs),
    /// Serve with a nats-server of its own: started with a temporary store, streams created, readable logs.
    #[command(after_help = "\
Examples:
  natsgate dev --config config/natsgate.yaml
  # A fixed port, for services that are started apart.
  natsgate dev --nats-port 4222
  # A server that runs already: missing streams are created on it.
  natsgate dev --nats nats://127.0.0.1:4222

The binary is $NATS_SERVER, .tools/bin/nats-server here or in a folder above,
or nats-server on the PATH, 2.10 or newer. Everything that it stores is gone
when this command ends.")]
    Dev(dev::DevArgs),
    /// Streams and consumers as code: check manifests, hold them against a server, and apply them.
    #[command(after_help = "\
Examples:
  natsgate streams lint --strict
  natsgate streams plan deploy/jetstream --nats nats://127.0.0.1:4222
  natsgate streams apply
  natsgate streams drift --output json

Manifests are NACK's: resources of jetstream.nats.io/v1beta2, from the
configuration's `manifests` or from the paths that are given.")]
    Streams(streams::StreamsArgs),
    /// Make an API key: print it once, and the line for the file of keys.
    #[command(
        name = "hash-key",
        after_help = "\
Examples:
  natsgate hash-key billing
  # A key that is given out already.
  natsgate hash-key billing --stdin < key.txt

The key is printed once and kept nowhere: the file has its hash alone."
    )]
    HashKey(hash::HashKeyArgs),
    /// Hash a password, read from standard input, for the file of users.
    #[command(
        name = "hash-password",
        after_help = "\
Example:
  natsgate hash-password ada < password.txt

The hash is argon2id; files may hold bcrypt hashes too."
    )]
    HashPassword(hash::HashPasswordArgs),
    /// Ask a running gateway whether it is ready, for container health checks; exit code 0 or 1.
    #[command(after_help = "\
Examples:
  natsgate health
  natsgate health --admin http://127.0.0.1:9090 --live

The exit code is 0 if it is, else 1, with the reason.")]
    Health(health::HealthArgs),
    /// Have a running gateway read its configuration again; what came of it is printed.
    #[command(after_help = "\
Examples:
  natsgate reload
  natsgate reload --admin http://10.0.0.7:9090 --token-file /etc/natsgate/admin.token
  NATSGATE_ADMIN_TOKEN=... natsgate reload --output json

The exit code is 0 if it was applied or nothing had changed, 64 if there are errors, which are
printed, and 1 if keys have changed that need a restart, or the gateway does not answer.")]
    Reload(reload::ReloadArgs),
    /// How operations come along that move from a legacy service to NATS, and whether they may be moved on.
    #[command(after_help = "\
Examples:
  # All of them, a line each.
  natsgate migration status
  # One of them: what differs, with an example, and what is to be done next.
  natsgate migration status getUser
  # In a pipeline: exit code 3 until it may be moved on.
  until natsgate migration status getUser --gate; do sleep 60; done
  # Begin anew after a change of the service behind NATS.
  natsgate migration reset getUser")]
    Migration(migration::MigrationArgs),
    /// Print the published OpenAPI document: what clients may call, with every answer that the gateway gives.
    #[command(after_help = "\
Examples:
  natsgate openapi > openapi.json
  natsgate openapi --output yaml --config config/natsgate.yaml
  natsgate openapi | npx openapi-typescript /dev/stdin --output client.ts

A running gateway serves the same document under /docs/openapi.json of its admin listener, and of the public one where
`server.docs` is set. Exit code 64: the configuration has errors, which are on standard error.")]
    Openapi(openapi::OpenapiArgs),
    /// Write a first configuration, with comments that teach.
    #[command(after_help = "\
Examples:
  # In front of a legacy service: everything goes there, until it is moved.
  natsgate init --contract openapi.yaml --upstream-url http://127.0.0.1:8000
  # Without one, in another folder.
  natsgate init --nats nats://n1:4222,nats://n2:4222 --listen 0.0.0.0:8080 gateway

A configuration that is there already is not touched: the exit code is 1.")]
    Init(init::InitArgs),
    /// Write the operations of an OpenAPI document as forwards to a legacy service.
    #[command(after_help = "\
Examples:
  # A configuration to look at.
  natsgate import openapi.yaml --upstream common --url http://127.0.0.1:8000
  # Into one that stands: what is new is added, what is there stays as it is, what has gone is told.
  natsgate import openapi.yaml --upstream common --write config/natsgate.yaml
  # Does the configuration have all of the document? Exit code 3 if not.
  natsgate import openapi.yaml --upstream common --write config/natsgate.yaml --dry-run --output json

Operations that cannot be served are left out, each with its reason and place. Exit code 64: the
document or the configuration has errors, and nothing is written.")]
    Import(import::ImportArgs),
    /// Write the JSON Schema of the configuration file, for editors.
    #[command(after_help = "\
Example:
  natsgate schema > natsgate.schema.json

The first line of natsgate.yaml then tells editors where it is:
  # yaml-language-server: $schema=natsgate.schema.json")]
    Schema,
    /// Write what lets a shell complete the commands and options of natsgate.
    #[command(after_help = "\
Examples:
  natsgate completions bash > /etc/bash_completion.d/natsgate
  natsgate completions zsh > \"${fpath[1]}/_natsgate\"
  natsgate completions fish > ~/.config/fish/completions/natsgate.fish

They hold for this version: write them again after an upgrade.")]
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

#[derive(Debug, Args)]
struct ConfigArgs {
    /// The configuration file.
    #[arg(long, short, env = "NATSGATE_CONFIG", default_value = CONFIG_FILE, value_name = "FILE")]
    config: PathBuf,
    /// NATS servers instead of those of the configuration, separated by commas.
    #[arg(long, env = "NATSGATE_NATS_SERVERS", value_name = "URL")]
    nats: Option<String>,
}

#[derive(Debug, Args)]
struct ListenArgs {
    /// Address of the public listener instead of `server.listen`.
    #[arg(long, env = "NATSGATE_LISTEN", value_name = "ADDRESS")]
    listen: Option<String>,
    /// Address of the admin listener instead of `server.admin`.
    #[arg(long, env = "NATSGATE_ADMIN_LISTEN", value_name = "ADDRESS")]
    admin_listen: Option<String>,
    /// Format of the log on standard output. Default: text on a terminal, else json.
    #[arg(long, env = "NATSGATE_LOG_FORMAT", value_enum, value_name = "FORMAT")]
    log_format: Option<LogFormat>,
    /// What is logged: a level, or a filter such as `info,natsgate=debug`.
    #[arg(
        long,
        env = "NATSGATE_LOG",
        default_value = "info,async_nats=off",
        value_name = "FILTER",
        value_parser = filter
    )]
    log: String,
    /// Write a JSON file with the addresses that are really bound once requests are taken.
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
}

/// How a result is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people.
    #[default]
    Text,
    /// For machines.
    Json,
}

fn filter(text: &str) -> Result<String, String> {
    match tracing_subscriber::EnvFilter::try_new(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => {
            Err("write error, warn, info, debug, trace or off, or a filter such as info,natsgate=debug"
                .to_owned())
        }
    }
}

/// Runs the command of this process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into()),
    };
    let result = runtime.block_on(async {
        match cli.command {
            Command::Serve(args) => serve::run(args).await,
            Command::Check(args) => check::run(args).await,
            Command::Explain(args) => explain::run(args).await,
            Command::Dev(args) => dev::run(args).await,
            Command::Streams(args) => streams::run(args).await,
            Command::HashKey(args) => hash::key(&args),
            Command::HashPassword(args) => hash::password(&args),
            Command::Health(args) => health::run(args).await,
            Command::Reload(args) => reload::run(args).await,
            Command::Migration(args) => migration::run(args).await,
            Command::Openapi(args) => Ok(openapi::run(&args)),
            Command::Init(args) => init::run(&args),
            Command::Import(args) => import::run(&args),
            Command::Schema => Ok(schema()),
            Command::Completions { shell } => Ok(completions(shell)),
        }
    });
    runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => fail(&error),
    }
}

fn schema() -> u8 {
    println!("{:#}", config::schema());
    DONE
}

fn completions(shell: clap_complete::Shell) -> u8 {
    clap_complete::generate(shell, &mut Cli::command(), "natsgate", &mut std::io::stdout());
    DONE
}

fn fail(error: &anyhow::Error) -> ExitCode {
    eprintln!("error: {error:#}");
    ExitCode::from(FAILED)
}
