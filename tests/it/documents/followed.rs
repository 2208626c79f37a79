//! Guides, followed from their first line to their last as a reader would: their files are written, their commands run,
//! and what they say that these print (`# => text`) is looked for in what they print.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use super::markdown::{Fragment, fragments};
use super::read;
use crate::support::nats_server;

const PATIENCE: Duration = Duration::from_secs(30);
/// The addresses that the guide uses, the public one and the admin's; the gateway of a test has others.
const SHOWN: [&str; 2] = ["127.0.0.1:8080", "127.0.0.1:9090"];
/// The same of NATS.
const NATS: &str = "127.0.0.1:4222";

#[tokio::test]
async fn the_guide_to_securing_prints_what_it_says() {
    follow("docs/securing.md", 10).await;
}

#[tokio::test]
async fn the_guide_to_operating_prints_what_it_says() {
    follow("docs/operating.md", 6).await;
}

#[tokio::test]
async fn the_page_of_the_admin_api_prints_what_it_says() {
    follow("docs/admin-api.md", 5).await;
}

#[tokio::test]
async fn the_guide_to_migrating_prints_what_it_says() {
    let mut reader = Reader::new();
    // It has its configuration loaded by itself, so that what was compared is still known.
    reader.reloads = true;
    follow_as(reader, "docs/migrating.md", 15).await;
}

async fn follow(document: &str, least: usize) {
    follow_as(Reader::new(), document, least).await;
}

async fn follow_as(mut reader: Reader, document: &str, least: usize) {
    let mut ran = 0;
    for fragment in fragments(&read(document)) {
        match (&fragment.name, fragment.language.as_str()) {
            (Some(name), _) => reader.write(name, &fragment.text),
            (None, "sh") => {
                reader.run(&fragment).await;
                ran += 1;
            }
            (None, "text") => reader.compare(&fragment),
            (None, language) => panic!("{document}:{}: nobody runs `{language}`", fragment.line),
        }
    }
    assert!(ran >= least, "{document}: only {ran} blocks of commands were found");
}

#[tokio::test]
#[should_panic(expected = "does not print `never`")]
async fn a_guide_that_has_rotted_is_found() {
    let text = "echo always # => never\n".to_owned();
    Reader::new().run(&Fragment { text, line: 1, ..Fragment::default() }).await;
}

/// Somebody who follows the guide in a folder of their own.
struct Reader {
    folder: TempDir,
    gateway: Option<Gateway>,
    /// Commands have a changed configuration loaded; else the gateway is started again.
    reloads: bool,
    /// Addresses of services that the guide starts, and the ports that they have in a test.
    ports: Vec<(&'static str, String)>,
    /// What `command &` has started; ended with the reader.
    services: Vec<Child>,
    /// What the last commands have printed.
    printed: String,
}

struct Gateway {
    child: Child,
    addresses: [String; 2],
}

impl Reader {
    fn new() -> Reader {
        let port = |shown| (shown, format!("127.0.0.1:{}", nats_server::free_port()));
        Reader {
            folder: tempfile::tempdir().expect("a folder"),
            gateway: None,
            reloads: false,
            ports: vec![port(NATS), port("127.0.0.1:8000")],
            services: Vec::new(),
            printed: String::new(),
        }
    }

    /// A text with the ports of this test.
    fn here(&self, text: &str) -> String {
        self.ports.iter().fold(text.to_owned(), |text, (shown, real)| text.replace(shown, real))
    }

    /// Holds what the last commands have printed against lines in their order; `…` stands for anything.
    fn compare(&self, block: &Fragment) {
        let mut printed = self.printed.lines();
        for (line, number) in
            self.here(&block.text).lines().zip(block.line..).filter(|(line, _)| !line.is_empty())
        {
            let mut parts = line.split('…');
            let first = parts.next().unwrap_or_default();
            let parts: Vec<&str> = parts.collect();
            let fits = |other: &str| {
                let Some(mut rest) = other.strip_prefix(first) else { return false };
                parts.iter().all(|part| match rest.find(part) {
                    Some(at) => {
                        rest = &rest[at + part.len()..];
                        true
                    }
                    None => false,
                }) && (parts.last().is_some_and(|last| last.is_empty()) || rest.is_empty())
            };
            assert!(
                printed.any(fits),
                "line {number} is not printed, or not there: `{line}`:\n{}",
                self.printed
            );
        }
    }

