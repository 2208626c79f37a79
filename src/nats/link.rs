//! Keeps one session alive for as long as anybody has use for it: connects, watches, replaces.
//! Nothing is sent here; `session` says what a session is.

use std::collections::HashSet;
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

/// Different failures that are logged while no server lets us in.
const MOST_TOLD: usize = 32;

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

    fn note(&self, error: String) {
        *self.last_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    fn lost(&self, server: &ServerAddr, reason: String) {
        tracing::warn!(nats.server = %place(server), error = reason, "connection to nats lost");
        self.note(reason);
        self.changed();
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
    let mut leaving = None;
    loop {
        let (session, server) = supervisor.establish(leaving.as_ref()).await;
        if let Some(old) = link.current.swap(Some(Arc::clone(&session))) {
            shared.tasks.spawn(retire(old, shared.stop.clone()));
        }
        shared.changed();
        leaving = match session.watch().await {
            Watched::Ended(reason) => {
                link.take();
                shared.lost(&server, reason);
                None
            }
            Watched::LameDuck => {
                tracing::info!(nats.server = %place(&server), "server is about to stop, moving to another one");
                Some(server)
            }
        };
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
        // What was said once about a server is not said again until we are in.
        let mut told = HashSet::new();
        loop {
            for server in self.servers.round(avoid) {
                match connect::open(&self.shared.options, &server, Arc::clone(&self.shared.waiting)).await {
                    Ok(session) => return (Arc::new(self.entered(session, &server)), server),
                    Err(error) => {
                        let server = place(&server);
                        if told.len() < MOST_TOLD && told.insert(format!("{server} {error}")) {
                            tracing::warn!(nats.server = server, error, "cannot connect to nats, trying on");
                        }
                        self.shared.note(error);
                    }
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
            nats.server = %place(server),
            nats.server_name = info.server_name,
            nats.version = info.version,
            "connected to nats"
        );
        session
    }
}

/// A server as it may be shown: without the credentials that its URL may hold.
fn place(server: &ServerAddr) -> String {
    format!("{}:{}", server.host(), server.port())
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
