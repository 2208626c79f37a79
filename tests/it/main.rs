//! All integration tests, in one binary: real servers, real sockets, random ports.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test says what went wrong by failing

mod contract;
mod support;
