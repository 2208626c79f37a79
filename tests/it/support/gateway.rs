//! A gateway in this process, as `natsgate serve` would run it, on random ports.

use std::sync::Arc;
use std::time::Duration;

use natsgate::config::{self, Overrides};
use natsgate::gateway::compile::compile;
use natsgate::gateway::connect;
use natsgate::gateway::load::{Loaded, read};
use natsgate::gateway::reload::Reloader;
use natsgate::jetstream::manifest::Manifests;
use natsgate::nats::Nats;
use natsgate::serve::{Process, Server, Settings};
use tempfile::TempDir;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use super::http::{Answer, Client};

pub(crate) struct Gateway {
    /// `http://127.0.0.1:port` of the public listener.
    pub(crate) url: String,
    /// The same of the admin listener.
    pub(crate) admin: String,
    pub(crate) inner: Arc<natsgate::gateway::Gateway>,
    pub(crate) reloader: Arc<Reloader>,
    stop: CancellationToken,
    running: AbortOnDropHandle<()>,
    dir: TempDir,
}

impl Gateway {
    /// A gateway with these operations (the text under the configuration's `operations:` and whatever else is written
    /// at its top level), connected, and with the start checks done, so that nothing else is asked of NATS.
    pub(crate) async fn start(nats: &str, yaml: &str) -> Gateway {
        let gateway = Gateway::start_unconnected(nats, yaml, &[]).await;
        gateway.connected().await;
        gateway.checked().await;
        gateway
    }

    /// The same with files beside the configuration.
    pub(crate) async fn start_with(nats: &str, yaml: &str, files: &[(&str, &str)]) -> Gateway {
        let gateway = Gateway::start_unconnected(nats, yaml, files).await;
        gateway.connected().await;
        gateway.checked().await;
        gateway
    }

    /// Replaces a file beside the configuration, as a careful writer does.
    pub(crate) fn replace(&self, name: &str, text: &str) {
        let beside = self.dir.path().join(format!("{name}.new"));
        std::fs::write(&beside, text).expect("file beside the configuration");
        std::fs::rename(beside, self.dir.path().join(name)).expect("the new file in its place");
    }

    /// The folder of the configuration.
    pub(crate) fn dir(&self) -> &std::path::Path {
        self.dir.path()
    }

    /// Waits until `/ready` says what it should.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&serde_json::Value) -> bool) {
        let until = Instant::now() + Duration::from_secs(15);
        loop {
            let ready = self.ready().await.json();
            if holds(&ready) {
                return;
            }
            assert!(Instant::now() < until, "never came: {what}: {ready}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The same with files beside the configuration, and without waiting for NATS.
    pub(crate) async fn start_unconnected(nats: &str, yaml: &str, files: &[(&str, &str)]) -> Gateway {
        let dir = tempfile::tempdir().expect("temporary directory");
        for (name, text) in files {
            std::fs::write(dir.path().join(name), text).expect("file beside the configuration");
        }
        let path = dir.path().join("natsgate.yaml");
        let nats_section = match yaml.contains("nats:\n") {
            true => String::new(),
            false => "nats: { ping_interval: 500ms }\n".to_owned(),
        };
        std::fs::write(&path, format!("{nats_section}{yaml}")).expect("configuration");
        let overrides = Overrides {
            listen: Some("127.0.0.1:0".into()),
            admin: Some("127.0.0.1:0".into()),
            nats: Some(nats.to_owned()),
        };
        let (loaded, diagnostics) = read(&path, &overrides, None).fit();
        let loaded = loaded.unwrap_or_else(|| panic!("{}", diagnostics.render()));
        let origin = loaded.origin();
        let Loaded { config, table, .. } = loaded;
        let settings = Settings { start_checks: true, ..Settings::of(&config) };
        let nats = Nats::start(connect::options(&config.nats)).expect("options of the connection");
        let server = Server::bind(settings).await.expect("listeners");
        let bound = server.bound().expect("addresses");
        let inner = Arc::new(natsgate::gateway::Gateway::new(table, nats));
        let reloader = Arc::new(Reloader::new(Arc::clone(&inner), path, overrides, origin));
        let stop = CancellationToken::new();
        let process = Process { gateway: Arc::clone(&inner), reloader: Arc::clone(&reloader), log: None };
        let running = tokio::spawn(server.run(process, stop.clone()));
        Gateway {
            url: format!("http://{}", bound.public),
            admin: format!("http://{}", bound.admin),
            inner,
            reloader,
            stop,
            running: AbortOnDropHandle::new(running),
            dir,
        }
    }

    /// Waits until NATS is connected.
    pub(crate) async fn connected(&self) {
        let until = Instant::now() + Duration::from_secs(10);
        assert!(self.inner.nats().connected(until).await, "not connected: {:?}", self.inner.nats().status());
    }

    /// Waits until the start checks have seen every operation.
    pub(crate) async fn checked(&self) {
        let until = Instant::now() + Duration::from_secs(10);
        let unchecked = natsgate::gateway::operation::State::Unchecked;
        while self.inner.table().operations.iter().any(|operation| *operation.finding.get() == unchecked) {
            assert!(Instant::now() < until, "the start checks did not run");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], b"").await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Answer {
        self.send("POST", path, &[("Content-Type", "application/json")], body.as_bytes()).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[], b"").await
    }

    /// One request on a connection of its own.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        Client::connect(&self.url).await.send(method, path, headers, body).await
    }

    /// The state that `/ready` tells.
    pub(crate) async fn ready(&self) -> Answer {
        Client::connect(&self.admin).await.send("GET", "/ready", &[], b"").await
    }

    /// One request to the admin listener, from this host; under its name, if the headers name no other.
    pub(crate) async fn admin(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let (hosts, others): (Vec<_>, Vec<_>) =
            headers.iter().copied().partition(|(name, _)| *name == "Host");
        let host = hosts.first().map_or("localhost", |(_, host)| host);
        Client::connect(&self.admin).await.send_to(host, method, path, &others, body.as_bytes()).await
    }

    /// Requests that wait for a reply now.
    pub(crate) fn waiting(&self) -> usize {
        self.inner.nats().waiting()
    }

    /// Begins to stop, as SIGTERM does.
    pub(crate) fn begin_stop(&self) {
        self.stop.cancel();
    }

    /// Stops as SIGTERM does, and waits for the end.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.running.await.expect("the gateway ends");
    }
}

/// The report on a configuration that must not run; `None` if it would.
pub(crate) fn refused(yaml: &str) -> Option<String> {
    let dir = tempfile::tempdir().expect("temporary directory");
    let path = dir.path().join("natsgate.yaml");
    std::fs::write(&path, yaml).expect("configuration");
    let (config, mut diagnostics) = config::load(&path, &Overrides::default());
    let table = config.and_then(|config| compile(&config, &Manifests::default(), None, &mut diagnostics));
    table.is_none().then(|| diagnostics.render())
}
