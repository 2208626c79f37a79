//! The connection to NATS, from outside: requests, publishing, what happens when connections and servers fail.

mod connection;
mod late;
mod limits;
mod publishing;
mod requests;
mod security;
mod shutdown;

use std::future::Future;
use std::time::Duration;

use async_nats::{Client, HeaderMap, Message};
use bytes::Bytes;
use futures_util::StreamExt;
use natsgate::nats::{Failure, Nats, Options, Outgoing, Reply};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

/// Long enough for anything that is expected to come.
const PATIENCE: Duration = Duration::from_secs(10);

fn options(url: impl Into<String>) -> Options {
    Options { servers: vec![url.into()], ..Options::default() }
}

/// A gateway's connection that stands.
async fn connected(options: Options) -> Nats {
    let nats = Nats::start(options).expect("options are right");
    assert!(nats.connected(within(PATIENCE)).await, "not connected: {:?}", nats.status());
    nats
}

fn within(time: Duration) -> Instant {
    Instant::now() + time
}

fn message(subject: &str, payload: impl Into<Bytes>) -> Outgoing {
    Outgoing { subject: subject.into(), headers: HeaderMap::new(), payload: payload.into() }
}

async fn ask(nats: &Nats, subject: &str, time: Duration) -> Result<Reply, Failure> {
    nats.request(message(subject, "question"), within(time)).await
}

/// Calls a function for each message on a subject.
async fn on_each<F>(
    client: &Client,
    subject: &str,
    act: impl Fn(Client, Message) -> F + Send + 'static,
) -> AbortOnDropHandle<()>
where
    F: Future<Output = ()> + Send,
{
    let mut subscriber = client.subscribe(subject.to_owned()).await.expect("subscription");
    round_trip(client).await;
    let client = client.clone();
    AbortOnDropHandle::new(tokio::spawn(async move {
        while let Some(message) = subscriber.next().await {
            act(client.clone(), message).await;
        }
    }))
}

/// Answers with the request's own headers and payload.
async fn echo(client: &Client, subject: &str) -> AbortOnDropHandle<()> {
    on_each(client, subject, |client, message| async move {
        let Some(reply) = message.reply else { return };
        let headers = message.headers.unwrap_or_default();
        client.publish_with_headers(reply, headers, message.payload).await.expect("reply");
    })
    .await
}

/// Takes requests and never answers.
async fn silent(client: &Client, subject: &str) -> AbortOnDropHandle<()> {
    on_each(client, subject, |_, _| async {}).await
}

/// Until the server has processed everything that the client sent before.
async fn round_trip(client: &Client) {
    let inbox = client.new_inbox();
    let mut subscriber = client.subscribe(inbox.clone()).await.expect("subscription");
    client.publish(inbox, Bytes::new()).await.expect("publish");
    let came = tokio::time::timeout(PATIENCE, subscriber.next()).await;
    assert!(came.is_ok_and(|message| message.is_some()), "the plain client is not connected");
}

/// Waits until something holds, looked at again with every change of the connection, or every few milliseconds.
async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = within(PATIENCE);
    while !holds() {
        assert!(Instant::now() < end, "never came: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
