//! What was verified, so that the next request with the same credentials costs a look-up. Bounded in bytes.
//!
//! Each shard has two generations: what is used moves into the young one, and when that is full it becomes the old
//! one, whose entries are forgotten. So nothing is sorted, and what is in use stays.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// Requests that look at different entries shall not wait for each other.
const SHARDS: usize = 16;

/// A cache. The keys of its maps' hashers are random, so nobody can choose entries that collide.
pub(super) struct Cache<K, V> {
    shards: Vec<Mutex<Shard<K, V>>>,
    /// Bytes of one generation of one shard.
    limit: usize,
}

struct Shard<K, V> {
    young: HashMap<K, Entry<V>>,
    old: HashMap<K, Entry<V>>,
    /// Bytes of the young generation.
    bytes: usize,
}

#[derive(Clone)]
struct Entry<V> {
    value: V,
    bytes: usize,
}

impl<K, V> std::fmt::Debug for Cache<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache").finish_non_exhaustive()
    }
}

impl<K: Hash + Eq + AsRef<[u8]>, V: Clone> Cache<K, V> {
    /// A cache of at most so many bytes.
    pub(super) fn new(bytes: usize) -> Cache<K, V> {
        let shard = || Mutex::new(Shard { young: HashMap::new(), old: HashMap::new(), bytes: 0 });
        Cache { shards: (0..SHARDS).map(|_| shard()).collect(), limit: bytes / SHARDS / 2 }
    }

    /// The value of a key, unless `holds` says that it does so no longer: then it is forgotten.
    pub(super) fn get<Q: Hash + Eq + AsRef<[u8]> + ?Sized>(
        &self,
        key: &Q,
        holds: impl FnOnce(&V) -> bool,
    ) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.shard(key.as_ref())?.lock().unwrap_or_else(PoisonError::into_inner).get(key, holds, self.limit)
    }

    /// Keeps a value that takes about so many bytes.
    pub(super) fn insert(&self, key: K, value: V, bytes: usize) {
        let Some(shard) = self.shard(key.as_ref()) else { return };
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        shard.insert(key, Entry { value, bytes }, self.limit);
    }

    /// By the last bytes: of a token these are its signature. Whoever chooses them gains nothing.
    fn shard(&self, key: &[u8]) -> Option<&Mutex<Shard<K, V>>> {
        let sum: usize = key.iter().rev().take(8).map(|byte| usize::from(*byte)).sum();
        self.shards.get(sum % SHARDS)
    }
}

impl<K: Hash + Eq, V: Clone> Shard<K, V> {
    fn get<Q: Hash + Eq + ?Sized>(
        &mut self,
        key: &Q,
        holds: impl FnOnce(&V) -> bool,
        limit: usize,
    ) -> Option<V>
    where
        K: Borrow<Q>,
    {
        if let Some(entry) = self.young.get(key) {
            if holds(&entry.value) {
                return Some(entry.value.clone());
            }
            let bytes = self.young.remove(key).map_or(0, |entry| entry.bytes);
            self.bytes = self.bytes.saturating_sub(bytes);
            return None;
        }
        let (key, entry) = self.old.remove_entry(key)?;
        if !holds(&entry.value) {
            return None;
        }
        self.insert(key, entry.clone(), limit);
        Some(entry.value)
    }

    fn insert(&mut self, key: K, entry: Entry<V>, limit: usize) {
        if entry.bytes > limit {
            return;
        }
        if self.bytes + entry.bytes > limit {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
        self.bytes += entry.bytes;
        if let Some(former) = self.young.insert(key, entry) {
            self.bytes = self.bytes.saturating_sub(former.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(cache: &Cache<[u8; 4], u32>) -> usize {
        let count = |shard: &Mutex<Shard<[u8; 4], u32>>| {
            let shard = shard.lock().unwrap();
            shard.young.len() + shard.old.len()
        };
        cache.shards.iter().map(count).sum()
    }

    #[test]
    fn what_is_used_stays_and_the_rest_goes() {
        let cache = Cache::new(1_000 * 100);
        cache.insert([255; 4], 7, 100);
        for number in 0..100_000 {
            cache.insert(u32::to_le_bytes(number), number, 100);
            assert_eq!(cache.get(&[255; 4], |_| true), Some(7), "after {number}");
        }
        assert!(held(&cache) <= 1_000, "{} are held", held(&cache));
        assert!(held(&cache) > 300, "{} are held", held(&cache));
        assert_eq!(cache.get(&99_999_u32.to_le_bytes(), |_| true), Some(99_999));
        assert_eq!(cache.get(&[0; 4], |_| true), None);
    }

    #[test]
    fn what_no_longer_holds_is_forgotten() {
        let cache = Cache::new(100_000);
        cache.insert([1], 1, 10);
        assert_eq!(cache.get(&[1], |_| false), None);
        assert_eq!(cache.get(&[1], |_| true), None);
        assert!(cache.shards.iter().all(|shard| shard.lock().unwrap().bytes == 0));
        cache.insert([1], 2, 10);
        cache.insert([1], 3, 10);
        assert_eq!(cache.get(&[1], |_| true), Some(3));
        cache.insert([2], 2, 1_000_000);
        assert_eq!(cache.get(&[2], |_| true), None, "larger than everything");
    }
}
