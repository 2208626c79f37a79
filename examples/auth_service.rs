//! The Auth service of the demo, a model of a responder behind natsgate: one member of a queue group, which answers role
//! assignments, refuses in a way that becomes an HTTP status, and leaves without failing a request.
//!
//! The users live in memory. How HTTP comes in here and what becomes of the answers, `config/natsgate.yaml` says.

use std::collections::{BTreeSet, HashMap};
use std::pin::pin;
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context as _, Result};
use async_nats::{Client, HeaderMap, Message};
use clap::Parser;
use futures_util::StreamExt as _;
use serde::Deserialize;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

const SUBJECT: &str = "auth.users.roles.assign";
/// Each request goes to one member of the group: start more of them to share the load, stop one to replace it.
const QUEUE_GROUP: &str = "auth";
/// Requests in progress at once. Those beyond wait in the subscription, and are dropped there when their time is over.
const CONCURRENCY: usize = 64;
const ROLES: [&str; 3] = ["admin", "editor", "viewer"];

type Users = Mutex<HashMap<String, BTreeSet<String>>>;

#[derive(Parser)]
struct Arguments {
    #[arg(long, env = "NATS_URL", default_value = "nats://127.0.0.1:4222")]
    nats: String,
}

#[derive(Deserialize)]
struct Assignment {
    #[serde(rename = "userID")]
    user: String,
    #[serde(rename = "roleIDs")]
    roles: Vec<String>,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let client = async_nats::connect(&arguments.nats).await.context("cannot connect to NATS")?;
    let mut requests = client.queue_subscribe(SUBJECT, QUEUE_GROUP.to_owned()).await?;
    round_trip(&client).await?;
    println!("ready: answers {SUBJECT} in the queue group {QUEUE_GROUP}");

    let users = Arc::new(Mutex::new(["ada", "grace"].map(|name| (name.to_owned(), BTreeSet::new())).into()));
    let mut stop = pin!(signalled());
    let mut draining = false;
    let mut running = JoinSet::new();
    loop {
        tokio::select! {
            request = requests.next(), if running.len() < CONCURRENCY => match request {
                Some(request) => { running.spawn(serve(client.clone(), Arc::clone(&users), request)); }
                None => break,
            },
            Some(_) = running.join_next() => {}
            result = &mut stop, if !draining => {
                result?;
                draining = true;
                // From here on the server gives new requests to the other members. Those that are on their way to this
                // one are still handed out, then the subscription ends.
                requests.drain().await?;
            }
        }
    }
    while running.join_next().await.is_some() {}
    round_trip(&client).await?;
    println!("stopped: every request that came in was answered");
    Ok(())
}

/// Returns at SIGTERM or Ctrl-C.
async fn signalled() -> Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
    Ok(())
}

/// Returns once the server has processed everything that this client has sent before, be it a subscription or an answer.
async fn round_trip(client: &Client) -> Result<()> {
    let inbox = client.new_inbox();
    let mut echo = client.subscribe(inbox.clone()).await?;
    client.publish(inbox, "".into()).await?;
    echo.next().await.context("the connection was closed")?;
    Ok(())
}

async fn serve(client: Client, users: Arc<Users>, request: Message) {
    let id = header(&request, "Natsgate-Request-Id").unwrap_or("-").to_owned();
    // Nobody waits any more, and the client was told that nobody knows what happened: doing nothing is the best of both.
    if deadline(&request).is_some_and(|deadline| deadline < SystemTime::now()) {
        println!("dropped: request {id} came after its deadline");
        return;
    }
    let Some(reply) = request.reply.clone() else { return };
    let (headers, success, message) = match assign(&users, &request.payload).await {
        Ok(done) => (HeaderMap::new(), true, done),
        Err(Refusal::NoSuchRole(role)) => (HeaderMap::new(), false, format!("there is no role {role}")),
        Err(Refusal::NoSuchUser(user)) => {
            (error(404, "no such user"), false, format!("there is no user {user}"))
        }
        Err(Refusal::Malformed(reason)) => (error(400, "malformed request"), false, reason),
    };
    let body = serde_json::json!({ "success": success, "message": message }).to_string();
    match client.publish_with_headers(reply, with_json(headers), body.into()).await {
        // Escaped: the message holds what a client sent, and a line break in it would forge a line of the log.
        Ok(()) => println!(
            "{}: {} (request {id})",
            if success { "assigned" } else { "refused" },
            message.escape_debug()
        ),
        Err(error) => eprintln!("could not answer request {id}: {error}"),
    }
}

enum Refusal {
    Malformed(String),
    NoSuchUser(String),
    NoSuchRole(String),
}

/// Assigns all roles or none. A role that the user has already is a success, so that a repeated request is harmless.
async fn assign(users: &Users, payload: &[u8]) -> Result<String, Refusal> {
    let Assignment { user, roles } =
        serde_json::from_slice(payload).map_err(|error| Refusal::Malformed(error.to_string()))?;
    let mut users = users.lock().await;
    let held = users.get_mut(&user).ok_or_else(|| Refusal::NoSuchUser(user.clone()))?;
    if let Some(unknown) = roles.iter().find(|role| !ROLES.contains(&role.as_str())) {
        return Err(Refusal::NoSuchRole(unknown.clone()));
    }
    let names = roles.join(", ");
    held.extend(roles);
    Ok(format!("{user} has the role {names}"))
}

fn header<'a>(request: &'a Message, name: &str) -> Option<&'a str> {
    request.headers.as_ref()?.get(name).map(|value| value.as_str())
}

/// When the gateway stops waiting. Where clocks differ by more than fits, `Natsgate-Timeout-Ms` counts from the arrival.
fn deadline(request: &Message) -> Option<SystemTime> {
    humantime::parse_rfc3339(header(request, "Natsgate-Deadline")?).ok()
}

/// The headers that NATS services give an error with; natsgate makes the code the HTTP status. The description is a fixed
/// text, never the caller's: a line break in a header value would break the message.
fn error(code: u16, description: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("Nats-Service-Error-Code", code.to_string());
    headers.insert("Nats-Service-Error", description);
    headers
}

fn with_json(mut headers: HeaderMap) -> HeaderMap {
    headers.insert("Content-Type", "application/json");
    headers
}
