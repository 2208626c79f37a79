//! What has been seen of the two sides of an operation: counted here, and handed to whoever keeps it for all instances.

mod counts;
mod told;

use std::collections::VecDeque;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use tokio::sync::Semaphore;

use super::compare::{Comparison, Difference, Verdict};
use super::gate::Wanted;
use super::summary::{Answers, Summary, Window, Writer};
use super::{FellBack, Side};
use crate::problem::Code;
use counts::{Counts, Reasons};
pub use counts::{RESULTS, Totals};

/// Mismatches that wait to be stored; of more, the rows tell.
const WAITING: usize = 16;

/// Bodies up to here are compared at once; of longer ones, so many pairs at a time.
const SHORT: usize = 32 << 10;
static LONG: Semaphore = Semaphore::const_new(2);

/// One side's answer to a request.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, if all of it came and it is not too long.
    pub body: Option<Bytes>,
    /// Why it is a problem of the gateway's own.
    pub code: Option<Code>,
    /// From the request to the head of the answer.
    pub took: Duration,
}

/// The answers of both sides to one request.
#[derive(Debug)]
pub struct Pair {
    /// Whose answer the client had.
    pub served: Side,
    /// That answer; none if it was not given to its end.
    pub primary: Option<Answer>,
    /// The answer to the copy; none if it did not come in time.
    pub candidate: Option<Answer>,
    /// It came from the same side, to learn what differs by itself.
    pub noise: bool,
}

impl Pair {
    /// Bytes of the two bodies.
    fn length(&self) -> usize {
        let bodies =
            [&self.primary, &self.candidate].into_iter().flatten().filter_map(|one| one.body.as_ref());
        bodies.map(Bytes::len).sum()
    }
}

/// What is written of how evidence is gathered.
#[derive(Debug)]
pub struct Rules {
    /// How answers are compared.
    pub comparison: Comparison,
    /// What the gate asks for.
    pub wanted: Wanted,
    /// Classes of statuses that the contract declares: 2 is `2xx`.
    pub declared: Vec<u16>,
}

/// What has been seen of an operation; clones share it.
#[derive(Debug, Clone)]
pub struct Evidence {
    rules: Arc<Rules>,
    counts: Arc<Counts>,
    epoch: Arc<Epoch>,
}

/// What was seen while the same was written of how the operation is carried out and compared.
#[derive(Debug)]
struct Epoch {
    name: String,
    /// Noted without a lock: requests wait for nothing here.
    fallbacks: Reasons,
    dropped: AtomicU64,
    /// What clients were answered where no copies are made: by the legacy service, and by NATS.
    answered: Mutex<[Answers; 2]>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// What all instances have stored, as far as it is known.
    stored: Summary,
    /// What is being added to it, and may have been.
    sent: Option<Sending>,
    /// What is not stored yet.
    fresh: Summary,
    /// The newest mismatches.
    waiting: VecDeque<Mismatch>,
}

/// Numbers what is sent by this process. One for all operations, since what was counted of an operation may be forgotten
/// while what it has stored is not.
static NUMBER: AtomicU64 = AtomicU64::new(1);

/// A part of the evidence on its way to where it is kept.
#[derive(Debug, Clone)]
pub struct Sending {
    /// Tells it apart from others of this process.
    pub number: u64,
    /// What is added.
    pub summary: Summary,
}

/// A pair that differs, without what may not be shown.
#[derive(Debug, Clone)]
pub struct Mismatch {
    /// When.
    pub at: SystemTime,
    /// Who answered the client.
    pub served: Side,
    /// Where they differ, and what stands there.
    pub difference: Difference,
}

impl Evidence {
    /// Goes on with what an earlier one has seen: everything if it is of the same epoch, else what it counted.
    pub fn new(epoch: &str, rules: Rules, former: Option<&Evidence>) -> Evidence {
        let same = former.filter(|former| former.epoch.name == epoch);
        Evidence {
            rules: Arc::new(rules),
            counts: former.map(|former| Arc::clone(&former.counts)).unwrap_or_default(),
            epoch: same.map_or_else(
                || {
                    Arc::new(Epoch {
                        name: epoch.to_owned(),
                        fallbacks: Reasons::default(),
                        dropped: AtomicU64::new(0),
                        answered: Mutex::default(),
                        seen: Mutex::default(),
                    })
                },
                |former| Arc::clone(&former.epoch),
            ),
        }
    }

    /// Takes a pair of answers in.
    pub fn observe(&self, pair: &Pair) {
        let verdict = self.rules.comparison.judge(pair);
        let now = SystemTime::now();
        let mut seen = self.seen();
        seen.fresh.add(pair, &verdict, self.window(), seconds(now));
        if pair.noise {
            return;
        }
        let at = match verdict {
            Verdict::Match => 0,
            Verdict::Mismatch(difference) => {
                if seen.waiting.len() < WAITING {
                    seen.waiting.push_back(Mismatch { at: now, served: pair.served, difference });
                }
                1
            }
            Verdict::CandidateError(_) => 2,
            Verdict::CandidateTimeout => 3,
            Verdict::Skipped(_) => 4,
        };
        drop(seen);
        self.counts.results[at].fetch_add(1, Relaxed);
    }

