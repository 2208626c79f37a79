//! A key set at a URL: one task fetches it, everybody else only looks, or waits for that task.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use futures_util::FutureExt;
use reqwest::Client;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::fetch::Address;
use super::set::Keys;
use super::{NoKey, Signed, SigningKey, look};
use crate::authenticate::state::Freshness;

/// Between two fetches that nobody asked for; a tenth more or less, so that instances do not come together.
const REFRESH: Duration = Duration::from_secs(300);
/// After a fetch that an unknown key asked for, no other such one for this long.
const COOL_DOWN: Duration = Duration::from_secs(5);
/// After the first failure, and at most.
const RETRY: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));

/// The set, and the way to a newer one.
#[derive(Debug)]
pub(in crate::authenticate) struct Remote {
    pub(super) address: Address,
    keys: ArcSwapOption<Keys>,
    pub(super) freshness: Freshness,
    /// Somebody has met a key that is in no set.
    asked: Notify,
    rounds: watch::Sender<Rounds>,
}

/// What the fetching task is at.
#[derive(Debug, Clone, Copy, Default)]
struct Rounds {
    /// Fetches that have ended, well or badly.
    ended: u64,
    /// One is on its way.
    running: bool,
    /// Another one may be asked for from then on; `None`: nobody fetches at all.
    open: Option<Instant>,
}

impl Remote {
    pub(super) fn new(address: Address) -> Remote {
        Remote {
            address,
            keys: ArcSwapOption::empty(),
            freshness: Freshness::default(),
            asked: Notify::new(),
            rounds: watch::Sender::new(Rounds::default()),
        }
    }

    /// How many keys there are.
    pub(super) fn count(&self) -> usize {
        self.keys.load().as_ref().map_or(0, |keys| keys.len())
    }

    /// The key that has signed a token; see [`super::KeySource::find`].
    pub(super) async fn find(&self, signed: Signed<'_>, deadline: Instant) -> Result<SigningKey, NoKey> {
        let look = || look(self.keys.load().as_deref(), signed);
        // A fetch that is on its way may have begun before the key was published: one more may be needed.
        for _ in 0..2 {
            let found = look();
            if !matches!(found, Err(NoKey::Unknown | NoKey::NeverLoaded)) || !self.fetched(deadline).await {
                return found;
            }
        }
        look()
    }

    /// Waits for the fetch that is on its way, or asks for one; `false` if there is none to wait for.
    async fn fetched(&self, deadline: Instant) -> bool {
        let mut rounds = self.rounds.subscribe();
        let now = *rounds.borrow_and_update();
        if !now.running {
            // Without any keys the task tries as often as it should by itself.
            let may_ask = self.keys.load().is_some() && now.open.is_some_and(|open| open <= Instant::now());
            if !may_ask {
                return false;
            }
            self.asked.notify_one();
        }
        let ended = rounds.wait_for(|rounds| rounds.ended != now.ended);
        matches!(timeout_at(deadline, ended).await, Ok(Ok(_)))
    }

    /// Fetches again and again, for ever.
    pub(super) async fn watch(&self) {
        let (mut pause, mut client) = (RETRY.0, None);
        let mut open = Instant::now();
        loop {
            self.rounds.send_modify(|rounds| rounds.running = true);
            let fetched = self.fetch(&mut client).await;
            let next = match fetched {
                Ok(keys) => {
                    self.replace(keys);
                    pause = RETRY.0;
                    REFRESH.mul_f64(0.9 + 0.2 * fastrand::f64())
                }
                Err(error) => {
                    self.failed(&error);
                    let now = pause;
                    pause = (pause * 2).min(RETRY.1);
                    now
                }
            };
            // Whoever asked while this fetch was on its way waits for it, and for no other.
            let _ = self.asked.notified().now_or_never();
            self.rounds.send_modify(|rounds| {
                *rounds = Rounds { ended: rounds.ended + 1, running: false, open: Some(open) };
            });
            if self.was_asked_by(Instant::now() + next, open).await {
                open = Instant::now() + COOL_DOWN;
            }
        }
    }

    /// Waits until it is time, or until somebody asks once that is allowed. Says which.
    async fn was_asked_by(&self, time: Instant, open: Instant) -> bool {
        tokio::select! {
            () = sleep_until(time) => false,
            () = async { sleep_until(open).await; self.asked.notified().await } => true,
        }
    }

    async fn fetch(&self, client: &mut Option<Client>) -> Result<Keys, String> {
        let client = match client {
            Some(client) => client,
            None => client.insert(self.address.client()?),
        };
        let text = self.address.fetch(client).await?;
        Keys::parse(&text)
    }

    fn replace(&self, mut keys: Keys) {
        let former = self.keys.load_full();
        if let Some(former) = &former {
            keys.succeed(former);
        }
        let count = keys.len();
        let is_news = former.is_none_or(|former| !former.is_same(&keys));
        self.keys.store(Some(Arc::new(keys)));
        if self.freshness.succeeded() || is_news {
            tracing::info!(url = self.address.shown(), keys = count, "a key set is in use");
        }
    }

    fn failed(&self, error: &str) {
        if self.freshness.failed(error) {
            let kept = self.count();
            tracing::error!(
                url = self.address.shown(),
                error,
                kept,
                "a key set cannot be fetched, and is tried again"
            );
        }
    }
}
