//! The running process: listeners bound, signals heeded, and an end in which nothing that was accepted is lost.

mod listener;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use futures_util::FutureExt;
use http::Request;
use hyper::body::Incoming;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::admin::{self, Readiness};
use crate::edge::Edge;
use crate::gateway::{Gateway, checks};
use crate::telemetry::Log;

/// Between the end of `drain` and the end of the process: for answers to what was still waiting.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// How the process listens and ends.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Address of the public listener.
    pub listen: std::net::SocketAddr,
    /// Address of the admin listener.
    pub admin: std::net::SocketAddr,
    /// After the signal to end, everything goes on for so long, but readiness is false.
    pub drain_delay: Duration,
    /// How long requests in flight may then take.
    pub drain: Duration,
    /// Readiness follows the connection to NATS.
    pub ready_requires_nats: bool,
    /// Look at the live server for what the operations need.
    pub start_checks: bool,
}

/// The addresses that are really bound.
#[derive(Debug, Clone)]
pub struct Bound {
    /// Of the public listener.
    pub public: std::net::SocketAddr,
    /// Of the admin listener.
    pub admin: std::net::SocketAddr,
}

/// The listeners of a process that is about to serve.
#[derive(Debug)]
pub struct Server {
    public: TcpListener,
    admin: TcpListener,
    settings: Settings,
}

impl Server {
    /// Binds both listeners.
    ///
    /// # Errors
    /// If an address cannot be bound: it is not ours, or taken.
    pub async fn bind(settings: Settings) -> anyhow::Result<Server> {
        let bind = async |address: std::net::SocketAddr, option: &str| {
            TcpListener::bind(address)
                .await
                .with_context(|| format!("cannot listen on {address}; choose another address with {option}"))
        };
        let public = bind(settings.listen, "--listen").await?;
        let admin = bind(settings.admin, "--admin-listen").await?;
        Ok(Server { public, admin, settings })
    }

    /// The addresses that are really bound, also where port 0 was asked for.
    ///
    /// # Errors
    /// If the system does not tell.
    pub fn bound(&self) -> anyhow::Result<Bound> {
        Ok(Bound { public: self.public.local_addr()?, admin: self.admin.local_addr()? })
    }

    /// Serves until `stop` is cancelled, then drains. With a log, every request gets its access line there.
    pub async fn run(self, gateway: Arc<Gateway>, log: Option<Log>, stop: CancellationToken) {
        let Settings { drain_delay, drain, ready_requires_nats, start_checks, .. } = self.settings;
        let readiness = Readiness::new(ready_requires_nats);
        let (close, end) = (CancellationToken::new(), CancellationToken::new());
        let mut background = JoinSet::new();
        background.spawn(serve_admin(self.admin, Arc::clone(&gateway), readiness.clone(), end.clone()));
        if start_checks {
            background.spawn(
                end.clone().run_until_cancelled_owned(checks::watch(Arc::clone(&gateway))).map(|_| ()),
            );
        }
        let mut public = JoinSet::new();
        public.spawn(serve_public(self.public, Arc::clone(&gateway), log, close.clone()));

        stop.cancelled().await;
        readiness.end();
        tracing::info!(drain_delay_ms = drain_delay.as_millis() as u64, "stopping: not ready any more");
        sleep(drain_delay).await;
        close.cancel();
        drain_requests(&gateway, &mut public, drain).await;
        end.cancel();
        gateway.nats().shutdown(Instant::now() + LAST_ANSWERS).await;
        finish_within(LAST_ANSWERS, &mut background).await;
        tracing::info!("stopped");
    }
}

async fn serve_admin(
    listener: TcpListener,
    gateway: Arc<Gateway>,
    readiness: Readiness,
    end: CancellationToken,
) {
    let router = admin::router(gateway, readiness);
    let answer = move |_, request: Request<Incoming>| {
        router.clone().oneshot(request).map(|answered| answered.unwrap_or_else(|never| match never {}))
    };
    listener::serve(listener, answer, end).await;
}

async fn serve_public(
    listener: TcpListener,
    gateway: Arc<Gateway>,
    log: Option<Log>,
    close: CancellationToken,
) {
    let edge = Arc::new(Edge { gateway, log });
    let answer = move |peer, request| {
        let edge = Arc::clone(&edge);
        async move { edge.entry(peer, request).await }
    };
    listener::serve(listener, answer, close).await;
}

/// Whether all tasks ended in time.
async fn finish_within(time: Duration, tasks: &mut JoinSet<()>) -> bool {
    tokio::time::timeout(time, async { while tasks.join_next().await.is_some() {} }).await.is_ok()
}

/// Lets what is in flight finish. What is not done by then is answered honestly: nothing new is taken, and
/// whoever still waits for NATS hears that the connection has gone.
async fn drain_requests(gateway: &Gateway, public: &mut JoinSet<()>, drain: Duration) {
    if finish_within(drain, public).await {
        return;
    }
    tracing::warn!(in_flight = gateway.in_flight(), "connections were still open at the end of the drain");
    gateway.close();
    gateway.nats().shutdown(Instant::now() + LAST_ANSWERS).await;
    finish_within(LAST_ANSWERS, public).await;
    public.abort_all();
}

/// Cancels the token at SIGTERM or Ctrl-C; a second one ends the process at once.
///
/// # Errors
/// If the system lets no signal handler be set.
pub fn stop_on_signal(stop: CancellationToken) -> anyhow::Result<()> {
    let mut term = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        for second in [false, true] {
            tokio::select! {
                _ = term.recv() => {}
                _ = interrupt.recv() => {}
            }
            if second {
                std::process::exit(1);
            }
            stop.cancel();
        }
    });
    Ok(())
}
