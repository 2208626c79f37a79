//! The addresses of an upstream: its URLs, each with what its name leads to at the time. Names are looked up again and
//! again while they are used, and what was known of an address goes on while it is among them.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use tokio::net::lookup_host;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout, timeout_at};

use super::address::Address;
use super::connect::Connector;
use super::counts::Counts;
use super::endpoint::Endpoint;
use super::{Failure, Options};

/// How long an answer is believed: those of the system have no time of their own.
const BELIEVED: Duration = Duration::from_secs(10);
/// How long looking up may take where nobody waits for it.
const PATIENCE: Duration = Duration::from_secs(10);

/// The addresses of an upstream.
#[derive(Debug)]
pub(super) struct Names {
    endpoints: Vec<Arc<Endpoint>>,
    current: ArcSwap<Vec<Arc<Address>>>,
    options: Arc<Options>,
    connector: Arc<Connector>,
    counts: Arc<Counts>,
    began: Instant,
    /// When they are to be looked up again, in milliseconds; never, if no URL has a name.
    due: AtomicU64,
    looking: Mutex<()>,
}

impl Names {
    pub(super) fn new(options: &Arc<Options>, counts: &Arc<Counts>) -> Result<Names, String> {
        let endpoint = |url| Endpoint::new(url, &options.host, &options.tls).map(Arc::new);
        let endpoints = options.urls.iter().map(endpoint).collect::<Result<Vec<_>, _>>()?;
        let is_secure = endpoints.iter().any(|endpoint| endpoint.is_secure());
        let connector = Arc::new(Connector::new(options, is_secure)?);
        let has_names = endpoints.iter().any(|endpoint| matches!(endpoint.host, url::Host::Domain(_)));
        let names = Names {
            current: ArcSwap::default(),
            options: Arc::clone(options),
            connector,
            counts: Arc::clone(counts),
            began: Instant::now(),
            due: AtomicU64::new(if has_names { 0 } else { u64::MAX }),
            looking: Mutex::default(),
            endpoints,
        };
        names.replace(names.endpoints.iter().map(|endpoint| literal(endpoint)).collect());
        Ok(names)
    }

    /// Those that are known.
    pub(super) fn current(&self) -> Guard<Arc<Vec<Arc<Address>>>> {
        self.current.load()
    }

    /// The addresses now. Only the first request waits for names to be looked up.
    pub(super) async fn get(
        self: &Arc<Self>,
        due: Instant,
    ) -> Result<Guard<Arc<Vec<Arc<Address>>>>, Failure> {
        let now = self.due.load(Relaxed);
        if now == u64::MAX || now > self.elapsed() {
            let current = self.current();
            if !current.is_empty() {
                return Ok(current);
            }
        }
        if self.current().is_empty() {
            let looked = timeout_at(due, self.look()).await;
            let reason = looked.unwrap_or_else(|_| Err("the name was not looked up in time".to_owned()));
            let current = self.current();
            return match (current.is_empty(), reason) {
                (false, _) => Ok(current),
                (true, reason) => Err(Failure::Unreachable(reason.err().unwrap_or_default())),
            };
        }
        self.due.store(self.elapsed() + millis(BELIEVED), Relaxed);
        let names = Arc::clone(self);
        tokio::spawn(async move { timeout(PATIENCE, names.look()).await });
        Ok(self.current())
    }

    fn elapsed(&self) -> u64 {
        millis(self.began.elapsed())
    }

    /// Looks every name up.
    async fn look(&self) -> Result<(), String> {
        let Ok(_looking) = timeout(PATIENCE, self.looking.lock()).await else { return Ok(()) };
        let mut failure = None;
        let mut found = Vec::with_capacity(self.endpoints.len());
        for endpoint in &self.endpoints {
            let url::Host::Domain(name) = &endpoint.host else {
                found.push(literal(endpoint));
                continue;
            };
            match lookup_host((name.as_str(), endpoint.port)).await {
                Ok(addresses) => {
                    let mut several: Vec<_> = Vec::new();
                    addresses.for_each(|one| {
                        if !several.contains(&one) {
                            several.push(one);
                        }
                    });
                    found.push(Some(several));
                }
                Err(error) => {
                    failure = Some(format!("{name} cannot be looked up: {error}"));
                    found.push(None);
                }
            }
        }
        self.replace(found);
        self.due.store(self.elapsed() + millis(BELIEVED), Relaxed);
        failure.map_or(Ok(()), Err)
    }

    /// Takes what was found of each URL; `None` leaves it as it is.
    fn replace(&self, found: Vec<Option<Vec<SocketAddr>>>) {
        let former = self.current.load_full();
        let mut addresses = Vec::new();
        for (endpoint, found) in self.endpoints.iter().zip(found) {
            let of_it = |address: &&Arc<Address>| Arc::ptr_eq(&address.endpoint, endpoint);
            let Some(found) = found else {
                addresses.extend(former.iter().filter(of_it).cloned());
                continue;
            };
            for peer in found {
                let known = former.iter().filter(of_it).find(|address| address.peer == peer);
                addresses.push(known.cloned().unwrap_or_else(|| Arc::new(self.address(endpoint, peer))));
            }
        }
        self.current.store(Arc::new(addresses));
    }

    fn address(&self, endpoint: &Arc<Endpoint>, peer: SocketAddr) -> Address {
        Address::new(Arc::clone(endpoint), peer, &self.options, &self.connector, &self.counts)
    }
}

fn literal(endpoint: &Endpoint) -> Option<Vec<SocketAddr>> {
    let address = match endpoint.host {
        url::Host::Domain(_) => return None,
        url::Host::Ipv4(address) => IpAddr::V4(address),
        url::Host::Ipv6(address) => IpAddr::V6(address),
    };
    Some(vec![SocketAddr::new(address, endpoint.port)])
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX - 1)
}
