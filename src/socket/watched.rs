//! The bytes of a connection, plain or encrypted, on their way between the system and the HTTP library: counted by the
//! [`Clock`], never changed.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::clock::Clock;
use super::streams::Traffic;
use super::transport::{Transport, read_ahead};

/// What HTTP/2 begins with.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Said to whoever does not get its head done, with as much as can be said without a request.
const LATE: &[u8] = b"HTTP/1.1 408 Request Timeout\r\n\
    natsgate-code: request_timeout\r\nnatsgate-outcome: not_executed\r\n\
    connection: close\r\ncontent-length: 0\r\n\r\n";

/// A transport with an eye on it.
#[derive(Debug)]
pub struct Watched {
    transport: Transport,
    clock: Arc<Clock>,
    protocol: Protocol,
    is_stalled: bool,
    /// What has been read and is still to be given to the library.
    ahead: Bytes,
}

#[derive(Debug)]
enum Protocol {
    /// So many bytes of HTTP/2's beginning have come, and nothing else.
    Unknown(usize),
    Http1,
    Http2(Box<Traffic>),
}

/// What is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spoken {
    /// HTTP/1.1 or HTTP/1.0, or nothing that we know.
    Http1,
    /// HTTP/2.
    Http2,
}

impl Watched {
    /// A connection from its first byte on.
    pub fn new(transport: Transport, clock: Arc<Clock>) -> Watched {
        Watched { transport, clock, protocol: Protocol::Unknown(0), is_stalled: false, ahead: Bytes::new() }
    }

    /// Waits for as many bytes as say what is spoken, and keeps them for whoever reads then; `None` at the end.
    ///
    /// # Errors
    /// If the connection breaks, or its time is up.
    pub async fn begin(&mut self) -> io::Result<Option<Spoken>> {
        let (mut bytes, mut filled) = ([0; PREFACE.len()], 0);
        let ended = poll_fn(|context| {
            while !self.is_begun(filled) {
                let mut buffer = ReadBuf::new(bytes.get_mut(filled..).unwrap_or_default());
                ready!(self.poll_transport(context, &mut buffer))?;
                match buffer.filled().len() {
                    0 => return Poll::Ready(Ok::<_, io::Error>(filled == 0)),
                    some => filled += some,
                }
            }
            Poll::Ready(Ok(false))
        })
        .await?;
        if filled > 0 {
            self.ahead = Bytes::copy_from_slice(bytes.get(..filled).unwrap_or_default());
        }
        Ok((!ended).then_some(match self.protocol {
            Protocol::Http2(_) => Spoken::Http2,
            Protocol::Unknown(_) | Protocol::Http1 => Spoken::Http1,
        }))
    }

    fn is_begun(&self, filled: usize) -> bool {
        match self.protocol {
            Protocol::Unknown(_) => false,
            Protocol::Http1 => filled > 0 || !self.ahead.is_empty(),
            Protocol::Http2(_) => true,
        }
    }

    /// Takes back what has been read and not been looked at: it begins the next head.
    pub fn unread(&mut self, bytes: Bytes) {
        // An empty one may hold a whole buffer.
        if !bytes.is_empty() {
            self.clock.heard();
            self.ahead = bytes;
        }
    }

    fn came(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.protocol {
            Protocol::Http1 => self.clock.heard(),
            Protocol::Unknown(matched) => {
                self.clock.heard();
                let rest = PREFACE.get(*matched..).unwrap_or_default();
                let some = rest.len().min(bytes.len());
                if bytes.get(..some) != rest.get(..some) {
                    self.protocol = Protocol::Http1;
                } else if some < rest.len() {
                    *matched += some;
                } else {
                    self.clock.speaks_http2();
                    self.protocol = Protocol::Http2(Box::default());
                    return self.came(bytes.get(some..).unwrap_or_default());
                }
            }
            Protocol::Http2(traffic) => {
                let heads = traffic.came(bytes, &mut self.clock.streams());
                let heads = heads
                    .map_err(|_| io::Error::new(io::ErrorKind::ConnectionAborted, "a flood of frames"))?;
                self.clock.head(heads.under_way, heads.begun);
            }
        }
        Ok(())
    }

    /// So many bytes of these were taken.
    fn went<'a>(&mut self, pieces: impl Iterator<Item = &'a [u8]>, mut count: usize) {
        if self.is_stalled {
            self.clock.took(count);
        }
        let Protocol::Http2(traffic) = &mut self.protocol else { return };
        let mut streams = self.clock.streams();
        for piece in pieces {
            let piece = piece.get(..count.min(piece.len())).unwrap_or_default();
            count -= piece.len();
            traffic.went(piece, &mut streams, || self.clock.went_on());
        }
    }

    fn wait<T>(&mut self, polled: Poll<T>) -> Poll<T> {
        if polled.is_pending() {
            self.is_stalled = true;
            self.clock.stall();
        }
        polled
    }

    fn late(&mut self, context: &mut Context<'_>) -> io::Error {
        if !matches!(self.protocol, Protocol::Http2(_)) && self.clock.is_in_head() {
            // As far as there is room for it: nothing else is under way.
            let _ = Pin::new(&mut self.transport).poll_write(context, LATE);
            let _ = Pin::new(&mut self.transport).poll_flush(context);
        }
        io::ErrorKind::TimedOut.into()
    }
}

impl Watched {
    fn poll_transport(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.clock.is_expired() {
            return Poll::Ready(Err(self.late(context)));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.transport).poll_read(context, buffer))?;
        let bytes = buffer.filled().get(before..).unwrap_or_default();
        Poll::Ready(if bytes.is_empty() { Ok(()) } else { self.came(bytes) })
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match read_ahead(&mut self.ahead, buffer) {
            true => Poll::Ready(Ok(())),
            false => self.poll_transport(context, buffer),
        }
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.transport).poll_write(context, bytes);
        if let Poll::Ready(Ok(count)) = written {
            self.went(std::iter::once(bytes), count);
        }
        self.wait(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.transport).poll_write_vectored(context, pieces);
        if let Poll::Ready(Ok(count)) = written {
            self.went(pieces.iter().map(|piece| &**piece), count);
        }
        self.wait(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.transport.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.transport).poll_flush(context);
        if flushed.is_ready() && self.is_stalled {
            self.is_stalled = false;
            self.clock.flow();
        }
        self.wait(flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.transport).poll_shutdown(context);
        self.wait(shut)
    }
}
