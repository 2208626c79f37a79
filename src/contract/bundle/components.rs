//! What operations refer to, of any number of contracts: each part once, and under its final name in the end.
//!
//! Until then a reference is a mark with a number. Two parts that want the same name are one if they are equal;
//! otherwise the one that came first keeps the name.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::equal;

/// Before the number of a part, in values and keys: no document has it by chance.
const MARK: &str = "\u{0}natsgate:";

/// A section of `components`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs)] // as the standard calls them
pub enum Section {
    Schemas,
    Responses,
    Parameters,
    Examples,
    RequestBodies,
    Headers,
    SecuritySchemes,
    Links,
    Callbacks,
    PathItems,
}

impl Section {
    /// As documents have it.
    pub fn name(self) -> &'static str {
        match self {
            Section::Schemas => "schemas",
            Section::Responses => "responses",
            Section::Parameters => "parameters",
            Section::Examples => "examples",
            Section::RequestBodies => "requestBodies",
            Section::Headers => "headers",
            Section::SecuritySchemes => "securitySchemes",
            Section::Links => "links",
            Section::Callbacks => "callbacks",
            Section::PathItems => "pathItems",
        }
    }
}

/// One part.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) section: Section,
    /// The name that it wants.
    pub(super) name: String,
    pub(super) body: Value,
}

/// All parts.
#[derive(Debug, Default)]
pub struct Components {
    parts: Vec<Part>,
    shared: HashMap<(Section, String, String), usize>,
}

impl Components {
    /// Adds a part.
    pub(super) fn add(&mut self, section: Section, name: &str, body: Value) -> usize {
        self.parts.push(Part { section, name: name.to_owned(), body });
        self.parts.len() - 1
    }

    pub(super) fn fill(&mut self, part: usize, body: Value) {
        if let Some(part) = self.parts.get_mut(part) {
            part.body = body;
        }
    }

    /// What a part is referred to by, as the value of a `$ref` or as the name of a security scheme.
    pub(super) fn reference(part: usize) -> String {
        format!("{MARK}{part}")
    }

    /// Adds a part, unless the same one is there, and refers to it.
    pub fn share(&mut self, section: Section, name: &str, body: Value) -> String {
        let key = (section, name.to_owned(), body.to_string());
        let part = match self.shared.get(&key) {
            Some(known) => *known,
            None => {
                let part = self.add(section, name, body);
                self.shared.insert(key, part);
                part
            }
        };
        Components::reference(part)
    }

    /// Whether some part wants a name.
    pub fn wants(&self, section: Section, name: &str) -> bool {
        self.parts.iter().any(|part| part.section == section && part.name == name)
    }

    /// What a value is that may be a reference to a part.
    pub fn resolve<'v>(&'v self, value: &'v Value) -> &'v Value {
        let part = value.get("$ref").and_then(Value::as_str).and_then(number);
        part.and_then(|part| self.parts.get(part)).map_or(value, |part| &part.body)
    }

    /// Names every part, in the document too, which then has them.
    pub fn finish(mut self, document: &mut Map<String, Value>) {
        let classes = equal::classes(&self.parts);
        let used = self.used(document, &classes);
        let names = Names { named: self.names(&used), classes };
        document.values_mut().for_each(|value| names.write(value, &self.parts));
        let mut sections: BTreeMap<Section, BTreeMap<String, Value>> = BTreeMap::new();
        let bodies: Vec<Value> = self.parts.iter_mut().map(|part| part.body.take()).collect();
        for (index, mut body) in bodies.into_iter().enumerate() {
            let (Some(part), Some(name)) = (self.parts.get(index), names.of(index)) else { continue };
            if used.contains(&index) {
                names.write(&mut body, &self.parts);
                sections.entry(part.section).or_default().insert(name.to_owned(), body);
            }
        }
        let sections = sections.into_iter().map(|(section, parts)| (section.name().to_owned(), json!(parts)));
        document.insert("components".to_owned(), Value::Object(sections.collect()));
    }

