//! Where a request says that it comes from: the fields that browsers set, and those that proxies add.

use http::header::{FORWARDED, HOST, ORIGIN, VIA};
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderMap, HeaderName};

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// What proxies add of their own accord.
const OF_PROXIES: [HeaderName; 6] = [
    FORWARDED,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-proto"),
    HeaderName::from_static("x-real-ip"),
    VIA,
];
/// The names that always mean the host itself. Any other may be pointed at it by whoever owns the name.
const LOCAL: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// Whether no page of another origin has caused the request. A browser tells by `Sec-Fetch-Site`; an older one, and one
/// that does not trust the connection, by `Origin`. A program that is no browser has neither.
pub(super) fn same(headers: &HeaderMap) -> bool {
    let mut sites = headers.get_all(FETCH_SITE).iter().peekable();
    match sites.peek() {
        Some(_) => sites.all(|site| site == "same-origin" || site == "none"),
        None => is_own(headers),
    }
}

/// Whether `Origin`, if there is one, is the host that was asked.
pub(super) fn is_own(headers: &HeaderMap) -> bool {
    let mut origins = headers.get_all(ORIGIN).iter();
    let Some(origin) = origins.next() else { return true };
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://"));
    match (origin, headers.get(HOST).and_then(|host| host.to_str().ok())) {
        (Some(("http" | "https", authority)), Some(host)) => {
            authority.eq_ignore_ascii_case(host) && origins.next().is_none()
        }
        _ => false,
    }
}

/// The first of the fields by which a proxy shows itself.
pub(super) fn forwarded(headers: &HeaderMap) -> Option<&'static str> {
    const NAMES: [&str; 6] =
        ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Via"];
    let found = OF_PROXIES.iter().position(|name| headers.contains_key(name))?;
    NAMES.get(found).copied()
}

/// Whether the request is addressed to this host by a name that can mean no other.
pub(super) fn is_local_name(parts: &Parts) -> bool {
    let hosts = parts.headers.get_all(HOST).iter();
    let mut named: Vec<Option<Authority>> =
        hosts.map(|host| host.to_str().ok().and_then(|host| host.parse().ok())).collect();
    // HTTP/2 may have it in the target alone.
    named.extend(parts.uri.authority().cloned().map(Some));
    let local = |authority: &Option<Authority>| {
        authority.as_ref().is_some_and(|authority| {
            !authority.as_str().contains('@')
                && LOCAL.iter().any(|name| authority.host().eq_ignore_ascii_case(name))
        })
    };
    !named.is_empty() && named.iter().all(local)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(headers: &[(&str, &str)]) -> Parts {
        let mut request = http::Request::builder().uri("/api/status");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn only_names_of_this_host_are_local() {
        for host in ["localhost", "LOCALHOST:9090", "127.0.0.1:9090", "[::1]:9090", "[::1]"] {
            assert!(is_local_name(&parts(&[("host", host)])), "{host}");
        }
        let foreign = [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.nip.io",
            "localhost@evil.example",
            "evil@localhost",
            "0.0.0.0",
            "192.168.0.1",
            "[::ffff:127.0.0.1]",
            "",
            "localhost evil",
        ];
        for host in foreign {
            assert!(!is_local_name(&parts(&[("host", host)])), "{host}");
        }
        assert!(!is_local_name(&parts(&[])));
        assert!(!is_local_name(&parts(&[("host", "localhost"), ("host", "evil.example")])));
        let http2 = http::Request::builder().uri("http://evil.example/api").body(()).unwrap().into_parts().0;
        assert!(!is_local_name(&http2));
    }

    #[test]
    fn a_page_of_another_origin_is_told_by_what_its_browser_says() {
        for headers in [
            &[][..],
            &[("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "none")],
            &[("host", "localhost:9090"), ("origin", "http://localhost:9090")],
            &[("host", "admin.example"), ("origin", "https://admin.example")],
            // A proxy that names another host than the browser does.
            &[("host", "10.0.0.7"), ("origin", "https://admin.example"), ("sec-fetch-site", "same-origin")],
        ] {
            assert!(same(&parts(headers).headers), "{headers:?}");
        }
        for headers in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site")],
            &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
            &[("host", "localhost:9090"), ("origin", "http://localhost:8080")],
            &[("host", "localhost:9090"), ("origin", "null")],
            &[("host", "localhost:9090"), ("origin", "http://localhost:9090"), ("origin", "http://evil")],
            &[("origin", "http://localhost:9090")],
        ] {
            assert!(!same(&parts(headers).headers), "{headers:?}");
        }
    }

    #[test]
    fn a_proxy_is_seen_by_what_it_adds() {
        assert_eq!(forwarded(&parts(&[("x-forwarded-for", "10.0.0.1")]).headers), Some("X-Forwarded-For"));
        assert_eq!(forwarded(&parts(&[("forwarded", "for=10.0.0.1")]).headers), Some("Forwarded"));
        assert_eq!(forwarded(&parts(&[("via", "1.1 proxy")]).headers), Some("Via"));
        assert_eq!(forwarded(&parts(&[("host", "localhost")]).headers), None);
    }
}
