//! One connection, from its acceptance to its end: TLS, then HTTP/1.1 or HTTP/2, each within its time.
//!
//! A connection that rests between two requests gives back what the HTTP library holds for it, some twenty kilobytes of
//! buffers: thousands of them are what load balancers keep.

use std::convert::Infallible;
use std::net::IpAddr;
use std::ops::DerefMut;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::poll_fn;
use http::{Request, Response};
use hyper::body::{Body, Incoming};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until};
use tokio_rustls::TlsAcceptor;
use tower::BoxError;

use crate::socket::{Clock, Order, Peer, Spoken, Transport, Watched};
use crate::tls::Identity;

/// Requests of one HTTP/2 connection at a time. Enough for a page or a proxy; together with the size of a head it
/// bounds what their heads can hold.
const STREAMS: u32 = 128;
/// Streams that a client resets before they have been looked at, before the connection is ended: a usual client does not
/// change its mind within one packet (CVE-2023-44487).
const HASTY_RESETS: usize = 20;
/// Streams that we reset because a client breaks the rules, before the connection is ended.
const BROKEN_STREAMS: usize = 100;
/// What one connection, and one request of it, may have on the way to us unread. One body never fills the connection.
const CONNECTION_WINDOW: u32 = 1 << 20;
const STREAM_WINDOW: u32 = 256 << 10;
/// What is buffered of one answer beyond the client's window.
const SEND_BUFFER: usize = 64 << 10;
/// How often the other end of an HTTP/2 connection is asked whether it is there, and how long it may take to say so: a
/// network that loses a connection tells neither side.
const ALIVE: Duration = Duration::from_secs(20);
/// A connection without a request for so long is resting.
const REST: Duration = Duration::from_secs(1);
/// The smallest buffer of heads that the HTTP/1.1 library takes.
const SMALLEST_HEAD: usize = 8 << 10;

/// What the connections of a listener share.
pub(super) struct Shared<A> {
    http1: http1::Builder,
    http2: http2::Builder<TokioExecutor>,
    identity: Option<Identity>,
    answer: A,
}

impl<A> Shared<A> {
    /// `longest_head`: in bytes; above it the library answers for itself, with the status alone.
    pub(super) fn new(answer: A, longest_head: usize, identity: Option<Identity>) -> Shared<A> {
        let mut http1 = http1::Builder::new();
        // The clock of a connection tells waiting for a head from waiting within one; the library's own does not.
        http1.header_read_timeout(None).max_buf_size(longest_head.max(SMALLEST_HEAD));
        let mut http2 = http2::Builder::new(TokioExecutor::new());
        http2
            .timer(TokioTimer::new())
            .keep_alive_interval(ALIVE)
            .keep_alive_timeout(ALIVE)
            .max_concurrent_streams(STREAMS)
            .max_pending_accept_reset_streams(HASTY_RESETS)
            .max_local_error_reset_streams(BROKEN_STREAMS)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .initial_stream_window_size(STREAM_WINDOW)
            .max_send_buf_size(SEND_BUFFER)
            .max_header_list_size(u32::try_from(longest_head).unwrap_or(u32::MAX));
        Shared { http1, http2, identity, answer }
    }
}

