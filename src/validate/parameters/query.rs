//! The query of a request: pairs in form encoding, where `+` is a space.

use std::borrow::Cow;
use std::collections::HashMap;

use super::value::{Encoding, Sent};
use super::{Location, Parameter, ParameterValue, Violation, value};
use crate::contract::BadValue;

/// A query with its names decoded and its values as they came.
pub(super) struct Query<'q> {
    pairs: Vec<(Cow<'q, str>, &'q str)>,
}

impl<'q> Query<'q> {
    /// Splits a query. A name that is no text is nobody's name, and left out.
    pub(super) fn parse(query: &'q str) -> Query<'q> {
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let decoded = |(name, raw)| Some((decode(name).ok()?, raw));
        Query { pairs: pairs.filter_map(decoded).collect() }
    }

    /// What was sent under a name.
    pub(super) fn values(&self, name: &str) -> Sent<'q> {
        let same = self.pairs.iter().filter(|(known, _)| known == name);
        Sent { raw: same.map(|(_, raw)| *raw).collect(), encoding: Encoding::Form }
    }
}

/// Decodes a name or value once.
pub(super) fn decode(raw: &str) -> Result<Cow<'_, str>, BadValue> {
    if !raw.contains('+') {
        return BadValue::decode(raw);
    }
    let spaced = raw.replace('+', " ");
    BadValue::decode(&spaced).map(|text| Cow::Owned(text.into_owned()))
}

/// Every parameter of a query as text; a repeated one as an array of texts, in the place of its first value.
pub(super) fn texts(query: &str, parameters: &mut Vec<Parameter>, violations: &mut Vec<Violation>) {
    let mut grouped: Vec<(Cow<'_, str>, Vec<Cow<'_, str>>)> = Vec::new();
    let mut known: HashMap<Cow<'_, str>, usize> = HashMap::new();
    for (name, raw) in Query::parse(query).pairs {
        match decode(raw) {
            Ok(text) => {
                let at = *known.entry(name.clone()).or_insert(grouped.len());
                match grouped.get_mut(at) {
                    Some((_, texts)) => texts.push(text),
                    None => grouped.push((name, vec![text])),
                }
            }
            Err(bad) => {
                let (name, detail) = (name.as_ref().into(), bad.to_string());
                violations.push(Violation { location: Location::Query, name, detail });
            }
        }
    }
    parameters.extend(grouped.into_iter().map(|(name, texts)| {
        let value = match texts.as_slice() {
            [only] => ParameterValue::Text(only.to_string()),
            _ => ParameterValue::Json(value::array(&texts)),
        };
        Parameter { name: name.as_ref().into(), value }
    }));
}
