//! All integration tests, in one binary: real servers, real sockets, random ports.

// Helpers of tests say what went wrong by failing, as the tests themselves do.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

mod admin;
mod check;
mod config;
mod contract;
mod deploy;
mod dev;
mod documents;
mod forward;
mod help;
mod import;
mod jetstream;
mod limits;
mod migrate;
mod nats;
mod observed;
mod openapi;
mod problems;
mod publish;
mod reload;
mod requests;
mod security;
mod socket;
mod structure;
mod support;
mod validate;
