//! A listener: connections are accepted, up to as many as may be, and ended in order.
//!
//! Where there is no place left, those that have waited longest without being in a request make room, so that nobody
//! keeps others out by connecting and saying nothing. Only where every connection is in a request, new ones wait in the
//! system's queue.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::{Body, Incoming};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{Id, JoinSet};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tower::BoxError;

use super::connection::{Shared, see_through};
use crate::socket::{Clock, Peer, Timeouts};

/// How long connections are still accepted after the end was announced: those that the system holds for us already
/// would be reset, with the requests in them.
const BACKLOG: Duration = Duration::from_millis(20);
/// After a failed accept, or where there is no place, before the next look.
const BREATH: Duration = Duration::from_millis(50);
/// A connection that has waited for less than this may have its first request on the way.
const PATIENCE: Duration = Duration::from_millis(250);
/// The part of all connections that makes room at a time: to look for them costs more than to end them.
const PART: usize = 100;

/// Connections that the system may hold for us: every client of an instance that has gone comes at once.
const QUEUE: u32 = 4096;

/// A listener on an address.
///
/// # Errors
/// If the address is not ours, or taken.
pub(super) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // What is left of connections of a former process does not hold the address.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(QUEUE)
}

/// What holds for every connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) timeouts: Timeouts,
    /// How many there may be.
    pub(super) most: usize,
}

/// Serves connections until `close` is cancelled; then waits for those that are open, each of which ends after the
/// request that it is in. `count` has how many are open.
pub(super) async fn serve<A, F, B>(
    listener: TcpListener,
    shared: Shared<A>,
    limits: Limits,
    count: &AtomicUsize,
    close: CancellationToken,
) where
    A: Fn(Peer, Request<Incoming>) -> F + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: Body<Data: Send, Error: Into<BoxError>> + Send + 'static,
{
    let shared = Arc::new(shared);
    let mut open = Open { tasks: JoinSet::new(), clocks: HashMap::new(), most: limits.most, count };
    let mut last = None;
    while let Some(next) = open.next(&listener, &close, &mut last).await {
        match next {
            Ok((stream, peer)) => {
                // Answers are small and whole: waiting to fill a packet would only delay them.
                let _ = stream.set_nodelay(true);
                let clock = Clock::start(limits.timeouts);
                open.add(see_through(Arc::clone(&shared), stream, peer.ip(), Arc::clone(&clock)), clock);
            }
            Err(error) => {
                tracing::warn!(%error, connections = open.clocks.len(), "a connection could not be accepted");
                // Mostly there is no file descriptor left.
                open.make_room();
                sleep(BREATH).await;
            }
        }
    }
    drop(listener);
    open.clocks.values().for_each(|clock| clock.close());
    while let Some(ended) = open.tasks.join_next_with_id().await {
        open.remove(ended);
    }
}

/// The connections that are open.
struct Open<'a> {
    tasks: JoinSet<()>,
    clocks: HashMap<Id, Arc<Clock>>,
    most: usize,
    count: &'a AtomicUsize,
}

impl Open<'_> {
    fn add(&mut self, connection: impl Future<Output = ()> + Send + 'static, clock: Arc<Clock>) {
        let task = self.tasks.spawn(connection);
        self.clocks.insert(task.id(), clock);
        self.count.store(self.clocks.len(), Ordering::Relaxed);
    }

    /// The next connection, until `close` is cancelled and whoever had connected by then has been accepted.
    async fn next(
        &mut self,
        listener: &TcpListener,
        close: &CancellationToken,
        last: &mut Option<Instant>,
    ) -> Option<io::Result<(TcpStream, SocketAddr)>> {
        while last.is_none() {
            let is_full = self.clocks.len() >= self.most;
            if is_full {
                self.make_room();
            }
            tokio::select! {
                biased;
                () = close.cancelled() => *last = Some(Instant::now() + BACKLOG),
                Some(ended) = self.tasks.join_next_with_id() => self.remove(ended),
                () = sleep(BREATH), if is_full => {}
                accepted = listener.accept(), if !is_full => return Some(accepted),
            }
        }
        timeout_at((*last)?, listener.accept()).await.ok()
    }

    fn remove(&mut self, ended: Result<(Id, ()), tokio::task::JoinError>) {
        let id = match ended {
            Ok((id, ())) => id,
            Err(error) => error.id(),
        };
        self.clocks.remove(&id);
        self.count.store(self.clocks.len(), Ordering::Relaxed);
    }

    /// Orders those to go that have waited longest.
    fn make_room(&self) {
        let Some(before) = Instant::now().checked_sub(PATIENCE) else { return };
        let waiting = self.clocks.values().filter_map(|clock| Some((clock.waiting_since()?, clock)));
        let mut waiting: Vec<_> = waiting.filter(|(since, _)| *since <= before).collect();
        let part = (self.clocks.len() / PART).max(1).min(waiting.len());
        let Some(last) = part.checked_sub(1) else { return };
        waiting.select_nth_unstable_by_key(last, |(since, _)| *since);
        waiting.iter().take(part).for_each(|(_, clock)| clock.make_room());
    }
}
