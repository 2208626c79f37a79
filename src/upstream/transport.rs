//! The bytes of one connection to an upstream, plain or encrypted. It is noted whether any were written: that is what
//! tells a request which may have been executed from one that was not.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::pool::Slot;
use crate::socket::{self, read_ahead};

/// A connection.
#[derive(Debug)]
pub(super) struct Transport {
    stream: socket::Transport,
    marks: Arc<Marks>,
}

/// What has been noted of a connection.
#[derive(Debug, Default)]
pub(super) struct Marks {
    written: AtomicBool,
    broken: AtomicBool,
}

impl Marks {
    /// A request begins.
    pub(super) fn begin(&self) {
        self.written.store(false, Relaxed);
    }

    /// Whether any byte has been written since.
    pub(super) fn has_written(&self) -> bool {
        self.written.load(Relaxed)
    }

    /// Whether writing has failed.
    pub(super) fn is_broken(&self) -> bool {
        self.broken.load(Relaxed)
    }
}

impl Transport {
    pub(super) fn new(stream: socket::Transport) -> Transport {
        Transport { stream, marks: Arc::default() }
    }

    pub(super) fn marks(&self) -> Arc<Marks> {
        Arc::clone(&self.marks)
    }

    /// Whether TLS has agreed on HTTP/2.
    pub(super) fn speaks_http2(&self) -> bool {
        self.stream.alpn() == Some(b"h2")
    }

    /// An upstream that has heard enough may close while we write, with its answer on the way. So a failure to write
    /// says nothing yet: what is left goes nowhere, and reading tells how it ended.
    fn wrote(&self, written: Poll<io::Result<usize>>, length: usize) -> Poll<io::Result<usize>> {
        Poll::Ready(match ready!(written) {
            Ok(count) => {
                if count > 0 && !self.marks.written.load(Relaxed) {
                    self.marks.written.store(true, Relaxed);
                }
                Ok(count)
            }
            Err(_) => {
                self.marks.broken.store(true, Relaxed);
                Ok(length)
            }
        })
    }
}

impl AsyncRead for Transport {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Transport {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.marks.is_broken() {
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(written, bytes.len())
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = pieces.iter().map(|piece| piece.len()).sum();
        if self.marks.is_broken() {
            return Poll::Ready(Ok(length));
        }
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.wrote(written, length)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.marks.is_broken() {
            return Poll::Ready(Ok(()));
        }
        if ready!(Pin::new(&mut self.stream).poll_flush(context)).is_err() {
            self.marks.broken.store(true, Relaxed);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// A connection that speaks another protocol now, from its next byte on.
#[derive(Debug)]
pub struct Tunnel {
    transport: Transport,
    /// What has been read of it already.
    ahead: Bytes,
    _slot: Slot,
}

impl Tunnel {
    pub(super) fn new(transport: Transport, ahead: Bytes, slot: Slot) -> Tunnel {
        Tunnel { transport, ahead, _slot: slot }
    }
}

impl AsyncRead for Tunnel {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match read_ahead(&mut self.ahead, buffer) {
            true => Poll::Ready(Ok(())),
            false => Pin::new(&mut self.transport).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.transport).poll_write(context, bytes));
        // Here nothing but the end of the other side will come of it.
        match self.transport.marks.is_broken() {
            true => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            false => Poll::Ready(written),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_shutdown(context)
    }
}
