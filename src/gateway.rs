//! The gateway: what happens to one request, from top to bottom.

pub mod route;
