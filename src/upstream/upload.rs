//! The body of a request on its way to an upstream: as it comes, and not longer than it may be.
//!
//! How far it is stands where the request's own task can see it: the upstream's time to answer begins at its end, and
//! when it does not go on, it must be known who is to blame.

use std::pin::Pin;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use http::Request;
use http::header::{EXPECT, HeaderMap};
use http_body_util::Full;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::time::Instant;
use tower::BoxError;

use super::Failure;
use super::alarm::Alarm;
use super::fields;
use crate::body::{Body, Stream};

/// How long an upstream is waited for that was asked whether it wants the body, and does not say.
const PATIENCE: Duration = Duration::from_secs(1);

/// A body on its way.
pub(super) enum Upload {
    /// It is there.
    Whole(Full<Bytes>),
    /// It comes.
    Stream(Box<Streamed>),
}

/// A body that comes.
pub(super) struct Streamed {
    body: Stream,
    progress: Arc<Progress>,
    left: u64,
    gate: Option<Gate>,
}

/// How far a body is.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Counts whatever happens to it.
    moves: AtomicU64,
    ended: AtomicBool,
    /// The client's next bytes are waited for.
    awaited: AtomicBool,
    failure: OnceLock<Failure>,
}

impl Progress {
    /// Changes with everything that comes of the body.
    pub(super) fn moves(&self) -> u64 {
        self.moves.load(Relaxed)
    }

    /// Whether all of it has come.
    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Relaxed)
    }

    /// Whether it is the client who does not go on.
    pub(super) fn is_awaited(&self) -> bool {
        self.awaited.load(Relaxed)
    }

    /// Why it will never be whole.
    pub(super) fn failure(&self) -> Option<&Failure> {
        self.failure.get()
    }

    fn fail(&self, failure: Failure) -> BoxError {
        let told = failure.to_string();
        let _ = self.failure.set(failure);
        told.into()
    }
}

/// What holds a body back until the upstream has said that it wants it (`Expect: 100-continue`): the client is not asked
/// for it before.
struct Gate {
    open: Arc<Open>,
    due: Instant,
    alarm: Alarm,
}

#[derive(Default)]
struct Open {
    is_open: AtomicBool,
    waker: AtomicWaker,
}

impl Gate {
    fn poll_open(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.open.waker.register(context.waker());
        let open = self.open.is_open.load(Relaxed) || self.alarm.has_passed(self.due, context);
        if open { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Upload {
    /// A request with its body, which may have so many bytes.
    pub(super) fn of(request: Request<Body>, longest: u64) -> Request<Upload> {
        let (parts, body) = request.into_parts();
        let body = match body {
            Body::Whole(body) => return Request::from_parts(parts, Upload::Whole(body)),
            Body::Stream(body) => body,
        };
        let expects = parts.headers.contains_key(EXPECT);
        let streamed = Streamed { body, progress: Arc::default(), left: longest, gate: None };
        let mut request = Request::from_parts(parts, Upload::Stream(Box::new(streamed)));
        if expects {
            request.hold_back();
        }
        request
    }

    /// How far it is; `None` if it is there.
    pub(super) fn progress(&self) -> Option<Arc<Progress>> {
        match self {
            Upload::Whole(_) => None,
            Upload::Stream(streamed) => Some(Arc::clone(&streamed.progress)),
        }
    }

    /// Nobody will say that it is wanted.
    pub(super) fn let_go(&mut self) {
        if let Upload::Stream(streamed) = self {
            streamed.gate = None;
        }
    }
}

trait HoldBack {
    fn hold_back(&mut self);
}

impl HoldBack for Request<Upload> {
    fn hold_back(&mut self) {
        let open = Arc::new(Open::default());
        let opening = Arc::clone(&open);
        hyper::ext::on_informational(self, move |told| {
            if told.status() == http::StatusCode::CONTINUE {
                opening.is_open.store(true, Relaxed);
                opening.waker.wake();
            }
        });
        if let Upload::Stream(streamed) = self.body_mut() {
            let due = Instant::now() + PATIENCE;
            streamed.gate = Some(Gate { open, due, alarm: Alarm::new(due) });
        }
    }
}

impl Streamed {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if let Some(gate) = &mut self.gate {
            ready!(gate.poll_open(context));
            self.gate = None;
        }
        let polled = self.body.as_mut().poll_frame(context);
        let progress = &self.progress;
        if polled.is_pending() {
            progress.awaited.store(true, Relaxed);
            return Poll::Pending;
        }
        progress.awaited.store(false, Relaxed);
        progress.moves.fetch_add(1, Relaxed);
        Poll::Ready(match ready!(polled) {
            None => {
                progress.ended.store(true, Relaxed);
                None
            }
            Some(Err(error)) => Some(Err(progress.fail(Failure::Client(error.to_string())))),
            Some(Ok(frame)) => Some(self.passed(frame)),
        })
    }

    fn passed(&mut self, frame: Frame<Bytes>) -> Result<Frame<Bytes>, BoxError> {
        let mut frame = frame;
        frame.trailers_mut().map(fields::clean as fn(&mut HeaderMap));
        let length = frame.data_ref().map_or(0, Bytes::len) as u64;
        self.left = self.left.checked_sub(length).ok_or_else(|| self.progress.fail(Failure::TooLarge))?;
        if self.body.is_end_stream() {
            self.progress.ended.store(true, Relaxed);
        }
        Ok(frame)
    }
}

impl HttpBody for Upload {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut *self {
            Upload::Whole(body) => Pin::new(body).poll_frame(context).map_err(|never| match never {}),
            Upload::Stream(streamed) => streamed.poll(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Upload::Whole(body) => body.is_end_stream(),
            Upload::Stream(streamed) => streamed.body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Upload::Whole(body) => body.size_hint(),
            Upload::Stream(streamed) => streamed.body.size_hint(),
        }
    }
}
