//! Whether a request is what its contract says. So far: its parameters, read as the types they are declared with.
//!
//! Nothing is answered here; what is wrong comes back as a list.

pub mod parameters;
