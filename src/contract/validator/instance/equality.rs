//! When two values are the same: `1` is `1.0`, and the order of members means nothing.

use std::borrow::Cow;

use serde_json::Value;

use crate::json::{Decimal, Tree};

/// Equality of JSON: `1` is `1.0`, and the order of members means nothing.
pub(super) fn same(one: &Tree<'_>, other: &Tree<'_>) -> bool {
    match (one, other) {
        (Tree::Number(one), Tree::Number(other)) => one == other || Decimal::new(one) == Decimal::new(other),
        (Tree::List(one), Tree::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Tree::Map(one), Tree::Map(other)) => {
            let has = |(name, value): &(Cow<'_, str>, Tree<'_>)| {
                other.get(name).is_some_and(|other| same(value, other))
            };
            one.entries().len() == other.entries().len() && one.entries().iter().all(has)
        }
        (one, other) => one == other,
    }
}

/// The same against a value of the schema.
pub(super) fn equals(tree: &Tree<'_>, expected: &Value) -> bool {
    match (tree, expected) {
        (Tree::Text(text), Value::String(expected)) => text == expected,
        (Tree::Bool(value), Value::Bool(expected)) => value == expected,
        (Tree::Null, Value::Null) => true,
        (Tree::Number(_), Value::Number(_))
        | (Tree::List(_), Value::Array(_))
        | (Tree::Map(_), Value::Object(_)) => same(tree, &Tree::from(expected)),
        _ => false,
    }
}

/// Writes a value so that two that are equal look the same.
pub(super) fn say(tree: &Tree<'_>, out: &mut Vec<u8>) {
    let text = |text: &str, out: &mut Vec<u8>| {
        out.extend_from_slice(text.len().to_string().as_bytes());
        out.push(b':');
        out.extend_from_slice(text.as_bytes());
    };
    match tree {
        Tree::Null => out.push(b'n'),
        Tree::Bool(value) => out.push(if *value { b't' } else { b'f' }),
        Tree::Number(number) => {
            out.push(b'#');
            Decimal::new(number).write(out);
        }
        Tree::Text(string) => {
            out.push(b'"');
            text(string, out);
        }
        Tree::List(items) => {
            out.push(b'[');
            items.iter().for_each(|item| say(item, out));
            out.push(b']');
        }
        Tree::Map(members) => {
            out.push(b'{');
            let mut entries: Vec<_> = members.entries().iter().collect();
            entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
            for (name, value) in entries {
                text(name, out);
                say(value, out);
            }
            out.push(b'}');
        }
    }
}
