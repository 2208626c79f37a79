//! How much each key has used: a table of bounded size, whoever fills it.
//!
//! A key stands in one of many small rows. Where a row is full, a newcomer takes the place of whoever owes least: most
//! often somebody who owes nothing any more, and never somebody who is at the limit while others are not. So an attacker
//! with a million addresses neither fills the memory, nor locks out a client, nor frees one that is being held back.

use std::sync::{Mutex, MutexGuard, PoisonError};

use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::ShrinkableKeyedStateStore;

const ROWS: usize = 1024;
/// Places of a row. A search goes over all of them: 1 KiB.
const PLACES: usize = 64;

/// A key, hashed with a secret: nobody can choose the row that it stands in, or another's hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key {
    hash: u64,
    takes: bool,
}

impl Key {
    /// Uses the key's quota.
    pub(super) fn taking(hash: u64) -> Key {
        Key { hash, takes: true }
    }

    /// Only asks whether there is any left.
    pub(super) fn asking(hash: u64) -> Key {
        Key { hash, takes: false }
    }
}

/// The table.
#[derive(Debug)]
pub(super) struct Keys {
    rows: Box<[Mutex<Vec<Entry>>]>,
    interval: u64,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    hash: u64,
    /// When all that it has used is there again.
    even: Nanos,
}

impl Keys {
    /// Keys in this table at most.
    #[cfg(test)]
    pub(super) const MOST: usize = ROWS * PLACES;

    /// An empty table, of a rate that grants one in each `interval`.
    pub(super) fn new(interval: Nanos) -> Keys {
        Keys { rows: (0..ROWS).map(|_| Mutex::default()).collect(), interval: interval.as_u64() }
    }

    fn row(&self, hash: u64) -> MutexGuard<'_, Vec<Entry>> {
        let row = hash as usize % ROWS;
        // Nothing between lock and unlock can leave a row half done.
        lock(&self.rows[row])
    }

    /// A key that is in no row yet.
    fn insert(&self, row: &mut Vec<Entry>, entry: Entry) {
        if row.len() == row.capacity() {
            // The first one that a key uses leaves it owing one interval.
            let now = entry.even.as_u64().saturating_sub(self.interval);
            row.retain(|other| other.even.as_u64() > now);
        }
        if row.len() < PLACES {
            row.push(entry);
        } else if let Some(least) = row.iter_mut().min_by_key(|other| other.even) {
            *least = entry;
        }
    }
}

fn lock(row: &Mutex<Vec<Entry>>) -> MutexGuard<'_, Vec<Entry>> {
    row.lock().unwrap_or_else(PoisonError::into_inner)
}

impl StateStore for Keys {
    type Key = Key;

    fn measure_and_replace<T, F, E>(&self, key: &Key, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut row = self.row(key.hash);
        let known = row.iter_mut().find(|entry| entry.hash == key.hash);
        let (value, even) = measure(known.as_ref().map(|entry| entry.even))?;
        match known {
            _ if !key.takes => {}
            Some(entry) => entry.even = even,
            None => self.insert(&mut row, Entry { hash: key.hash, even }),
        }
        Ok(value)
    }
}

impl ShrinkableKeyedStateStore<Key> for Keys {
    fn retain_recent(&self, drop_below: Nanos) {
        for row in &self.rows {
            let mut row = lock(row);
            row.retain(|entry| entry.even > drop_below);
            row.shrink_to_fit();
        }
    }

    fn len(&self) -> usize {
        self.rows.iter().map(|row| lock(row).len()).sum()
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    /// Lets a key use one of 10 in 10 seconds, at a time; says whether it may.
    fn take(keys: &Keys, hash: u64, now: u64) -> bool {
        let measure = |even: Option<Nanos>| {
            let even = even.map_or(now, Nanos::as_u64);
            if even > now + 9 * SECOND {
                return Err(());
            }
            Ok(((), Nanos::new(even.max(now) + SECOND)))
        };
        keys.measure_and_replace(&Key::taking(hash), measure).is_ok()
    }

    fn hash(number: u64) -> u64 {
        use std::hash::{BuildHasher as _, RandomState};
        thread_local!(static STATE: RandomState = RandomState::new());
        STATE.with(|state| state.hash_one(number))
    }

    #[test]
    fn a_million_keys_take_bounded_room_and_free_nobody_who_is_held_back() {
        let keys = Keys::new(Nanos::new(SECOND));
        let now = 1_000 * SECOND;
        let held_back = hash(0);
        assert!((0..10).all(|_| take(&keys, held_back, now)));
        assert!(!take(&keys, held_back, now));
        for number in 1..=1_000_000 {
            assert!(take(&keys, hash(number), now), "a newcomer is let in");
        }
        assert_eq!(keys.len(), Keys::MOST);
        assert!(!take(&keys, held_back, now), "and still it is");
        assert!(keys.rows.iter().all(|row| lock(row).capacity() <= PLACES));
    }

    #[test]
    fn a_row_grows_only_by_those_who_owe_something() {
        let keys = Keys::new(Nanos::new(SECOND));
        for round in 0..20 {
            // Each has been forgotten when the next ones come: they owed one for one second.
            for number in 0..ROWS as u64 {
                take(&keys, number, (1_000 + 10 * round) * SECOND);
                take(&keys, number + ROWS as u64 * (round + 1), (1_000 + 10 * round) * SECOND);
            }
        }
        assert!(keys.rows.iter().all(|row| lock(row).capacity() <= 4), "the smallest room");
    }

    #[test]
    fn those_who_owe_nothing_are_forgotten_with_the_room_they_had() {
        let keys = Keys::new(Nanos::new(SECOND));
        let now = 1_000 * SECOND;
        (0..10_000).for_each(|number| assert!(take(&keys, hash(number), now)));
        assert!(take(&keys, hash(3), now));
        keys.retain_recent(Nanos::new(now));
        assert_eq!(keys.len(), 10_000);
        keys.retain_recent(Nanos::new(now + SECOND));
        assert_eq!(keys.len(), 1);
        assert!(keys.rows.iter().map(|row| lock(row).capacity()).sum::<usize>() <= 4);
    }

    #[test]
    fn who_asks_uses_nothing_and_leaves_no_trace() {
        let keys = Keys::new(Nanos::new(SECOND));
        for _ in 0..3 {
            let asked = keys
                .measure_and_replace(&Key::asking(7), |even| Ok::<_, ()>((even.is_none(), Nanos::new(5))));
            assert_eq!(asked, Ok(true));
        }
        assert!(keys.is_empty());
    }
}
