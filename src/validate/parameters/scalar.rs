//! One text → one value: its percent-encoding, and what its schema's types make of it.
//! Numbers keep their digits: what is checked is their grammar, and what is handed on is their text.

use std::borrow::Cow;

use crate::contract::{BadValue, Types};

/// How a text is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::validate) enum Encoding {
    /// Percent-encoded.
    Path,
    /// Percent-encoded, with `+` for a space.
    Form,
    /// Not at all.
    Plain,
}

impl Encoding {
    /// Decodes a text once.
    pub(in crate::validate) fn decode(self, raw: &str) -> Result<Cow<'_, str>, BadValue> {
        match self {
            Encoding::Plain => Ok(Cow::Borrowed(raw)),
            Encoding::Form if raw.contains('+') => {
                let spaced = raw.replace('+', " ");
                BadValue::decode(&spaced).map(|text| Cow::Owned(text.into_owned()))
            }
            Encoding::Path | Encoding::Form => BadValue::decode(raw),
        }
    }
}

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    /// A string.
    Text,
    /// A number or boolean, written as JSON has it.
    Json,
    /// `null`
    Null,
}

/// Decides what a text is, the narrower type first: `12` is a number where a number may stand, and text elsewhere.
/// An empty text and `null` are nothing where nothing may stand and text may not.
pub(super) fn classify(types: Types, text: &str) -> Result<Scalar, String> {
    if types.has(Types::BOOLEAN) && matches!(text, "true" | "false") {
        return Ok(Scalar::Json);
    }
    let number = types.has(Types::NUMBER) && is_number(text);
    if number || (types.has(Types::INTEGER) && is_integer(text)) {
        match is_finite(text) {
            true => return Ok(Scalar::Json),
            false if types.has(Types::TEXT) => {}
            false => return Err("is a number beyond all bounds".to_owned()),
        }
    }
    match types {
        _ if types.has(Types::TEXT) => Ok(Scalar::Text),
        _ if types.has(Types::NULL) && matches!(text, "" | "null") => Ok(Scalar::Null),
        _ => Err(misfit(types)),
    }
}

/// That something is not of its types, to be read after its name.
pub(super) fn misfit(types: Types) -> String {
    let mut names = types.names().filter(|name| *name != "null");
    match (names.next(), names.next()) {
        (None, _) => "is not empty".to_owned(),
        (Some("boolean"), None) => "is neither `true` nor `false`".to_owned(),
        (Some(name @ ("integer" | "array" | "object")), None) => format!("is not an {name}"),
        (Some(name), None) => format!("is not a {name}"),
        _ => format!("is none of: {}", types.names().collect::<Vec<_>>().join(", ")),
    }
}

/// Whether a double can hold it: others could be compared with nothing.
fn is_finite(text: &str) -> bool {
    let short = text.len() < 300 && !text.contains(['e', 'E']);
    short || text.parse::<f64>().is_ok_and(f64::is_finite)
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

    #[test]
    fn the_narrower_type_is_tried_first() {
        let (mixed, maybe) = (Types::TEXT.or(Types::INTEGER), Types::INTEGER.or(Types::NULL));
        let all = Types::SCALARS.or(Types::NULL);
        for (types, text, expected) in [
            (mixed, "12", Ok(Scalar::Json)),
            (mixed, "12.5", Ok(Scalar::Text)),
            (mixed, "true", Ok(Scalar::Text)),
            (all, "true", Ok(Scalar::Json)),
            (all, "1e400", Ok(Scalar::Text)),
            (all, "null", Ok(Scalar::Text)),
            (maybe, "null", Ok(Scalar::Null)),
            (maybe, "", Ok(Scalar::Null)),
            (maybe, "x", Err("is not an integer")),
            (Types::NUMBER, "1e400", Err("is a number beyond all bounds")),
            (Types::NUMBER, &"9".repeat(308), Ok(Scalar::Json)),
            (Types::NUMBER, &"9".repeat(60_000), Err("is a number beyond all bounds")),
            (Types::NUMBER.or(Types::BOOLEAN), "x", Err("is none of: boolean, number")),
            (Types::OBJECT, "x", Err("is not an object")),
            (Types::NULL, "x", Err("is not empty")),
        ] {
            assert_eq!(classify(types, text), expected.map_err(str::to_owned), "{types} {:.9}", text);
        }
    }
}
