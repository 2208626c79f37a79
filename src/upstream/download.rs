//! The body of an answer on its way from an upstream. It has the connection that it comes on, and lets it rest at its end.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::Instant;
use tower::BoxError;

use super::address::Address;
use super::alarm::Alarm;
use super::counts::Flight;
use super::http1::{Connection, told};
use super::upload::Progress;
use super::{Answer, Options, fields};

/// Up to so many bytes, an answer that has come whole is given whole.
const SMALL: u64 = 64 << 10;

/// The body of an answer.
#[derive(Debug)]
pub struct Download {
    incoming: Incoming,
    source: Source,
    /// What has come of it already.
    ahead: Option<Ahead>,
    /// When the upstream has been silent for too long; `None` while it is not waited for.
    due: Option<Instant>,
    idle_timeout: Duration,
    /// The request's own body may not be at its end.
    progress: Option<Arc<Progress>>,
    flight: Option<Flight>,
    teller: Option<Teller>,
}

/// Tells of a body that broke off.
#[derive(Debug)]
struct Teller {
    upstream: String,
    request: String,
}

/// The first frame, or why there is none.
type Ahead = Result<Frame<Bytes>, String>;

/// Where it comes from.
#[derive(Debug)]
pub(super) enum Source {
    /// A connection of its own.
    Http1(Box<Connection>, Arc<Address>),
    /// A connection that goes on without it.
    Http2(Alarm),
    /// Nothing comes any more.
    Over,
}

impl Source {
    /// What is there of a body already.
    fn poll_at_once(&mut self, incoming: &mut Incoming, context: &mut Context<'_>) -> Option<Ahead> {
        let mut polled = Pin::new(&mut *incoming).poll_frame(context);
        if let (Poll::Pending, Source::Http1(connection, _)) = (&polled, self) {
            // If this was its end, the next look will tell.
            let _ = connection.drive(context);
            polled = Pin::new(incoming).poll_frame(context);
        }
        match polled {
            Poll::Pending => None,
            Poll::Ready(Some(Ok(frame))) => Some(Ok(frame)),
            Poll::Ready(Some(Err(error))) => Some(Err(told(&error))),
            Poll::Ready(None) => Some(Err("it ended too early".to_owned())),
        }
    }

    fn end(&mut self, context: &mut Context<'_>) {
        if let Source::Http1(connection, address) = std::mem::replace(self, Source::Over) {
            connection.rest(&address, context);
        }
    }
}

impl Download {
    /// A body that comes. What is there of a small one at once is the answer.
    pub(super) async fn begin(
        mut incoming: Incoming,
        mut source: Source,
        progress: Option<Arc<Progress>>,
        options: &Options,
    ) -> Answer {
        let mut ahead = None;
        if incoming.size_hint().exact().is_some_and(|size| size <= SMALL) {
            ahead = poll_fn(|context| Poll::Ready(source.poll_at_once(&mut incoming, context))).await;
            let is_whole = |first: &mut Ahead| first.as_ref().is_ok_and(|frame| frame.is_data());
            if incoming.is_end_stream()
                && let Some(Ok(whole)) = ahead.take_if(is_whole)
            {
                poll_fn(|context| {
                    source.end(context);
                    Poll::Ready(())
                })
                .await;
                return Answer::Whole(whole.into_data().unwrap_or_default());
            }
        }
        Answer::Stream(Box::new(Download {
            incoming,
            source,
            ahead,
            due: None,
            idle_timeout: options.idle_timeout,
            progress,
            flight: None,
            teller: None,
        }))
    }

    /// It counts as a request in flight.
    pub(super) fn count(&mut self, flight: Flight) {
        self.flight = Some(flight);
    }

    /// Whose answer it is, for the log if it breaks off.
    pub fn is_of(&mut self, upstream: &str, request: &str) {
        self.teller = Some(Teller { upstream: upstream.to_owned(), request: request.to_owned() });
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut polled = Pin::new(&mut self.incoming).poll_frame(context);
        if let (Poll::Pending, Source::Http1(connection, _)) = (&polled, &mut self.source) {
            let driven = connection.drive(context);
            polled = Pin::new(&mut self.incoming).poll_frame(context);
            if driven.is_ready() && polled.is_pending() {
                return self.broke("the connection ended");
            }
        }
        match polled {
            Poll::Ready(Some(Ok(mut frame))) => {
                self.due = None;
                frame.trailers_mut().map(fields::clean);
                if self.incoming.is_end_stream() {
                    self.end(context);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(None) => {
                self.end(context);
                Poll::Ready(None)
            }
            Poll::Ready(Some(Err(error))) => self.broke(&told(&error)),
            Poll::Pending => {
                ready!(self.poll_silence(context));
                self.broke("it was silent for too long")
            }
        }
    }

    /// Ready once the upstream has been silent for too long.
    fn poll_silence(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let due = *self.due.get_or_insert_with(|| Instant::now() + self.idle_timeout);
        let alarm = match &mut self.source {
            Source::Http1(connection, _) => &mut connection.alarm,
            Source::Http2(alarm) => alarm,
            Source::Over => return Poll::Pending,
        };
        if alarm.has_passed(due, context) { Poll::Ready(()) } else { Poll::Pending }
    }

    fn end(&mut self, context: &mut Context<'_>) {
        self.source.end(context);
        self.flight = None;
    }

    /// Whoever has the beginning must not take it for the whole.
    fn broke(&mut self, reason: &str) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.source = Source::Over;
        let by_client = self.progress.as_ref().is_some_and(|progress| progress.failure().is_some());
        if let (Some(flight), false) = (self.flight.take(), by_client) {
            flight.counts().broke();
            if let Some(Teller { upstream, request }) = self.teller.take() {
                tracing::warn!(
                    request_id = request,
                    upstream,
                    reason,
                    "the legacy service broke off its answer"
                );
            }
        }
        Poll::Ready(Some(Err(reason.to_owned().into())))
    }
}

impl Body for Download {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.ahead.take() {
            Some(Ok(frame)) => Poll::Ready(Some(Ok(frame))),
            Some(Err(reason)) => self.broke(&reason),
            None => self.poll_next(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.ahead.is_none() && self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let ahead =
            self.ahead.as_ref().and_then(|first| first.as_ref().ok()?.data_ref()).map_or(0, Bytes::len)
                as u64;
        let hint = self.incoming.size_hint();
        match hint.exact() {
            Some(exact) => SizeHint::with_exact(exact + ahead),
            None => hint,
        }
    }
}
