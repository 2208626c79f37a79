//! Services behind the gateway: responders that do what a test tells them, and record what they have seen.

use std::sync::{Arc, Mutex};

use async_nats::{Client, HeaderMap, Message};
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::task::JoinHandle;

/// A responder on a subject.
pub(crate) struct Service {
    pub(crate) client: Client,
    seen: Arc<Mutex<Vec<Message>>>,
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
        let task = tokio::spawn(async move {
            while let Some(message) = messages.next().await {
                let answer = reply(&message);
                let to = message.reply.clone();
                record.lock().expect("record").push(message);
                if let (Some((headers, payload)), Some(to)) = (answer, to) {
                    let _ = answering.publish_with_headers(to, headers, payload).await;
                }
            }
        });
        Service { client, seen, task }
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