/// Serves a connection to its end.
pub(super) async fn see_through<A, F, B>(
    shared: Arc<Shared<A>>,
    stream: TcpStream,
    ip: IpAddr,
    clock: Arc<Clock>,
) where
    A: Fn(Peer, Request<Incoming>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    let transport = match &shared.identity {
        None => Transport::Plain(stream),
        // Boxed, as all that a connection does not need for long.
        Some(identity) => match Box::pin(agree(identity, stream, &clock)).await {
            Some(transport) => transport,
            None => return,
        },
    };
    let mut watched = Watched::new(transport, Arc::clone(&clock));
    while let Some(spoken) = begin(&mut watched, &clock).await {
        let (turns, answer) = (Arc::clone(&clock), Arc::clone(&shared));
        // Mapped, not awaited in another block: a future of some thousand bytes is moved for every request.
        let service = service_fn(move |request| {
            let peer = Peer { ip, turn: turns.turn() };
            (answer.answer)(peer, request).map(Ok::<_, Infallible>)
        });
        let io = TokioIo::new(watched);
        let ended = match spoken {
            Spoken::Http1 => {
                let mut connection = Box::new(shared.http1.serve_connection(io, service));
                let finish = |connection: Pin<&mut http1::Connection<_, _>>| {
                    connection.graceful_shutdown();
                    Finish::Soon
                };
                let ended = within(&clock, Pin::new(&mut *connection), Some(REST), finish).await;
                if let Ended::Done(Ok(())) = ended
                    && let Some((tunnel, _turn)) = clock.switched()
                {
                    let parts = connection.into_parts();
                    let ended = Box::pin(tunnel.run(parts.io.into_inner(), &parts.read_buf)).await;
                    tracing::debug!(?ended, "a tunnel ended");
                    return;
                }
                if let Ended::Resting = ended {
                    let parts = connection.into_parts();
                    watched = parts.io.into_inner();
                    watched.unread(parts.read_buf);
                    continue;
                }
                ended
            }
            Spoken::Http2 => {
                let connection = Box::pin(shared.http2.serve_connection(io, service));
                let finish = |connection: Pin<&mut http2::Connection<_, _, _>>| {
                    connection.graceful_shutdown();
                    Finish::Soon
                };
                within(&clock, connection, None, finish).await
            }
        };
        if let Ended::Done(Err(error)) = ended {
            tracing::debug!(%error, "a connection ended");
        }
        return;
    }
}

/// Shakes hands.
async fn agree(identity: &Identity, stream: TcpStream, clock: &Clock) -> Option<Transport> {
    let handshake = pin!(TlsAcceptor::from(identity.current()).accept(stream));
    match within(clock, handshake, None, |_| Finish::Soon).await {
        Ended::Done(Ok(stream)) => {
            clock.restart();
            Some(Transport::tls(stream))
        }
        Ended::Done(Err(error)) => {
            tracing::debug!(%error, "TLS was not agreed on");
            None
        }
        Ended::Early | Ended::Resting => None,
    }
}

/// Waits for the first bytes. `None`: there will be none.
async fn begin(watched: &mut Watched, clock: &Clock) -> Option<Spoken> {
    match within(clock, pin!(watched.begin()), None, |_| Finish::Now).await {
        Ended::Done(Ok(spoken)) => spoken,
        _ => None,
    }
}

/// How something that a connection does came to its end.
enum Ended<T> {
    /// By itself.
    Done(T),
    /// Its time was up, or it made room.
    Early,
    /// It has been between two requests for a while.
    Resting,
}

/// What comes of asking for an end.
enum Finish {
    /// It is there.
    Now,
    /// It will come.
    Soon,
}

/// Runs what a connection does to its end. `finish` asks for it; `rest` is how long it may do nothing.
async fn within<T: Future>(
    clock: &Clock,
    mut doing: Pin<impl DerefMut<Target = T>>,
    rest: Option<Duration>,
    finish: impl Fn(Pin<&mut T>) -> Finish,
) -> Ended<T::Output> {
    let next = || {
        let due = clock.due().unwrap_or_else(|| clock.later());
        rest.map_or(due, |rest| due.min(clock.resting(rest).unwrap_or_else(|| Instant::now() + rest)))
    };
    let mut alarm = pin!(sleep_until(next()));
    poll_fn(|context| {
        clock.attach(context.waker());
        if let Poll::Ready(done) = doing.as_mut().poll(context) {
            return Poll::Ready(Ended::Done(done));
        }
        // After a look at what has come: a request that is here already shall be answered.
        if let Some(order) = clock.order() {
            if order == Order::Go || matches!(finish(doing.as_mut()), Finish::Now) {
                return Poll::Ready(Ended::Early);
            }
            if let Poll::Ready(done) = doing.as_mut().poll(context) {
                return Poll::Ready(Ended::Done(done));
            }
        }
        if clock.is_sooner()
            && let Some(due) = clock.due().filter(|due| *due < alarm.deadline())
        {
            alarm.as_mut().reset(due);
        }
        while alarm.as_mut().poll(context).is_ready() {
            let now = Instant::now();
            if clock.due().is_some_and(|due| due <= now) {
                clock.expire();
                // It reads once more, and learns that nothing comes.
                let _ = doing.as_mut().poll(context);
                return Poll::Ready(Ended::Early);
            }
            if rest.and_then(|rest| clock.resting(rest)).is_some_and(|rested| rested <= now) {
                return Poll::Ready(Ended::Resting);
            }
            alarm.as_mut().reset(next());
        }
        Poll::Pending
    })
    .await
}
