//! Between JSON text and CEL values, in both directions.
//!
//! Integers become Int where they fit, since CEL does not add `UInt` to Int; larger ones up to 64 bits become `UInt`, and
//! every other number Double, as long as no digit is lost that an Int would keep. Texts without escapes are borrowed from the body.

use super::Presence;
use crate::json::{Decimal, Json, Tree, write_string};
use cel::common::types::{
    CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString, CelUInt,
};
use cel::common::value::{BuiltinRef, Val};
use std::borrow::Cow;
use std::collections::HashMap;

pub(super) type CelValue<'a> = Box<dyn Val + 'a>;

/// From here on, not every integer is a double.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Reads a JSON value as a CEL value, counting members and items into `elements`.
pub(super) fn read<'a>(json: Json<'a>, elements: &mut usize) -> CelValue<'a> {
    value(json.tree(), elements)
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

fn value<'a>(tree: Tree<'a>, elements: &mut usize) -> CelValue<'a> {
    match tree {
        Tree::Null => Box::new(CelNull),
        Tree::Bool(value) => Box::new(CelBool::from(value)),
        Tree::Number(text) => numeral(&text),
        Tree::Text(Cow::Borrowed(text)) => Box::new(CelString::from(text)),
        Tree::Text(Cow::Owned(text)) => Box::new(CelString::from(text)),
        Tree::List(items) => {
            *elements += items.len();
            Box::new(CelList::from(items.into_iter().map(|item| value(item, elements)).collect::<Vec<_>>()))
        }
        Tree::Map(members) => {
            let entries = members.into_entries();
            *elements += entries.len();
            let member = |(name, member)| (key(name), value(member, elements));
            Box::new(CelMap::from(entries.into_iter().map(member).collect::<HashMap<_, _>>()))
        }
    }
}

fn key(name: Cow<'_, str>) -> CelMapKey<'_> {
    match name {
        Cow::Borrowed(name) => CelMapKey::from(name),
        Cow::Owned(name) => CelMapKey::from(name),
    }
}

/// CEL compares a Double with an Int as doubles, in which neighbours of many digits are the same. So what is written
/// as a Double (`9007199254740993.0`) and has more digits than one holds is the Int that it says.
fn numeral<'a>(text: &str) -> CelValue<'a> {
    if let Ok(integer) = text.parse::<i64>() {
        return Box::new(CelInt::from(integer));
    }
    if let Ok(integer) = text.parse::<u64>() {
        return number(integer);
    }
    let double: f64 = text.parse().unwrap_or_default();
    let whole = if double.abs() < EXACT { None } else { Decimal::new(text).whole() };
    match whole.map(|whole| (i64::try_from(whole), u64::try_from(whole))) {
        Some((Ok(integer), _)) => Box::new(CelInt::from(integer)),
        Some((_, Ok(integer))) => number(integer),
        _ => Box::new(CelDouble::from(double)),
    }
}
