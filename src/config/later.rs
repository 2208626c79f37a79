//! The keys that are designed and not built yet. They are refused with words of their own, never ignored.

/// Whether a key that is unknown here belongs to a feature that is not built yet.
pub(super) fn is_later(key: &str) -> bool {
    LATER.contains(&key)
}

const LATER: [&str; 2] = [
    // of an operation
    "deprecated",
    // of `request`: full replay of replies
    "idempotency",
];
