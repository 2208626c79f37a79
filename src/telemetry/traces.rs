//! Spans on their way to a collector: gathered in a bounded queue, sent in batches by one task. A collector that is slow or
//! away costs spans, which are counted, and never a request.

mod exporter;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry_sdk::trace::SpanData;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::figures::Figures;
use super::sample::Sample;
pub use exporter::{Exporter, Options, Protocol};

/// Spans that wait at most; one takes about a kilobyte.
const WAITING: usize = 4096;
/// Spans that are sent together at most.
const TOGETHER: usize = 512;
/// How long spans are gathered before they are sent.
const GATHER: Duration = Duration::from_secs(1);
/// How long the end of the process waits for the last ones.
pub const LAST_SPANS: Duration = Duration::from_secs(2);

/// The near end. Clones share.
#[derive(Debug, Clone)]
pub struct Tracer {
    spans: mpsc::Sender<SpanData>,
    sample: Sample,
    figures: Arc<Figures>,
}

impl Tracer {
    /// A tracer, and what has to run for its spans to be sent. Once `end` is cancelled, that sends what there is and ends,
    /// whether the collector takes it or not.
    pub fn start(
        exporter: Exporter,
        sample: Sample,
        figures: Arc<Figures>,
        end: CancellationToken,
    ) -> (Tracer, impl Future<Output = ()> + Send) {
        let (spans, waiting) = mpsc::channel(WAITING);
        let counted = Arc::clone(&figures);
        let sending = async move {
            let patience = async {
                end.cancelled().await;
                sleep(LAST_SPANS).await;
            };
            tokio::select! {
                () = send_all(exporter, waiting, counted, &end) => {}
                () = patience => {}
            }
        };
        (Tracer { spans, sample, figures }, sending)
    }

    /// Whether a trace that begins here is recorded: all that see its id decide the same.
    pub fn samples(&self, trace: u128) -> bool {
        // The last digits of an id are random, whoever has made it.
        self.sample.takes(trace as u64)
    }

    /// Hands over a span, if there is room.
    pub fn record(&self, span: SpanData) {
        if self.spans.try_send(span).is_err() {
            self.figures.spans().dropped(1);
        }
    }
}

/// Sends what comes, until nothing can come any more.
async fn send_all(
    exporter: Exporter,
    mut waiting: mpsc::Receiver<SpanData>,
    figures: Arc<Figures>,
    end: &CancellationToken,
) {
    let mut fails = false;
    while let Some(batch) = gather(&mut waiting, end).await {
        let count = batch.len();
        match exporter.export(batch).await {
            Ok(()) => {
                figures.spans().sent(count);
                if std::mem::take(&mut fails) {
                    tracing::info!("spans reach their collector again");
                }
            }
            Err(failure) => {
                figures.spans().failed(count);
                if !std::mem::replace(&mut fails, true) {
                    tracing::warn!(failure, "spans do not reach their collector");
                }
            }
        }
    }
}

/// The next batch; none once it is time to end and there are no more.
async fn gather(waiting: &mut mpsc::Receiver<SpanData>, end: &CancellationToken) -> Option<Vec<SpanData>> {
    let mut batch = Vec::with_capacity(TOGETHER);
    let mut pause = pin!(sleep(GATHER));
    loop {
        let room = TOGETHER - batch.len();
        let is_first = batch.is_empty();
        tokio::select! {
            biased;
            got = waiting.recv_many(&mut batch, room) => {
                if got == 0 || batch.len() == TOGETHER {
                    break;
                }
                if is_first {
                    pause.as_mut().reset(Instant::now() + GATHER);
                }
            }
            // Then what waits is handed out, and after it nothing.
            () = end.cancelled(), if !waiting.is_closed() => waiting.close(),
            () = &mut pause, if !is_first => break,
        }
    }
    (!batch.is_empty()).then_some(batch)
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status};
    use opentelemetry_sdk::trace::{SpanEvents, SpanLinks};

    use super::*;

    #[test]
    fn a_span_that_finds_no_room_is_counted_and_waits_for_nobody() {
        let (spans, mut waiting) = mpsc::channel(2);
        let tracer = Tracer { spans, sample: Sample::ALL, figures: Arc::default() };
        let span = SpanData {
            span_context: SpanContext::empty_context(),
            parent_span_id: SpanId::INVALID,
            parent_span_is_remote: false,
            span_kind: SpanKind::Server,
            name: "".into(),
            start_time: std::time::SystemTime::UNIX_EPOCH,
            end_time: std::time::SystemTime::UNIX_EPOCH,
            attributes: Vec::new(),
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: Status::Unset,
            instrumentation_scope: opentelemetry::InstrumentationScope::default(),
        };
        (0..5).for_each(|_| tracer.record(span.clone()));
        assert_eq!(tracer.figures.spans().read(), [("sent", 0), ("failed", 0), ("dropped", 3)]);
        assert!(waiting.try_recv().is_ok());
    }
}
