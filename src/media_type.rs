//! Media types (RFC 9110, 8.3.1), read without copying: kind, subtype, parameters.

use std::borrow::Cow;

/// A media type, or a range of them (`image/*`).
#[derive(Debug, Clone, Copy)]
pub struct MediaType<'a> {
    /// `application` of `application/json`.
    pub kind: &'a str,
    /// `json` of `application/json`.
    pub subtype: &'a str,
    /// What follows the first `;`.
    parameters: &'a str,
}

impl<'a> MediaType<'a> {
    /// Reads a media type; `None` if it is none.
    pub fn parse(text: &'a str) -> Option<MediaType<'a>> {
        let (essence, parameters) = text.split_once(';').unwrap_or((text, ""));
        let (kind, subtype) = essence.trim_matches([' ', '\t']).split_once('/')?;
        (is_token(kind) && is_token(subtype) && are_parameters(parameters)).then_some(MediaType {
            kind,
            subtype,
            parameters,
        })
    }

    /// Reads an entry of `Accept`. Java has always written `*` for `*/*`.
    pub fn range(text: &'a str) -> Option<MediaType<'a>> {
        let (essence, parameters) = text.split_once(';').unwrap_or((text, ""));
        match essence.trim() {
            "*" => are_parameters(parameters).then_some(MediaType { kind: "*", subtype: "*", parameters }),
            _ => MediaType::parse(text),
        }
    }

    /// `application/json`, and everything that ends in `+json`.
    pub fn is_json(&self) -> bool {
        let (kind, subtype) = (self.kind, self.subtype);
        kind.eq_ignore_ascii_case("application") && subtype.eq_ignore_ascii_case("json")
            || ends_in_json(subtype)
    }

    /// `application/x-www-form-urlencoded`.
    pub fn is_form(&self) -> bool {
        self.kind.eq_ignore_ascii_case("application")
            && self.subtype.eq_ignore_ascii_case("x-www-form-urlencoded")
    }

    /// `text/…`
    pub fn is_text(&self) -> bool {
        self.kind.eq_ignore_ascii_case("text")
    }

    /// Whether another one falls under this one, which may be a range. Parameters make no difference.
    pub fn covers(&self, other: &MediaType<'_>) -> bool {
        let wild = |own: &str, other: &str| own == "*" || own.eq_ignore_ascii_case(other);
        wild(self.kind, other.kind) && wild(self.subtype, other.subtype)
    }

    /// How much a range leaves open: 0 nothing, 1 the subtype, 2 everything.
    pub fn openness(&self) -> u8 {
        match (self.kind, self.subtype) {
            ("*", _) => 2,
            (_, "*") => 1,
            _ => 0,
        }
    }

    /// The value of a parameter, such as `charset`, without its quotation marks.
    pub fn parameter(&self, name: &str) -> Option<Cow<'a, str>> {
        let mut rest = self.parameters;
        while let Some((found, value, after)) = parameter(rest) {
            if found.eq_ignore_ascii_case(name) {
                return Some(unquoted(value));
            }
            rest = after;
        }
        None
    }

    /// Whether text of this type is UTF-8: so it says, or it says nothing.
    pub fn is_utf8(&self) -> bool {
        let charset = self.parameter("charset");
        charset.is_none_or(|charset| {
            ["utf-8", "utf8", "us-ascii", "ascii", ""].iter().any(|one| charset.eq_ignore_ascii_case(one))
        })
    }
}

/// Whether a text is a JSON media type, in any case and with any parameters.
pub fn is_json(text: &str) -> bool {
    MediaType::parse(text).is_some_and(|parsed| parsed.is_json())
}

/// Whether a text is the media type of HTML forms.
pub fn is_form(text: &str) -> bool {
    MediaType::parse(text).is_some_and(|parsed| parsed.is_form())
}

/// Splits a list at its commas, those in quotation marks left alone.
pub fn list(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let (item, after) = cut(text, b',');
        rest = after;
        Some(item)
    })
}

fn ends_in_json(subtype: &str) -> bool {
    let start = subtype.len().saturating_sub("+json".len());
    subtype.get(start..).is_some_and(|end| end.eq_ignore_ascii_case("+json"))
}

/// The next parameter as (name, value, rest). Empty ones are passed over.
fn parameter(text: &str) -> Option<(&str, &str, &str)> {
    let mut rest = Some(text);
    while let Some(text) = rest {
        let (one, after) = cut(text, b';');
        rest = after;
        if let Some((name, value)) = one.split_once('=') {
            return Some((name.trim(), value.trim(), after.unwrap_or_default()));
        }
    }
    None
}

fn are_parameters(text: &str) -> bool {
    let mut rest = Some(text);
    while let Some(text) = rest {
        let (one, after) = cut(text, b';');
        rest = after;
        let legal = one.trim().is_empty()
            || one.split_once('=').is_some_and(|(name, value)| {
                let value = value.trim();
                is_token(name.trim()) && (value.is_empty() || is_token(value) || is_quoted(value))
            });
        if !legal {
            return false;
        }
    }
    true
}

/// Cuts at the first separator outside of quotation marks; `None`: there is none.
fn cut(text: &str, separator: u8) -> (&str, Option<&str>) {
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if byte == separator && !quoted => {
                // The separator is one ASCII byte, so both sides are text.
                return (text.get(..at).unwrap_or_default(), text.get(at + 1..));
            }
            _ => {}
        }
    }
    (text, None)
}

fn is_quoted(value: &str) -> bool {
    value.len() >= 2 && value.starts_with('"') && value.ends_with('"')
}

fn unquoted(value: &str) -> Cow<'_, str> {
    let inner = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut escaped = false;
    let keep = |c: &char| {
        escaped = *c == '\\' && !escaped;
        !escaped
    };
    Cow::Owned(inner.chars().filter(keep).collect())
}

fn is_token(text: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(legal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_are_taken_apart() {
        for (text, kind, subtype, charset) in [
            ("application/json", "application", "json", None),
            (" Application/JSON ; Charset=\"UTF-8\"", "Application", "JSON", Some("UTF-8")),
            ("text/plain;a=\"x;charset=y\";charset=\"l\\\"1\"", "text", "plain", Some("l\"1")),
            ("text/plain;;charset=", "text", "plain", Some("")),
            ("*/*", "*", "*", None),
        ] {
            let parsed = MediaType::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((parsed.kind, parsed.subtype), (kind, subtype), "{text}");
            assert_eq!(parsed.parameter("charset").as_deref(), charset, "{text}");
        }
        for text in [
            "",
            "json",
            "/json",
            "application/",
            "a b/c",
            "a/b/c",
            "a/b; c",
            "a/b; =c",
            "a/b;x=\"",
            "é/x",
            "a/b, c/d",
        ] {
            assert!(MediaType::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn json_has_many_names() {
        for text in
            ["application/json", "APPLICATION/JSON;charset=utf-8", "application/merge-patch+JSON", "x/y+json"]
        {
            assert!(is_json(text), "{text}");
        }
        for text in ["application/jsonx", "text/json", "json", "application/+jsonp", "application/json x"] {
            assert!(!is_json(text), "{text}");
        }
        assert!(
            is_form("Application/X-WWW-Form-Urlencoded; charset=UTF-8") && !is_form("multipart/form-data")
        );
    }

    #[test]
    fn lists_are_split_outside_of_quotation_marks() {
        let items: Vec<&str> = list("a/b;x=\"1,\\\",2\", c/d,").collect();
        assert_eq!(items, ["a/b;x=\"1,\\\",2\"", " c/d", ""]);
    }
}
