//! NATS request-reply: sent once, unless it provably reached nobody.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::time::Instant;

use super::failure::of_send;
use super::pause::Pause;
use crate::exchange::TIMEOUT_MS;
use crate::nats::{Failure, Nats, Outgoing, PubAck, Reply};
use crate::problem::{Code, Problem};

/// The names of the streams that are known to capture a request's subject: none of them may answer it.
#[derive(Debug, Clone, Default)]
pub struct Captured(Arc<ArcSwap<Vec<String>>>);

impl Captured {
    /// Replaces what is known.
    pub fn set(&self, streams: Vec<String>) {
        self.0.store(Arc::new(streams));
    }

    fn by(&self, reply: &Reply) -> Option<String> {
        let streams = self.0.load();
        if streams.is_empty() {
            return None;
        }
        PubAck::parse_stream(&reply.payload).filter(|stream| streams.contains(stream))
    }
}

/// A binding to request-reply.
#[derive(Debug)]
pub struct Request {
    /// How long, inside the deadline, a message that reached nobody is tried again.
    pub retry_for: Duration,
    /// Kept current by the start checks.
    pub captured: Captured,
}

impl Request {
    pub(super) async fn send(
        &self,
        nats: &Nats,
        message: Outgoing,
        deadline: Instant,
    ) -> Result<Reply, Problem> {
        let reply = self.exchange(nats, message, deadline).await.map_err(|failure| of_send(&failure))?;
        match self.captured.by(&reply) {
            None => Ok(reply),
            Some(stream) => {
                let detail = "a stream acknowledged this request in place of a service";
                Err(Problem::new(Code::CapturedByStream, detail)
                    .because(format!("stream {stream} captures the subject")))
            }
        }
    }

    async fn exchange(
        &self,
        nats: &Nats,
        mut message: Outgoing,
        deadline: Instant,
    ) -> Result<Reply, Failure> {
        stamp(&mut message, deadline);
        if self.retry_for.is_zero() {
            return nats.request(message, deadline).await;
        }
        let hold_until = deadline.min(Instant::now() + self.retry_for);
        let mut pause = Pause::new();
        loop {
            match nats.request(message.clone(), deadline).await {
                Err(Failure::NotConnected | Failure::NoResponders) if pause.wait(nats, hold_until).await => {
                    stamp(&mut message, deadline);
                }
                result => return result,
            }
        }
    }
}

/// Says how long the answer is waited for from now on.
pub fn stamp(message: &mut Outgoing, deadline: Instant) {
    let left = deadline.saturating_duration_since(Instant::now()).as_millis();
    message.headers.insert(TIMEOUT_MS, left.to_string());
}
