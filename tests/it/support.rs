//! What the tests stand on: real servers on random ports, and ways to break the connections to them.

pub(crate) mod certificates;
pub(crate) mod cluster;
pub(crate) mod collector;
pub(crate) mod command;
pub(crate) mod cut;
pub(crate) mod echo;
pub(crate) mod gateway;
pub(crate) mod golden;
pub(crate) mod hostile;
pub(crate) mod http;
pub(crate) mod http2;
pub(crate) mod issuer;
pub(crate) mod legacy;
pub(crate) mod nats_server;
pub(crate) mod process;
pub(crate) mod service;
pub(crate) mod streams;
pub(crate) mod tls;
pub(crate) mod upstream;
