//! A schema and everything that it reaches → one document that refers to nothing outside of itself.
//!
//! Schemas are copied as they are reached, each once: a large contract costs what an operation uses of it. Files, and
//! schemas that name themselves (`$id`) or their dialect (`$schema`), become resources of the document, so that dynamic
//! references find their scopes. What differs between the directions and the dialects is written here once.

mod resource;
mod write;

use std::collections::{HashMap, VecDeque};

use serde_json::{Map, Value, json};

use super::dialect::{Draft, LATEST, from_openapi_3_0};
use super::patterns::{Patterns, Way};
use super::unsent::{Names, Unsent};
use super::{Direction, formats, keywords};
use crate::contract::applicators::{Form, form, is_in_place, step};
use crate::contract::cursor::SchemaRef;
use crate::contract::documents::{Dialect, Documents};
use crate::diagnostic::Diagnostic;
use crate::yaml::{self, Node};
use resource::{Home, Resources};
use write::{alternatives, required, settle, types};

/// Keywords of which the value is taken as it is. All others only describe.
const ASSERTIONS: [&str; 24] = [
    "type",
    "enum",
    "const",
    "multipleOf",
    "maximum",
    "exclusiveMaximum",
    "minimum",
    "exclusiveMinimum",
    "maxLength",
    "minLength",
    "pattern",
    "maxItems",
    "minItems",
    "uniqueItems",
    "maxContains",
    "minContains",
    "maxProperties",
    "minProperties",
    "required",
    "dependentRequired",
    "format",
    "nullable",
    "$dynamicAnchor",
    "$recursiveAnchor",
];

/// Beside `oneOf` and `anyOf`: what their alternatives are called. Taken out before compiling.
pub(super) const NAMES: &str = "x-natsgate-names";

/// A document, and where its parts come from.
pub(super) struct Assembled {
    pub(super) document: Value,
    /// A pattern for the names of properties can only be matched by trying.
    pub(super) tries_names: bool,
    resources: Resources,
}

impl Assembled {
    /// Where the schema at a pointer of the document stands in the contract, with the rest of the pointer.
    pub(super) fn origin<'p>(&self, pointer: &'p str) -> Option<(&SchemaRef, &'p str)> {
        self.resources.origin(pointer)
    }
}

/// Copies what a schema reaches.
pub(super) fn assemble(
    documents: &Documents,
    patterns: &Patterns,
    schema: &SchemaRef,
    direction: Direction,
) -> Result<Assembled, Diagnostic> {
    let openapi_3_0 = documents.dialect() == Dialect::V30;
    let unsent = Unsent::new(documents, direction);
    let mut assembler = Assembler {
        documents,
        patterns,
        unsent,
        openapi_3_0,
        resources: Resources::default(),
        units: HashMap::new(),
        waiting: VecDeque::new(),
        tries_names: false,
    };
    let start = assembler.address(schema, Names::new())?;
    while let Some(Waiting { spot, names, resource, unit }) = assembler.waiting.pop_front() {
        let Some(node) = documents.at(spot.file, &spot.pointer) else { continue };
        let value =
            assembler.schema(&At { node, pointer: spot.pointer.clone(), resource, top: true }, &names)?;
        assembler.resources.fill(resource, unit, value);
    }
    let definitions = assembler.resources.definitions();
    let document = json!({ "$schema": LATEST.uri, "$ref": start, "$defs": definitions });
    Ok(Assembled { document, tries_names: assembler.tries_names, resources: assembler.resources })
}

struct Assembler<'c> {
    documents: &'c Documents,
    patterns: &'c Patterns,
    unsent: Unsent<'c>,
    openapi_3_0: bool,
    resources: Resources,
    /// Addresses of what has been reached.
    units: HashMap<(SchemaRef, Names), String>,
    waiting: VecDeque<Waiting>,
    tries_names: bool,
}

/// A schema that has been reached, and is still to be copied.
struct Waiting {
    spot: SchemaRef,
    names: Names,
    resource: usize,
    /// `None`: it is the whole resource.
    unit: Option<usize>,
}

