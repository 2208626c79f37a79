//! A query that no contract describes: every name is text, or an array of texts if it is given more than once.

use super::Violation;
use super::pairs::Pairs;
use crate::contract::{ShapeId, Shapes};
use crate::expression::{Location, Parameter, ParameterValue};
use std::collections::HashSet;

use super::writer::Writer;

/// Names of the sender's making are cut here, in characters.
const SHOWN: usize = 120;

/// Reads all of them, each in the place of its first value.
pub(super) fn read(query: &str, parameters: &mut Vec<Parameter>, violations: &mut Vec<Violation>) {
    if query.is_empty() {
        return;
    }
    let Ok(pairs) = Pairs::of_form(query) else {
        return violations.push(Violation::too_many(Location::Query));
    };
    let shapes = Shapes::text();
    let mut seen = HashSet::new();
    for pair in pairs.as_they_came().into_iter().filter(|pair| seen.insert(&*pair.name)) {
        let value = match pairs.exact(&pair.name) {
            [only] => pairs
                .encoding
                .decode(only.raw)
                .map(|text| ParameterValue::Text(text.into_owned()))
                .map_err(|bad| bad.to_string()),
            several => {
                let raws: Vec<&str> = several.iter().map(|pair| pair.raw).collect();
                let mut writer = Writer::new(&shapes, pairs.encoding, true);
                writer.values(ShapeId::UNSAID, &raws);
                match writer.finish() {
                    (Some(json), _) => Ok(ParameterValue::Json(json)),
                    (None, faults) => {
                        Err(faults.into_iter().next().map_or_else(String::new, |fault| fault.detail))
                    }
                }
            }
        };
        match value {
            Ok(value) => parameters.push(Parameter { name: (&*pair.name).into(), value }),
            Err(detail) => {
                let name: String = pair.name.chars().take(SHOWN).collect();
                violations.push(Violation { location: Location::Query, name: name.into(), detail });
            }
        }
    }
}
