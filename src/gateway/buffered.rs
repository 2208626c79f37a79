//! Reading a body whole, without ever losing what has come of it: one that is too long, or slow, goes on as it is.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body as HttpBody, Frame};
use tokio::time::{Instant, timeout_at};
use tower::BoxError;

use crate::body::Body;

/// How long a body is waited for whose request must not wait.
const SOON: Duration = Duration::from_secs(1);

/// A body that was to be read whole.
pub(super) enum Buffered {
    /// It was.
    Whole(Bytes),
    /// It is too long, slow, or broke off: what has come of it, and the rest.
    Part(Body),
}

impl Buffered {
    /// As [`Buffered::read`], if it comes soon.
    pub(super) async fn soon<B>(body: B, most: usize) -> Buffered
    where
        B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        Buffered::read(body, most, Instant::now() + SOON).await
    }

    /// Reads a body of at most so many bytes until a time.
    pub(super) async fn read<B>(body: B, most: usize, until: Instant) -> Buffered
    where
        B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        if body.is_end_stream() {
            return Buffered::Whole(Bytes::new());
        }
        if body.size_hint().lower() > most as u64 {
            return Buffered::Part(Body::stream(body));
        }
        let (mut read, mut rest) = (BytesMut::new(), Box::pin(body));
        let next = loop {
            match timeout_at(until, rest.frame()).await {
                Err(_) => break None,
                Ok(None) => return Buffered::Whole(read.freeze()),
                Ok(Some(Err(error))) => break Some(Err(error.into())),
                Ok(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => read.extend_from_slice(&data),
                    // Trailers are the last of it, and what is whole has none.
                    Err(frame) => break Some(Ok(frame)),
                },
            }
            if read.len() > most {
                break None;
            }
        };
        let read = (!read.is_empty()).then(|| Ok(Frame::data(read.freeze())));
        Buffered::Part(Body::begun(read.into_iter().chain(next), rest))
    }
}
