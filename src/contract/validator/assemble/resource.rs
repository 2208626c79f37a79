//! The resources of an assembled document: one for each file, and one for each schema that names itself. Each has an
//! address of its own, under which the others refer to what it holds.

use std::collections::HashMap;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Map, Value};

use crate::contract::applicators::children;
use crate::contract::cursor::SchemaRef;
use crate::contract::documents::Documents;
use crate::contract::validator::dialect::{Draft, LATEST};

/// What a fragment cannot hold as it is.
const FRAGMENT: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'`')
    .add(b'#')
    .add(b'%')
    .add(b'{')
    .add(b'}')
    .add(b'|')
    .add(b'\\')
    .add(b'^')
    .add(b'[')
    .add(b']');

/// What a resource holds schemas of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Home {
    /// Those of a file that it refers to.
    File(u32),
    /// One schema that names itself, and everything in it.
    Schema(SchemaRef),
}

/// All resources of a document.
#[derive(Debug, Default)]
pub(super) struct Resources {
    all: Vec<Resource>,
    by_home: HashMap<Home, usize>,
}

#[derive(Debug)]
struct Resource {
    home: Home,
    draft: Draft,
    /// The schema that it is, once begun; only where dynamic references may look for names in it.
    whole: Option<Map<String, Value>>,
    units: Vec<(SchemaRef, Value)>,
}

impl Resource {
    /// It is copied as one. Before 2019-09, an `$id` beside a `$ref` is ignored, and there are no dynamic references.
    fn is_whole(&self) -> bool {
        matches!(self.home, Home::Schema(_)) && self.draft.definitions == LATEST.definitions
    }
}

impl Resources {
    pub(super) fn find(&self, home: &Home) -> Option<usize> {
        self.by_home.get(home).copied()
    }

    pub(super) fn add(&mut self, home: Home, draft: Draft) -> usize {
        self.by_home.insert(home.clone(), self.all.len());
        self.all.push(Resource { home, draft, whole: None, units: Vec::new() });
        self.all.len() - 1
    }

    /// The address of a schema of a resource that is copied as one.
    pub(super) fn inside(&self, at: usize, spot: &SchemaRef, documents: &Documents) -> Option<String> {
        let resource = self.all.get(at).filter(|resource| resource.is_whole())?;
        let Home::Schema(root) = &resource.home else { return None };
        let steps = spot.pointer.strip_prefix(&root.pointer)?;
        let mut node = documents.at(root.file, &root.pointer)?;
        let mut rest = steps;
        while !rest.is_empty() {
            let next = children(node).find_map(|(steps, child)| {
                let rest = rest.strip_prefix(&steps)?;
                (rest.is_empty() || rest.starts_with('/')).then_some((rest, child))
            });
            (rest, node) = next?;
        }
        let fragment = utf8_percent_encode(steps, FRAGMENT);
        Some(if steps.is_empty() { address(at) } else { format!("{}#{fragment}", address(at)) })
    }

    /// The schema that a resource is, the first time that it is asked for.
    pub(super) fn begin_whole(&mut self, at: usize) -> Option<SchemaRef> {
        let resource = self.all.get_mut(at).filter(|resource| resource.whole.is_none())?;
        resource.whole = Some(Map::new());
        match &resource.home {
            Home::Schema(root) => Some(root.clone()),
            Home::File(_) => None,
        }
    }

    /// Makes room for a schema; says which unit it is, and its address.
    pub(super) fn add_unit(&mut self, at: usize, spot: &SchemaRef) -> (usize, String) {
        let Some(resource) = self.all.get_mut(at) else { return (0, address(at)) };
        resource.units.push((spot.clone(), Value::Bool(true)));
        let unit = resource.units.len() - 1;
        (unit, format!("{}#/{}/{}", address(at), resource.draft.definitions, key(unit)))
    }

    /// Puts in what has been copied.
    pub(super) fn fill(&mut self, at: usize, unit: Option<usize>, value: Value) {
        let Some(resource) = self.all.get_mut(at) else { return };
        match (unit, value) {
            (None, Value::Object(whole)) => resource.whole = Some(whole),
            (None, _) => {}
            (Some(unit), value) => {
                if let Some((_, slot)) = resource.units.get_mut(unit) {
                    *slot = value;
                }
            }
        }
    }

    /// Everything, by the keys that [`Self::origin`] knows.
    pub(super) fn definitions(&mut self) -> Value {
        let resources = self.all.iter_mut().enumerate();
        resources
            .map(|(at, resource)| (at.to_string(), resource.definition(at)))
            .collect::<Map<_, _>>()
            .into()
    }

    /// Where a pointer of the document leads to in the contract, with the rest of the pointer.
    pub(super) fn origin<'p>(&self, pointer: &'p str) -> Option<(&SchemaRef, &'p str)> {
        let (at, rest) = pointer.strip_prefix("/$defs/")?.split_once('/').unwrap_or((pointer, ""));
        let resource = self.all.get(at.parse::<usize>().ok()?)?;
        let rest = pointer.get(pointer.len() - rest.len() - usize::from(!rest.is_empty())..)?;
        let unit = rest.strip_prefix('/').and_then(|rest| rest.strip_prefix(resource.draft.definitions));
        let unit = unit.and_then(|rest| rest.strip_prefix('/')?.strip_prefix(UNIT));
        match (unit, &resource.home) {
            (Some(unit), _) => {
                let digits = unit.find('/').unwrap_or(unit.len());
                let (number, rest) = unit.split_at(digits);
                resource.units.get(number.parse::<usize>().ok()?).map(|(spot, _)| (spot, rest))
            }
            (None, Home::Schema(root)) => Some((root, rest)),
            (None, Home::File(_)) => None,
        }
    }
}

impl Resource {
    fn definition(&mut self, at: usize) -> Value {
        let mut whole = self.whole.take().unwrap_or_default();
        whole.insert(self.draft.id.to_owned(), address(at).into());
        if self.draft != LATEST {
            whole.insert("$schema".to_owned(), self.draft.uri.into());
        }
        let units = self.units.iter_mut().enumerate();
        let units: Map<String, Value> = units.map(|(unit, (_, value))| (key(unit), value.take())).collect();
        if !units.is_empty()
            && let Value::Object(definitions) =
                whole.entry(self.draft.definitions).or_insert_with(|| Value::Object(Map::new()))
        {
            definitions.extend(units);
        }
        Value::Object(whole)
    }
}

/// Before the number of a unit among the definitions of a resource.
const UNIT: &str = "natsgate.";

fn key(unit: usize) -> String {
    format!("{UNIT}{unit}")
}

fn address(resource: usize) -> String {
    format!("contract:/{resource}")
}
