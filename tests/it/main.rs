//! All integration tests, in one binary: real servers, real sockets, random ports.

mod contract;
mod support;
