//! All integration tests, in one binary: real servers, real sockets, random ports.

// Helpers of tests say what went wrong by failing, as the tests themselves do.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

mod config;
mod contract;
mod nats;
mod requests;
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail by panicking too; clippy.toml exempts only the test functions"
)]

mod config;
mod dev;
mod jetstream;
mod nats;
mod support;
