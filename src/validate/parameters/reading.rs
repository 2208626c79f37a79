//! How one parameter is read: its text taken apart by its style, its value held against its schema.

use bytes::Bytes;
use serde_json::Value;

use super::flat::Layout;
use super::pairs::Pairs;
use super::rule::Rule;
use super::scalar::{self, Encoding, Scalar};
use super::writer::{Fault, Writer};
use crate::contract::{self, Serialization, ShapeId, Style, Types, Validator};
use crate::expression::ParameterValue;
use crate::json::{Document, Json};

/// What a request holds for a parameter, still encoded.
#[derive(Clone, Copy)]
pub(super) enum Source<'s> {
    /// One text, which is always there.
    Text { raw: &'s str, encoding: Encoding },
    /// The lines of a header.
    Lines(&'s [&'s str]),
    /// All names and values. `claimed` tells which names other parameters have.
    Pairs { pairs: &'s Pairs<'s>, claimed: &'s dyn Fn(&str) -> bool },
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) value: Option<ParameterValue>,
    pub(super) faults: Vec<Fault>,
}

impl Reading {
    /// Nothing could be read.
    pub(super) fn wrong(detail: impl Into<String>) -> Reading {
        Reading { value: None, faults: vec![Fault { pointer: String::new(), detail: detail.into() }] }
    }

    /// The value, if nothing is wrong with it.
    pub(super) fn whole(self) -> Option<ParameterValue> {
        self.value.filter(|_| self.faults.is_empty())
    }
}

impl Rule {
    /// Reads the parameter.
    pub(super) fn read(&self, source: Source<'_>) -> Reading {
        if !self.is_readable() {
            return Reading::default();
        }
        if self.is_named_alone(&source) {
            let types = self.shapes.root().types;
            let list = types.has(Types::ARRAY) && !types.has(Types::TEXT);
            let value =
                if list { ParameterValue::Json("[]".into()) } else { ParameterValue::Text(String::new()) };
            return Reading { value: Some(value), faults: Vec::new() };
        }
        let mut reading = self.parse(source);
        match &reading.value {
            None if reading.faults.is_empty() => match &self.default {
                Some(default) => reading.value = Some(default.clone()),
                None if self.required => return Reading::wrong("is missing"),
                None => {}
            },
            Some(_) if reading.faults.is_empty() => self.check(&mut reading),
            _ => {}
        }
        reading
    }

    /// Whether a name stands there without a value, and that is foreseen.
    fn is_named_alone(&self, source: &Source<'_>) -> bool {
        match source {
            Source::Pairs { pairs, .. } if self.may_be_empty => {
                matches!(pairs.exact(&self.name), [only] if only.raw.is_empty())
            }
            _ => false,
        }
    }

    fn parse(&self, source: Source<'_>) -> Reading {
        match source {
            Source::Text { raw, encoding } => self.one(raw, encoding),
            Source::Lines([]) => Reading::default(),
            Source::Lines([line]) => self.one(line, Encoding::Plain),
            // Several lines of one header are one list (RFC 9110, 5.3).
            Source::Lines(lines) => self.several(lines, Encoding::Plain),
            Source::Pairs { pairs, claimed } => self.of_pairs(pairs, claimed),
        }
    }

    /// Reads one text.
    fn one(&self, raw: &str, encoding: Encoding) -> Reading {
        let types = self.shapes.root().types;
        let plain = match self.serialization {
            Serialization::Style { style: Style::Label | Style::Matrix, .. } | Serialization::Json => false,
            Serialization::Text => true,
            _ => !types.any(Types::ARRAY.or(Types::OBJECT)),
        };
        if plain {
            return scalar_of(types, raw, encoding);
        }
        let mut writer = Writer::new(&self.shapes, encoding, true);
        serialized(&mut writer, &self.serialization, ShapeId::ROOT, &self.name, raw);
        of(writer)
    }

    /// Reads several texts where one is foreseen: parts of one list, if a separator tells its items apart.
    fn several(&self, raws: &[&str], encoding: Encoding) -> Reading {
        let Serialization::Style { style, .. } = self.serialization else {
            return self.repeated(raws, encoding);
        };
        if !self.shapes.root().types.any(Types::ARRAY.or(Types::OBJECT)) {
            return self.repeated(raws, encoding);
        }
        let separator = match style {
            Style::SpaceDelimited => "+",
            Style::PipeDelimited => "|",
            _ => ",",
        };
        self.one(&raws.join(separator), encoding)
    }

    fn repeated(&self, raws: &[&str], encoding: Encoding) -> Reading {
        let mut writer = Writer::new(&self.shapes, encoding, true);
        writer.repeated(raws);
        of(writer)
    }

