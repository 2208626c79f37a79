//! Another configuration in place of the one that runs: built aside, and then in place as a whole or not at all.
//!
//! Requests end on the table on which they began. What needs a restart is refused as a whole too: new operations on an
//! old connection would be a configuration that nobody has written.

mod files;
mod outcome;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use super::Gateway;
use super::load::{self, Inputs, Loaded, Read};
use crate::config::{Overrides, Written};
use files::Files;
pub use outcome::{Agreement, Cause, Outcome, Reload};

/// Between two looks at the files.
const POLL: Duration = Duration::from_secs(1);

/// Replaces the table of a gateway by what the files say now.
#[derive(Debug)]
pub struct Reloader {
    gateway: Arc<Gateway>,
    path: PathBuf,
    overrides: Overrides,
    /// One at a time.
    running: Mutex<Running>,
    /// Of the configuration that the process was started with.
    written: Written,
    last: ArcSwapOption<Reload>,
    agreement: ArcSwap<Agreement>,
    counts: [AtomicU64; Outcome::ALL.len()],
    files: ArcSwap<Files>,
}

impl Reloader {
    /// For a gateway that runs on what was loaded from `path`.
    pub fn new(gateway: Arc<Gateway>, path: PathBuf, overrides: Overrides, from: Origin) -> Reloader {
        let Origin { inputs, written } = from;
        // They were read a moment ago: what has changed since is found by the first look.
        let files = Files::look(inputs.paths().cloned().collect(), Some(&Files::default()));
        Reloader {
            gateway,
            path,
            overrides,
            running: Mutex::new(Running { inputs, done: None }),
            written,
            last: ArcSwapOption::empty(),
            agreement: ArcSwap::from_pointee(Agreement { holds: true, since: SystemTime::now() }),
            counts: Default::default(),
            files: ArcSwap::from_pointee(files),
        }
    }

    /// The configuration file.
    pub fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// What the last reload came to; `None`: there was none.
    pub fn last(&self) -> Option<Arc<Reload>> {
        self.last.load_full()
    }

    /// Whether what is written is what runs.
    pub fn agreement(&self) -> Agreement {
        **self.agreement.load()
    }

    /// How many reloads came to each outcome.
    pub fn counts(&self) -> [(Outcome, u64); Outcome::ALL.len()] {
        std::array::from_fn(|index| (Outcome::ALL[index], self.counts[index].load(Ordering::Relaxed)))
    }

    /// Builds aside what the files say, and puts it in place if all is well with it. Another one that is under way is
    /// waited for; those that wait together share the one that comes then.
    pub async fn reload(&self, cause: Cause) -> Arc<Reload> {
        let asked = Instant::now();
        let mut running = self.running.lock().await;
        let start = Instant::now();
        if let Some(done) = running.done.as_ref().filter(|done| done.serves(asked, cause)) {
            return Arc::clone(&done.reload);
        }
        let reload = self.once(cause, &mut running.inputs).await;
        running.done = Some(Done { start, reload: Arc::clone(&reload) });
        reload
    }

    async fn once(&self, cause: Cause, running: &mut Inputs) -> Arc<Reload> {
        let (at, start) = (SystemTime::now(), Instant::now());
        let former = self.gateway.table();
        let (path, overrides) = (self.path.clone(), self.overrides.clone());
        let (known, inputs) = (self.files.load_full(), running.clone());
        let read = spawn_blocking(move || {
            let before = Files::look(known.paths().cloned().collect(), None);
            if cause == Cause::Files && before.has_names_of(&known) && inputs.still_hold() {
                return (None, before);
            }
            let read = load::read(&path, &overrides, Some(&former));
            // What runs is looked at beside what was read: either may be what is put right.
            let paths = read.inputs.paths().chain(inputs.paths()).cloned().collect();
            (Some(read), Files::look(paths, Some(&before)))
        });
        let mut reload = Reload::new(at, cause);
        match read.await {
            Ok((read, files)) => {
                self.files.store(Arc::new(files));
                match read {
                    Some(read) => self.decide(read, running, &mut reload),
                    None => reload.outcome = Outcome::Unchanged,
                }
            }
            Err(_) => reload.crashed(),
        }
        reload.took = start.elapsed();
        reload.generation = *self.gateway.generation().borrow();
        self.counts[reload.outcome as usize].fetch_add(1, Ordering::Relaxed);
        self.agreement.store(Arc::new(self.agreement().after(reload.outcome, at)));
        let last = self.last();
        // A look that finds nothing new is no news, unless the files have just gone back to what runs.
        let is_news = reload.outcome != Outcome::Unchanged || last.is_some_and(|last| !last.is_success());
        let reload = Arc::new(reload);
        if is_news {
            reload.tell();
            self.last.store(Some(Arc::clone(&reload)));
        }
        reload
    }

    fn decide(&self, read: Read, running: &mut Inputs, reload: &mut Reload) {
        let (loaded, diagnostics) = read.fit();
        reload.found(&diagnostics);
        let Some(Loaded { config, table, inputs, .. }) = loaded else {
            reload.outcome = Outcome::Invalid;
            return;
        };
        reload.needs_restart = config.written.needs_restart(&self.written);
        reload.outcome = match reload.cause {
            _ if !reload.needs_restart.is_empty() => Outcome::RestartRequired,
            Cause::Files if inputs == *running => Outcome::Unchanged,
            _ => Outcome::Applied,
        };
        if reload.outcome == Outcome::Applied {
            reload.compare(&self.gateway.table(), &table);
            self.gateway.replace(table);
            *running = inputs;
        }
    }

    /// Looks at the files again and again, for ever, and reloads when they have changed and stand still.
    pub async fn watch(self: Arc<Self>) {
        let mut seen: Option<Files> = None;
        loop {
            tokio::time::sleep(POLL).await;
            let known = self.files.load_full();
            let paths = known.paths().cloned().collect();
            // A disk that hangs must not hold up requests.
            let Ok(now) = spawn_blocking(move || Files::look(paths, None)).await else { continue };
            if now == *known {
                seen = None;
            } else if seen.as_ref() == Some(&now) {
                seen = None;
                self.reload(Cause::Files).await;
            } else {
                seen = Some(now);
            }
        }
    }
}

/// What a reload leaves to the next one.
#[derive(Debug)]
struct Running {
    /// What runs was made from these.
    inputs: Inputs,
    done: Option<Done>,
}

/// The last reload.
#[derive(Debug)]
struct Done {
    start: Instant,
    reload: Arc<Reload>,
}

impl Done {
    /// Whether it has read what there was when somebody asked for a reload: a look at files may have read nothing.
    fn serves(&self, asked: Instant, cause: Cause) -> bool {
        self.start >= asked && (self.reload.cause != Cause::Files || cause == Cause::Files)
    }
}

/// What the running configuration was made from.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The files.
    pub inputs: Inputs,
    /// What was written in them.
    pub written: Written,
}

impl Loaded {
    /// What it was made from.
    pub fn origin(&self) -> Origin {
        Origin { inputs: self.inputs.clone(), written: self.config.written.clone() }
    }
}
