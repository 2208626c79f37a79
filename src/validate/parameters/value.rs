//! From the text that was sent to the value that is declared.

use std::borrow::Cow;

use http::{HeaderMap, header};

use super::{ArrayForm, ParameterKind, ParameterValue, Scalar, query};
use crate::contract::BadValue;
use crate::json::write_string;

/// What a request holds under the name of a parameter, still encoded.
pub(super) struct Sent<'s> {
    pub(super) raw: Vec<&'s str>,
    pub(super) encoding: Encoding,
}

/// How a text is encoded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Percent-encoded.
    Path,
    /// Percent-encoded, with `+` for a space.
    Form,
    /// Not at all.
    Plain,
}

impl Encoding {
    fn decode(self, raw: &str) -> Result<Cow<'_, str>, BadValue> {
        match self {
            Encoding::Path => BadValue::decode(raw),
            Encoding::Form => query::decode(raw),
            Encoding::Plain => Ok(Cow::Borrowed(raw)),
        }
    }
}

/// What a request sends in a header.
pub(super) fn of_header<'h>(headers: &'h HeaderMap, name: &str) -> Result<Sent<'h>, BadValue> {
    let texts = headers.get_all(name).iter().map(|value| std::str::from_utf8(value.as_bytes()));
    let raw = texts.collect::<Result<_, _>>().map_err(|_| BadValue::NotUtf8)?;
    Ok(Sent { raw, encoding: Encoding::Plain })
}

/// What a request sends in a cookie. Names are told apart by case, values taken as they came (RFC 6265).
pub(super) fn of_cookie<'h>(headers: &'h HeaderMap, name: &str) -> Result<Sent<'h>, BadValue> {
    let lines = of_header(headers, header::COOKIE.as_str())?.raw;
    let pairs =
        lines.into_iter().flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let raw = pairs.filter(|(known, _)| *known == name).map(|(_, value)| value).collect();
    Ok(Sent { raw, encoding: Encoding::Plain })
}

impl Sent<'_> {
    /// The value; `None` if nothing was sent. The error is to be read after the parameter's name.
    pub(super) fn read(&self, kind: ParameterKind) -> Result<Option<ParameterValue>, String> {
        match (kind, self.raw.as_slice()) {
            (_, []) => Ok(None),
            (ParameterKind::Array { items, form }, _) => self.array(items, form).map(Some),
            (ParameterKind::Scalar(scalar), [raw]) => self.scalar(scalar, raw).map(Some),
            (ParameterKind::Raw, [raw]) => self.scalar(Scalar::Text, raw).map(Some),
            (ParameterKind::Scalar(_), _) => Err("is given more than once".to_owned()),
            (ParameterKind::Raw, _) => Ok(None),
        }
    }

    fn scalar(&self, scalar: Scalar, raw: &str) -> Result<ParameterValue, String> {
        let text = self.encoding.decode(raw).map_err(|bad| bad.to_string())?;
        check(scalar, &text)?;
        Ok(match scalar {
            Scalar::Text => ParameterValue::Text(text.into_owned()),
            _ => ParameterValue::Json(text.into_owned()),
        })
    }

    /// Separators count before decoding: an encoded comma belongs to its item.
    fn array(&self, items: Scalar, form: ArrayForm) -> Result<ParameterValue, String> {
        let mut texts = Vec::new();
        for raw in self.raw.iter().flat_map(|raw| pieces(raw, form)) {
            let raw = if self.encoding == Encoding::Plain { raw.trim() } else { raw };
            let text = self.encoding.decode(raw).map_err(|bad| bad.to_string())?;
            check(items, &text).map_err(|detail| format!("has an item that {detail}"))?;
            texts.push(text);
        }
        Ok(ParameterValue::Json(match items {
            Scalar::Text => array(&texts),
            _ => format!("[{}]", texts.join(",")),
        }))
    }
}

/// The items of one text. Nothing at all is an empty list where items are separated.
fn pieces(raw: &str, form: ArrayForm) -> Vec<&str> {
    match form {
        ArrayForm::Repeated => vec![raw],
        _ if raw.is_empty() => Vec::new(),
        ArrayForm::Commas => raw.split(',').collect(),
        ArrayForm::Spaces => raw.split("%20").flat_map(|part| part.split('+')).collect(),
        ArrayForm::Pipes => {
            raw.split("%7C").flat_map(|part| part.split("%7c")).flat_map(|part| part.split('|')).collect()
        }
    }
}

/// A JSON array of texts.
pub(super) fn array(texts: &[Cow<'_, str>]) -> String {
    let mut out = vec![b'['];
    for (index, text) in texts.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_string(&mut out, text);
    }
    out.push(b']');
    String::from_utf8_lossy(&out).into_owned()
}

/// The value that stands in for a parameter that is not sent, if it is of the declared kind.
pub(super) fn default(kind: ParameterKind, value: &serde_json::Value) -> Option<ParameterValue> {
    match (kind, value) {
        (ParameterKind::Scalar(Scalar::Text), serde_json::Value::String(text)) => {
            Some(ParameterValue::Text(text.clone()))
        }
        (ParameterKind::Scalar(scalar), serde_json::Value::Number(_) | serde_json::Value::Bool(_)) => {
            let text = value.to_string();
            check(scalar, &text).ok().map(|()| ParameterValue::Json(text))
        }
        (ParameterKind::Array { .. }, serde_json::Value::Array(_)) => {
            Some(ParameterValue::Json(value.to_string()))
        }
        _ => None,
    }
}

fn check(scalar: Scalar, text: &str) -> Result<(), String> {
    let (legal, what) = match scalar {
        Scalar::Text => (true, ""),
        Scalar::Integer => (is_integer(text), "is not an integer"),
        Scalar::Number => (is_number(text), "is not a number"),
        Scalar::Boolean => (matches!(text, "true" | "false"), "is neither `true` nor `false`"),
    };
    legal.then_some(()).ok_or_else(|| what.to_owned())
}

/// `-?(0|[1-9][0-9]*)`: what JSON has for an integer, of any length.
fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    is_digits(digits) && (digits == "0" || !digits.starts_with('0'))
}

/// A number as JSON has it, of any length.
fn is_number(text: &str) -> bool {
    let (mantissa, exponent) = text.split_once(['e', 'E']).map_or((text, None), |(m, e)| (m, Some(e)));
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(w, f)| (w, Some(f)));
    let exponent = exponent.map(|exponent| exponent.strip_prefix(['+', '-']).unwrap_or(exponent));
    is_integer(whole) && fraction.is_none_or(is_digits) && exponent.is_none_or(is_digits)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_json() {
        for text in ["0", "-0", "12", "123456789012345678901234567890"] {
            assert!(is_integer(text) && is_number(text), "{text}");
        }
        for text in ["0.5", "-1.50", "1e9", "1E+400", "0e-1"] {
            assert!(!is_integer(text) && is_number(text), "{text}");
        }
        for text in ["", "-", "+1", "01", "1.", ".5", "1e", "1e+", "0x1", "1 ", "NaN", "١", "1.-5"] {
            assert!(!is_integer(text) && !is_number(text), "{text}");
        }
    }
}
