//! `server:` as written. What listens and drains by it is not here.

use std::net::SocketAddr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::elsewhere;
use super::scalar::{self, TimeSpan};
use crate::yaml::Located;

/// The process: addresses, draining, limits of all operations together.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(transform = elsewhere::in_schema)]
pub struct Server {
    /// Address of the public listener. Flag `--listen`, variable `NATSGATE_LISTEN`. Default: `0.0.0.0:8080`.
    #[serde(deserialize_with = "scalar::address")]
    #[schemars(with = "String", regex(pattern = "^.+:[0-9]+$"), example = &"0.0.0.0:8080")]
    pub listen: Located<SocketAddr>,
    /// Address of the admin listener (`/live`, `/ready`). Flag `--admin-listen`, variable `NATSGATE_ADMIN_LISTEN`.
    /// Default: `127.0.0.1:9090`.
    #[serde(deserialize_with = "scalar::address")]
    #[schemars(with = "String", regex(pattern = "^.+:[0-9]+$"), example = &"127.0.0.1:9090")]
    pub admin: Located<SocketAddr>,
    /// After SIGTERM `/ready` turns false, and for this long everything goes on as before, so that load
    /// balancers can look away. Default: `0s`.
    pub drain_delay: TimeSpan,
    /// After `drain_delay` no new connection is accepted, and what is in flight has this long to finish.
    /// Default: `20s`.
    pub drain: TimeSpan,
    /// Requests in flight, of all operations together; one more is answered 503 `overloaded` at once.
    /// Default: 4096.
    #[schemars(range(min = 1))]
    pub in_flight: Located<u32>,
    /// What must work for `/ready` to be true. `[nats]` follows the connection to NATS. By default nothing:
    /// if every instance left the load balancer when NATS is down, nobody would give the honest 503.
    pub ready_requires: Vec<ReadyRequirement>,
}

impl Default for Server {
    fn default() -> Server {
        Server {
            listen: Located::default_of(SocketAddr::from(([0, 0, 0, 0], 8080))),
            admin: Located::default_of(SocketAddr::from(([127, 0, 0, 1], 9090))),
            drain_delay: TimeSpan(Duration::ZERO),
            drain: TimeSpan(Duration::from_secs(20)),
            in_flight: Located::default_of(4096),
            ready_requires: Vec::new(),
        }
    }
}

/// Something that readiness can depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum ReadyRequirement {
    /// The connection to NATS.
    Nats,
}