    /// What the document reaches, by the ones that stand for their equals.
    fn used(&self, document: &Map<String, Value>, classes: &[usize]) -> BTreeSet<usize> {
        let mut waiting = Vec::new();
        document.values().for_each(|value| marks(value, &mut waiting));
        let mut used = BTreeSet::new();
        while let Some(mark) = waiting.pop() {
            let Some(class) = classes.get(mark).copied() else { continue };
            if used.insert(class)
                && let Some(part) = self.parts.get(class)
            {
                marks(&part.body, &mut waiting);
            }
        }
        used
    }

    /// The names, each once in its section.
    fn names(&self, used: &BTreeSet<usize>) -> Vec<String> {
        let mut taken: HashSet<(Section, String)> =
            self.parts.iter().map(|part| (part.section, part.name.clone())).collect();
        let mut given: HashSet<(Section, &str)> = HashSet::new();
        let mut names = vec![String::new(); self.parts.len()];
        for (index, part) in self.parts.iter().enumerate().filter(|(index, _)| used.contains(index)) {
            let name = match given.insert((part.section, &part.name)) {
                true => part.name.clone(),
                false => (2..)
                    .map(|number| format!("{}_{number}", part.name))
                    .find(|name| taken.insert((part.section, name.clone())))
                    .unwrap_or_default(),
            };
            if let Some(place) = names.get_mut(index) {
                *place = name;
            }
        }
        names
    }
}

/// The number in a mark.
pub(super) fn number(text: &str) -> Option<usize> {
    text.strip_prefix(MARK)?.parse().ok()
}

/// The parts that a value refers to.
fn marks(value: &Value, found: &mut Vec<usize>) {
    match value {
        Value::String(text) => found.extend(number(text)),
        Value::Array(items) => items.iter().for_each(|item| marks(item, found)),
        Value::Object(members) => {
            found.extend(members.keys().filter_map(|key| number(key)));
            members.values().for_each(|member| marks(member, found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The final names.
struct Names {
    /// For each part the one that stands for it.
    classes: Vec<usize>,
    /// Of those that stand for themselves.
    named: Vec<String>,
}

impl Names {
    fn of(&self, part: usize) -> Option<&str> {
        self.named.get(*self.classes.get(part)?).map(String::as_str)
    }

    fn reference(&self, part: usize, parts: &[Part]) -> Option<String> {
        Some(format!("#/components/{}/{}", parts.get(part)?.section.name(), self.of(part)?))
    }

    /// Replaces the marks in a value.
    fn write(&self, value: &mut Value, parts: &[Part]) {
        match value {
            Value::String(text) => {
                if let Some(reference) = number(text).and_then(|part| self.reference(part, parts)) {
                    *text = reference;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.write(item, parts)),
            Value::Object(members) => {
                self.spell_out(members, parts);
                if members.keys().any(|key| number(key).is_some()) {
                    let named = std::mem::take(members).into_iter().map(|(key, value)| {
                        let name = number(&key).and_then(|part| self.of(part)).map(str::to_owned);
                        (name.unwrap_or(key), value)
                    });
                    *members = named.collect();
                }
                members.values_mut().for_each(|value| self.write(value, parts));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// A discriminator without a mapping means schemas by their names. Where one of those has got another name, it is
    /// spelled out what the old ones mean.
    fn spell_out(&self, members: &mut Map<String, Value>, parts: &[Part]) {
        if !members.get("discriminator").is_some_and(Value::is_object) {
            return;
        }
        let listed = ["oneOf", "anyOf"].into_iter().filter_map(|key| members.get(key)?.as_array()).flatten();
        let listed = listed.filter_map(|one| number(one.get("$ref")?.as_str()?));
        let named = |part: usize| Some((parts.get(part)?.name.clone(), part));
        let meant: Vec<(String, usize)> = listed.filter_map(named).collect();
        if meant.iter().all(|(name, part)| self.of(*part) == Some(name)) {
            return;
        }
        let Some(discriminator) = members.get_mut("discriminator").and_then(Value::as_object_mut) else {
            return;
        };
        let mapping = discriminator.entry("mapping").or_insert_with(|| json!({}));
        if let Some(mapping) = mapping.as_object_mut() {
            for (name, part) in meant {
                mapping.entry(name).or_insert_with(|| Value::String(Components::reference(part)));
            }
        }
    }
}
