//! One HTTP/1.1 connection, and one request on it: driven by the request's own task, from its first byte to the end of
//! the answer's body ([`super::download`]).

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::UPGRADE;
use http::{Request, Response, StatusCode, Version};
use hyper::body::{Body, Incoming};
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, timeout_at};

use super::address::Address;
use super::alarm::Alarm;
use super::download::{Download, Source};
use super::pool::Slot;
use super::transport::{Marks, Transport, Tunnel};
use super::upload::{Progress, Upload};
use super::{Answer, Attempt, Failure, Options};

/// The longest head of an answer, in bytes.
const LONGEST_HEAD: usize = 256 << 10;
/// Header fields of an answer.
const MOST_FIELDS: usize = 256;

/// One connection.
pub(super) struct Connection {
    sender: http1::SendRequest<Upload>,
    driver: http1::Connection<TokioIo<Transport>, Upload>,
    marks: Arc<Marks>,
    pub(super) alarm: Alarm,
    slot: Slot,
    rests_since: Instant,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connection")
    }
}

type Sent = Result<Response<Incoming>, TrySendError<Request<Upload>>>;

/// How waiting for an answer ended.
#[allow(clippy::large_enum_variant)] // the usual one is the large one, and is not worth an allocation
enum Waited {
    Answered(Sent),
    /// The connection came to its end.
    Closed,
    /// Nobody moved for too long.
    Late,
}

impl Connection {
    /// Begins to speak.
    pub(super) async fn begin(transport: Transport, slot: Slot) -> Result<Box<Connection>, hyper::Error> {
        let marks = transport.marks();
        let mut builder = http1::Builder::new();
        builder.max_buf_size(LONGEST_HEAD).max_headers(MOST_FIELDS);
        let (sender, driver) = builder.handshake(TokioIo::new(transport)).await?;
        let now = Instant::now();
        let alarm = Alarm::new(now);
        Ok(Box::new(Connection { sender, driver, marks, alarm, slot, rests_since: now }))
    }

    pub(super) fn rests_since(&self) -> Instant {
        self.rests_since
    }

    /// Whether the other end has neither closed it nor said anything.
    pub(super) fn is_alive(&mut self, context: &mut Context<'_>) -> bool {
        self.driver.poll_without_shutdown(context).is_pending() && self.sender.is_ready()
    }

    /// Goes on with what is under way; ready at the end of the connection.
    pub(super) fn drive(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.driver.poll_without_shutdown(context).map(drop)
    }

    /// Puts it to rest, if another request can use it.
    pub(super) fn rest(mut self: Box<Self>, address: &Address, context: &mut Context<'_>) {
        if !self.marks.is_broken() && (self.sender.is_ready() || self.is_alive(context)) {
            self.rests_since = Instant::now();
            address.pool.put(self);
        }
    }

    /// Carries one request.
    pub(super) async fn exchange(
        mut self: Box<Self>,
        request: Request<Upload>,
        address: &Arc<Address>,
    ) -> Result<Response<Answer>, Attempt> {
        let progress = request.body().progress();
        let upgrades = request.headers().contains_key(UPGRADE);
        self.marks.begin();
        let mut sent = pin!(self.sender.try_send_request(request));
        let mut patience = Patience::new(&address.options, progress.as_deref());
        let waited = poll_fn(|context| self.poll_answer(sent.as_mut(), &mut patience, context)).await;
        let answered = match waited {
            Waited::Answered(answered) => answered,
            Waited::Late => return Err(Attempt::Failed(patience.blame())),
            Waited::Closed => {
                let marks = Arc::clone(&self.marks);
                drop(self);
                let answered = sent.await;
                return Err(attempt(answered.err(), &marks, progress.as_deref()));
            }
        };
        match answered {
            Err(error) => Err(attempt(Some(error), &self.marks, progress.as_deref())),
            Ok(response) if response.status() == StatusCode::SWITCHING_PROTOCOLS => {
                let due = Instant::now() + address.options.first_byte_timeout;
                self.switch(response, upgrades, due).await.map_err(Attempt::Failed)
            }
            Ok(response) => Ok(self.answer(response, progress, address).await),
        }
    }

