//! The running process: listeners bound, signals heeded, and an end in which nothing that was accepted is lost.

mod background;
mod connection;
mod descriptors;
mod listener;
mod signals;
mod traces;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use anyhow::Context;
use futures_util::FutureExt;
use http::Request;
use hyper::body::Incoming;
use tokio::net::TcpListener;
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::admin::access::{Access, PeerAddress};
use crate::admin::{self, Readiness};
use crate::config::{Config, Evidence, ReadyRequirement, Secret, StartChecks, Telemetry};
use crate::edge::{self, Edge};
use crate::gateway::reload::Reloader;
use crate::gateway::{Gateway, evidence};
use crate::socket::{Peer, Timeouts};
use crate::telemetry::traces::{Exporter, LAST_SPANS};
use crate::telemetry::{Log, Sample, Tracer};
use crate::tls::{self, Identity};
use background::{Background, finish_within};
use connection::Shared;
use listener::Limits;
pub use signals::{reload_on_signal, stop_on_signal};

/// Between the end of `drain` and the end of the process: for answers to what was still waiting.
const LAST_ANSWERS: Duration = Duration::from_secs(1);
/// For evidence that is not stored yet.
const LAST_EVIDENCE: Duration = Duration::from_secs(2);
/// What holds for the connections of the admin listener: it answers orchestrators, monitoring and people.
const ADMIN: Limits = Limits {
    timeouts: Timeouts {
        header: Duration::from_secs(10),
        // Those that take nothing of their answers must not hold all places for longer than an orchestrator's patience.
        body: Duration::from_secs(5),
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
    /// What the API of the admin listener asks for.
    pub admin_token: Option<Secret>,
    /// What the API tells of what is read at start.
    pub facts: Arc<serde_json::Value>,
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
    /// Load changed files of the configuration by themselves.
    pub watch_files: bool,
    /// TLS of the public listener.
    pub tls: Option<tls::Files>,
    /// How long clients may take.
    pub timeouts: Timeouts,
    /// Connections of the public listener.
    pub max_connections: usize,
    /// What holds for every request.
    pub edge: edge::Rules,
    /// What is told of requests.
    pub telemetry: Telemetry,
    /// Where the evidence of migrations is kept.
    pub evidence: Evidence,
}

impl Settings {
    /// Those of a configuration.
    pub fn of(config: &Config) -> Settings {
        let server = &config.server;
        let timeouts = &server.timeouts;
        Settings {
            listen: server.listen.value,
            admin: server.admin.value,
            admin_token: server.admin_token.as_ref().map(|token| token.value.clone()),
            facts: Arc::new(admin::facts(config)),
            drain_delay: server.drain_delay.0,
            drain: server.drain.0,
            ready_requires_nats: server.ready_requires.contains(&ReadyRequirement::Nats),
            start_checks: config.nats.start_checks == StartChecks::Warn,
            watch: config.streams.watch.as_ref().map(|every| every.value.0),
            watch_files: server.watch_files,
            tls: server.tls.as_ref().map(|tls| tls.files()),
            timeouts: Timeouts { header: timeouts.header.0, body: timeouts.body.0, idle: timeouts.idle.0 },
            max_connections: server.max_connections.value as usize,
            edge: edge::Rules::of(config),
            telemetry: config.telemetry.clone(),
            evidence: config.migration.clone(),
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

/// What a process serves, and what changes it.
#[derive(Debug, Clone)]
pub struct Process {
    /// Answers requests.
    pub gateway: Arc<Gateway>,
    /// Replaces what it runs on.
    pub reloader: Arc<Reloader>,
    /// Takes access lines; without it there are none.
    pub log: Option<Log>,
}

/// The listeners of a process that is about to serve.
#[derive(Debug)]
pub struct Server {
    public: TcpListener,
    admin: TcpListener,
    identity: Option<Identity>,
    access: Arc<Access>,
    exporter: Option<(Exporter, Sample)>,
    settings: Settings,
}

impl Server {
    /// Binds both listeners, and sees to it that there are file descriptors for their connections.
    ///
    /// # Errors
    /// If an address cannot be bound, because it is not ours, or taken; if the certificate cannot be loaded; or if no
    /// spans could ever be sent as it is wanted.
    pub async fn bind(mut settings: Settings) -> anyhow::Result<Server> {
        let identity = match settings.tls.take() {
            None => None,
            Some(files) => Some(spawn_blocking(|| Identity::load(files)).await?.context("server.tls")?),
        };
        let token = settings.admin_token.take();
        let access = spawn_blocking(|| Access::new(token)).await?.context("server.admin_token")?;
        let exporter = exporter(settings.telemetry.clone()).await.context("telemetry.traces")?;
        settings.max_connections = descriptors::enough_for(settings.max_connections);
        let bind = |address: std::net::SocketAddr, option: &str| {
            listener::bind(address)
                .with_context(|| format!("cannot listen on {address}; choose another address with {option}"))
        };
        let public = bind(settings.listen, "--listen")?;
        let admin = bind(settings.admin, "--admin-listen")?;
        if let (Ok(public), Ok(admin)) = (public.local_addr(), admin.local_addr()) {
            let server = &mut Arc::make_mut(&mut settings.facts)["server"];
            (server["listen"], server["admin"]) = (public.to_string().into(), admin.to_string().into());
        }
        Ok(Server { public, admin, identity, access: Arc::new(access), exporter, settings })
    }

    /// The addresses that are really bound, also where port 0 was asked for.
    ///
    /// # Errors
    /// If the system does not tell.
    pub fn bound(&self) -> anyhow::Result<Bound> {
        Ok(Bound { public: self.public.local_addr()?, admin: self.admin.local_addr()? })
    }

    /// Serves until `stop` is cancelled, then drains.
    pub async fn run(self, process: Process, stop: CancellationToken) {
        let Server { public, admin, identity, access, exporter, settings } = self;
        let gateway = Arc::clone(&process.gateway);
        let readiness = Readiness::new(settings.ready_requires_nats);
        let mut background = Background::watching(&process, &settings, &stop);
        if let Some(identity) = identity.clone() {
            background.spawn(identity.keep_current());
        }
        let (tracer, mut sending) = trace(exporter, &gateway, &background.end);
        let admin_state = admin::Admin {
            gateway: Arc::clone(&gateway),
            reloader: process.reloader,
            readiness: readiness.clone(),
            log: process.log.clone(),
            access,
            facts: settings.facts,
        };
        background.spawn_whole(serve_admin(admin, admin_state, background.end.clone()));
        if let Some(log) = &process.log {
            gateway.figures().watch_log(log.writer.clone());
        }
        let lines = Sample::of(settings.telemetry.access_log.sample.part());
        let edge = Edge {
            gateway: Arc::clone(&gateway),
            log: process.log,
            lines,
            tracer,
            secure: identity.is_some(),
            rules: settings.edge,
        };
        let limits = Limits { timeouts: settings.timeouts, most: settings.max_connections };
        let (close, mut serving) = (CancellationToken::new(), JoinSet::new());
        serving.spawn(serve_public(public, identity, edge, limits, close.clone()));

        stop.cancelled().await;
        readiness.end();
        let drain_delay = settings.drain_delay;
        tracing::info!(drain_delay_ms = drain_delay.as_millis() as u64, "stopping: not ready any more");
        sleep(drain_delay).await;
        close.cancel();
        drain_requests(&gateway, &mut serving, settings.drain).await;
        gateway.end_copies();
        evidence::flush(&gateway, Instant::now() + LAST_EVIDENCE).await;
        background.end.cancel();
        gateway.nats().shutdown(Instant::now() + LAST_ANSWERS).await;
        background.finish(LAST_ANSWERS).await;
        finish_within(LAST_SPANS, &mut sending).await;
        tracing::info!("stopped");
    }
}

/// The way to the collector of spans, if there is one.
async fn exporter(telemetry: Telemetry) -> anyhow::Result<Option<(Exporter, Sample)>> {
    let options = spawn_blocking(|| traces::options(telemetry)).await??;
    let exporter = |(options, sample)| Ok((Exporter::new(&options).map_err(anyhow::Error::msg)?, sample));
    options.map(exporter).transpose()
}

/// Begins to send spans, if there is a way for them.
fn trace(
    exporter: Option<(Exporter, Sample)>,
    gateway: &Gateway,
    end: &CancellationToken,
) -> (Option<Tracer>, JoinSet<()>) {
    let mut tasks = JoinSet::new();
    let tracer = exporter.map(|(exporter, sample)| {
        let figures = Arc::clone(gateway.figures());
        let (tracer, sending) = Tracer::start(exporter, sample, figures, end.clone());
        tasks.spawn(sending);
        tracer
    });
    (tracer, tasks)
}

async fn serve_admin(listener: TcpListener, admin: admin::Admin, end: CancellationToken) {
    let router = admin::router(admin);
    let answer = move |peer: Peer, mut request: Request<Incoming>| {
        request.extensions_mut().insert(PeerAddress(peer.ip));
        let answered = router.clone().oneshot(request);
        answered.map(move |answered| {
            drop(peer);
            answered.unwrap_or_else(|never| match never {})
        })
    };
    let uncounted = AtomicUsize::new(0);
    listener::serve(listener, Shared::new(answer, ADMIN_HEAD, None), ADMIN, &uncounted, end).await;
}

async fn serve_public(
    listener: TcpListener,
    identity: Option<Identity>,
    edge: Edge,
    limits: Limits,
    close: CancellationToken,
) {
    let longest_head = edge.rules.longest_head();
    let connections = Arc::clone(edge.gateway.figures().connections());
    let edge = Arc::new(edge);
    let answer = move |peer, request| Arc::clone(&edge).entry(peer, request);
    let shared = Shared::new(answer, longest_head, identity);
    listener::serve(listener, shared, limits, &connections, close).await;
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
