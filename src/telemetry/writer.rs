//! Log lines in batches: whoever logs copies its line into a buffer and goes on; a thread writes the buffer.
//!
//! One write for many lines costs a request almost nothing, where a write or a wake-up for each line costs as much as
//! the whole gateway. The buffer is bounded: a reader that does not keep up loses lines, and is told how many.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// Bytes that wait to be written at most.
const LONGEST: usize = 8 << 20;
/// How long lines are gathered before they are written.
const GATHER: Duration = Duration::from_millis(10);
/// How long the end waits for a reader that does not read.
const LAST_LINES: Duration = Duration::from_secs(2);

/// The near end. Clones share.
#[derive(Debug, Clone)]
pub struct LogWriter(Arc<Shared>);

/// Writes what is left when dropped, unless nobody reads it: the process must come to its end.
#[derive(Debug)]
pub struct LogGuard(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    pending: Mutex<Pending>,
    arrived: Condvar,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct Pending {
    bytes: Vec<u8>,
    /// Lines that were lost, and whose loss has not been told in the log.
    untold: u64,
    /// All that were lost.
    lost: u64,
    closed: bool,
    /// The thread has written everything.
    written: bool,
}

impl Shared {
    /// A panic while a line was copied leaves a line cut short, which is no reason to log no more.
    fn lock(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Begins to write to `out`.
///
/// # Errors
/// If the system starts no thread.
pub(super) fn start(out: impl Write + Send + 'static) -> io::Result<(LogWriter, LogGuard)> {
    let shared = Arc::new(Shared::default());
    let of_thread = Arc::clone(&shared);
    std::thread::Builder::new().name("log".into()).spawn(move || {
        write_all(&of_thread, out);
        of_thread.lock().written = true;
        of_thread.ended.notify_all();
    })?;
    Ok((LogWriter(Arc::clone(&shared)), LogGuard(shared)))
}

impl LogWriter {
    /// How many lines were lost since the start.
    pub fn lost(&self) -> u64 {
        self.0.lock().lost
    }

    /// Appends a line, which `line` writes, end of line included.
    pub fn append(&self, line: impl FnOnce(&mut Vec<u8>)) {
        let mut pending = self.0.lock();
        if pending.bytes.len() >= LONGEST {
            pending.untold += 1;
            pending.lost += 1;
            return;
        }
        let first = pending.bytes.is_empty();
        line(&mut pending.bytes);
        drop(pending);
        if first {
            self.0.arrived.notify_one();
        }
    }
}

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.append(|line| line.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogWriter {
    type Writer = LogWriter;

    fn make_writer(&'a self) -> LogWriter {
        self.clone()
    }
}

impl Drop for LogGuard {
    fn drop(&mut self) {
        let mut pending = self.0.lock();
        pending.closed = true;
        self.0.arrived.notify_one();
        let _ = self.0.ended.wait_timeout_while(pending, LAST_LINES, |pending| !pending.written);
    }
}

fn write_all(shared: &Shared, mut out: impl Write) {
    let mut batch = Vec::new();
    loop {
        let (lost, closed) = take(shared, &mut batch);
        // There is nobody to tell that the log cannot be written.
        let _ = out.write_all(&batch).and_then(|()| out.flush());
        if lost > 0 {
            let _ =
                writeln!(out, "{{\"level\":\"WARN\",\"message\":\"log lines were lost\",\"lines\":{lost}}}");
        }
        if closed && batch.is_empty() {
            return;
        }
        batch.clear();
    }
}

/// Waits for lines, and takes them all once they have gathered for a while.
fn take(shared: &Shared, batch: &mut Vec<u8>) -> (u64, bool) {
    let mut pending = shared.lock();
    while pending.bytes.is_empty() && !pending.closed {
        pending = shared.arrived.wait(pending).unwrap_or_else(PoisonError::into_inner);
    }
    if !pending.closed {
        drop(pending);
        std::thread::sleep(GATHER);
        pending = shared.lock();
    }
    std::mem::swap(&mut pending.bytes, batch);
    (std::mem::take(&mut pending.untold), pending.closed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_line_is_written_once_and_in_order() {
        let sink = Sink::default();
        let (writer, guard) = start(sink.clone()).unwrap();
        for number in 0..10_000 {
            writer.append(|line| line.extend_from_slice(format!("{number}\n").as_bytes()));
        }
        drop(guard);
        let written = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
        assert!(written.lines().map(|line| line.parse::<u32>().unwrap()).eq(0..10_000));
    }

    /// A reader that never reads.
    struct Stuck(std::sync::mpsc::Receiver<()>);

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_does_not_keep_up_loses_lines_and_stops_nobody() {
        let (release, stuck) = std::sync::mpsc::channel();
        let (writer, guard) = start(Stuck(stuck)).unwrap();
        let line = vec![b'x'; 1 << 20];
        for _ in 0..40 {
            writer.append(|out| out.extend_from_slice(&line));
        }
        assert!(writer.0.lock().bytes.len() <= LONGEST + line.len());
        assert!(writer.lost() > 0);
        drop(release);
        drop(guard);
    }

    #[test]
    fn a_reader_that_never_reads_does_not_keep_the_process_from_its_end() {
        let (_never, stuck) = std::sync::mpsc::channel();
        let (writer, guard) = start(Stuck(stuck)).unwrap();
        writer.append(|out| out.extend_from_slice(b"line\n"));
        let (done, ended) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            drop(guard);
            let _ = done.send(());
        });
        assert_eq!(ended.recv_timeout(LAST_LINES * 3), Ok(()));
    }
}
