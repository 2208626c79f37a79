//! natsgate: an HTTP edge server behind which the operations of a REST system move to NATS, one at a time.

pub mod admin;
pub mod admit;
pub mod authenticate;
pub mod cli;
pub mod config;
pub mod contract;
pub mod dev;
pub mod diagnostic;
pub mod dispatch;
pub mod edge;
pub mod exchange;
pub mod expression;
pub mod gateway;
pub mod head;
pub mod jetstream;
pub mod json;
pub mod nats;
pub mod problem;
pub mod serve;
pub mod subject;
pub mod telemetry;
pub mod template;
pub mod translate;
pub mod validate;
pub mod yaml;
