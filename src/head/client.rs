//! Whose request it is: the address behind the proxies that are trusted.
//!
//! A proxy appends the address that it has seen, so the list is read from its right end, past trusted addresses: what
//! stands left of the first untrusted one is its sender's own claim, and nobody looks at it.

use std::net::{IpAddr, Ipv4Addr};

use http::HeaderName;
use http::header::{FORWARDED, HeaderMap};
use ipnet::{IpNet, Ipv4Net};

use super::forwarded::{Hop, forwarded, forwarded_for};

/// `X-Forwarded-For`.
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// Entries that are looked at, from the right: no chain of one's own proxies is longer, and a header may hold thousands.
const LONGEST_CHAIN: usize = 32;

/// Who a client is of whom a proxy tells two stories: nobody's address.
const UNTOLD: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// The proxies whose word on where a request comes from is believed. The default believes nobody.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Those with an address in one of these networks.
    pub fn new(networks: impl IntoIterator<Item = IpNet>) -> TrustedProxies {
        TrustedProxies(networks.into_iter().map(canonical).collect())
    }

    /// Whether an address is a trusted proxy's.
    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The address of the client behind a trusted peer.
    ///
    /// A proxy usually writes one of the two headers and passes the other one through, as the client wrote it. So where
    /// both are there and do not agree, neither is believed. Nor is the request the peer's own: a client could take a
    /// proxy's address, which is one of ours, by a header that it has made up.
    pub(super) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let by = |name, hop| headers.contains_key(&name).then(|| self.walk(peer, headers, &name, hop));
        match (by(FORWARDED, forwarded), by(FORWARDED_FOR, forwarded_for)) {
            (Some(one), Some(other)) if one != other => UNTOLD,
            (Some(client), _) | (None, Some(client)) => client,
            (None, None) => peer,
        }
    }

    /// From the right past trusted addresses to the first untrusted one. An entry that is no address ends the way at
    /// the last one that was: who is behind it, nobody trustworthy has said.
    fn walk(&self, peer: IpAddr, headers: &HeaderMap, name: &HeaderName, hop: fn(&[u8]) -> Hop) -> IpAddr {
        let lines = headers.get_all(name).into_iter().rev();
        let entries = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        let mut last = peer;
        for entry in entries.take(LONGEST_CHAIN) {
            match hop(entry.trim_ascii()) {
                Hop::None => {}
                Hop::Unknown => return last,
                Hop::Address(address) => {
                    last = address.to_canonical();
                    if !self.trusts(last) {
                        return last;
                    }
                }
            }
        }
        last
    }
}

