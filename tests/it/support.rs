//! What the tests stand on: real servers on random ports, and ways to break the connections to them.

pub(crate) mod certificates;
pub(crate) mod cluster;
pub(crate) mod cut;
pub(crate) mod hostile;
pub(crate) mod nats_server;
//! What the tests stand on.

pub(crate) mod golden;