    fn of_pairs(&self, pairs: &Pairs<'_>, claimed: &dyn Fn(&str) -> bool) -> Reading {
        let own = pairs.exact(&self.name);
        let mut writer = Writer::new(&self.shapes, pairs.encoding, true);
        let there = match &self.serialization {
            Serialization::Style { .. } if self.is_spread() && own.is_empty() => {
                writer.spread(ShapeId::ROOT, pairs, false, claimed, &Writer::named) || self.required
            }
            Serialization::Style { style: Style::DeepObject, .. } => {
                writer.deep(ShapeId::ROOT, pairs, &self.name)
            }
            // Exploded, items stand by themselves, and what would separate them makes no difference.
            Serialization::Style { explode: true, .. } if self.is_spread_over_pairs() => {
                writer.named(ShapeId::ROOT, pairs, &self.name)
            }
            _ => match own {
                [] => false,
                [only] => return self.one(only.raw, pairs.encoding),
                several => {
                    let raws: Vec<&str> = several.iter().map(|pair| pair.raw).collect();
                    return self.several(&raws, pairs.encoding);
                }
            },
        };
        if there { of(writer) } else { Reading::default() }
    }

    /// Holds a value against the schema. A text that could be a number too is one only if the schema takes it.
    fn check(&self, reading: &mut Reading) {
        let (Some(validator), Some(value)) = (&self.validator, &reading.value) else { return };
        let violations = violations(validator, value);
        if violations.is_empty() {
            return;
        }
        if let Some(text) = self.as_text(value)
            && validator.is_valid(&Value::String(text.clone()))
        {
            reading.value = Some(ParameterValue::Text(text));
            return;
        }
        let fault = |one: contract::Violation| Fault { pointer: one.pointer, detail: one.detail };
        reading.faults.extend(violations.into_iter().map(fault));
    }

    fn as_text(&self, value: &ParameterValue) -> Option<String> {
        let ParameterValue::Json(json) = value else { return None };
        let scalar = !json.starts_with(['{', '[', '"']) && json != "null";
        (scalar && self.shapes.root().types.has(Types::TEXT)).then(|| json.clone())
    }
}

/// Reads what pairs hold under a name, by a serialization of its own. False: nothing.
pub(in crate::validate) fn field(
    writer: &mut Writer<'_>,
    serialization: &Serialization,
    id: ShapeId,
    pairs: &Pairs<'_>,
    name: &str,
) -> bool {
    match serialization {
        Serialization::Style { style: Style::DeepObject, .. } => return writer.deep(id, pairs, name),
        // Where nothing has its name, the members of a map may stand by themselves.
        said if said.spreads() => {
            let spread = |writer: &mut Writer<'_>| writer.spread(id, pairs, false, &|_| true, &Writer::named);
            return writer.named(id, pairs, name) || (writer.is_map(id) && spread(writer));
        }
        Serialization::Style { explode: true, .. } => return writer.named(id, pairs, name),
        _ => {}
    }
    match pairs.exact(name) {
        [] => return false,
        [only] => serialized(writer, serialization, id, name, only.raw),
        several => writer.repeated(&several.iter().map(|pair| pair.raw).collect::<Vec<_>>()),
    }
    true
}

/// Reads one text by a serialization.
fn serialized(writer: &mut Writer<'_>, serialization: &Serialization, id: ShapeId, name: &str, raw: &str) {
    match serialization {
        Serialization::Json => writer.json(raw),
        Serialization::Style { style, explode } => {
            writer.flat(id, Layout { style: *style, explode: *explode, name }, raw);
        }
        Serialization::Text | Serialization::Unreadable(_) => writer.scalar(Types::TEXT, raw),
    }
}

fn of(writer: Writer<'_>) -> Reading {
    let (json, faults) = writer.finish();
    let value = |json: String| match Json::new(&json).as_text() {
        Some(text) => ParameterValue::Text(text.into_owned()),
        None => ParameterValue::Json(json),
    };
    Reading { value: json.map(value), faults }
}

/// Takes a text for one scalar.
pub(super) fn scalar_of(types: Types, raw: &str, encoding: Encoding) -> Reading {
    let text = match encoding.decode(raw) {
        Ok(text) => text.into_owned(),
        Err(bad) => return Reading::wrong(bad.to_string()),
    };
    match scalar::classify(types, &text) {
        Ok(Scalar::Text) => Reading { value: Some(ParameterValue::Text(text)), faults: Vec::new() },
        Ok(Scalar::Json) => Reading { value: Some(ParameterValue::Json(text)), faults: Vec::new() },
        Ok(Scalar::Null) => Reading { value: Some(ParameterValue::Json("null".into())), faults: Vec::new() },
        Err(detail) => Reading { value: Some(ParameterValue::Text(text)), ..Reading::wrong(detail) },
    }
}

/// Everything that is wrong with a value. Numbers are taken to the last digit.
fn violations(validator: &Validator, value: &ParameterValue) -> Vec<contract::Violation> {
    match value {
        ParameterValue::Text(text) => validator.violations(&Value::String(text.clone())),
        ParameterValue::Json(json) => match Document::parse(Bytes::copy_from_slice(json.as_bytes())) {
            Ok(document) => validator.violations_of(&document),
            Err(_) => {
                vec![contract::Violation { pointer: String::new(), detail: "is not valid JSON".into() }]
            }
        },
    }
}
