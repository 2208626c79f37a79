//! The request as the legacy service gets it.

use http::header::{
    CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, HOST, HeaderMap, HeaderName, TE, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderValue, Request, Uri, Version};
use hyper::body::Body as _;

use super::{Forward, SHADOW, forwarded};
use crate::body::Body;
use crate::head::Head;
use crate::problem::Problem;
use crate::socket::Turn;
use crate::translate::Seen;
use crate::upstream::Protocol;
use crate::upstream::fields::{Named, stays};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

impl Forward {
    /// What is sent.
    pub(super) fn request(&self, seen: Seen<'_>, body: Body, copy: bool) -> Result<Request<Body>, Problem> {
        let head = seen.head;
        if body.size_hint().lower() > self.longest {
            return Err(self.too_large());
        }
        let target = match &self.path {
            None => head.parts.uri.path_and_query().cloned(),
            Some(path) => Some(path.render(seen)?),
        };
        let mut headers = travelling(head);
        host(head, &mut headers);
        if let Body::Stream(_) = body {
            streamed(head, &mut headers);
        } else {
            headers.remove(EXPECT);
        }
        of_this_connection(head, self.upstream.options().protocol, &mut headers);
        forwarded::tell(head, self.upstream.options().forwarded, &mut headers);
        traced(head, &mut headers);
        if copy {
            headers.insert(SHADOW, HeaderValue::from_static("true"));
        }
        let mut request = Request::new(body);
        *request.method_mut() = head.method().clone();
        *request.uri_mut() = target.map_or_else(|| Uri::from_static("/"), Uri::from);
        *request.headers_mut() = headers;
        Ok(request)
    }
}

/// The fields that go on, with room for those that are added.
fn travelling(head: &Head) -> HeaderMap {
    let headers = head.headers();
    let named = Named::of(headers);
    let is_out =
        |name: &HeaderName| stays(name) || named.has(name) || (!head.from_proxy && forwarded::is_claim(name));
    let mut travelling = HeaderMap::with_capacity(headers.len() + 6);
    for (name, value) in headers {
        if !is_out(name) {
            travelling.append(name.clone(), value.clone());
        }
    }
    if head.parts.version == Version::HTTP_2 {
        join_cookies(&mut travelling);
    }
    travelling
}

/// HTTP/2 lets clients send each cookie in a field of its own, HTTP/1.1 does not (RFC 9113, section 8.2.3).
fn join_cookies(headers: &mut HeaderMap) {
    let mut cookies = headers.get_all(COOKIE).iter();
    if cookies.next().is_none() || cookies.next().is_none() {
        return;
    }
    let all: Vec<&[u8]> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if let Ok(joined) = HeaderValue::from_bytes(&all.join(&b"; "[..])) {
        headers.insert(COOKIE, joined);
    }
}

/// The host that the client means: that of a URL as the target outranks the field.
fn host(head: &Head, headers: &mut HeaderMap) {
    let authority = head.parts.uri.authority().and_then(|host| HeaderValue::from_str(host.as_str()).ok());
    if let Some(host) = authority {
        headers.insert(HOST, host);
    }
}

/// A body that comes has its length said, or is chunked, whatever the method.
fn streamed(head: &Head, headers: &mut HeaderMap) {
    // Where both are said, the chunks are what counts (RFC 9112, section 6.3).
    let is_chunked = head.headers().contains_key(TRANSFER_ENCODING);
    if is_chunked {
        headers.remove(CONTENT_LENGTH);
    }
    if !headers.contains_key(CONTENT_LENGTH) {
        headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    if head.parts.version <= Version::HTTP_10 {
        headers.remove(EXPECT);
    }
}

/// The fields of the next connection: trailers are taken if the client takes them, and the protocol is switched if the
/// client asks for it, and can.
fn of_this_connection(head: &Head, protocol: Protocol, headers: &mut HeaderMap) {
    let of_client = head.headers();
    let takes_trailers = of_client.contains_key(TE) && lists(of_client, &TE, "trailers");
    let upgrade = upgrade(head).filter(|_| protocol != Protocol::Http2);
    if takes_trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
    let options = match (takes_trailers, upgrade.is_some()) {
        (false, false) => return,
        (true, false) => "te",
        (false, true) => "upgrade",
        (true, true) => "upgrade, te",
    };
    headers.insert(CONNECTION, HeaderValue::from_static(options));
    if let Some(upgrade) = upgrade {
        headers.insert(UPGRADE, upgrade.clone());
    }
}

/// The protocol that the client asks for. HTTP/2 is none: it would take the requests of that connection past us.
fn upgrade(head: &Head) -> Option<&HeaderValue> {
    head.parts.extensions.get::<Turn>()?;
    let headers = head.headers();
    let mut values = headers.get_all(UPGRADE).iter();
    let (value, None) = (values.next()?, values.next()) else { return None };
    let is_http = lists(headers, &UPGRADE, "h2c") || lists(headers, &UPGRADE, "h2");
    (lists(headers, &CONNECTION, "upgrade") && !is_http).then_some(value)
}

/// Whether a list has a word, whatever comes after it.
fn lists(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let lines = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let words = lines.flat_map(|line| line.split(',')).map(|item| item.split([';', '/']).next());
    words.flatten().any(|item| item.trim().eq_ignore_ascii_case(word))
}

/// A request that has no name gets ours, so that the logs of both sides can be laid beside each other. A trace is only
/// begun or gone on with where our spans are recorded: to say that one is not sampled would switch off the other side's.
fn traced(head: &Head, headers: &mut HeaderMap) {
    if !headers.contains_key(REQUEST_ID)
        && let Ok(id) = HeaderValue::from_str(head.id.as_str())
    {
        headers.insert(REQUEST_ID, id);
    }
    if head.trace.recorded().is_some()
        && let Ok(parent) = HeaderValue::try_from(head.trace.parent())
    {
        headers.insert(TRACEPARENT, parent);
    }
}
