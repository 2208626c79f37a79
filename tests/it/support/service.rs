//! Services behind the gateway: responders that do what a test tells them, and record what they have seen.

use std::sync::{Arc, Mutex};

use async_nats::{Client, HeaderMap, Message};
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// A responder on a subject.
pub(crate) struct Service {
    pub(crate) client: Client,
    seen: Arc<Mutex<Vec<Message>>>,
    leave: Arc<Notify>,
    task: JoinHandle<()>,
}

/// What a responder sends back; `None`: nothing.
pub(crate) type Reply = Option<(HeaderMap, Bytes)>;

impl Service {
    /// Answers every message on a subject by a function.
    pub(crate) async fn start(
        nats: &str,
        subject: &str,
        reply: impl Fn(&Message) -> Reply + Send + 'static,
    ) -> Service {
        let client = async_nats::connect(nats).await.expect("connection of the service");
        let mut messages = client
            .queue_subscribe(subject.to_owned(), "test".to_owned())
            .await
            .expect("subscription of the service");
        client.flush().await.expect("subscription sent");
        // A round trip: the server has the subscription before anybody sends.
        let _ = client.request("$SYS.REQ.USER.INFO", Bytes::new()).await;
        let (seen, answering) = (Arc::new(Mutex::new(Vec::new())), client.clone());
        let record = Arc::clone(&seen);
        let (leave, mut leaving) = (Arc::new(Notify::new()), false);
        let leaves = Arc::clone(&leave);
        let task = tokio::spawn(async move {
            loop {
                let message = tokio::select! {
                    message = messages.next() => message,
                    () = leaves.notified(), if !leaving => {
                        leaving = true;
                        let _ = messages.drain().await;
                        continue;
                    }
                };
                let Some(message) = message else { break };
                let answer = reply(&message);
                let to = message.reply.clone();
                record.lock().expect("record").push(message);
                if let (Some((headers, payload)), Some(to)) = (answer, to) {
                    let _ = answering.publish_with_headers(to, headers, payload).await;
                }
            }
            // A round trip: every answer has reached the server.
            let _ = answering.request("$SYS.REQ.USER.INFO", Bytes::new()).await;
        });
        Service { client, seen, leave, task }
    }

    /// Answers everything with these bytes.
    pub(crate) async fn saying(nats: &str, subject: &str, payload: &'static str) -> Service {
        Service::start(nats, subject, move |_| {
            Some((HeaderMap::new(), Bytes::from_static(payload.as_bytes())))
        })
        .await
    }

    /// Answers everything with its own payload.
    pub(crate) async fn echo(nats: &str, subject: &str) -> Service {
        Service::start(nats, subject, |message| Some((HeaderMap::new(), message.payload.clone()))).await
    }

    /// Answers nothing.
    pub(crate) async fn silent(nats: &str, subject: &str) -> Service {
        Service::start(nats, subject, |_| None).await
    }

    /// Answers everything with headers and bytes.
    pub(crate) async fn with_headers(
        nats: &str,
        subject: &str,
        headers: &[(&'static str, &'static str)],
        payload: &'static str,
    ) -> Service {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, *value);
        }
        Service::start(nats, subject, move |_| Some((map.clone(), Bytes::from_static(payload.as_bytes()))))
            .await
    }

    /// Leaves its queue group as a service should: what has been given to it is answered first.
    pub(crate) async fn leave(&mut self) {
        self.leave.notify_one();
        (&mut self.task).await.expect("the service ends");
    }

    /// Answers a message that was left without an answer.
    pub(crate) async fn answer(&self, message: &Message, payload: &'static str) {
        let reply = message.reply.clone().expect("a request");
        self.client.publish(reply, payload.into()).await.expect("published");
    }

    /// Everything that has arrived so far.
    pub(crate) fn seen(&self) -> Vec<Message> {
        self.seen.lock().expect("record").clone()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.task.abort();
    }
}
