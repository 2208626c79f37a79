//! A real nats-server on a random port with a temporary store, gone when it is dropped.

use std::collections::HashSet;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

const STARTS_WITHIN: Duration = Duration::from_secs(15);

pub(crate) struct NatsServer {
    name: String,
    port: u16,
    dir: TempDir,
    child: Option<Child>,
}

impl NatsServer {
    /// A server with JetStream, open to everyone.
    pub(crate) async fn start() -> Self {
        Self::with("").await
    }

    /// The same with more configuration, in the server's own format. `$DIR` stands for the server's directory.
    pub(crate) async fn with(config: &str) -> Self {
        Self::on(free_port(), &format!("natsgate-test-{}", fastrand::u32(..)), config).await
    }

    /// A server of a given name on a given port.
    pub(crate) async fn on(port: u16, name: &str, config: &str) -> Self {
        let mut server = Self::stopped(port, name, config);
        server.restart().await;
        server
    }

    /// A server that is configured and not started, so that files can be put into its directory first.
    pub(crate) fn prepared(config: &str) -> Self {
        Self::stopped(free_port(), &format!("natsgate-test-{}", fastrand::u32(..)), config)
    }

    fn stopped(port: u16, name: &str, config: &str) -> Self {
        let dir = tempfile::tempdir().expect("temporary directory");
        let server = Self { name: name.to_owned(), port, dir, child: None };
        server.configure(config);
        server
    }

    /// Rewrites the configuration; it counts from the next start.
    pub(crate) fn configure(&self, config: &str) {
        let dir = self.dir.path().display();
        let text = format!(
            "listen: 127.0.0.1:{}\nserver_name: {}\njetstream {{ store_dir: \"{dir}/store\" }}\n{}\n",
            self.port,
            self.name,
            config.replace("$DIR", &dir.to_string())
        );
        std::fs::write(self.config(), text).expect("server configuration");
    }

    /// Starts the server again, on the same port and with the same store.
    pub(crate) async fn restart(&mut self) {
        self.spawn();
        self.ready().await;
    }

    /// Starts the process without waiting until it listens.
    pub(crate) fn spawn(&mut self) {
        self.kill();
        let log = self.dir.path().join("log");
        let child = Command::new(binary())
            .arg("--config")
            .arg(self.config())
            .arg("--log")
            .arg(log)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nats-server starts");
        self.child = Some(child);
    }

    /// Waits until this very server greets on its port.
    pub(crate) async fn ready(&mut self) {
        let until = Instant::now() + STARTS_WITHIN;
        loop {
            let exited = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
            assert!(
                exited.is_none() && Instant::now() < until,
                "nats-server does not start:\n{}",
                self.log()
            );
            let greeting = timeout(Duration::from_secs(1), greeting(self.port)).await;
            if greeting.is_ok_and(|line| line.is_some_and(|line| line.contains(&self.name))) {
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Kills the server at once: connections are reset, nobody is told.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _gone = child.kill();
            let _status = child.wait();
        }
    }

    /// Stops the process where it is; its sockets stay open.
    pub(crate) fn pause(&self) {
        self.signal("STOP");
    }

    pub(crate) fn resume(&self) {
        self.signal("CONT");
    }

    /// Announces to all clients that the server is about to stop.
    pub(crate) fn lame_duck(&self) {
        self.signal("USR2");
    }

    pub(crate) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Where `$DIR` points to.
    pub(crate) fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// A plain client, for the other side of a test.
    pub(crate) async fn client(&self) -> async_nats::Client {
        async_nats::connect(self.url()).await.expect("plain client")
    }

    fn config(&self) -> PathBuf {
        self.dir.path().join("server.conf")
    }

    fn signal(&self, signal: &str) {
        let child = self.child.as_ref().expect("server runs");
        let status = Command::new("kill").arg(format!("-{signal}")).arg(child.id().to_string()).status();
        assert!(status.expect("kill runs").success(), "signal {signal} is not delivered");
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port that nobody listens on, below the range from which the system serves itself, so that a server that is
/// restarted finds it free again.
pub(crate) fn free_port() -> u16 {
    static GIVEN: Mutex<Option<HashSet<u16>>> = Mutex::new(None);
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    let given = given.get_or_insert_default();
    loop {
        let port = fastrand::u16(12_000..32_000);
        if !given.contains(&port) && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            given.insert(port);
            return port;
        }
    }
}

async fn greeting(port: u16) -> Option<String> {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).await.ok()?;
    Some(line)
}

pub(crate) fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("NATS_SERVER") {
        return path.into();
    }
    let installed = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/bin/nats-server");
    if installed.exists() {
        return installed;
    }
    let on_path = std::env::var_os("PATH").and_then(|path| {
        std::env::split_paths(&path).map(|dir| dir.join("nats-server")).find(|file| file.is_file())
    });
    on_path.unwrap_or_else(|| {
        panic!("no nats-server found; `make test` installs one, or set NATS_SERVER to its path")
    })
}
