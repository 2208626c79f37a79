//! The service behind both programs of the benchmark: a member of a queue group that sends back what it gets.

use anyhow::{Context as _, Result};
use clap::Parser;
use futures_util::StreamExt as _;

#[derive(Parser)]
struct Arguments {
    #[arg(long)]
    nats: String,
}

// One thread: the cores belong to the programs that are compared.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let client = async_nats::connect(&arguments.nats).await.context("cannot connect to NATS")?;
    let mut requests = client.queue_subscribe("bench.echo", "bench".to_owned()).await?;
    while let Some(request) = requests.next().await {
        if let Some(reply) = request.reply {
            client.publish(reply, request.payload).await?;
        }
    }
    Ok(())
}
