//! Checks of `upstreams:`. Values may have come from variables and files, so no message repeats one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use http::HeaderValue;
use url::{Host, Url};

use super::nats::client_files;
use super::{above_zero, at_least_one};
use crate::config::{Config, Operation, Upstream, UpstreamTls};
use crate::diagnostic::{Diagnostic, Diagnostics, Place};
use crate::yaml::{Located, Node};

/// Checks all of them.
pub(super) fn check(config: &Config, tree: &Node, diagnostics: &mut Diagnostics) {
    for (name, upstream) in &config.upstreams.0 {
        if name.is_empty() {
            let message = "an upstream needs a name";
            diagnostics.push(Diagnostic::error(name.place, message).help("call it `legacy`, say"));
        }
        let written = tree.get("upstreams").and_then(|all| all.get(name));
        one(name.place, upstream, written, diagnostics);
        ourselves(config, upstream, diagnostics);
    }
}

fn one(place: Place, upstream: &Upstream, written: Option<&Node>, diagnostics: &mut Diagnostics) {
    let is_written = |key| written.is_some_and(|written| written.get(key).is_some());
    match (is_written("url"), is_written("urls")) {
        (true, true) => {
            let at = upstream.url.as_ref().map_or(place, |url| url.place);
            diagnostics.push(
                Diagnostic::error(at, "`url` and `urls` in one upstream")
                    .help("put all of them under `urls`, or keep one under `url`"),
            );
        }
        (false, false) => diagnostics.push(
            Diagnostic::error(place, "the upstream leads nowhere").help("add `url: http://127.0.0.1:8000`"),
        ),
        (false, true) if upstream.urls.is_empty() => diagnostics
            .push(Diagnostic::error(place, "`urls` is empty").help("name one: [\"http://127.0.0.1:8000\"]")),
        _ => {}
    }
    let urls: Vec<_> = upstream.url.iter().chain(&upstream.urls).collect();
    for url in &urls {
        if let Err((message, help)) = legal(url) {
            diagnostics.push(Diagnostic::error(url.place, message).help(help));
        }
    }
    let spans = [
        ("connect_timeout", &upstream.connect_timeout),
        ("first_byte_timeout", &upstream.first_byte_timeout),
        ("idle_timeout", &upstream.idle_timeout),
        ("retry_after", &upstream.retry_after),
    ];
    spans.into_iter().for_each(|(name, span)| above_zero(name, Some(span), diagnostics));
    at_least_one("max_connections", Some(&upstream.max_connections), diagnostics);
    at_least_one("failures", Some(&upstream.failures), diagnostics);
    host(&upstream.host, diagnostics);
    if let Some(tls) = &upstream.tls {
        client_files(tls.ca.as_ref(), tls.certificate.as_ref(), tls.key.as_ref(), diagnostics);
        of_no_use(tls, &urls, diagnostics);
    }
}

/// An upstream that is one of our own listeners: a request would go round until there are as many as there may be, and who
/// calls the admin listener from this host may do everything there.
fn ourselves(config: &Config, upstream: &Upstream, diagnostics: &mut Diagnostics) {
    let listeners = [("listen", &config.server.listen), ("admin", &config.server.admin)];
    for url in upstream.url.iter().chain(&upstream.urls) {
        let Ok(parsed) = Url::parse(url) else { continue };
        let ours = listeners.iter().find(|(_, listener)| is_at(&parsed, ***listener));
        if let Some((key, listener)) = ours {
            let told = Diagnostic::error(url.place, "the upstream is the gateway itself")
                .reason(format!(
                    "`server.{key}` is there: what is forwarded would come back, as a request of this host"
                ))
                .help("give the legacy service an address of its own, and name that one");
            diagnostics.push(match listener.place.line {
                // Nobody has written it.
                0 => told,
                _ => told.also(listener.place, "the listener"),
            });
        }
    }
}

/// Whether a URL leads to a listener, as far as it says so: a name may lead anywhere, but for `localhost`.
fn is_at(url: &Url, listener: SocketAddr) -> bool {
    let host = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::from(address),
        Some(Host::Ipv6(address)) => IpAddr::from(address).to_canonical(),
        Some(Host::Domain("localhost" | "localhost.")) => match listener.is_ipv6() {
            true => Ipv6Addr::LOCALHOST.into(),
            false => Ipv4Addr::LOCALHOST.into(),
        },
        _ => return false,
    };
    // Whoever connects to no address in particular comes to this host.
    let is_here = host.is_loopback() || host.is_unspecified();
    let takes_all = listener.ip().is_unspecified() && (listener.is_ipv6() || host.is_ipv4());
    let same = host == listener.ip() || (takes_all && is_here);
    let same = same || (host.is_unspecified() && listener.ip().is_loopback());
    same && listener.port() != 0 && url.port_or_known_default() == Some(listener.port())
}

fn legal(url: &str) -> Result<(), (&'static str, &'static str)> {
    let wrong = (
        "this is not the URL of an upstream",
        "write http://host:port or https://host:port, with a path if every request's shall begin with it",
    );
    let parsed = Url::parse(url).map_err(|_| wrong)?;
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err((
            "the URL of an upstream holds no credentials: clients bring their own, and it is shown in logs",
            "remove what stands before the `@`",
        ));
    }
    if parsed.query().is_some() || parsed.fragment().is_some() {
        return Err((
            "the URL of an upstream has no query and no fragment",
            "keep only what stands before the `?` or `#`: each request brings its own query",
        ));
    }
    match matches!(parsed.scheme(), "http" | "https") && parsed.has_host() {
        true => Ok(()),
        false => Err(wrong),
    }
}

fn host(host: &Located<String>, diagnostics: &mut Diagnostics) {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
    let is_header = HeaderValue::from_str(host).is_ok();
    if host.is_empty() || !is_header || !host.bytes().all(legal) {
        diagnostics.push(Diagnostic::error(host.place, "this is nothing that can be sent as `Host`").help(
            "write `original`, `upstream`, or a name, with a port if it needs one: shop.internal:8000",
        ));
    }
}

/// TLS is spoken where the URL says so, and nowhere else.
fn of_no_use(tls: &Located<UpstreamTls>, urls: &[&Located<String>], diagnostics: &mut Diagnostics) {
    let is_secure = |url: &&&Located<String>| Url::parse(url).is_ok_and(|url| url.scheme() == "https");
    let plain = urls.iter().find(|url| !is_secure(url)).filter(|_| !urls.iter().any(|url| is_secure(&url)));
    if let Some(url) = plain {
        diagnostics.push(
            Diagnostic::error(tls.place, "`tls` for an upstream without TLS")
                .also(url.place, "this URL begins with `http://`")
                .help("write `https://` in the URL, or remove `tls`"),
        );
    }
}

/// What an operation says of answers that pass as they come.
pub(super) fn passing(operation: &Operation, diagnostics: &mut Diagnostics) {
    if operation.forward.is_none() || operation.request.is_some() || operation.publish.is_some() {
        return;
    }
    let reply = operation.reply.first().map(|case| ("reply", case.place));
    let headers = operation.reply_headers.as_ref().and_then(|names| names.first());
    let headers = headers.map(|name| ("reply_headers", name.place));
    let validated = operation.validate_replies.as_ref().map(|written| ("validate_replies", written.place));
    for (key, place) in [reply, headers, validated].into_iter().flatten() {
        diagnostics.push(
            Diagnostic::error(place, format!("`{key}` on an operation with `forward` alone"))
                .reason("what the legacy service answers passes as it comes")
                .help(format!("remove `{key}`, or add the side on NATS that it is for")),
        );
    }
}
