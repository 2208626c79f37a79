//! A nats-server of one's own: loopback only, JetStream with a temporary store.
//!
//! It is found, started and stopped here; nothing is installed.

mod find;

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde::Deserialize;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

pub use find::{FindError, find_binary};

const STARTS_WITHIN: Duration = Duration::from_secs(20);
const STOPS_WITHIN: Duration = Duration::from_secs(10);
/// How long a drop waits for a killed process, so that the store can be removed after it.
const DIES_WITHIN: Duration = Duration::from_secs(1);
/// Lines of the server's log that are shown when it does not start.
const LAST_LINES: usize = 5;

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The program could not be run: not executable, not for this machine, or no process to be had.
    #[error("cannot start `{program}`: {error}")]
    Spawn {
        /// Path as it was given or found.
        program: String,
        /// What the system said.
        error: io::Error,
    },
    /// The folder for the log and for JetStream's files cannot be written.
    #[error("cannot use the store `{path}`: {error}")]
    Store {
        /// The folder.
        path: String,
        /// What the system said.
        error: io::Error,
    },
    /// It ran and gave up; a port that is taken is the usual reason.
    #[error("nats-server ended at its start ({status}); the end of its log:\n{log}{}", next_step(log))]
    Ended {
        /// Exit code or signal.
        status: ExitStatus,
        /// The last lines; empty if it wrote none.
        log: String,
    },
    /// It still ran after 20 seconds without taking connections, and was killed.
    #[error("nats-server is not ready after {} seconds; the end of its log:\n{log}", STARTS_WITHIN.as_secs())]
    NotReady {
        /// The last lines; empty if it wrote none.
        log: String,
    },
}

/// A running nats-server. It is killed when this is dropped, and its store is removed.
#[derive(Debug)]
pub struct NatsServer {
    child: Child,
    url: String,
    // After the process, since fields are dropped in this order.
    store: TempDir,
}

impl NatsServer {
    /// Starts `program` and waits until it takes connections, on any free port if none is given. To be called inside
    /// a tokio runtime.
    ///
    /// # Errors
    /// See [`StartError`]; no process is left behind.
    pub async fn start(program: &Path, store: TempDir, port: Option<u16>) -> Result<NatsServer, StartError> {
        let child = spawn(program, store.path(), port)?;
        let mut server = NatsServer { child, url: String::new(), store };
        server.url = server.ready().await?;
        Ok(server)
    }

    /// `nats://127.0.0.1:PORT`
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Asks it to end, waits ten seconds, and only then insists.
    ///
    /// # Errors
    /// When the system does not say how the process ended.
    pub async fn stop(mut self) -> io::Result<()> {
        if let Some(pid) = self.child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)) {
            kill_process(pid, Signal::TERM)?;
        }
        match timeout(STOPS_WITHIN, self.child.wait()).await {
            Ok(ended) => ended.map(drop),
            Err(_) => self.child.kill().await,
        }
    }

    /// The server writes its ports into a file as soon as it listens, and says so in no other way.
    async fn ready(&mut self) -> Result<String, StartError> {
        let until = Instant::now() + STARTS_WITHIN;
        while Instant::now() < until {
            if let Some(url) = self.announced() {
                return Ok(url);
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(StartError::Ended { status, log: end_of_log(self.store.path()) });
            }
            sleep(Duration::from_millis(10)).await;
        }
        Err(StartError::NotReady { log: end_of_log(self.store.path()) })
    }

    /// The address in the ports file. A file that is only half written cannot be read, and is looked at again.
    fn announced(&self) -> Option<String> {
        let mut files = std::fs::read_dir(self.store.path()).ok()?.filter_map(Result::ok);
        let file =
            files.find(|file| file.path().extension().is_some_and(|extension| extension == "ports"))?;
        let ports: Ports = serde_json::from_slice(&std::fs::read(file.path()).ok()?).ok()?;
        ports.nats.into_iter().next()
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        let _gone = self.child.start_kill();
        let until = std::time::Instant::now() + DIES_WITHIN;
        while matches!(self.child.try_wait(), Ok(None)) && std::time::Instant::now() < until {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

#[derive(Deserialize)]
struct Ports {
    nats: Vec<String>,
}

/// In a process group of its own: Ctrl-C in a terminal reaches the gateway alone, which drains first.
fn spawn(program: &Path, store: &Path, port: Option<u16>) -> Result<Child, StartError> {
    let in_store = |error| StartError::Store { path: store.display().to_string(), error };
    let log = File::create(log_file(store)).map_err(in_store)?;
    let log_too = log.try_clone().map_err(in_store)?;
    Command::new(program)
        .args(["--addr", "127.0.0.1", "--jetstream", "--port"])
        .arg(port.map_or_else(|| "-1".to_owned(), |port| port.to_string()))
        .arg("--store_dir")
        .arg(store)
        .arg("--ports_file_dir")
        .arg(store)
        .stdin(Stdio::null())
        .stdout(log)
        .stderr(log_too)
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| StartError::Spawn { program: program.display().to_string(), error })
}

fn log_file(store: &Path) -> std::path::PathBuf {
    store.join("nats-server.log")
}

/// What to do about the usual reason, if the log tells it.
fn next_step(log: &str) -> &'static str {
    if log.contains("address already in use") {
        "\n  next: choose another port with --nats-port, or none"
    } else {
        ""
    }
}

fn end_of_log(store: &Path) -> String {
    let text = std::fs::read_to_string(log_file(store)).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
}
