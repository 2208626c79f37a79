//! HTTP/2 with one address: one connection, shared by all requests, with a task of its own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use http::header::{EXPECT, HOST, UPGRADE};
use http::uri::{Authority, Parts, Scheme};
use http::{Request, Response, Uri, Version};
use hyper::body::Body;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::time::Instant;

use super::address::Address;
use super::alarm::Alarm;
use super::download::{Download, Source};
use super::http1::{Patience, told};
use super::pool::Slot;
use super::transport::Transport;
use super::upload::{Progress, Upload};
use super::{Answer, Attempt, Failure};

/// How often the other end is asked whether it is there, and how long it may take to say so.
const ALIVE: Duration = Duration::from_secs(20);
/// What one connection, and one answer of it, may have on the way to us unread.
const CONNECTION_WINDOW: u32 = 4 << 20;
const STREAM_WINDOW: u32 = 512 << 10;
/// What is buffered of one request's body beyond the upstream's window.
const SEND_BUFFER: usize = 256 << 10;

pub(super) type Sender = http2::SendRequest<Upload>;

/// The connection to one address, if there is one.
#[derive(Debug, Default)]
pub(super) struct Shared {
    sender: Mutex<Option<Sender>>,
    /// Held by whoever connects.
    pub(super) connecting: tokio::sync::Mutex<()>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Option<Sender>> {
        self.sender.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection, if it stands.
    pub(super) fn sender(&self) -> Option<Sender> {
        self.lock().as_ref().filter(|sender| sender.is_ready()).cloned()
    }

    /// Begins to speak on a connection, which is shared from now on.
    pub(super) async fn begin(&self, transport: Transport, slot: Slot) -> Result<Sender, Failure> {
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .keep_alive_interval(ALIVE)
            .keep_alive_timeout(ALIVE)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .initial_stream_window_size(STREAM_WINDOW)
            .max_send_buf_size(SEND_BUFFER);
        let begun = builder.handshake(TokioIo::new(transport)).await;
        let (sender, driver) = begun.map_err(|error| Failure::Unreachable(told(&error)))?;
        // It ends once nobody has its other half any more, or the upstream closes it.
        tokio::spawn(driver.map(move |_| drop(slot)));
        *self.lock() = Some(sender.clone());
        Ok(sender)
    }
}

/// Carries one request.
pub(super) async fn exchange(
    mut sender: Sender,
    request: Request<Upload>,
    address: &Arc<Address>,
) -> Result<Response<Answer>, Attempt> {
    let progress = request.body().progress();
    let mut patience = Patience::new(&address.options, progress.as_deref());
    let mut alarm = Alarm::new(Instant::now() + address.options.first_byte_timeout);
    let mut sent = std::pin::pin!(sender.try_send_request(aimed(request, address)));
    let answered = std::future::poll_fn(|context| {
        if let std::task::Poll::Ready(answered) = sent.as_mut().poll(context) {
            return std::task::Poll::Ready(Some(answered));
        }
        match alarm.has_passed(patience.due(), context) {
            true => std::task::Poll::Ready(None),
            false => std::task::Poll::Pending,
        }
    });
    match answered.await {
        None => Err(Attempt::Failed(patience.blame())),
        Some(Err(mut error)) => {
            let message = error.take_message();
            let error = error.into_error();
            Err(match message {
                Some(request) => Attempt::Unsent(Box::new(request), Failure::Unreachable(told(&error))),
                None => Attempt::Failed(failure(&error, progress.as_deref())),
            })
        }
        Some(Ok(response)) => {
            let (mut parts, incoming) = response.into_parts();
            parts.version = Version::HTTP_11;
            let answer = match incoming.is_end_stream() {
                true => Answer::Whole(bytes::Bytes::new()),
                false => Download::begin(incoming, Source::Http2(alarm), progress, &address.options).await,
            };
            Ok(Response::from_parts(parts, answer))
        }
    }
}

fn failure(error: &hyper::Error, progress: Option<&Progress>) -> Failure {
    if let Some(failure) = progress.and_then(Progress::failure) {
        return failure.clone();
    }
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<h2::Error>());
    // RFC 9113, section 8.7: nothing has been done with it.
    let refused = source.is_some_and(|source| source.reason() == Some(h2::Reason::REFUSED_STREAM));
    match refused {
        true => Failure::Unreachable(told(error)),
        false => Failure::Reset(told(error)),
    }
}

/// The request as HTTP/2 has it: its host in the target.
fn aimed(request: Request<Upload>, address: &Address) -> Request<Upload> {
    let (mut parts, mut body) = request.into_parts();
    let host = parts.headers.remove(HOST);
    parts.headers.remove(UPGRADE);
    if parts.headers.remove(EXPECT).is_some() {
        // Nobody would tell of the upstream's answer to that.
        body.let_go();
    }
    let authority = host
        .and_then(|host| Authority::from_maybe_shared(bytes::Bytes::copy_from_slice(host.as_bytes())).ok());
    let mut target = Parts::default();
    target.scheme = Some(if address.endpoint.is_secure() { Scheme::HTTPS } else { Scheme::HTTP });
    target.authority = authority.or_else(|| address.endpoint.authority().parse().ok());
    target.path_and_query = parts.uri.path_and_query().cloned();
    parts.uri = Uri::from_parts(target).unwrap_or_default();
    parts.version = Version::HTTP_2;
    Request::from_parts(parts, body)
}
