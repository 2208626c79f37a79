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

async fn follow(document: &str, least: usize) {
    let mut reader = Reader::new();
    let mut ran = 0;
    for fragment in fragments(&read(document)) {
        match (&fragment.name, fragment.language.as_str()) {
            (Some(name), _) => reader.write(name, &fragment.text),
            (None, "sh") => {
                reader.run(&fragment).await;
                ran += 1;
            }
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
}

struct Gateway {
    child: Child,
    addresses: [String; 2],
}

impl Reader {
    fn new() -> Reader {
        Reader { folder: tempfile::tempdir().expect("a folder"), gateway: None }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file. The gateway is started again when it is needed next.
    fn write(&mut self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).expect("a file of the guide");
        if name.ends_with(".yaml") {
            self.gateway = None;
        }
    }

    async fn run(&mut self, block: &Fragment) {
        let mut commands = block.text.clone();
        if SHOWN.iter().any(|shown| commands.contains(shown)) {
            if self.gateway.is_none() {
                self.gateway = Some(Gateway::start(self.folder.path()).await);
            }
            let gateway = self.gateway.as_ref().expect("a gateway that runs");
            for (shown, address) in SHOWN.iter().zip(&gateway.addresses) {
                commands = commands.replace(shown, address);
            }
        }
        let printed = self.shell(&commands, block.line).await;
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
    async fn start(folder: &Path) -> Gateway {
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
