//! What `natsgate dev` brings up by itself.

use std::path::{Path, PathBuf};
use std::time::Duration;

use natsgate::dev::nats_server::{NatsServer, StartError, find_binary};
use tempfile::TempDir;

use crate::support::nats_server::{binary, free_port};

const PATIENCE: Duration = Duration::from_secs(20);

fn store() -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("temporary directory");
    let path = dir.path().to_owned();
    (dir, path)
}

/// Whether a process of this id runs.
fn runs(pid: &str) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    state.rsplit(')').next().is_some_and(|rest| !rest.is_empty() && !rest.trim_start().starts_with('Z'))
}

/// The server names its ports file after its process.
fn pid_of(store: &Path) -> String {
    let mut files = std::fs::read_dir(store).expect("store").filter_map(Result::ok).map(|file| file.path());
    let file = files.find(|file| file.extension().is_some_and(|e| e == "ports")).expect("ports file");
    file.file_stem().expect("a name").to_string_lossy().rsplit('_').next().expect("a process id").to_owned()
}

#[tokio::test]
async fn a_server_is_found_started_and_stopped() {
    let found = find_binary().await;
    let (dir, path) = store();
    let server = NatsServer::start(&found.unwrap_or_else(|_| binary()), dir, None).await.expect("it starts");
    let pid = pid_of(&path);
    assert!(runs(&pid));
    assert!(server.url().starts_with("nats://127.0.0.1:"), "{}", server.url());
    let group = std::fs::read_to_string(format!("/proc/{pid}/stat")).expect("process");
    let group = group.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(2)).map(str::to_owned);
    assert_eq!(group.as_deref(), Some(pid.as_str()), "Ctrl-C in a terminal would reach it");

    let client = async_nats::connect(server.url()).await.expect("plain client");
    let jetstream = async_nats::jetstream::new(client);
    jetstream.query_account().await.expect("JetStream is on");

    tokio::time::timeout(PATIENCE, server.stop()).await.expect("in time").expect("it ends");
    assert!(!runs(&pid) && !path.exists());
}

#[tokio::test]
async fn a_dropped_server_is_gone_with_its_store() {
    let (dir, path) = store();
    let server = NatsServer::start(&binary(), dir, None).await.expect("it starts");
    let pid = pid_of(&path);
    drop(server);
    assert!(!runs(&pid) && !path.exists());
}

#[tokio::test]
async fn a_server_takes_the_port_that_it_is_given_or_says_that_it_is_taken() {
    let port = free_port();
    let server = NatsServer::start(&binary(), store().0, Some(port)).await.expect("it starts");
    assert_eq!(server.url(), format!("nats://127.0.0.1:{port}"));
    let error = NatsServer::start(&binary(), store().0, Some(port)).await.expect_err("the port is taken");
    assert!(error.to_string().contains("address already in use"), "{error}");
}

#[tokio::test]
async fn a_server_that_does_not_start_shows_its_log() {
    let (dir, path) = store();
    std::fs::write(path.join("jetstream"), "a file where a folder must be").expect("file");
    let error = NatsServer::start(&binary(), dir, None).await.expect_err("it cannot start");
    assert!(matches!(error, StartError::Ended { .. }), "{error}");
    assert!(error.to_string().contains("JetStream"), "{error}");

    let (dir, _) = store();
    let error = NatsServer::start(Path::new("/none/nats-server"), dir, None).await.expect_err("no program");
    assert!(error.to_string().starts_with("cannot start `/none/nats-server`"), "{error}");
}
