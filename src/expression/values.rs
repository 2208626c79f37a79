//! Between JSON text and CEL values, in both directions.
//!
//! Integers become Int where they fit, since CEL does not add `UInt` to Int; larger ones up to 64 bits become `UInt`, and
//! every other number Double. Texts without escapes are borrowed from the body.

use super::Presence;
use crate::json::write_string;
use cel::common::types::{
    CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString, CelUInt,
};
use cel::common::value::{BuiltinRef, Val};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::collections::HashMap;
use std::fmt;

pub(super) type CelValue<'a> = Box<dyn Val + 'a>;

/// Reads checked JSON text as a CEL value, counting members and items into `elements`.
pub(super) fn read<'a>(text: &'a str, elements: &mut usize) -> CelValue<'a> {
    // The text was checked when it came.
    Read { elements }
        .deserialize(&mut serde_json::Deserializer::from_str(text))
        .unwrap_or_else(|_| Box::new(CelNull))
}

pub(super) fn number<'a>(number: u64) -> CelValue<'a> {
    match i64::try_from(number) {
        Ok(number) => Box::new(CelInt::from(number)),
        Err(_) => Box::new(CelUInt::from(number)),
    }
}

/// Writes a CEL value as JSON, object members in the order of their names. An optional without a value is absent, and
/// leaves its key or its place in a list out.
pub(super) fn write(value: &(dyn Val + '_), out: &mut Vec<u8>) -> Result<Presence, String> {
    match value.as_builtin() {
        BuiltinRef::String(text) => write_string(out, text.inner()),
        BuiltinRef::List(items) => write_list(items.inner(), out)?,
        BuiltinRef::Map(members) => write_map(members, out)?,
        BuiltinRef::Optional(optional) => {
            return optional.option().map_or(Ok(Presence::Absent), |value| write(value, out));
        }
        _ if value.downcast_ref::<CelNull>().is_some() => out.extend_from_slice(b"null"),
        _ => out.extend_from_slice(scalar(value).ok_or_else(|| unwritable(value))??.as_bytes()),
    }
    Ok(Presence::Present)
}

/// The value itself, or what an optional holds.
pub(super) fn present<'b, 'v>(value: &'b (dyn Val + 'v)) -> Option<&'b (dyn Val + 'v)> {
    match value.as_builtin() {
        BuiltinRef::Optional(optional) => optional.option(),
        _ => Some(value),
    }
}

/// The value as a condition; an empty optional does not hold, and `None` is anything but a boolean.
pub(super) fn condition(value: &(dyn Val + '_)) -> Option<bool> {
    match present(value) {
        None => Some(false),
        Some(value) => value.downcast_ref::<CelBool>().map(|value| *value.inner()),
    }
}

/// The text of a string, number or boolean; `None` for anything else.
pub(super) fn text(value: &(dyn Val + '_)) -> Option<Result<String, String>> {
    match value.as_builtin() {
        BuiltinRef::String(text) => Some(Ok(text.inner().to_owned())),
        _ => scalar(value),
    }
}

fn unwritable(value: &(dyn Val + '_)) -> String {
    format!("a {} has no JSON form; convert it with string(…)", value.get_type().name())
}

fn scalar(value: &(dyn Val + '_)) -> Option<Result<String, String>> {
    if let Some(value) = value.downcast_ref::<CelBool>() {
        return Some(Ok(value.inner().to_string()));
    }
    if let Some(value) = value.downcast_ref::<CelInt>() {
        return Some(Ok(value.inner().to_string()));
    }
    if let Some(value) = value.downcast_ref::<CelUInt>() {
        return Some(Ok(value.inner().to_string()));
    }
    let value = value.downcast_ref::<CelDouble>()?;
    let number = serde_json::Number::from_f64(*value.inner());
    Some(number.map(|number| number.to_string()).ok_or_else(|| "the number is not finite".to_owned()))
}

fn write_list(items: &[CelValue<'_>], out: &mut Vec<u8>) -> Result<(), String> {
    out.push(b'[');
    let start = out.len();
    for item in items {
        let before = out.len();
        if before > start {
            out.push(b',');
        }
        if write(item.as_ref(), out)? == Presence::Absent {
            out.truncate(before);
        }
    }
    out.push(b']');
    Ok(())
}

fn write_map(members: &CelMap<'_>, out: &mut Vec<u8>) -> Result<(), String> {
    // A CEL map has no order; the same request shall give the same bytes.
    let mut sorted: Vec<_> = members.inner().iter().map(|(key, value)| (key_text(key), value)).collect();
    sorted.sort_by(|(left, _), (right, _)| left.cmp(right));
    out.push(b'{');
    let start = out.len();
    for (name, value) in sorted {
        let before = out.len();
        if before > start {
            out.push(b',');
        }
        write_string(out, &name);
        out.push(b':');
        if write(value.as_ref(), out)? == Presence::Absent {
            out.truncate(before);
        }
    }
    out.push(b'}');
    Ok(())
}

fn key_text(key: &CelMapKey<'_>) -> String {
    match key {
        CelMapKey::String(text) => text.inner().to_owned(),
        CelMapKey::Bool(value) => value.inner().to_string(),
        CelMapKey::Int(value) => value.inner().to_string(),
        CelMapKey::UInt(value) => value.inner().to_string(),
    }
}

struct Read<'c> {
    elements: &'c mut usize,
}

impl<'de> DeserializeSeed<'de> for Read<'_> {
    type Value = CelValue<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Read<'_> {
    type Value = CelValue<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Box::new(CelNull))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Box::new(CelBool::from(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Box::new(CelInt::from(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(number(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Box::new(CelDouble::from(value)))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Box::new(CelString::from(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Box::new(CelString::from(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(Read { elements: &mut *self.elements })? {
            *self.elements += 1;
            items.push(item);
        }
        Ok(Box::new(CelList::from(items)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut members: HashMap<CelMapKey<'de>, CelValue<'de>> = HashMap::new();
        while let Some(key) = access.next_key_seed(Name)? {
            *self.elements += 1;
            members.insert(key, access.next_value_seed(Read { elements: &mut *self.elements })?);
        }
        Ok(Box::new(CelMap::from(members)))
    }
}

struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = CelMapKey<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = CelMapKey<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a member name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(CelMapKey::from(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(CelMapKey::from(name.to_owned()))
    }
}
