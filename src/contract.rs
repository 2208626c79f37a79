//! Contracts
pub mod path;
