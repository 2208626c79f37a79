//! What a client takes, and what it has already (RFC 9110, 12.5.3 and 13.1.2).

use http::header::{ACCEPT_ENCODING, HeaderMap, IF_NONE_MATCH};

/// Whether a client takes gzip.
pub(super) fn takes_gzip(request: &HeaderMap) -> bool {
    items(request, &ACCEPT_ENCODING).any(|item| {
        let (coding, parameters) = item.split_once(';').unwrap_or((item, ""));
        let weight = parameters.trim().strip_prefix("q=").map(str::trim);
        let refused = weight.is_some_and(|weight| weight.parse::<f32>().is_ok_and(|weight| weight == 0.0));
        coding.trim().eq_ignore_ascii_case("gzip") && !refused
    })
}

/// Whether a client has a representation already. Compared weakly, as the standard says.
pub(super) fn is_known(request: &HeaderMap, tag: &str) -> bool {
    items(request, &IF_NONE_MATCH).any(|item| item == "*" || item.strip_prefix("W/").unwrap_or(item) == tag)
}

fn items<'h>(request: &'h HeaderMap, name: &http::HeaderName) -> impl Iterator<Item = &'h str> {
    let lines = request.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_says_what_it_takes_and_has() {
        let with = |name: http::HeaderName, value: &'static str| {
            HeaderMap::from_iter([(name, http::HeaderValue::from_static(value))])
        };
        for (value, takes) in [
            ("gzip, br", true),
            ("br;q=1, GZIP;q=0.2", true),
            ("gzip;q=0", false),
            ("identity", false),
            ("", false),
        ] {
            assert_eq!(takes_gzip(&with(ACCEPT_ENCODING, value)), takes, "{value}");
        }
        for (value, known) in
            [("\"a\"", true), ("\"b\", W/\"a\"", true), ("*", true), ("\"b\"", false), ("a", false)]
        {
            assert_eq!(is_known(&with(IF_NONE_MATCH, value), "\"a\""), known, "{value}");
        }
    }
}
