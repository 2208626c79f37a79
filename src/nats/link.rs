//! Keeps one session alive for as long as anybody has use for it: connects, watches, replaces.
//! Nothing is sent here; `session` says what a session is.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use async_nats::ServerAddr;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::connect;
use super::options::Options;
use super::servers::{Backoff, Servers};
use super::session::{Session, Watched};

/// How long a session of a server in lame duck mode may finish what it has begun.
const LAME_DUCK_GRACE: Duration = Duration::from_secs(60);

/// How often a session that is to go is asked whether anyone still waits in it.
const LAME_DUCK_LOOK: Duration = Duration::from_millis(20);

/// What all links of a [`super::Nats`] have in common.
pub(super) struct Shared {
    pub(super) options: Options,
    pub(super) servers: Servers,
    pub(super) links: Vec<Link>,
    /// Requests that wait, over all sessions, also those that are on their way out.
    pub(super) waiting: Arc<AtomicUsize>,
    /// Counts connects and losses.
    pub(super) changes: watch::Sender<u64>,
    pub(super) reconnects: AtomicU64,
    pub(super) last_error: Mutex<Option<String>>,
    pub(super) stop: CancellationToken,
    pub(super) tasks: TaskTracker,
}

/// One connection to NATS over time.
#[derive(Default)]
pub(super) struct Link {
    current: ArcSwapOption<Session>,
}

impl Link {
    /// The session to send with, if there is one that works.
    pub(super) fn session(&self) -> Option<Arc<Session>> {
        self.current.load_full().filter(|session| session.is_usable())
    }

    /// Takes the session out for good.
    pub(super) fn take(&self) -> Option<Arc<Session>> {
        self.current.swap(None)
    }
}

impl Shared {
    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// Logs what went wrong, at length only if it is news.
    fn note(&self, message: &str, server: &ServerAddr, error: String) {
        let mut last = self.last_error.lock().unwrap_or_else(PoisonError::into_inner);
        let (host, port) = (server.host(), server.port());
        if last.as_ref() == Some(&error) {
            tracing::debug!(nats.server = %format_args!("{host}:{port}"), error, "{message}");
        } else {
            tracing::warn!(nats.server = %format_args!("{host}:{port}"), error, "{message}");
            *last = Some(error);
        }
    }
}

/// Supervises one link until told to stop. What is in the link then is left there for whoever shuts down.
pub(super) async fn supervise(shared: Arc<Shared>, index: usize) {
    let stop = shared.stop.clone();
    let _stopped = stop.run_until_cancelled(keep(shared, index)).await;
}

async fn keep(shared: Arc<Shared>, index: usize) {
    let Some(link) = shared.links.get(index) else { return };
    let mut supervisor =
        Supervisor { shared: Arc::clone(&shared), servers: shared.servers.clone(), established: false };
    loop {
        let (mut session, mut server) = supervisor.establish(None).await;
        link.current.store(Some(Arc::clone(&session)));
        shared.changed();
        loop {
            match session.watch().await {
                Watched::Ended(reason) => {
                    link.current.store(None);
                    shared.note("connection to nats lost", &server, reason);
                    shared.changed();
                    break;
                }
                Watched::LameDuck => {
                    tracing::info!(
                        nats.server = server.host(),
                        "server is about to stop, moving to another one"
                    );
                    let (new, its_server) = supervisor.establish(Some(&server)).await;
                    let old = link.current.swap(Some(Arc::clone(&new)));
                    shared.changed();
                    if let Some(old) = old {
                        shared.tasks.spawn(retire(old, shared.stop.clone()));
                    }
                    (session, server) = (new, its_server);
                }
            }
        }
    }
}

struct Supervisor {
    shared: Arc<Shared>,
    servers: Servers,
    established: bool,
}

impl Supervisor {
    /// Tries every server, round after round, until one lets us in.
    async fn establish(&mut self, avoid: Option<&ServerAddr>) -> (Arc<Session>, ServerAddr) {
        let mut backoff = Backoff::new();
        if self.established && avoid.is_none() {
            // Everyone else lost the same server at the same moment.
            sleep(backoff.next()).await;
        }
        loop {
            for server in self.servers.round(avoid) {
                match connect::open(&self.shared.options, &server, Arc::clone(&self.shared.waiting)).await {
                    Ok(session) => return (Arc::new(self.entered(session, &server)), server),
                    Err(error) => self.shared.note("cannot connect to nats", &server, error),
                }
            }
            sleep(backoff.next()).await;
        }
    }

    fn entered(&mut self, session: Session, server: &ServerAddr) -> Session {
        let info = session.server();
        self.servers.learn(&info.connect_urls, server);
        if self.established {
            self.shared.reconnects.fetch_add(1, Ordering::Relaxed);
        }
        self.established = true;
        tracing::info!(
            nats.server = %format_args!("{}:{}", server.host(), server.port()),
            nats.server_name = info.server_name,
            nats.version = info.version,
            "connected to nats"
        );
        session
    }
}

/// Lets a session finish: until nobody waits in it, its server is gone, or the grace is over.
async fn retire(session: Arc<Session>, stop: CancellationToken) {
    let finished = async {
        loop {
            // First a pause: whoever took this session just before it was replaced still enters it.
            sleep(LAME_DUCK_LOOK).await;
            if session.waiting() == 0 {
                break;
            }
        }
    };
    let finished = async {
        tokio::select! {
            () = finished => {}
            _reason = session.ended() => {}
        }
    };
    let _in_time = stop.run_until_cancelled(timeout(LAME_DUCK_GRACE, finished)).await;
    session.close(Instant::now() + Duration::from_secs(1)).await;
}
