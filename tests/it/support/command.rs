//! The `natsgate` command, run to its end.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// What a command printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the command in a folder of the package, untouched by the environment of the tests.
pub(crate) fn natsgate(folder: &str, args: &[&str]) -> Run {
    natsgate_reading(folder, args, "")
}

/// The same with something on its standard input.
pub(crate) fn natsgate_reading(folder: &str, args: &[&str], input: &str) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_natsgate"));
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).args(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("NATSGATE_")) {
        command.env_remove(name);
    }
    let mut child = command.spawn().expect("natsgate runs");
    let mut stdin = child.stdin.take().expect("a standard input");
    // A command that does not read it has closed it already.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let output = child.wait_with_output().expect("natsgate ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Run {
        code: output.status.code().expect("an exit code"),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

impl Run {
    /// Everything that a person sees, and the exit code.
    pub(crate) fn seen(&self) -> String {
        format!("{}{}exit code {}\n", self.stderr, self.stdout, self.code)
    }

    /// Standard output as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|_| panic!("no JSON: {}", self.seen()))
    }
}
