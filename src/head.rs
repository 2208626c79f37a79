//! What is known of a request before its body: its identity, its place in a trace, its time and its client's address.
//!
//! Made once at the edge, and carried through every stage.

mod client;
mod forwarded;
mod id;
mod trace;

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use http::header::HeaderMap;
use http::request::Parts;
use http::{HeaderName, Method};
use tokio::time::Instant;

pub use client::TrustedProxies;
pub use id::RequestId;
pub use trace::{Recorded, TraceContext, TraceId};

const PREFER: HeaderName = HeaderName::from_static("prefer");

/// The head of one request.
#[derive(Debug)]
pub struct Head {
    /// On every answer, message and log line.
    pub id: RequestId,
    /// The trace that this request belongs to, with the span of the gateway.
    pub trace: TraceContext,
    /// When the head was complete: every deadline counts from here.
    pub received: Instant,
    /// The same by the wall clock.
    pub time: SystemTime,
    /// The client's address: the peer's, unless that is a trusted proxy which names another; `0.0.0.0` if it names two.
    pub ip: IpAddr,
    /// The address at the other end of the connection.
    pub peer: IpAddr,
    /// It came by TLS.
    pub is_secure: bool,
    /// The peer is a trusted proxy: what it says of where the request comes from is believed.
    pub from_proxy: bool,
    /// Method, URI and headers.
    pub parts: Parts,
}

impl Head {
    /// The head of a request that has just arrived from a peer.
    pub fn new(parts: Parts, peer: IpAddr, trusted: &TrustedProxies) -> Head {
        let time = SystemTime::now();
        let trace = TraceContext::of(&parts.headers);
        let peer = peer.to_canonical();
        let (mut id, mut ip) = (RequestId::new(time), peer);
        let from_proxy = trusted.trusts(ip);
        if from_proxy {
            id = id.or_given(&parts.headers);
            ip = trusted.client(ip, &parts.headers);
        }
        let received = Instant::now();
        Head { id, trace, received, time, ip, peer, is_secure: false, from_proxy, parts }
    }

    /// The same for a copy of the request that somebody else answers: it is another part of the trace, and goes nowhere
    /// by itself.
    pub fn for_copy(&self) -> Head {
        let mut parts = self.parts.clone();
        parts.extensions.clear();
        Head { id: self.id.clone(), trace: self.trace.clone(), parts, ..*self }
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.parts.method
    }

    /// The path as it came.
    pub fn path(&self) -> &str {
        self.parts.uri.path()
    }

    /// The headers as they came.
    pub fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    /// When the answer is due: `timeout` after the head, or sooner if the client's `Prefer: wait=N`
    /// (seconds, RFC 7240) says so and `lowered` allows it.
    pub fn deadline(&self, timeout: Duration, lowered: bool) -> Instant {
        let wait = if lowered { self.prefer_wait() } else { None };
        self.received + wait.map_or(timeout, |wait| wait.min(timeout))
    }

    fn prefer_wait(&self) -> Option<Duration> {
        let preferences = self.headers().get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
        let waits = preferences.flat_map(|value| value.split([',', ';'])).filter_map(|preference| {
            let (name, seconds) = preference.trim().split_once('=')?;
            if !name.trim().eq_ignore_ascii_case("wait") {
                return None;
            }
            // No patience at all is no wish that can be granted.
            seconds.trim().trim_matches('"').parse().ok().filter(|wait| *wait > 0).map(Duration::from_secs)
        });
        waits.min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(prefer: &str) -> Head {
        let request = http::Request::builder().header("Prefer", prefer).body(()).unwrap();
        Head::new(request.into_parts().0, IpAddr::from([127, 0, 0, 1]), &TrustedProxies::default())
    }

    #[test]
    fn prefer_wait_lowers_the_deadline_and_never_raises_it() {
        let timeout = Duration::from_secs(2);
        for (prefer, seconds) in [
            ("wait=1", 1),
            ("respond-async, wait=1", 1),
            ("wait=60", 2),
            ("wait=x", 2),
            ("wait=0", 2),
            ("Wait=\"1\"", 1),
        ] {
            let head = head(prefer);
            assert_eq!(
                head.deadline(timeout, true) - head.received,
                Duration::from_secs(seconds),
                "{prefer}"
            );
            assert_eq!(head.deadline(timeout, false) - head.received, timeout);
        }
    }
}