/// IPv4 addresses are compared as such, also where a network is written in IPv6's form of them.
fn canonical(network: IpNet) -> IpNet {
    let IpNet::V6(v6) = network else { return network };
    let mapped = v6.addr().to_ipv4_mapped().filter(|_| v6.prefix_len() >= 96);
    let v4: Option<Ipv4Net> =
        mapped.and_then(|address: Ipv4Addr| Ipv4Net::new(address, v6.prefix_len() - 96).ok());
    v4.map_or(network, |v4| IpNet::V4(v4.trunc()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(networks: &[&str]) -> TrustedProxies {
        TrustedProxies::new(networks.iter().map(|network| network.parse().unwrap()))
    }

    /// The client of `peer`, as these header lines tell it.
    fn client(trusted: &TrustedProxies, peer: &str, lines: &[(&str, &str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, http::HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        trusted.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn the_first_untrusted_address_from_the_right_is_the_client() {
        let trusted = proxies(&["10.0.0.0/8", "fd00::/8"]);
        for (lines, expected) in [
            (&["203.0.113.9"][..], "203.0.113.9"),
            (&["1.1.1.1, 203.0.113.9"], "203.0.113.9"),
            (&["1.1.1.1", "203.0.113.9, 10.0.0.2"], "203.0.113.9"),
            (&["1.1.1.1,203.0.113.9 ,\t10.0.0.3", "10.0.0.2"], "203.0.113.9"),
            (&["1.1.1.1", ""], "1.1.1.1"),
            (&["203.0.113.9, , ,10.0.0.2,"], "203.0.113.9"),
            (&["203.0.113.9:4711"], "203.0.113.9"),
            (&["2001:db8::1, fd00::7"], "2001:db8::1"),
            (&["[2001:db8::1]:443"], "2001:db8::1"),
            (&["::ffff:203.0.113.9, ::ffff:10.0.0.2"], "203.0.113.9"),
            // Nobody but proxies: the one that is furthest away.
            (&["10.0.0.4, 10.0.0.3"], "10.0.0.4"),
            (&[""], "10.0.0.1"),
        ] {
            let lines: Vec<_> = lines.iter().map(|line| ("x-forwarded-for", *line)).collect();
            assert_eq!(client(&trusted, "10.0.0.1", &lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn what_is_no_address_ends_the_way_at_the_last_one_that_was() {
        let trusted = proxies(&["10.0.0.0/8"]);
        for (value, expected) in [
            ("unknown", "10.0.0.1"),
            ("_hidden", "10.0.0.1"),
            ("1.1.1.1, unknown, 10.0.0.2", "10.0.0.2"),
            ("1.1.1.1, <script>", "10.0.0.1"),
            ("1.1.1.1, 256.0.0.1", "10.0.0.1"),
            ("1.1.1.1, 1.2.3.04", "10.0.0.1"),
            ("1.1.1.1 2.2.2.2", "10.0.0.1"),
            ("1.1.1.1, caf\u{e9}", "10.0.0.1"),
        ] {
            assert_eq!(client(&trusted, "10.0.0.1", &[("x-forwarded-for", value)]), expected, "{value}");
        }
        assert_eq!(client(&trusted, "10.0.0.1", &[("x-forwarded-for", "\u{e9}, 2.2.2.2")]), "2.2.2.2");
    }

    #[test]
    fn two_headers_must_agree_since_a_client_can_have_written_one_of_them() {
        let trusted = proxies(&["10.0.0.0/8"]);
        for (forwarded, forwarded_for, expected) in [
            ("for=203.0.113.9", "203.0.113.9", "203.0.113.9"),
            ("for=6.6.6.6, for=203.0.113.9", "7.7.7.7, 203.0.113.9, 10.0.0.2", "203.0.113.9"),
            ("for=6.6.6.6", "203.0.113.9", "0.0.0.0"),
            ("for=203.0.113.9", "6.6.6.6", "0.0.0.0"),
            ("for=_hidden", "203.0.113.9", "0.0.0.0"),
        ] {
            let lines = [("forwarded", forwarded), ("x-forwarded-for", forwarded_for)];
            assert_eq!(client(&trusted, "10.0.0.1", &lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn only_the_right_end_of_a_long_list_is_looked_at() {
        let trusted = proxies(&["10.0.0.0/8"]);
        let chain = |proxies: usize| format!("203.0.113.9{}", ", 10.0.0.2".repeat(proxies));
        assert_eq!(client(&trusted, "10.0.0.1", &[("x-forwarded-for", &chain(31))]), "203.0.113.9");
        assert_eq!(client(&trusted, "10.0.0.1", &[("x-forwarded-for", &chain(32))]), "10.0.0.2");
        assert_eq!(client(&trusted, "10.0.0.1", &[("x-forwarded-for", &chain(20_000))]), "10.0.0.2");
        let commas = ",".repeat(60_000);
        assert_eq!(client(&trusted, "10.0.0.1", &[("x-forwarded-for", &commas)]), "10.0.0.1");
    }

    #[test]
    fn an_ipv4_address_is_one_whatever_its_form() {
        for networks in [["10.0.0.0/8"], ["::ffff:10.0.0.0/104"]] {
            let trusted = proxies(&networks);
            for (address, expected) in [
                ("10.1.2.3", true),
                ("::ffff:10.1.2.3", true),
                ("11.0.0.1", false),
                ("::ffff:11.0.0.1", false),
                ("::10.1.2.3", false),
            ] {
                assert_eq!(trusted.trusts(address.parse().unwrap()), expected, "{networks:?} {address}");
            }
        }
        assert!(!proxies(&["::/0"]).trusts("::ffff:10.0.0.1".parse().unwrap()));
        assert!(!TrustedProxies::default().trusts("127.0.0.1".parse().unwrap()));
    }
}
