//! The keys that are designed and not built yet. They are refused with words of their own, never ignored.

/// Whether a key that is unknown here belongs to a feature that is not built yet.
pub(super) fn is_later(key: &str) -> bool {
    LATER.contains(&key)
}

const LATER: [&str; 21] = [
    // of `server`
    "admin_token",
    "docs",
    "tls",
    "timeouts",
    "max_connections",
    "trusted_proxies",
    // of the file, of a contract, of an operation
    "upstreams",
    "cors",
    "security",
    "fallback",
    "forward",
    "validate",
    "validate_replies",
    "authorize",
    "safe",
    "migration",
    "deprecated",
    // of `request`: full replay of replies
    "idempotency",
    // of `limits`
    "rate",
    "burst",
    "per",
];
