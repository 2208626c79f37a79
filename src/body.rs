//! Bodies as the gateway hands them on: whole, or as they come.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tower::BoxError;

/// A body of which the end may not be there yet.
pub type Stream = Pin<Box<dyn HttpBody<Data = Bytes, Error = BoxError> + Send>>;

/// A body, of a request that is forwarded or of an answer.
pub enum Body {
    /// All of it.
    Whole(Full<Bytes>),
    /// As it comes.
    Stream(Stream),
}

impl Body {
    /// A body that is there.
    pub fn whole(bytes: impl Into<Bytes>) -> Body {
        Body::Whole(Full::new(bytes.into()))
    }

    /// A body that comes.
    pub fn stream<B>(body: B) -> Body
    where
        B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        if body.is_end_stream() {
            return Body::default();
        }
        Body::Stream(Box::pin(body.map_err(Into::into)))
    }
}

/// Up to so many bytes, a body that has come with its head is taken whole.
const SMALL: u64 = 64 << 10;

impl Body {
    /// A body that comes; whole, if it is small and on its way already. Nobody is asked for one that is held back until it
    /// is wanted (`Expect`): those are to be streamed.
    pub async fn coming<B>(body: B) -> Body
    where
        B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
    {
        if body.is_end_stream() || body.size_hint().exact().is_none_or(|size| size > SMALL) {
            return Body::stream(body);
        }
        let mut body = body;
        let (mut first, mut is_asked) = (None, false);
        let whole = poll_fn(|context| match Pin::new(&mut body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                first = Some(Ok(frame));
                Poll::Ready(body.is_end_stream())
            }
            Poll::Ready(Some(Err(error))) => {
                first = Some(Err(error.into()));
                Poll::Ready(false)
            }
            Poll::Ready(None) => Poll::Ready(true),
            // What has been read with the head is there when this is asked for the second time.
            Poll::Pending if is_asked => Poll::Ready(false),
            Poll::Pending => {
                is_asked = true;
                Poll::Pending
            }
        });
        match (whole.await, first) {
            (true, Some(Ok(frame))) if frame.is_data() => Body::whole(frame.into_data().unwrap_or_default()),
            (true, None) => Body::default(),
            (_, first) => Body::begun(first, body),
        }
    }

    /// A body of which the beginning has been read: these frames come before the rest.
    pub fn begun<B>(read: impl IntoIterator<Item = Result<Frame<Bytes>, BoxError>>, rest: B) -> Body
    where
        B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
    {
        let read: VecDeque<_> = read.into_iter().collect();
        if read.is_empty() {
            return Body::stream(rest);
        }
        Body::Stream(Box::pin(Begun { read, rest }))
    }

    /// Keeps something for as long as it is on its way.
    #[must_use]
    pub fn holding<T: Send + Unpin + 'static>(self, held: T) -> Body {
        match self {
            Body::Whole(_) => self,
            Body::Stream(body) => Body::Stream(Box::pin(Holding { body, _held: held })),
        }
    }
}

/// A body of which the beginning has been read.
struct Begun<B> {
    read: VecDeque<Result<Frame<Bytes>, BoxError>>,
    rest: B,
}

impl<B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Unpin> HttpBody for Begun<B> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.read.pop_front() {
            Some(read) => Poll::Ready(Some(read)),
            None => Pin::new(&mut self.rest).poll_frame(context).map_err(Into::into),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.read.is_empty() && self.rest.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let data = self.read.iter().flatten().filter_map(Frame::data_ref);
        let read: usize = data.map(Bytes::len).sum();
        match self.rest.size_hint().exact() {
            Some(exact) => SizeHint::with_exact(exact + read as u64),
            None => self.rest.size_hint(),
        }
    }
}

struct Holding<T> {
    body: Stream,
    _held: T,
}

impl<T: Unpin> HttpBody for Holding<T> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.body.as_mut().poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Default for Body {
    fn default() -> Body {
        Body::Whole(Full::default())
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Body::Whole(_) => "Whole",
            Body::Stream(_) => "Stream",
        })
    }
}

impl From<Full<Bytes>> for Body {
    fn from(body: Full<Bytes>) -> Body {
        Body::Whole(body)
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut *self {
            Body::Whole(body) => Pin::new(body).poll_frame(context).map_err(|never| match never {}),
            Body::Stream(body) => body.as_mut().poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Body::Whole(body) => body.is_end_stream(),
            Body::Stream(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Body::Whole(body) => body.size_hint(),
            Body::Stream(body) => body.size_hint(),
        }
    }
}
