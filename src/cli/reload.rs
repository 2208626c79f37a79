//! `natsgate reload`: has a running gateway read its configuration again, and tells what came of it.

use std::time::Duration;

use anyhow::bail;
use clap::Args;
use serde_json::Value;

use super::admin::{AdminArgs, TokenArgs, answer, client};
use super::{DONE, FAILED, INVALID, Output};

/// How long a gateway may take to build what it is to run on.
const WITHIN: Duration = Duration::from_secs(60);

/// Which gateway, and by what right.
#[derive(Debug, Args)]
pub(super) struct ReloadArgs {
    #[command(flatten)]
    admin: AdminArgs,
    #[command(flatten)]
    token: TokenArgs,
    /// How the result is shown.
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    output: Output,
}

pub(super) async fn run(args: ReloadArgs) -> anyhow::Result<u8> {
    let url = args.admin.admin.join("/api/reload")?;
    let mut request = client(WITHIN)?.post(url.clone()).header("Content-Type", "application/json").body("{}");
    request = args.token.with(request)?;
    let (status, document) = answer(&url, request).await?;
    let Some(result) = document["result"].as_str() else {
        let detail = document["detail"].as_str().unwrap_or("is it the admin listener (server.admin)?");
        bail!("{url} answers {}: {detail}", status.as_u16());
    };
    match args.output {
        Output::Json => println!("{document:#}"),
        Output::Text => tell(result, &document),
    }
    Ok(match result {
        "applied" | "unchanged" => DONE,
        "invalid" => INVALID,
        _ => FAILED,
    })
}

fn tell(result: &str, document: &Value) {
    eprint!("{}", document["report"].as_str().unwrap_or_default());
    let names = |list: &Value| {
        let names = list.as_array().into_iter().flatten().filter_map(Value::as_str);
        names.collect::<Vec<_>>().join(", ")
    };
    match result {
        "applied" => println!("applied: generation {}", document["generation"]),
        "unchanged" => println!("unchanged: the files say what runs"),
        "invalid" => println!("not applied: the configuration has errors, and what ran runs on"),
        _ => println!(
            "not applied: these keys need a restart: {}; what ran runs on",
            names(&document["needs_restart"])
        ),
    }
    for (word, list) in [("new", "added"), ("gone", "removed")] {
        let names = names(&document[list]);
        if !names.is_empty() {
            println!("{word}: {names}");
        }
    }
}
