//! What natsgate is measured against: the least program that answers HTTP from NATS with the same libraries. It has no
//! configuration, no deadline of its own, no headers, no log, no limits.

use std::net::SocketAddr;

use anyhow::{Context as _, Result};
use async_nats::{Client, RequestErrorKind};
use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use clap::Parser;
use tokio::net::TcpListener;

#[derive(Parser)]
struct Arguments {
    #[arg(long)]
    listen: SocketAddr,
    #[arg(long)]
    nats: String,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let client = async_nats::connect(&arguments.nats).await.context("cannot connect to NATS")?;
    let listener = TcpListener::bind(arguments.listen).await.context("cannot listen")?;
    axum::serve(listener, Router::new().route("/echo", post(echo)).with_state(client)).await?;
    Ok(())
}

async fn echo(State(client): State<Client>, body: Bytes) -> Result<Bytes, StatusCode> {
    match client.request("bench.echo", body).await {
        Ok(reply) => Ok(reply.payload),
        Err(error) if error.kind() == RequestErrorKind::NoResponders => Err(StatusCode::SERVICE_UNAVAILABLE),
        Err(_) => Err(StatusCode::GATEWAY_TIMEOUT),
    }
}
