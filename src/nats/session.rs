//! One session: one client of one server for as long as its connection lives, its inbox, and who waits there.
//!
//! The client crate keeps the commands that its connection has not taken, and sends them after a reconnect, long after
//! their callers were told that they failed. A session therefore never reconnects: when its connection goes, it is
//! thrown away with everything that is still inside. Where it comes from is `connect`, who replaces it is `link`.

use std::sync::Arc;
use std::time::Duration;

use async_nats::client::PublishErrorKind;
use async_nats::client::traits::Publisher;
use async_nats::message::OutboundMessage;
use async_nats::{Client, Message, Subject, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::task::AbortOnDropHandle;

use super::headers;
use super::message::{Failure, Outgoing, Reply};
use super::options::Options;
use super::vitals::Vitals;
use super::waiting::Place;

pub(super) struct Session {
    client: Client,
    /// `_INBOX.<unique>.`, to which the number of a place is added.
    inbox: String,
    vitals: Arc<Vitals>,
    max_payload: usize,
    max_control_line: usize,
    ping_interval: Duration,
    reader: AbortOnDropHandle<()>,
}

/// What ends the watch over a session.
pub(super) enum Watched {
    /// It is over, for this reason.
    Ended(String),
    /// Its server is about to stop; the session still works.
    LameDuck,
}

impl Session {
    /// Opens the inbox of a fresh client and proves, by one round trip, that replies come back.
    /// The error says what to do about it.
    pub(super) async fn open(
        client: Client,
        inbox: String,
        vitals: Arc<Vitals>,
        options: &Options,
    ) -> Result<Self, String> {
        let subscriber = client.subscribe(format!("{inbox}*")).await.map_err(|error| error.to_string())?;
        let session = Self {
            max_payload: client.server_info().max_payload,
            max_control_line: options.max_control_line,
            ping_interval: options.ping_interval,
            reader: AbortOnDropHandle::new(tokio::spawn(read(subscriber, inbox.len(), Arc::clone(&vitals)))),
            client,
            inbox,
            vitals,
        };
        session.round_trip(options.connect_timeout).await?;
        Ok(session)
    }

    /// Takes a place for a request. None: the session is over.
    pub(super) fn enter(&self, subject: Subject) -> Option<Place> {
        self.vitals.waiting.enter(subject)
    }

    /// Sends a request from its place and waits for what becomes of it.
    pub(super) async fn request(
        &self,
        mut place: Place,
        message: Outgoing,
        deadline: Instant,
    ) -> Result<Reply, Failure> {
        let reply = format!("{}{}", self.inbox, place.number());
        let size = self.check(&message, &reply)?;
        if deadline <= Instant::now() {
            return Err(Failure::NoSlot);
        }
        let message = OutboundMessage {
            subject: message.subject,
            reply: Some(Subject::from(reply)),
            headers: (!message.headers.is_empty()).then_some(message.headers),
            payload: message.payload,
        };
        tokio::select! {
            // First of all: once the command has been taken, no other branch may claim that it was not.
            biased;
            sent = self.client.publish_message(message) => self.sent(sent, size)?,
            outcome = place.outcome() => return outcome.map_err(|failure| match failure {
                Failure::ConnectionLost => Failure::NotConnected,
                other => other,
            }),
            () = sleep_until(deadline) => return Err(Failure::NoSlot),
        }
        place.outcome_by(deadline).await
    }

    fn sent(&self, sent: Result<(), async_nats::PublishError>, size: usize) -> Result<(), Failure> {
        sent.map_err(|error| match error.kind() {
            PublishErrorKind::InvalidSubject => Failure::InvalidSubject,
            // Not to be expected: we have compared the same numbers.
            PublishErrorKind::MaxPayloadExceeded => Failure::TooLarge { size, limit: self.max_payload },
            PublishErrorKind::Send => {
                self.vitals.end("the client's task is gone");
                Failure::NotConnected
            }
        })
    }

    /// What the server would answer by closing the connection on everyone is refused here.
    /// Returns the message's size on the wire.
    fn check(&self, message: &Outgoing, reply: &str) -> Result<usize, Failure> {
        let head = headers::wire_len(&message.headers);
        let size = head + message.payload.len();
        if size > self.max_payload {
            return Err(Failure::TooLarge { size, limit: self.max_payload });
        }
        let numbers = decimal_digits(head) + decimal_digits(size);
        let length = "HPUB    \r\n".len() + message.subject.len() + reply.len() + numbers;
        if length > self.max_control_line {
            return Err(Failure::SubjectTooLong { length, limit: self.max_control_line });
        }
        Ok(size)
    }

    /// Looks after the session until it ends or its server announces that it will.
    pub(super) async fn watch(&self) -> Watched {
        tokio::select! {
            reason = self.vitals.ended() => Watched::Ended(reason),
            () = self.vitals.lame_duck() => Watched::LameDuck,
            reason = self.probe_for_ever() => {
                self.vitals.end(&reason);
                Watched::Ended(reason)
            }
        }
    }

    /// Returns, with the reason, when a round trip fails.
    async fn probe_for_ever(&self) -> String {
        loop {
            sleep(self.ping_interval).await;
            if let Err(reason) = self.round_trip(2 * self.ping_interval).await {
                return reason;
            }
        }
    }

    /// Publishes to the own inbox and waits for the message. Least-privilege users may not do that; that the server
    /// refuses it proves the connection as well.
    async fn round_trip(&self, within: Duration) -> Result<(), String> {
        let deadline = Instant::now() + within;
        let subject = Subject::from(format!("{}0", self.inbox));
        let Some(place) = self.vitals.waiting.enter_probe(subject.clone()) else {
            return Err(self.vitals.ended().await);
        };
        let silent =
            format!("no answer on the own inbox within {within:?}; is the network or the server stalled?");
        match tokio::time::timeout_at(deadline, self.client.publish(subject, Bytes::new())).await {
            Err(_) => return Err(silent),
            Ok(Err(error)) => return Err(error.to_string()),
            Ok(Ok(())) => {}
        }
        match place.outcome_by(deadline).await {
            Ok(_) | Err(Failure::Denied { .. }) => Ok(()),
            Err(Failure::Timeout) => Err(silent),
            Err(_) => Err(self.vitals.ended().await),
        }
    }

    /// Lets the last messages out and closes the connection; what still waits has lost it.
    pub(super) async fn close(&self, until: Instant) {
        let goodbye = async {
            let _ = self.client.flush().await;
            let _ = self.client.drain().await;
            self.vitals.ended().await;
        };
        let _late = tokio::time::timeout_at(until, goodbye).await;
        self.vitals.end("closed by the gateway");
    }

    /// Resolves when the session is over, with the reason.
    pub(super) async fn ended(&self) -> String {
        self.vitals.ended().await
    }

    pub(super) fn is_usable(&self) -> bool {
        !self.vitals.waiting.has_ended()
    }

    pub(super) fn waiting(&self) -> usize {
        self.vitals.waiting.len()
    }

    pub(super) fn max_payload(&self) -> usize {
        self.max_payload
    }

    pub(super) fn server(&self) -> async_nats::ServerInfo {
        self.client.server_info()
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.reader.abort();
        self.vitals.end("dropped");
    }
}

/// The hot path: every reply of a session passes here, so nothing is done but to hand it over.
async fn read(mut subscriber: Subscriber, prefix: usize, vitals: Arc<Vitals>) {
    while let Some(message) = subscriber.next().await {
        let number = message.subject.as_str().get(prefix..).and_then(|token| token.parse().ok());
        if let Some(number) = number {
            vitals.waiting.settle(number, outcome(message));
        }
    }
    vitals.end("the client's task is gone");
}

fn outcome(message: Message) -> Result<Reply, Failure> {
    let status = message.status.map(|status| status.as_u16());
    if status == Some(503) && message.payload.is_empty() {
        return Err(Failure::NoResponders);
    }
    Ok(Reply {
        status,
        description: message.description,
        headers: message.headers.unwrap_or_default(),
        payload: message.payload,
    })
}

fn decimal_digits(number: usize) -> usize {
    number.checked_ilog10().map_or(1, |log| log as usize + 1)
}
