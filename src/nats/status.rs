//! What can be told of the connections at one moment.

/// A snapshot for readiness, logs and people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// How many connections there should be.
    pub connections: usize,
    /// How many there are.
    pub connected: usize,
    /// Of the first connection that there is.
    pub server: Option<Server>,
    /// Bytes, headers included; as of the last connect.
    pub max_payload: Option<usize>,
    /// Requests that wait for their reply.
    pub waiting: usize,
    /// How often a connection was replaced since the start.
    pub reconnects: u64,
    /// What went wrong last, also when it is over. Holds no secret.
    pub last_error: Option<String>,
}

impl Status {
    /// Whether every connection stands.
    pub fn is_connected(&self) -> bool {
        self.connected == self.connections
    }
}

/// A server by its own account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The configured name, or the server's id where none is configured.
    pub name: String,
    /// Like `2.11.4`; decides which JetStream fields it knows.
    pub version: String,
}
