//! A file of keys or users that is looked at again and again: a changed one is picked up, a broken one is told and
//! the last good one stays.

use std::fs::{File, Metadata};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::state::Freshness;
use crate::diagnostic::{Diagnostic, Diagnostics, Place, Severity};

/// Between two looks at a file.
const POLL: Duration = Duration::from_millis(500);

/// A file that does not change for so long is not being written.
const SETTLED: Duration = Duration::from_millis(100);

/// The largest file, in bytes.
const LONGEST: u64 = 16 << 20;

/// What a file is read into, or nothing and the reasons in the diagnostics. Sources are the parser's to add.
pub(super) type Parse<T> = dyn Fn(&Path, String, &mut Diagnostics) -> Option<T> + Send + Sync;

/// The content of a file, as it was when it last was right.
pub(super) struct Watched<T> {
    path: PathBuf,
    parse: Box<Parse<T>>,
    content: ArcSwap<T>,
    stamp: Mutex<Stamp>,
    freshness: Freshness,
}

/// What tells one version of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
    inode: u64,
}

impl<T> std::fmt::Debug for Watched<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watched").field("path", &self.path).finish_non_exhaustive()
    }
}

impl<T: Send + Sync + 'static> Watched<T> {
    /// Reads a file for the first time, blocking. What is wrong is told at its place, in the file or, if it cannot be
    /// read at all, where it is named.
    pub(super) fn load(
        path: &Path,
        named_at: Place,
        parse: Box<Parse<T>>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Watched<T>> {
        let read = read(path).map_err(|error| diagnostics.push(unreadable(named_at, &error)));
        let (stamp, text) = read.ok()?;
        let content = parse(path, text, diagnostics)?;
        let freshness = Freshness::default();
        freshness.succeeded();
        Some(Watched {
            path: path.to_owned(),
            parse,
            content: ArcSwap::from_pointee(content),
            stamp: Mutex::new(stamp),
            freshness,
        })
    }

    /// What it holds.
    pub(super) fn get(&self) -> Arc<T> {
        self.content.load_full()
    }

    /// When it was read, and what is wrong with it now.
    pub(super) fn freshness(&self) -> &Freshness {
        &self.freshness
    }

    /// Looks at it again and again. `succeed` may take over from the former content what the new one shares with it.
    pub(super) async fn watch(self: Arc<Self>, succeed: fn(&mut T, &T)) {
        loop {
            sleep(POLL).await;
            let this = Arc::clone(&self);
            // A disk that hangs must not hold up requests.
            let _ = spawn_blocking(move || this.look(succeed)).await;
        }
    }

    fn look(&self, succeed: fn(&mut T, &T)) {
        let known = *self.stamp.lock().unwrap_or_else(PoisonError::into_inner);
        match std::fs::metadata(&self.path).map(|metadata| Stamp::of(&metadata)) {
            Ok(stamp) if stamp == known => {}
            Ok(_) => self.read_again(succeed),
            Err(error) => {
                // The same version is read again once it is back.
                *self.stamp.lock().unwrap_or_else(PoisonError::into_inner) = Stamp::default();
                self.failed(&error.to_string());
            }
        }
    }

    fn read_again(&self, succeed: fn(&mut T, &T)) {
        let (stamp, text) = match settled(&self.path) {
            Ok(Some(read)) => read,
            Ok(None) => return,
            Err(error) => return self.failed(&error.to_string()),
        };
        *self.stamp.lock().unwrap_or_else(PoisonError::into_inner) = stamp;
        let mut diagnostics = Diagnostics::default();
        match (self.parse)(&self.path, text, &mut diagnostics) {
            Some(mut content) => {
                succeed(&mut content, &self.content.load());
                self.content.store(Arc::new(content));
                self.freshness.succeeded();
                tracing::info!(path = %self.path.display(), "a changed file of keys is in use");
            }
            None => self.failed(&first_error(&diagnostics)),
        }
    }

    fn failed(&self, error: &str) {
        if self.freshness.failed(error) {
            let path = self.path.display();
            tracing::error!(%path, error, "a file of keys cannot be used, and the last good one stays");
        }
    }
}

/// Why a file that is named in the configuration cannot be read, at that place.
pub(super) fn unreadable(place: Place, error: &io::Error) -> Diagnostic {
    Diagnostic::error(place, format!("this file cannot be read: {error}"))
        .help("correct the path (it is relative to this file) or the file's permissions")
}

/// The first problem in one line, without any text of the file.
fn first_error(diagnostics: &Diagnostics) -> String {
    let sorted = diagnostics.sorted();
    let Some(first) = sorted.iter().find(|one| one.severity == Severity::Error) else { return String::new() };
    match first.place {
        Some(place) if place.line > 0 => format!("line {}: {}", place.line, first.message),
        _ => first.message.clone(),
    }
}

/// Reads a file once nobody writes to it; `None`: somebody still does.
fn settled(path: &Path) -> io::Result<Option<(Stamp, String)>> {
    let (stamp, text) = read(path)?;
    std::thread::sleep(SETTLED);
    let now = Stamp::of(&std::fs::metadata(path)?);
    Ok((now == stamp).then_some((stamp, text)))
}

/// Reads a file, and the stamp of what was read. A version that is being written has another stamp soon.
fn read(path: &Path) -> io::Result<(Stamp, String)> {
    let file = File::open(path)?;
    let stamp = Stamp::of(&file.metadata()?);
    let mut text = String::new();
    let length = file.take(LONGEST + 1).read_to_string(&mut text)?;
    match length as u64 > LONGEST {
        true => {
            Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is longer than {LONGEST} bytes")))
        }
        false => Ok((stamp, text)),
    }
}

impl Stamp {
    fn of(metadata: &Metadata) -> Stamp {
        use std::os::unix::fs::MetadataExt;
        Stamp { modified: metadata.modified().ok(), length: metadata.len(), inode: metadata.ino() }
    }
}