    /// Takes in a pair whose comparison may take long, where it is in nobody's way.
    pub async fn observe_aside(&self, pair: Pair) {
        if pair.length() <= SHORT {
            return self.observe(&pair);
        }
        let Ok(_place) = LONG.acquire().await else { return };
        let evidence = self.clone();
        // One that fails is not counted.
        let _ = tokio::task::spawn_blocking(move || evidence.observe(&pair)).await;
    }

    /// A client was answered, where no pairs tell of it. How long a failure took says nothing of how long answers take.
    pub fn answered(&self, side: Side, status: u16, took: Option<Duration>) {
        let mut answered = self.epoch.answered.lock().unwrap_or_else(PoisonError::into_inner);
        answered[usize::from(side == Side::Nats)].count(status, took);
    }

    /// The legacy service answered what NATS did not take, and why it did not.
    pub fn fell_back(&self, why: FellBack) {
        self.counts.fallbacks.add(why);
        self.epoch.fallbacks.add(why);
    }

    /// A copy was not made, because there were too many.
    pub fn dropped(&self) {
        self.counts.dropped.fetch_add(1, Relaxed);
        self.epoch.dropped.fetch_add(1, Relaxed);
    }

    /// The longest body that is compared, in bytes.
    pub fn max_body(&self) -> usize {
        self.rules.comparison.max_body()
    }

    /// What this process has counted.
    pub fn totals(&self) -> Totals {
        self.counts.totals()
    }

    /// Which writing of the operation it is of.
    pub fn epoch(&self) -> &str {
        &self.epoch.name
    }

    /// What has not been stored yet, if there is something; what has been handed out before comes first.
    pub fn sending(&self) -> Option<Sending> {
        let mut seen = self.seen();
        self.gather(&mut seen);
        if seen.sent.is_none() && !seen.fresh.is_empty() {
            let summary = std::mem::take(&mut seen.fresh);
            seen.sent = Some(Sending { number: NUMBER.fetch_add(1, Relaxed), summary });
        }
        seen.sent.clone()
    }

    /// What is stored with a part added, unless it has it already.
    #[must_use]
    pub fn with(
        &self,
        mut stored: Summary,
        part: &Sending,
        instance: &str,
        now: SystemTime,
    ) -> Option<Summary> {
        let has = stored.writers.get(instance).is_some_and(|writer| writer.number >= part.number);
        if has {
            return None;
        }
        stored.merge(&part.summary);
        let writer = Writer { number: part.number, at: seconds(now) };
        stored.writers.insert(instance.to_owned(), writer);
        stored.prune(self.window(), seconds(now));
        Some(stored)
    }

    /// What all instances have stored; a part that was on its way is in it, or given up.
    pub fn settled(&self, stored: Summary) {
        let mut seen = self.seen();
        seen.sent = None;
        seen.stored = stored;
    }

    /// What all instances have stored. What is on its way may be in it.
    pub fn read(&self, stored: Summary, instance: &str) {
        let mut seen = self.seen();
        let number = stored.writers.get(instance).map_or(0, |writer| writer.number);
        seen.sent.take_if(|sent| sent.number <= number);
        seen.stored = stored;
    }

    /// Begins anew.
    pub fn reset(&self) {
        let mut seen = self.seen();
        self.gather(&mut seen);
        *seen = Seen::default();
    }

    /// Whether mismatches wait to be stored.
    pub fn has_mismatches(&self) -> bool {
        !self.seen().waiting.is_empty()
    }

    /// The mismatches that wait to be stored, at most so many.
    pub fn mismatches(&self, most: usize) -> Vec<Mismatch> {
        let mut seen = self.seen();
        let count = seen.waiting.len().min(most);
        seen.waiting.drain(..count).collect()
    }

    /// What all instances have stored, as far as it is known.
    pub fn known(&self) -> Summary {
        self.seen().stored.clone()
    }

    /// All that is known.
    fn all(&self, now: u64) -> Summary {
        let mut seen = self.seen();
        self.gather(&mut seen);
        let mut all = seen.stored.clone();
        if let Some(sent) = &seen.sent {
            all.merge(&sent.summary);
        }
        all.merge(&seen.fresh);
        drop(seen);
        all.prune(self.window(), now);
        all
    }

    /// Takes in what was noted without a lock.
    fn gather(&self, seen: &mut Seen) {
        let taken = |count: &AtomicU64| count.swap(0, Relaxed);
        let (fallbacks, dropped) = (self.epoch.fallbacks.each(taken), taken(&self.epoch.dropped));
        let answered =
            std::mem::take(&mut *self.epoch.answered.lock().unwrap_or_else(PoisonError::into_inner));
        let (now, window) = (seconds(SystemTime::now()), self.window());
        let [legacy, nats] = &answered;
        if *legacy != Answers::default() || *nats != Answers::default() {
            let slot = seen.fresh.slot(window, now);
            slot.legacy.merge(legacy);
            slot.nats.merge(nats);
        }
        if !fallbacks.is_empty() || dropped > 0 {
            let slot = seen.fresh.slot(window, now);
            slot.dropped += dropped;
            for (why, count) in fallbacks {
                *slot.fallbacks.entry(why.to_owned()).or_default() += count;
            }
        }
        seen.fresh.prune(window, now);
    }

    fn window(&self) -> Window {
        Window::new(self.rules.wanted.gathered)
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.epoch.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Since 1970.
fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
