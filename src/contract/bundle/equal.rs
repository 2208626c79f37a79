//! Which parts of the same name are the same: those that look alike, and refer to parts that are the same.
//!
//! Everything that could be is taken to be, and told apart until nothing more can be: so parts that refer to themselves
//! are found equal too.

use std::collections::HashMap;

use serde_json::Value;

use super::components::{Part, Section, number};

/// For each part, the first one that is the same.
pub(super) fn classes(parts: &[Part]) -> Vec<usize> {
    let mut first: HashMap<(Section, &str), usize> = HashMap::new();
    let mut classes: Vec<usize> = Vec::with_capacity(parts.len());
    for (index, part) in parts.iter().enumerate() {
        classes.push(*first.entry((part.section, &part.name)).or_insert(index));
    }
    let doubtful: Vec<usize> = {
        let mut members: HashMap<usize, usize> = HashMap::new();
        classes.iter().for_each(|class| *members.entry(*class).or_default() += 1);
        (0..parts.len())
            .filter(|index| classes.get(*index).is_some_and(|class| members.get(class) > Some(&1)))
            .collect()
    };
    // Each round tells at least one more class apart, or is the last.
    while told_apart(parts, &doubtful, &mut classes) {}
    classes
}

fn told_apart(parts: &[Part], doubtful: &[usize], classes: &mut [usize]) -> bool {
    let mut looks: HashMap<(usize, String), usize> = HashMap::new();
    let mut renewed = Vec::with_capacity(doubtful.len());
    for index in doubtful {
        let (Some(part), Some(class)) = (parts.get(*index), classes.get(*index)) else { continue };
        let mut look = String::new();
        write(&part.body, classes, &mut look);
        renewed.push((*index, *looks.entry((*class, look)).or_insert(*index)));
    }
    let mut changed = false;
    for (index, class) in renewed {
        if let Some(known) = classes.get_mut(index).filter(|known| **known != class) {
            *known = class;
            changed = true;
        }
    }
    changed
}

/// A value as text, whatever order its members stand in, with classes for references.
fn write(value: &Value, classes: &[usize], out: &mut String) {
    match value {
        Value::String(text) => match number(text).and_then(|part| classes.get(part)) {
            Some(class) => out.push_str(&format!("@{class}")),
            None => out.push_str(&value.to_string()),
        },
        Value::Array(items) => {
            out.push('[');
            for item in items {
                write(item, classes, out);
                out.push(',');
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(key, _)| *key);
            out.push('{');
            for (key, member) in members {
                out.push_str(&format!("{key:?}:"));
                write(member, classes, out);
                out.push(',');
            }
            out.push('}');
        }
        _ => out.push_str(&value.to_string()),
    }
}
