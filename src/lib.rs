//! natsgate: an HTTP edge server behind which the operations of a REST system move to NATS, one at a time.

pub mod contract;
pub mod diagnostic;
pub mod expression;
pub mod gateway;
pub mod json;
pub mod subject;
pub mod template;
pub mod validate;
pub mod yaml;
