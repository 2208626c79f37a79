//! Where a nats-server is: named by the environment, kept beside the project, or on PATH; and whether it is recent enough.

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

/// The oldest release whose consumers can be created without being changed by accident.
const OLDEST: (u32, u32) = (2, 10);
const ANSWERS_WITHIN: Duration = Duration::from_secs(10);
const PROGRAM: &str = "nats-server";

/// Why no nats-server was found, with everything that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindError {
    rejected: Vec<String>,
}

impl fmt::Display for FindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor) = OLDEST;
        write!(f, "no nats-server of {major}.{minor} or newer was found")?;
        for reason in &self.rejected {
            write!(f, "\n  {reason}")?;
        }
        f.write_str(
            "\n  next: install one from https://github.com/nats-io/nats-server/releases, \
             or set NATS_SERVER to the path of one; `make demo` installs one into .tools/",
        )
    }
}

impl std::error::Error for FindError {}

/// A nats-server that runs: `$NATS_SERVER` and nothing else if that is set, else `.tools/bin/nats-server` in the
/// current folder or one above it, else the first on PATH.
///
/// # Errors
/// Says what was looked at, and how to get one.
pub async fn find_binary() -> Result<PathBuf, FindError> {
    let here = std::env::current_dir().unwrap_or_default();
    let (named, path) = (std::env::var_os("NATS_SERVER"), std::env::var_os("PATH"));
    first_that_runs(candidates(named.as_deref(), &here, path.as_deref())).await
}

fn candidates(named: Option<&OsStr>, here: &Path, path: Option<&OsStr>) -> Vec<PathBuf> {
    if let Some(named) = named.filter(|named| !named.is_empty()) {
        return vec![PathBuf::from(named)];
    }
    let tools = here.ancestors().map(|folder| folder.join(".tools/bin").join(PROGRAM));
    let on_path = path.map(|path| std::env::split_paths(path).map(|folder| folder.join(PROGRAM)).collect());
    let on_path: Vec<PathBuf> = on_path.unwrap_or_default();
    tools.chain(on_path).filter(|file| file.is_file()).collect()
}

async fn first_that_runs(candidates: Vec<PathBuf>) -> Result<PathBuf, FindError> {
    let mut rejected = Vec::new();
    for program in candidates {
        match version(&program).await {
            Ok((major, minor)) if (major, minor) >= OLDEST => return Ok(program),
            Ok((major, minor)) => rejected.push(format!("{} is {major}.{minor}", program.display())),
            Err(reason) => rejected.push(format!("{} {reason}", program.display())),
        }
    }
    Err(FindError { rejected })
}

async fn version(program: &Path) -> Result<(u32, u32), String> {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let output = timeout(ANSWERS_WITHIN, command.output()).await;
    let output = output.map_err(|_| "does not say its version".to_owned())?;
    let output = output.map_err(|error| format!("does not run: {error}"))?;
    parse(&String::from_utf8_lossy(&output.stdout)).ok_or_else(|| "is not a nats-server".to_owned())
}

/// `nats-server: v2.15.1` → (2, 15)
fn parse(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim().strip_prefix("nats-server: v")?.split(['.', '-']);
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn program(file: &Path, says: &str) {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, format!("#!/bin/sh\necho '{says}'\n")).unwrap();
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn versions_are_read() {
        for (text, expected) in [
            ("nats-server: v2.15.1\n", Some((2, 15))),
            ("nats-server: v2.15-dev", Some((2, 15))),
            ("nats-server: v3.0.0-RC.1", Some((3, 0))),
            ("hello", None),
            ("", None),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }

    #[tokio::test]
    async fn the_nearest_recent_server_is_taken() {
        let dir = tempfile::tempdir().unwrap();
        let (old, new) = (dir.path().join("a/.tools/bin/nats-server"), dir.path().join("bin/nats-server"));
        program(&old, "nats-server: v2.9.25");
        program(&new, "nats-server: v2.10.0");
        let here = dir.path().join("a/b/c");
        let path = std::env::join_paths([dir.path().join("none"), dir.path().join("bin")]).unwrap();

        let all = candidates(None, &here, Some(&path));
        assert_eq!(all, [old.clone(), new.clone()]);
        assert_eq!(first_that_runs(all).await, Ok(new.clone()));

        let named = candidates(Some(old.as_os_str()), &here, Some(&path));
        let told = first_that_runs(named).await.unwrap_err().to_string();
        assert!(told.contains(".tools/bin/nats-server is 2.9") && told.contains("NATS_SERVER"), "{told}");

        let missing = candidates(Some(OsStr::new("/none/nats-server")), &here, None);
        let told = first_that_runs(missing).await.unwrap_err().to_string();
        assert!(told.contains("/none/nats-server does not run"), "{told}");
    }
}
