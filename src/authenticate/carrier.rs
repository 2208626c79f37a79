//! Where credentials stand in a request. Finding them is done here, checking them is not.

use std::borrow::Cow;
use std::fmt;

use http::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName};
use percent_encoding::percent_decode_str;

use super::failure::Failure;
use crate::head::Head;

/// Where a caller puts its credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Carrier {
    /// `Authorization: Bearer …`
    Bearer,
    /// `Authorization: Basic …`
    Basic,
    /// The value of a header.
    Header(HeaderName),
    /// A parameter of the query.
    Query(String),
    /// A cookie.
    Cookie(String),
}

/// As people name it.
impl fmt::Display for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Carrier::Bearer => f.write_str("Authorization: Bearer"),
            Carrier::Basic => f.write_str("Authorization: Basic"),
            Carrier::Header(name) => write!(f, "header {name}"),
            Carrier::Query(name) => write!(f, "query parameter {name}"),
            Carrier::Cookie(name) => write!(f, "cookie {name}"),
        }
    }
}

impl Carrier {
    /// The credentials, if there are any: exactly one of them, since two readers may choose different ones.
    pub(super) fn find<'h>(&self, head: &'h Head) -> Result<Cow<'h, str>, Failure> {
        match self {
            Carrier::Bearer => authorization(head.headers(), "bearer").map(Cow::Borrowed),
            Carrier::Basic => authorization(head.headers(), "basic").map(Cow::Borrowed),
            Carrier::Header(name) => header(head.headers(), name).map(Cow::Borrowed),
            Carrier::Query(name) => query(head.parts.uri.query().unwrap_or_default(), name),
            Carrier::Cookie(name) => cookie(head.headers(), name).map(Cow::Borrowed),
        }
    }

    /// Whether a request brings something in this place, whatever it is.
    pub(super) fn is_used(&self, head: &Head) -> bool {
        match self {
            Carrier::Bearer | Carrier::Basic => head.headers().contains_key(AUTHORIZATION),
            _ => self.find(head) != Err(Failure::Missing),
        }
    }
}

fn authorization<'h>(headers: &'h HeaderMap, scheme: &str) -> Result<&'h str, Failure> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(Failure::Missing)?;
    if values.next().is_some() {
        return Err(Failure::Invalid("more than one Authorization header was sent"));
    }
    let value =
        value.to_str().map_err(|_| Failure::Invalid("the Authorization header is not visible ASCII"))?;
    let (sent, credentials) = value.split_once(' ').unwrap_or((value, ""));
    match sent.eq_ignore_ascii_case(scheme) {
        true => Ok(credentials.trim()),
        false => Err(Failure::Missing),
    }
}

fn header<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<&'h str, Failure> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().ok_or(Failure::Missing)?;
    if values.next().is_some() {
        return Err(TWICE);
    }
    value.to_str().map(str::trim).map_err(|_| HIDDEN)
}

fn query<'h>(query: &'h str, name: &str) -> Result<Cow<'h, str>, Failure> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut values = pairs.filter_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(key)? == name).then_some(value)
    });
    let value = values.next().ok_or(Failure::Missing)?;
    if values.next().is_some() {
        return Err(TWICE);
    }
    decoded(value).ok_or(Failure::Invalid("the key is not UTF-8"))
}

fn decoded(text: &str) -> Option<Cow<'_, str>> {
    match text.contains('+') {
        true => Some(percent_decode_str(&text.replace('+', " ")).decode_utf8().ok()?.into_owned().into()),
        false => percent_decode_str(text).decode_utf8().ok(),
    }
}

fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Result<&'h str, Failure> {
    // Bytes, not text: what another cookie holds must not hide this one.
    let pairs = headers.get_all(COOKIE).iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    let mut values =
        pairs.filter_map(|pair| pair.trim_ascii().strip_prefix(name.as_bytes())?.strip_prefix(b"="));
    let value = values.next().ok_or(Failure::Missing)?;
    if values.next().is_some() {
        return Err(TWICE);
    }
    let value = std::str::from_utf8(value).ok().filter(|value| value.is_ascii()).ok_or(HIDDEN)?;
    Ok(value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value))
}

const HIDDEN: Failure = Failure::Invalid("the key is not visible ASCII");
const TWICE: Failure = Failure::Invalid("the key was sent more than once");

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn head(uri: &str, headers: &[(&str, &str)]) -> Head {
        let mut request = http::Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Head::new(
            request.body(()).unwrap().into_parts().0,
            IpAddr::V4(Ipv4Addr::LOCALHOST),
            &crate::head::TrustedProxies::default(),
        )
    }

    #[test]
    fn credentials_are_found_where_they_belong_and_nowhere_else() {
        let key = Carrier::Header(HeaderName::from_static("x-api-key"));
        let query = Carrier::Query("api key".into());
        let cookie = Carrier::Cookie("key".into());
        for (carrier, uri, headers, found) in [
            (&Carrier::Bearer, "/", &[("authorization", "bEaReR  a.b.c ")][..], Some("a.b.c")),
            (&Carrier::Bearer, "/", &[("authorization", "Bearer")], Some("")),
            (&Carrier::Bearer, "/?access_token=a.b.c", &[], None),
            (&Carrier::Bearer, "/", &[("authorization", "Bearera.b.c")], None),
            (&Carrier::Bearer, "/", &[("authorization", "Basic YTpi")], None),
            (&Carrier::Basic, "/", &[("authorization", "basic YTpi")], Some("YTpi")),
            (&key, "/", &[("x-api-key", " k ")], Some("k")),
            (&key, "/?x-api-key=k", &[("cookie", "x-api-key=k")], None),
            (&query, "/?a=1&api+key=k%20x", &[], Some("k x")),
            (&query, "/?api%20key=a+b&b", &[], Some("a b")),
            (&query, "/?apikey=1", &[], None),
            (&cookie, "/", &[("cookie", "a=b; key=\"v=1\"; c=d")], Some("v=1")),
            (&cookie, "/", &[("cookie", "a=b"), ("cookie", "key=v")], Some("v")),
            (&cookie, "/", &[("cookie", "KEY=v")], None),
        ] {
            let head = head(uri, headers);
            let expected = found.map(Cow::Borrowed).ok_or(Failure::Missing);
            assert_eq!(carrier.find(&head), expected, "{carrier} {uri} {headers:?}");
        }
    }

    #[test]
    fn two_of_them_are_none() {
        for (carrier, uri, headers) in [
            (Carrier::Bearer, "/", &[("authorization", "Bearer a"), ("authorization", "Bearer a")][..]),
            (Carrier::Bearer, "/", &[("authorization", "Basic a"), ("authorization", "Bearer a")]),
            (Carrier::Header(HeaderName::from_static("k")), "/", &[("k", "a"), ("k", "a")]),
            (Carrier::Query("k".into()), "/?k=a&k=b", &[]),
            (Carrier::Cookie("k".into()), "/", &[("cookie", "k=a; k=b")]),
            (Carrier::Cookie("k".into()), "/", &[("cookie", "k=a"), ("cookie", "k=b")]),
        ] {
            let head = head(uri, headers);
            assert!(matches!(carrier.find(&head), Err(Failure::Invalid(_))), "{carrier}");
            assert!(carrier.is_used(&head));
        }
    }
}
