//! Counters by key, for keys that are few: found by looking, without a lock, and never more than there is room for.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// What stands for keys that have no count of their own.
pub(super) const OTHER: &str = "other";

/// A count for each key. The first keys that come have a place each, so that what comes often is found at once; where
/// there is no place left, keys are counted together.
#[derive(Debug)]
pub(super) struct Counts<K> {
    cells: Box<[OnceLock<(K, AtomicU64)>]>,
    others: AtomicU64,
}

impl<K: Copy + PartialEq> Counts<K> {
    /// Counts for so many keys.
    pub(super) fn new(room: usize) -> Counts<K> {
        Counts {
            cells: std::iter::repeat_with(OnceLock::new).take(room).collect(),
            others: AtomicU64::new(0),
        }
    }

    /// One more of a key.
    pub(super) fn add(&self, key: K) {
        // Two that come with new keys at the same time agree on who has a cell: nobody is counted in two.
        let count = self.cells.iter().find_map(|cell| {
            let (held, count) = cell.get_or_init(|| (key, AtomicU64::new(0)));
            (*held == key).then_some(count)
        });
        count.unwrap_or(&self.others).fetch_add(1, Ordering::Relaxed);
    }

    /// Every key with its count, in the order in which they first came; last, under no key, those without a place.
    pub(super) fn read(&self) -> Vec<(Option<K>, u64)> {
        let known = self.cells.iter().map_while(OnceLock::get);
        let known = known.map(|(key, count)| (Some(*key), count.load(Ordering::Relaxed)));
        let others = Some(self.others.load(Ordering::Relaxed)).filter(|count| *count > 0);
        known.chain(others.map(|count| (None, count))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_come_together_are_counted_once_each() {
        let counts = Counts::new(8);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..4000).for_each(|number| counts.add(number % 8)));
            }
        });
        let mut read = counts.read();
        read.sort_unstable();
        assert_eq!(read, (0..8).map(|key| (Some(key), 2000)).collect::<Vec<_>>());
    }

    #[test]
    fn where_there_is_no_place_left_nothing_is_lost() {
        let counts = Counts::new(2);
        [1, 2, 3, 4, 1].into_iter().for_each(|key| counts.add(key));
        assert_eq!(counts.read(), [(Some(1), 2), (Some(2), 1), (None, 2)]);
    }
}