    /// Starts what a line leaves running; its process id.
    fn start(&mut self, line: &str) -> String {
        let log = std::fs::File::create(self.path(".service")).expect("log");
        let mut command = Command::new("bash");
        command.args(["-c", &format!("exec {line}")]).current_dir(self.folder.path()).kill_on_drop(true);
        let shown = log.try_clone().expect("log");
        command.stdin(Stdio::null()).stdout(log).stderr(shown);
        let child = command.spawn().expect("the service starts");
        let pid = child.id().map(|id| id.to_string()).unwrap_or_default();
        self.services.push(child);
        pid
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file. The gateway is started again when it is needed next.
    fn write(&mut self, name: &str, text: &str) {
        std::fs::write(self.path(name), self.here(text)).expect("a file of the guide");
        if name.ends_with(".yaml") && !self.reloads {
            self.gateway = None;
        }
    }

    async fn run(&mut self, block: &Fragment) {
        let mut commands = self.here(&block.text);
        for line in commands.clone().lines().filter_map(|line| line.strip_suffix(" &")) {
            let pid = self.start(line);
            commands = commands.replace(&format!("{line} &\n"), "").replace("$!", &pid);
        }
        if SHOWN.iter().any(|shown| commands.contains(shown)) {
            if self.gateway.is_none() {
                let nats = self.here(NATS);
                self.gateway = Some(Gateway::start(self.folder.path(), &nats).await);
            }
            let gateway = self.gateway.as_ref().expect("a gateway that runs");
            for (shown, address) in SHOWN.iter().zip(&gateway.addresses) {
                commands = commands.replace(shown, address);
            }
        }
        self.printed = self.shell(&commands, block.line).await;
        let printed = &self.printed;
        let mut rest = printed.as_str();
        for expected in block.text.lines().filter_map(|line| line.split_once("# => ")).map(|(_, text)| text) {
            let at = rest.find(expected);
            let at =
                at.unwrap_or_else(|| panic!("line {} does not print `{expected}`:\n{printed}", block.line));
            rest = &rest[at + expected.len()..];
        }
    }

    /// Runs commands with the variables that earlier ones have set.
    async fn shell(&self, commands: &str, line: usize) -> String {
        let program = Path::new(env!("CARGO_BIN_EXE_natsgate")).parent().expect("a folder");
        let path = std::env::var("PATH").unwrap_or_default();
        let script = format!(
            "[ ! -f .variables ] || . ./.variables\n{commands}\ndeclare -p | grep -E '^declare -- [A-Z]+=' >.variables || true"
        );
        let mut command = Command::new("bash");
        command.args(["-euo", "pipefail", "-c", &script]).current_dir(self.folder.path()).kill_on_drop(true);
        command.env("PATH", format!("{}:{path}", program.display())).stdin(Stdio::null());
        let output = timeout(PATIENCE, command.output()).await.expect("the commands end").expect("bash runs");
        let text =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "line {line}: {}:\n{text}", output.status);
        text
    }
}

impl Gateway {
    /// Starts `natsgate dev` as the guide says, on a free port.
    async fn start(folder: &Path, nats: &str) -> Gateway {
        let ready = folder.join(".ready");
        let _ = std::fs::remove_file(&ready);
        let log = std::fs::File::create(folder.join(".log")).expect("log");
        let mut command = Command::new(env!("CARGO_BIN_EXE_natsgate"));
        command.args([
            "dev",
            "--ready-file",
            ".ready",
            "--listen",
            "127.0.0.1:0",
            "--admin-listen",
            "127.0.0.1:0",
        ]);
        command.args(["--nats-port", nats.rsplit(':').next().expect("a port")]);
        command.args(["--config", "natsgate.yaml"]).env("NATS_SERVER", nats_server::binary());
        let shown = log.try_clone().expect("log");
        command.current_dir(folder).stdin(Stdio::null()).stdout(log).stderr(shown).kill_on_drop(true);
        let mut child = command.spawn().expect("natsgate starts");
        let until = Instant::now() + PATIENCE;
        loop {
            let said = || std::fs::read_to_string(folder.join(".log")).unwrap_or_default();
            if let Ok(ready) = std::fs::read_to_string(&ready) {
                let ready: serde_json::Value = serde_json::from_str(&ready).expect("JSON");
                let address = |listener: &str| {
                    let url = ready[listener].as_str().expect("an address");
                    url.split_once("://").expect("a URL").1.to_owned()
                };
                return Gateway { child, addresses: [address("http"), address("admin")] };
            }
            assert!(child.try_wait().expect("status").is_none(), "natsgate ended:\n{}", said());
            assert!(Instant::now() < until, "not ready:\n{}", said());
            sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // It has a nats-server of its own to end, so it is asked, and not killed.
        let Some(pid) =
            self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw)
        else {
            return;
        };
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let until = std::time::Instant::now() + PATIENCE;
        while matches!(self.child.try_wait(), Ok(None)) && std::time::Instant::now() < until {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}
