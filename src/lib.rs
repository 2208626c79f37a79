//! natsgate: an HTTP edge server behind which the operations of a REST system move to NATS, one at a time.

pub mod config;
pub mod dev;
pub mod diagnostic;
pub mod head;
pub mod jetstream;
pub mod json;
pub mod nats;
pub mod problem;
pub mod subject;
pub mod yaml;