    fn poll_answer(
        &mut self,
        mut sent: Pin<&mut impl Future<Output = Sent>>,
        patience: &mut Patience<'_>,
        context: &mut Context<'_>,
    ) -> Poll<Waited> {
        let driven = self.drive(context);
        if let Poll::Ready(answered) = sent.as_mut().poll(context) {
            return Poll::Ready(Waited::Answered(answered));
        }
        if driven.is_ready() {
            return Poll::Ready(Waited::Closed);
        }
        match self.alarm.has_passed(patience.due(), context) {
            true => Poll::Ready(Waited::Late),
            false => Poll::Pending,
        }
    }

    /// An answer as it is given: whole, if all of it is there.
    async fn answer(
        self: Box<Self>,
        response: Response<Incoming>,
        progress: Option<Arc<Progress>>,
        address: &Arc<Address>,
    ) -> Response<Answer> {
        let (mut parts, incoming) = response.into_parts();
        parts.version = Version::HTTP_11;
        let answer = match incoming.is_end_stream() {
            true => {
                let mut connection = Some(self);
                let rested = |context: &mut Context<'_>| {
                    if let Some(connection) = connection.take() {
                        connection.rest(address, context);
                    }
                    Poll::Ready(())
                };
                poll_fn(rested).await;
                Answer::Whole(Bytes::new())
            }
            false => {
                let source = Source::Http1(self, Arc::clone(address));
                Download::begin(incoming, source, progress, &address.options).await
            }
        };
        Response::from_parts(parts, answer)
    }

    /// The connection itself, where the upstream switches the protocol as it was asked to.
    async fn switch(
        mut self: Box<Self>,
        response: Response<Incoming>,
        upgrades: bool,
        due: Instant,
    ) -> Result<Response<Answer>, Failure> {
        if !upgrades {
            return Err(Failure::Reset("it switched the protocol unasked".to_owned()));
        }
        let (mut parts, _) = response.into_parts();
        parts.extensions.clear();
        let ended = timeout_at(due, poll_fn(|context| self.drive(context))).await;
        ended.map_err(|_| Failure::Timeout)?;
        let Connection { driver, slot, .. } = *self;
        let of = driver.into_parts();
        let tunnel = Tunnel::new(of.io.into_inner(), of.read_buf, slot);
        Ok(Response::from_parts(parts, Answer::Tunnel(tunnel)))
    }
}

/// What a failure says of the request.
fn attempt(
    error: Option<TrySendError<Request<Upload>>>,
    marks: &Marks,
    progress: Option<&Progress>,
) -> Attempt {
    let Some(mut error) = error else { return Attempt::Failed(Failure::Reset("it was closed".to_owned())) };
    let message = error.take_message();
    let text = told(&error.into_error());
    match message {
        Some(request) => Attempt::Unsent(Box::new(request), Failure::Unreachable(text)),
        None => Attempt::Failed(match progress.and_then(Progress::failure) {
            Some(failure) => failure.clone(),
            None if marks.has_written() => Failure::Reset(text),
            None => Failure::Unreachable(text),
        }),
    }
}

/// An error with its causes.
pub(super) fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

/// How long an answer is waited for: while the body comes, a side may be silent for `idle_timeout`; then the answer has
/// `first_byte_timeout`.
pub(super) struct Patience<'a> {
    options: &'a Options,
    progress: Option<&'a Progress>,
    seen: (u64, bool),
    due: Instant,
}

impl<'a> Patience<'a> {
    pub(super) fn new(options: &'a Options, progress: Option<&'a Progress>) -> Patience<'a> {
        let first = if progress.is_some() { options.idle_timeout } else { options.first_byte_timeout };
        Patience { options, progress, seen: (0, false), due: Instant::now() + first }
    }

    /// When it ends, as things are.
    pub(super) fn due(&mut self) -> Instant {
        let Some(progress) = self.progress else { return self.due };
        let now = (progress.moves(), progress.has_ended());
        if now != self.seen {
            self.seen = now;
            let options = self.options;
            self.due = Instant::now() + if now.1 { options.first_byte_timeout } else { options.idle_timeout };
        }
        self.due
    }

    /// Whose silence it was.
    pub(super) fn blame(&self) -> Failure {
        match self.progress {
            Some(progress) if !progress.has_ended() && progress.is_awaited() => Failure::Stalled,
            _ => Failure::Timeout,
        }
    }
}
