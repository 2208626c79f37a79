//! Streams and consumers as they are declared in NACK's manifests, the files that production uses.
//!
//! Reading and checking them is pure; [`apply`] alone talks to a server, and it only creates what is missing.
//! Nothing here changes or deletes what a server has.

pub mod apply;
pub mod manifest;
mod operations;

pub use operations::{Sending, check_operations};
