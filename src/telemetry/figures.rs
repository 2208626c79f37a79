//! What the process has counted since its start: by operation, by stream, and of itself. It outlives every configuration;
//! names that leave the configuration are forgotten, so that there are never more than it has.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::SystemTime;

use super::published::Published;
use super::spans::Spans;
use super::traffic::Traffic;
use super::writer::LogWriter;

/// Everything that is counted. One for the process.
#[derive(Debug)]
pub struct Figures {
    operations: Mutex<BTreeMap<Arc<str>, Arc<Traffic>>>,
    streams: Mutex<BTreeMap<Arc<str>, Arc<Published>>>,
    unmatched: Arc<Traffic>,
    spans: Spans,
    connections: Arc<AtomicUsize>,
    log: OnceLock<LogWriter>,
    started: SystemTime,
}

impl Default for Figures {
    fn default() -> Figures {
        Figures {
            operations: Mutex::default(),
            streams: Mutex::default(),
            unmatched: Arc::new(Traffic::of_none()),
            spans: Spans::default(),
            connections: Arc::default(),
            log: OnceLock::new(),
            started: SystemTime::now(),
        }
    }
}

impl Figures {
    /// The counters of an operation, which it has had under another configuration too.
    pub fn of_operation(&self, name: &Arc<str>) -> Arc<Traffic> {
        let mut operations = lock(&self.operations);
        let new = || Arc::new(Traffic::of(Arc::clone(name)));
        Arc::clone(operations.entry(Arc::clone(name)).or_insert_with(new))
    }

    /// The counters of a stream that operations publish to.
    pub fn of_stream(&self, name: &str) -> Arc<Published> {
        let mut streams = lock(&self.streams);
        let new = || Arc::new(Published::to(name.into()));
        Arc::clone(streams.entry(name.into()).or_insert_with(new))
    }

    /// Forgets what is not among these names.
    pub fn retain(&self, operations: &BTreeSet<&str>, streams: &BTreeSet<&str>) {
        lock(&self.operations).retain(|name, _| operations.contains(&**name));
        lock(&self.streams).retain(|name, _| streams.contains(&**name));
    }

    /// The operation of a name, if the running configuration has it.
    pub fn operation(&self, name: &str) -> Option<Arc<Traffic>> {
        lock(&self.operations).get(name).cloned()
    }

    /// The operations of the running configuration, by name.
    pub fn operations(&self) -> Vec<Arc<Traffic>> {
        lock(&self.operations).values().cloned().collect()
    }

    /// The streams of the running configuration, by name.
    pub fn streams(&self) -> Vec<Arc<Published>> {
        lock(&self.streams).values().cloned().collect()
    }

    /// What was for no operation.
    pub fn unmatched(&self) -> &Arc<Traffic> {
        &self.unmatched
    }

    /// What has become of spans.
    pub fn spans(&self) -> &Spans {
        &self.spans
    }

    /// Connections of the public listener: kept by whoever accepts them.
    pub fn connections(&self) -> &Arc<AtomicUsize> {
        &self.connections
    }

    /// Names the log of the process, whose losses are counted.
    pub fn watch_log(&self, log: LogWriter) {
        let _ = self.log.set(log);
    }

    /// Lines of the log that were lost, since nobody read them in time.
    pub fn log_lines_lost(&self) -> u64 {
        self.log.get().map_or(0, LogWriter::lost)
    }

    /// When the process began to count.
    pub fn started(&self) -> SystemTime {
        self.started
    }
}

/// A panic while somebody held it leaves counters, which are right by themselves.
fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::Method;

    use super::*;
    use crate::telemetry::Requests;

    #[test]
    fn an_operation_keeps_its_counts_as_long_as_it_has_its_name() {
        let figures = Figures::default();
        let (a, b): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
        for name in [&a, &b, &a] {
            figures.of_operation(name).answered(&Method::GET, 200, None, Duration::ZERO);
        }
        figures.retain(&BTreeSet::from(["a"]), &BTreeSet::new());
        assert_eq!(figures.operations().len(), 1);
        let counted = Requests { method: "GET", status: 200, code: "", count: 2 };
        assert_eq!(figures.of_operation(&a).requests(), [counted]);
        assert!(figures.operation("b").is_none());
    }
}
