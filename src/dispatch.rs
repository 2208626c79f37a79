//! The stage that sends: a request to whoever serves a subject, or a message into a stream.
//!
//! Every failure becomes the one problem that is true of it. Whatever happens, the answer says whether the
//! request may have been executed.

mod failure;
mod pause;
mod publish;
mod request;

use tokio::time::Instant;

pub use publish::{Publish, Window};
pub use request::{Captured, Request, stamp};

use crate::exchange::{Outbound, Reply};
use crate::head::Head;
use crate::nats::Nats;
use crate::problem::{Code, Problem};

/// Where an operation goes.
#[derive(Debug)]
pub enum Binding {
    /// NATS request-reply: an answer is needed now.
    Request(Request),
    /// JetStream: the work must not be lost.
    Publish(Publish),
}

impl Binding {
    /// Sends, and waits for the reply or the acknowledgement until the deadline.
    ///
    /// # Errors
    /// Every row of the table that NATS can cause.
    pub async fn send(
        &self,
        nats: &Nats,
        outbound: Outbound,
        head: &Head,
        deadline: Instant,
    ) -> Result<Reply, Problem> {
        match (self, outbound) {
            (Binding::Request(request), Outbound::Request(message)) => {
                request.send(nats, message, deadline).await.map(Reply::Service)
            }
            (Binding::Publish(publish), Outbound::Publish(message, identity)) => {
                // Boxed, so that requests do not carry the larger future of a publish about.
                Box::pin(publish.send(nats, message, identity, head, deadline)).await.map(Reply::Stored)
            }
            _ => Err(Problem::new(Code::Internal, "the request was mapped for another binding")),
        }
    }
}
