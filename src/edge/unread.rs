//! What a client still sends after it has its answer: read and thrown away for a while.
//!
//! To close at once would reset the connection, and most clients would report that instead of the answer that they
//! were given, such as a 413.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::Version;
use http::header::EXPECT;
use http::request::Parts;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::socket::Turn;

/// How long it is read at most.
const LONGEST: Duration = Duration::from_secs(5);
/// A client that sends nothing for so long has noticed, or has gone.
const SILENCE: Duration = Duration::from_secs(1);

/// The body of a request. What is not read of it until it is dropped is thrown away.
#[derive(Debug)]
pub(super) struct Unread {
    /// `None` at its end.
    body: Option<Incoming>,
    lingers: bool,
    /// The request goes on until it is all read or thrown away. `None`: there is nothing to be read.
    turn: Option<Turn>,
}

impl Unread {
    /// Whether the rest of a request's body is read once there is an answer.
    pub(super) fn lingers(head: &Parts) -> bool {
        // HTTP/2 ends one request without the others, and who expects a 100 has not begun to send.
        head.version <= Version::HTTP_11 && !head.headers.contains_key(EXPECT)
    }

    /// A body that has just begun to come.
    pub(super) fn new(body: Incoming, lingers: bool, turn: &Turn) -> Unread {
        let turn = (!body.is_end_stream()).then(|| turn.clone());
        Unread { body: Some(body), lingers, turn }
    }
}

impl Body for Unread {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(body) = self.body.as_mut() else { return Poll::Ready(None) };
        let frame = Pin::new(body).poll_frame(context);
        match frame {
            Poll::Pending | Poll::Ready(Some(Ok(_))) => {}
            Poll::Ready(None) => self.body = None,
            Poll::Ready(Some(Err(_))) => {
                self.turn.iter().for_each(Turn::body_is_left);
                self.body = None;
            }
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) else { return };
        let Some(turn) = self.turn.take() else { return };
        match Handle::try_current() {
            Ok(runtime) if self.lingers => drop(runtime.spawn(throw_away(body, turn))),
            _ => turn.body_is_left(),
        }
    }
}

async fn throw_away(mut body: Incoming, turn: Turn) {
    let all = async { while let Ok(Some(Ok(_))) = timeout(SILENCE, body.frame()).await {} };
    let _ = timeout(LONGEST, all).await;
    if !body.is_end_stream() {
        turn.body_is_left();
    }
}