/// A schema that is copied.
struct At<'c> {
    node: &'c Node,
    pointer: String,
    resource: usize,
    /// The resource or unit itself.
    top: bool,
}

impl<'c> Assembler<'c> {
    /// The address of a schema inside the document; sees to it that it will be there. `names` are of properties that
    /// the one who refers to it knows not to be sent.
    fn address(&mut self, spot: &SchemaRef, names: Names) -> Result<String, Diagnostic> {
        let root = self.documents.identifiers().root_of(spot).cloned();
        let resource = self.resource(root, spot.file)?;
        if let Some(address) = self.resources.inside(resource, spot, self.documents) {
            self.request_whole(resource);
            return Ok(address);
        }
        let key = (spot.clone(), names);
        if let Some(known) = self.units.get(&key) {
            return Ok(known.clone());
        }
        let (unit, address) = self.resources.add_unit(resource, spot);
        self.units.insert(key.clone(), address.clone());
        self.waiting.push_back(Waiting { spot: key.0, names: key.1, resource, unit: Some(unit) });
        Ok(address)
    }

    fn request_whole(&mut self, resource: usize) {
        if let Some(spot) = self.resources.begin_whole(resource) {
            self.waiting.push_back(Waiting { spot, names: Names::new(), resource, unit: None });
        }
    }

    fn resource(&mut self, root: Option<SchemaRef>, file: u32) -> Result<usize, Diagnostic> {
        let home = root.map_or(Home::File(file), Home::Schema);
        if let Some(known) = self.resources.find(&home) {
            return Ok(known);
        }
        let draft = self.draft(&home)?;
        Ok(self.resources.add(home, draft))
    }

    /// The draft that a resource follows.
    fn draft(&self, home: &Home) -> Result<Draft, Diagnostic> {
        if self.openapi_3_0 {
            return Ok(LATEST);
        }
        let own = match home {
            Home::Schema(root) => {
                self.documents.at(root.file, &root.pointer).and_then(|node| node.get("$schema"))
            }
            Home::File(_) => None,
        };
        let named = own.or_else(|| self.documents.root()?.get("jsonSchemaDialect"));
        let Some(named) = named else { return Ok(LATEST) };
        named.as_str().and_then(Draft::named).ok_or_else(|| {
            Diagnostic::error(named.place, "this dialect of JSON Schema is not known")
                .reason("what a schema means would be a guess")
                .help(format!("one of: {}, drafts 2019-09, 07, 06 and 04", LATEST.uri))
        })
    }

    fn schema(&mut self, at: &At<'c>, inherited: &Names) -> Result<Value, Diagnostic> {
        let yaml::Value::Map(entries) = &at.node.value else { return Ok(at.node.to_json()) };
        let spot = SchemaRef { file: at.node.place.file, pointer: at.pointer.clone() };
        if !at.top && self.documents.identifiers().root_of(&spot) == Some(&spot) {
            return Ok(json!({ "$ref": self.address(&spot, Names::new())? }));
        }
        let reference = at.node.entry("$ref").filter(|(_, node)| node.as_str().is_some());
        if let (true, Some((_, reference))) = (self.openapi_3_0, reference) {
            return Ok(json!({ "$ref": self.reference(reference, inherited)? }));
        }
        let mut names = inherited.clone();
        names.extend(self.unsent.names(at.node));
        let mut copy = Map::with_capacity(entries.len());
        for (key, value) in entries {
            if let Some(value) = self.keyword(at, &key.name, value, &names)? {
                let (name, value) = value;
                copy.insert(name, value);
            }
        }
        self.finish(at, copy)
    }

    fn finish(&mut self, at: &At<'c>, mut copy: Map<String, Value>) -> Result<Value, Diagnostic> {
        formats::bound_numbers(&mut copy);
        settle(&mut copy);
        let names: Map<String, Value> = ["oneOf", "anyOf"]
            .into_iter()
            .filter_map(|keyword| Some((keyword.to_owned(), alternatives(at.node.get(keyword)?))))
            .collect();
        if !names.is_empty() {
            copy.insert(NAMES.to_owned(), Value::Object(names));
        }
        Ok(if self.openapi_3_0 { from_openapi_3_0(copy) } else { Value::Object(copy) })
    }

