//! Streams and consumers as they are declared in NACK's manifests, the files that production uses.
//!
//! Reading, checking and planning are pure. [`live`] asks a server what it has, and [`apply`] alone changes it, as far as
//! a plan says and its options allow.

pub mod apply;
pub mod declared;
pub mod drift;
pub mod effective;
pub mod field;
pub mod lint;
pub mod live;
pub mod manifest;
mod operations;
pub mod plan;
pub mod rule;
pub mod version;

pub use operations::{Sending, check_operations};
