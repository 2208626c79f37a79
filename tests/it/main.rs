//! All integration tests, in one binary: real servers, real sockets, random ports.

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
