//! Bodies as the gateway hands them on: whole, or as they come.

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
            (_, None) => Body::stream(body),
            (_, first) => Body::Stream(Box::pin(Begun { first, body })),
        }
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
    first: Option<Result<Frame<Bytes>, BoxError>>,
    body: B,
}

impl<B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Unpin> HttpBody for Begun<B> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match self.first.take() {
            Some(first) => Poll::Ready(Some(first)),
            None => Pin::new(&mut self.body).poll_frame(context).map_err(Into::into),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let Some(Ok(first)) = &self.first else { return self.body.size_hint() };
        let read = first.data_ref().map_or(0, Bytes::len) as u64;
        match self.body.size_hint().exact() {
            Some(exact) => SizeHint::with_exact(exact + read),
            None => self.body.size_hint(),
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
