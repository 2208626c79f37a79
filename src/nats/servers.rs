//! Which servers there are, in which order they are tried, and how long to pause between rounds.

use std::time::Duration;

use async_nats::ServerAddr;

use super::options::{OptionsError, without_credentials};

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Servers of a cluster that are remembered besides the configured ones.
const MOST_DISCOVERED: usize = 64;

/// The servers that a link knows.
#[derive(Clone, Debug)]
pub(super) struct Servers {
    configured: Vec<ServerAddr>,
    /// What the last server that we reached told of its cluster.
    discovered: Vec<ServerAddr>,
}

impl Servers {
    pub(super) fn parse(urls: &[String]) -> Result<Self, OptionsError> {
        if urls.is_empty() {
            return Err(OptionsError::NoServer);
        }
        let configured = urls.iter().map(|url| parse(url)).collect::<Result<_, _>>()?;
        Ok(Self { configured, discovered: Vec::new() })
    }

    /// Every server once, in random order; the one to avoid comes last.
    pub(super) fn round(&self, avoid: Option<&ServerAddr>) -> Vec<ServerAddr> {
        let mut round: Vec<ServerAddr> = self.configured.clone();
        let new = self.discovered.iter().filter(|found| !same_place(&self.configured, found));
        round.extend(new.cloned());
        fastrand::shuffle(&mut round);
        round.sort_by_key(|server| avoid == Some(server));
        round
    }

    /// Remembers what a server told of its cluster.
    pub(super) fn learn(&mut self, connect_urls: &[String], from: &ServerAddr) {
        let address = |place: &String| {
            let credentials = match (from.username(), from.password()) {
                (Some(user), Some(password)) => format!("{user}:{password}@"),
                (Some(token), None) => format!("{token}@"),
                _ => String::new(),
            };
            format!("{}://{credentials}{place}", from.scheme()).parse().ok()
        };
        self.discovered = connect_urls.iter().filter_map(address).take(MOST_DISCOVERED).collect();
    }
}

fn same_place(servers: &[ServerAddr], other: &ServerAddr) -> bool {
    servers.iter().any(|server| server.host() == other.host() && server.port() == other.port())
}

fn parse(url: &str) -> Result<ServerAddr, OptionsError> {
    let bad =
        |reason: &str| OptionsError::BadServer { url: without_credentials(url), reason: reason.to_owned() };
    let server: ServerAddr = url.parse().map_err(|_| bad("it cannot be parsed"))?;
    match server.scheme() {
        "nats" | "tls" => Ok(server),
        "ws" | "wss" => Err(bad("websockets are not supported")),
        _ => Err(bad("unknown scheme")),
    }
}

/// Growing pauses with jitter, so that many gateways do not come back at the same moment.
#[derive(Debug)]
pub(super) struct Backoff(Duration);

impl Backoff {
    pub(super) fn new() -> Self {
        Self(FIRST_PAUSE)
    }

    pub(super) fn next(&mut self) -> Duration {
        let pause = self.0.mul_f64(0.5 + fastrand::f64() / 2.0);
        self.0 = (self.0 * 2).min(LONGEST_PAUSE);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_checked_and_shown_without_credentials() {
        let error = Servers::parse(&["http://me:hunter2@a:1".to_owned()]).unwrap_err();
        assert!(error.to_string().contains("http://a:1"), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert_eq!(Servers::parse(&[]).unwrap_err(), OptionsError::NoServer);
        assert!(Servers::parse(&["127.0.0.1".to_owned(), "tls://b:4223".to_owned()]).is_ok());
    }

    #[test]
    fn a_round_holds_each_server_once_and_the_avoided_one_last() {
        let mut servers = Servers::parse(&["nats://a:1".to_owned(), "nats://b:2".to_owned()]).unwrap();
        let avoided = servers.configured[0].clone();
        servers.learn(&["b:2".to_owned(), "c:3".to_owned(), "[::1]:4".to_owned()], &avoided);
        let round = servers.round(Some(&avoided));
        assert_eq!(round.len(), 4);
        assert_eq!(round.last(), Some(&avoided));
    }

    #[test]
    fn pauses_grow_to_their_bound() {
        let mut backoff = Backoff::new();
        let pauses: Vec<_> = (0..12).map(|_| backoff.next()).collect();
        assert!(pauses[0] <= FIRST_PAUSE && pauses[0] >= FIRST_PAUSE / 2);
        assert!(pauses[11] <= LONGEST_PAUSE && pauses[11] >= LONGEST_PAUSE / 2);
    }
}
