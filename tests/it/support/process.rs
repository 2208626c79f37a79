//! The real binary as a process of its own: its memory, its signals, its exit code and its log can be looked at.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use super::http::{Answer, Client};

const PATIENCE: Duration = Duration::from_secs(15);

pub(crate) struct Process {
    /// `http://127.0.0.1:port` of the public listener.
    pub(crate) url: String,
    /// The same of the admin listener.
    pub(crate) admin: String,
    child: Child,
    dir: TempDir,
}

impl Process {
    /// `natsgate serve` with this configuration; returns once it takes requests.
    pub(crate) async fn serve(nats: &str, yaml: &str) -> Process {
        Process::serve_in(nats, yaml, &[]).await
    }

    /// The same with more in its environment.
    pub(crate) async fn serve_in(nats: &str, yaml: &str, environment: &[(&str, &str)]) -> Process {
        let dir = tempfile::tempdir().expect("temporary directory");
        std::fs::write(dir.path().join("natsgate.yaml"), yaml).expect("configuration");
        let log = std::fs::File::create(dir.path().join("log")).expect("log");
        let mut command = Command::new(env!("CARGO_BIN_EXE_natsgate"));
        command.args(["serve", "--config", "natsgate.yaml", "--nats", nats, "--ready-file", "ready"]);
        command.args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--log-format", "json"]);
        command.envs(environment.iter().copied());
        command.current_dir(dir.path()).stdin(Stdio::null()).stdout(log).kill_on_drop(true);
        let mut child = command.spawn().expect("natsgate starts");
        let ready = ready(&mut child, dir.path().join("ready")).await;
        let url = |name: &str| ready[name].as_str().expect("address").to_owned();
        Process { url: url("http"), admin: url("admin"), child, dir }
    }

    /// Waits until it is connected to NATS.
    pub(crate) async fn connected(&self) {
        self.until("connected", |ready| ready["nats"]["connected"] == true).await;
    }

    /// Waits until `/ready` says what it should.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&Value) -> bool) {
        let until = Instant::now() + PATIENCE;
        loop {
            let ready = self.ready().await.json();
            if holds(&ready) {
                return;
            }
            assert!(Instant::now() < until, "never came: {what}: {ready}\n{}", self.last_lines());
            sleep(Duration::from_millis(10)).await;
        }
    }

    pub(crate) async fn ready(&self) -> Answer {
        Client::connect(&self.admin).await.send("GET", "/ready", &[], b"").await
    }

    /// One request on a connection of its own.
    pub(crate) async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        Client::connect(&self.url).await.send(method, path, headers, b"").await
    }

    /// Resident memory in bytes.
    pub(crate) fn resident(&self) -> u64 {
        self.memory("VmRSS:")
    }

    /// The most that it ever was.
    pub(crate) fn most_resident(&self) -> u64 {
        self.memory("VmHWM:")
    }

    fn memory(&self, field: &str) -> u64 {
        let pid = self.child.id().expect("natsgate runs");
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("status of the process");
        let line = status.lines().find_map(|line| line.strip_prefix(field)).expect("resident memory");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
    }

    /// Replaces a file in the process's folder, as a careful writer does.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let beside = self.dir.path().join(format!("{name}.new"));
        std::fs::write(&beside, text).expect("file beside the configuration");
        std::fs::rename(beside, self.dir.path().join(name)).expect("the new file in its place");
    }

    /// Waits for a line of the log.
    pub(crate) async fn logged(&self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(line) = self.log().into_iter().find(&is_it) {
                return line;
            }
            assert!(Instant::now() < until, "never logged: {what}\n{}", self.last_lines());
            sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) async fn terminate(&self) {
        self.signal("-TERM").await;
    }

    pub(crate) async fn hang_up(&self) {
        self.signal("-HUP").await;
    }

    async fn signal(&self, signal: &str) {
        let pid = self.child.id().expect("natsgate runs").to_string();
        let status = Command::new("kill").arg(signal).arg(pid).status().await;
        assert!(status.expect("kill runs").success(), "the signal is not delivered");
    }

    /// Waits for the end, and says with which exit code it came.
    pub(crate) async fn exit_code(&mut self) -> Option<i32> {
        let status = timeout(PATIENCE, self.child.wait()).await.expect("natsgate ends");
        status.expect("its status").code()
    }

    /// Every line of the log so far.
    pub(crate) fn log(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.dir.path().join("log")).expect("log");
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
    }

    /// The end of the log, as it stands.
    fn last_lines(&self) -> String {
        let text = std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
        let last: Vec<&str> = text.lines().rev().take(20).collect();
        last.join("\n")
    }

    /// The access lines of one path, awaited, since a thread of their own writes them.
    pub(crate) async fn access_lines(&self, path: &str, count: usize) -> Vec<Value> {
        let until = Instant::now() + PATIENCE;
        loop {
            let lines: Vec<Value> = self.log().into_iter().filter(|line| line["path"] == path).collect();
            if lines.len() >= count {
                return lines;
            }
            assert!(Instant::now() < until, "{} access lines of {path}", lines.len());
            sleep(Duration::from_millis(10)).await;
        }
    }
}

async fn ready(child: &mut Child, file: PathBuf) -> Value {
    let until = Instant::now() + PATIENCE;
    loop {
        if let Ok(text) = std::fs::read_to_string(&file) {
            return serde_json::from_str(&text).expect("a ready file in JSON");
        }
        let exited = child.try_wait().expect("state of the process");
        assert!(exited.is_none() && Instant::now() < until, "natsgate is not ready: {exited:?}");
        sleep(Duration::from_millis(10)).await;
    }
}
