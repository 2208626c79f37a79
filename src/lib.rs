//! natsgate: an HTTP edge server behind which the operations of a REST system move to NATS, one at a time.

pub mod config;
pub mod contract;
pub mod diagnostic;
pub mod expression;
pub mod gateway;
pub mod head;
pub mod json;
pub mod nats;
pub mod problem;
pub mod json;
pub mod subject;
pub mod yaml;
pub mod template;
