//! An answer that is noted while it is given.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::oneshot;
use tower::BoxError;

use crate::body::Body;
use crate::migrate::Answer;

/// A body, of which a note is given away once its end has passed. One that breaks off, or whose client does not wait, is
/// noted nowhere.
pub(super) struct Tee {
    body: Body,
    longest: usize,
    /// `None`: too long.
    read: Option<BytesMut>,
    note: Option<(oneshot::Sender<Answer>, Answer)>,
}

impl Tee {
    /// Notes the body of an answer, if it has no more than so many bytes.
    pub(super) fn new(body: Body, longest: usize, answer: oneshot::Sender<Answer>, noted: Answer) -> Tee {
        let mut tee = Tee { body, longest, read: Some(BytesMut::new()), note: Some((answer, noted)) };
        // Nobody asks for a body that has no part.
        tee.look();
        tee
    }

    /// Gives the note away if the end is there: nobody need ask for more after the last part.
    fn look(&mut self) {
        if self.body.is_end_stream() {
            self.end();
        }
    }

    fn end(&mut self) {
        if let Some((answer, noted)) = self.note.take() {
            let body = self.read.take().map(BytesMut::freeze);
            let _ = answer.send(Answer { body, ..noted });
        }
    }

    fn add(&mut self, data: &Bytes) {
        let fits = |read: &BytesMut| read.len() + data.len() <= self.longest;
        self.read = self.read.take().filter(fits).map(|mut read| {
            read.extend_from_slice(data);
            read
        });
    }
}

impl HttpBody for Tee {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                frame.data_ref().into_iter().for_each(|data| self.add(data));
                self.look();
            }
            Poll::Ready(None) => self.end(),
            Poll::Ready(Some(Err(_))) => self.note = None,
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
