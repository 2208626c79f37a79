//! `natsgate dev`: what a developer's machine lacks, brought up beside the gateway.

pub mod nats_server;
