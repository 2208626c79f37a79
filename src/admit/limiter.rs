//! A rate and how much of it each key has used. Whose requests are counted together is not decided here.

use std::hash::{BuildHasher as _, Hash, RandomState};
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock as _, MonotonicClock};
use governor::middleware::StateInformationMiddleware;
use governor::{Quota, RateLimiter};

use super::keys::{Key, Keys};

/// What is left for a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Requests that may come at once.
    pub remaining: u32,
    /// Seconds until there are as many as there can be, rounded up.
    pub reset: u64,
    /// This request is one too many: seconds until there is one again, rounded up.
    pub wait: Option<u32>,
}

/// A rate. It holds as many keys as it may, and no more.
#[derive(Debug)]
pub struct Limiter {
    limiter: RateLimiter<Key, Keys, MonotonicClock, StateInformationMiddleware>,
    quota: Quota,
    hasher: RandomState,
}

impl Limiter {
    /// `count` requests in each `per`, of which `burst` may come at once.
    pub fn new(count: NonZeroU32, per: Duration, burst: NonZeroU32) -> Limiter {
        let interval = (per / count.get()).max(Duration::from_nanos(1));
        let quota = Quota::with_period(interval).unwrap_or(Quota::per_second(count)).allow_burst(burst);
        let keys = Keys::new(quota.replenish_interval().into());
        Limiter { limiter: RateLimiter::new(quota, keys, MonotonicClock), quota, hasher: RandomState::new() }
    }

    /// Uses one of what a key has, if there is one.
    pub fn take(&self, key: impl Hash) -> Standing {
        self.check(Key::taking(self.hasher.hash_one(key)))
    }

    /// Looks at what a key has.
    pub fn ask(&self, key: impl Hash) -> Standing {
        self.check(Key::asking(self.hasher.hash_one(key)))
    }

    fn check(&self, key: Key) -> Standing {
        let (remaining, wait) = match self.limiter.check_key(&key) {
            Ok(state) => (state.remaining_burst_capacity(), None),
            Err(until) => {
                let wait = up(until.wait_time_from(self.limiter.clock().now()));
                (0, Some(u32::try_from(wait).unwrap_or(u32::MAX).max(1)))
            }
        };
        let used = self.quota.burst_size().get().saturating_sub(remaining);
        let reset = up(self.quota.replenish_interval().saturating_mul(used));
        Standing { remaining, reset, wait }
    }

    /// Requests that may come at once.
    pub fn burst(&self) -> u32 {
        self.quota.burst_size().get()
    }

    /// Whether another limiter has the same rate.
    pub fn is_like(&self, other: &Limiter) -> bool {
        self.quota == other.quota
    }

    /// Seconds in which as many come together as may come at once, rounded up.
    pub fn window(&self) -> u64 {
        up(self.quota.burst_size_replenished_in()).max(1)
    }

    /// Forgets the keys that have used nothing for so long that it makes no difference.
    pub fn forget(&self) {
        self.limiter.retain_recent();
    }

    /// How many keys it remembers.
    pub fn keys(&self) -> usize {
        self.limiter.len()
    }
}

/// Whole seconds, rounded up.
fn up(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(count: u32, per: u64, burst: u32) -> Limiter {
        let number = |number| NonZeroU32::new(number).unwrap();
        Limiter::new(number(count), Duration::from_secs(per), number(burst))
    }

    #[test]
    fn a_burst_may_come_and_then_the_wait_is_told() {
        let hourly = limiter(10, 3600, 3);
        let standings: Vec<Standing> = (0..4).map(|_| hourly.take("a")).collect();
        let remaining: Vec<u32> = standings.iter().map(|standing| standing.remaining).collect();
        assert_eq!(remaining, [2, 1, 0, 0]);
        let resets: Vec<u64> = standings.iter().map(|standing| standing.reset).collect();
        assert_eq!(resets, [360, 720, 1080, 1080]);
        assert_eq!(
            standings.iter().map(|standing| standing.wait).collect::<Vec<_>>(),
            [None, None, None, Some(360)]
        );
        assert_eq!(hourly.take("b").remaining, 2, "another key has its own");
        assert_eq!((hourly.burst(), hourly.window()), (3, 1080));
    }

    #[test]
    fn who_asks_uses_nothing() {
        let hourly = limiter(1, 3600, 1);
        assert_eq!((hourly.ask("a").wait, hourly.ask("a").wait), (None, None));
        assert_eq!(hourly.take("a").wait, None);
        assert_eq!((hourly.ask("a").wait, hourly.take("a").wait), (Some(3600), Some(3600)));
    }

    #[test]
    fn the_fastest_and_the_slowest_rate_are_counted() {
        let fast = limiter(u32::MAX, 1, 1000);
        assert_eq!((fast.window(), fast.take("a").wait), (1, None));
        let slow = limiter(1, 3600, 8760);
        assert_eq!((slow.window(), slow.take("a").reset), (365 * 86_400, 3600));
        assert_eq!(limiter(3, 1, 1).take("a").reset, 1, "a part of a second is a whole one");
    }

    #[test]
    fn keys_that_make_no_difference_are_forgotten() {
        let fast = limiter(1_000_000, 1, 1);
        assert!((0..100).all(|key| fast.take(key).wait.is_none()));
        std::thread::sleep(Duration::from_millis(1));
        fast.forget();
        assert_eq!(fast.keys(), 0);
    }
}