    /// What a keyword becomes; `None` if it only describes.
    fn keyword(
        &mut self,
        at: &At<'c>,
        name: &str,
        value: &'c Node,
        names: &Names,
    ) -> Result<Option<(String, Value)>, Diagnostic> {
        let copied = match name {
            "$ref" => json!(self.reference(value, names)?),
            "$dynamicRef" => json!(self.dynamic_reference(value, names)?),
            "$recursiveRef" => value.to_json(),
            "type" => types(value),
            "required" => required(value, names),
            "pattern" => return self.pattern(value).map(Some),
            _ => match form(name) {
                Some(form) => self.applicator(at, name, form, value, names)?,
                None if ASSERTIONS.contains(&name) => value.to_json(),
                None => return Ok(None),
            },
        };
        Ok(Some((name.to_owned(), copied)))
    }

    fn applicator(
        &mut self,
        at: &At<'c>,
        name: &str,
        form: Form,
        value: &'c Node,
        names: &Names,
    ) -> Result<Value, Diagnostic> {
        let none = Names::new();
        let names = if is_in_place(name) { names } else { &none };
        let pointer = format!("{}{}", at.pointer, step(name));
        let mut copy = |steps: String, node: &'c Node| {
            let pointer = format!("{pointer}{steps}");
            self.schema(&At { node, pointer, resource: at.resource, top: false }, names)
        };
        match (form, &value.value) {
            (Form::Map, yaml::Value::Map(entries)) => {
                let mut copied = Map::with_capacity(entries.len());
                for (key, child) in entries {
                    copied.insert(key.name.clone(), copy(step(&key.name), child)?);
                }
                for (key, _) in entries.iter().filter(|_| name == "patternProperties") {
                    self.tries_names |= self.patterns.way_of_name(key)? == Way::Tried;
                }
                Ok(Value::Object(copied))
            }
            (Form::List | Form::OneOrList, yaml::Value::List(items)) => {
                let items = items.iter().enumerate();
                items.map(|(index, child)| copy(format!("/{index}"), child)).collect()
            }
            (Form::One | Form::OneOrList, _) => copy(String::new(), value),
            _ => Ok(value.to_json()),
        }
    }

    fn reference(&mut self, reference: &Node, names: &Names) -> Result<String, Diagnostic> {
        let text = reference.as_str().unwrap_or_default();
        match self.documents.resolve(reference) {
            Ok((target, pointer)) => {
                // What the target knows itself need not be told, so that most of those who refer to it share it.
                let own = self.unsent.names(target);
                let told = names.difference(&own).cloned().collect();
                self.address(&SchemaRef { file: target.place.file, pointer }, told)
            }
            Err(_) if Draft::is_described_by(text) => Ok(text.to_owned()),
            Err(problem) => Err(problem),
        }
    }

    /// A dynamic reference keeps its name where the schema that it leads to may be replaced by another one.
    fn dynamic_reference(&mut self, reference: &Node, names: &Names) -> Result<String, Diagnostic> {
        let address = self.reference(reference, names)?;
        let text = reference.as_str().unwrap_or_default();
        let name = text.split_once('#').map(|(_, fragment)| fragment).filter(|name| !name.starts_with('/'));
        let target = self.documents.resolve(reference).ok().map(|(target, _)| target);
        let dynamic = target.and_then(|target| target.get("$dynamicAnchor")).and_then(Node::as_str);
        Ok(match (address.split_once('#').map_or(address.as_str(), |(resource, _)| resource), name) {
            (resource, Some(name)) if dynamic == Some(name) => format!("{resource}#{name}"),
            _ => address,
        })
    }

    fn pattern(&self, value: &Node) -> Result<(String, Value), Diagnostic> {
        let keyword = match self.patterns.way(value)? {
            Way::Linear => "pattern",
            Way::Tried => keywords::TRIED_PATTERN,
        };
        Ok((keyword.to_owned(), value.to_json()))
    }
}
