//! The running process: listeners bound, signals heeded, and an end in which nothing that was accepted is lost.

mod connection;
mod descriptors;
mod listener;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use futures_util::FutureExt;
use http::Request;
use hyper::body::Incoming;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::admin::{self, Readiness};
use crate::config::{Config, ReadyRequirement, StartChecks};
use crate::edge::{self, Edge};
use crate::gateway::{Gateway, checks, drift, limit};
use crate::socket::{Peer, Timeouts};
use crate::telemetry::Log;
use crate::tls::{self, Identity};
use connection::Shared;
use listener::Limits;

/// Between the end of `drain` and the end of the process: for answers to what was still waiting.
const LAST_ANSWERS: Duration = Duration::from_secs(1);
/// What holds for the connections of the admin listener: it answers orchestrators, monitoring and people.
const ADMIN: Limits = Limits {
    timeouts: Timeouts {
        header: Duration::from_secs(10),
        body: Duration::from_secs(30),
        idle: Duration::from_secs(75),
    },
    most: 256,
};
const ADMIN_HEAD: usize = 64 << 10;

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
    /// How often the server is compared with the manifests.
    pub watch: Option<Duration>,
    /// TLS of the public listener.
    pub tls: Option<tls::Files>,
    /// How long clients may take.
    pub timeouts: Timeouts,
    /// Connections of the public listener.
    pub max_connections: usize,
    /// What holds for every request.
    pub edge: edge::Rules,
}

impl Settings {
    /// Those of a configuration.
    pub fn of(config: &Config) -> Settings {
        let server = &config.server;
        let timeouts = &server.timeouts;
        Settings {
            listen: server.listen.value,
            admin: server.admin.value,
            drain_delay: server.drain_delay.0,
            drain: server.drain.0,
            ready_requires_nats: server.ready_requires.contains(&ReadyRequirement::Nats),
            start_checks: config.nats.start_checks == StartChecks::Warn,
            watch: config.streams.watch.as_ref().map(|every| every.value.0),
            tls: server.tls.as_ref().map(|tls| tls.files()),
            timeouts: Timeouts { header: timeouts.header.0, body: timeouts.body.0, idle: timeouts.idle.0 },
            max_connections: server.max_connections.value as usize,
            edge: edge::Rules::of(config),
        }
    }
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
    identity: Option<Identity>,
    settings: Settings,
}

impl Server {
    /// Binds both listeners, and sees to it that there are file descriptors for their connections.
    ///
    /// # Errors
    /// If an address cannot be bound, because it is not ours, or taken; or if the certificate cannot be loaded.
    pub async fn bind(mut settings: Settings) -> anyhow::Result<Server> {
        let identity = match settings.tls.take() {
            None => None,
            Some(files) => Some(spawn_blocking(|| Identity::load(files)).await?.context("server.tls")?),
        };
        settings.max_connections = descriptors::enough_for(settings.max_connections);
        let bind = |address: std::net::SocketAddr, option: &str| {
            listener::bind(address)
                .with_context(|| format!("cannot listen on {address}; choose another address with {option}"))
        };
        let public = bind(settings.listen, "--listen")?;
        let admin = bind(settings.admin, "--admin-listen")?;
        Ok(Server { public, admin, identity, settings })
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
        let Settings { drain_delay, drain, ready_requires_nats, start_checks, watch, .. } = self.settings;
        let Settings { timeouts, max_connections, edge: rules, .. } = self.settings;
        let readiness = Readiness::new(ready_requires_nats);
        let (close, end) = (CancellationToken::new(), CancellationToken::new());
        let mut background = JoinSet::new();
        background.spawn(serve_admin(self.admin, Arc::clone(&gateway), readiness.clone(), end.clone()));
        if start_checks {
            background.spawn(
                end.clone().run_until_cancelled_owned(checks::watch(Arc::clone(&gateway))).map(|_| ()),
            );
        }
        if let Some(every) = watch {
            let watched = drift::watch(Arc::clone(&gateway), every);
            background.spawn(end.clone().run_until_cancelled_owned(watched).map(|_| ()));
        }
        background
            .spawn(end.clone().run_until_cancelled_owned(limit::forget(Arc::clone(&gateway))).map(|_| ()));
        let verifiers = gateway.verifiers().clone().watch();
        background.spawn(end.clone().run_until_cancelled_owned(verifiers).map(|_| ()));
        if let Some(identity) = self.identity.clone() {
            background.spawn(end.clone().run_until_cancelled_owned(identity.keep_current()).map(|_| ()));
        }
        let limits = Limits { timeouts, most: max_connections };
        let edge = Edge { gateway: Arc::clone(&gateway), log, rules };
        let mut public = JoinSet::new();
        public.spawn(serve_public(self.public, self.identity, edge, limits, close.clone()));

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
    let answer = move |peer: Peer, request: Request<Incoming>| {
        let answered = router.clone().oneshot(request);
        answered.map(move |answered| {
            drop(peer);
            answered.unwrap_or_else(|never| match never {})
        })
    };
    listener::serve(listener, Shared::new(answer, ADMIN_HEAD, None), ADMIN, end).await;
}

async fn serve_public(
    listener: TcpListener,
    identity: Option<Identity>,
    edge: Edge,
    limits: Limits,
    close: CancellationToken,
) {
    let longest_head = edge.rules.longest_head();
    let edge = Arc::new(edge);
    let answer = move |peer, request| Arc::clone(&edge).entry(peer, request);
    listener::serve(listener, Shared::new(answer, longest_head, identity), limits, close).await;
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
