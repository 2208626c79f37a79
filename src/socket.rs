//! One connection of a listener: what it carries ([`Watched`]), and how long it may take for what ([`Clock`]). Accepting
//! connections and speaking HTTP on them is not done here.

mod clock;
mod frames;
mod streams;
mod transport;
mod tunnel;
mod watched;

use std::net::IpAddr;
use std::time::Duration;

pub use clock::{Clock, Order, Turn};
pub use transport::{Transport, read_ahead};
pub use tunnel::{Duplex, HandedOver};
pub use watched::{Spoken, Watched};

/// Who asks, and the turn that the request has on its connection.
#[derive(Debug)]
pub struct Peer {
    /// The address at the other end.
    pub ip: IpAddr,
    /// Held until the request is answered.
    pub turn: Turn,
}

/// How long the other end may take.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For the whole head of a request, from its first byte; of the first request, from the connection on. Also for TLS
    /// to be agreed on.
    pub header: Duration,
    /// For an answer to be taken, and one second more for each 4 KiB that are.
    pub body: Duration,
    /// Between the end of an answer and the first byte of the next request.
    pub idle: Duration,
}
