//! What the values of a schema look like, as far as it takes to read them from text: types, items, members.
//!
//! Shapes stand in one table and refer to each other by their numbers, so that a schema that holds itself costs
//! nothing.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::schema::{Rest, SchemaView};
use super::types::Types;

/// More shapes than any parameter has; what lies beyond is read by its looks.
const MOST: usize = 500;
/// Schemas in schemas, deeper than any text is read.
const DEEPEST: usize = 32;

/// What a value can be that nobody describes.
const ANYTHING: Types = Types::ARRAY.or(Types::OBJECT).or(Types::TEXT);

/// The number of a shape in its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShapeId(usize);

/// The shapes of one schema.
#[derive(Debug, Clone)]
pub struct Shapes(Arc<All>);

#[derive(Debug)]
struct All {
    /// What nobody describes.
    unsaid: Shape,
    /// The others; the first is the whole.
    described: Vec<Shape>,
}

/// One shape.
#[derive(Debug, Clone)]
pub struct Shape {
    /// What the values may be; never nothing.
    pub types: Types,
    /// What an array's items look like.
    pub items: ShapeId,
    /// The members that are named, in the order of the schema.
    pub members: Vec<(Arc<str>, ShapeId)>,
    /// What is known of others.
    pub rest: Others,
    index: HashMap<Arc<str>, ShapeId>,
}

/// Members that no schema names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// Nothing is said of them.
    Unsaid,
    /// There are none.
    Closed,
    /// They are foreseen, and look like this.
    Open(ShapeId),
}

impl ShapeId {
    /// Nothing is known: text, a list or a map, by what was sent.
    pub const UNSAID: ShapeId = ShapeId(0);
    /// The whole.
    pub const ROOT: ShapeId = ShapeId(1);
}

impl Shapes {
    /// Of a schema. A whole of which nothing is said is text: most parameters are.
    pub(super) fn of(view: &SchemaView<'_>) -> Shapes {
        let mut table = Table { shapes: Vec::new(), known: HashMap::new() };
        table.add(view, 0);
        if let Some(root) = table.shapes.first_mut().filter(|_| view.types().is_none()) {
            root.types = Types::TEXT;
        }
        Shapes::with(table.shapes)
    }

    /// Of text.
    pub fn text() -> Shapes {
        Shapes::with(vec![Shape::of(Types::TEXT)])
    }

    /// Of a map whose members nobody describes.
    pub fn map() -> Shapes {
        Shapes::with(vec![Shape::of(Types::OBJECT)])
    }

    fn with(described: Vec<Shape>) -> Shapes {
        Shapes(Arc::new(All { unsaid: Shape::of(ANYTHING), described }))
    }

    /// The shape of the whole.
    pub fn root(&self) -> &Shape {
        self.get(ShapeId::ROOT)
    }

    /// A shape by its number.
    pub fn get(&self, id: ShapeId) -> &Shape {
        let described = id.0.checked_sub(1).and_then(|index| self.0.described.get(index));
        described.unwrap_or(&self.0.unsaid)
    }

    /// Whether nothing in it is deeper than a list or map of scalars, so that a separator can tell its parts apart.
    pub fn is_flat(&self, shape: &Shape) -> bool {
        let scalar = |id: ShapeId| self.get(id).types.any(Types::SCALARS);
        (!shape.types.has(Types::ARRAY) || scalar(shape.items))
            && (!shape.types.has(Types::OBJECT)
                || (shape.members.iter().all(|(_, id)| scalar(*id)) && scalar(shape.other())))
    }
}

impl Shape {
    fn of(types: Types) -> Shape {
        Shape {
            types,
            items: ShapeId::UNSAID,
            members: Vec::new(),
            rest: Others::Unsaid,
            index: HashMap::new(),
        }
    }

    /// What a member looks like.
    pub fn member(&self, name: &str) -> ShapeId {
        self.named(name).unwrap_or_else(|| self.other())
    }

    /// What a member looks like that the schema names.
    pub fn named(&self, name: &str) -> Option<ShapeId> {
        self.index.get(name).copied()
    }

    /// What a member looks like that the schema does not name.
    pub fn other(&self) -> ShapeId {
        match self.rest {
            Others::Open(id) => id,
            Others::Unsaid | Others::Closed => ShapeId::UNSAID,
        }
    }

    /// Whether members that the schema does not name are part of it without being asked for: they are foreseen,
    /// or all that it has.
    pub fn takes_others(&self) -> bool {
        match self.rest {
            Others::Open(_) => true,
            Others::Unsaid => self.members.is_empty(),
            Others::Closed => false,
        }
    }
}

/// `object{a: string, b: [integer]}`
impl fmt::Display for Shapes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f, ShapeId::ROOT, 0)
    }
}

impl Shapes {
    fn write(&self, f: &mut fmt::Formatter<'_>, id: ShapeId, depth: usize) -> fmt::Result {
        if id == ShapeId::UNSAID || depth > 3 {
            return f.write_str(if id == ShapeId::UNSAID { "any" } else { "…" });
        }
        let shape = self.get(id);
        write!(f, "{}", shape.types)?;
        if shape.types.has(Types::ARRAY) {
            f.write_str("[")?;
            self.write(f, shape.items, depth + 1)?;
            f.write_str("]")?;
        }
        if shape.types.has(Types::OBJECT) {
            f.write_str("{")?;
            for (name, id) in &shape.members {
                write!(f, "{name}: ")?;
                self.write(f, *id, depth + 1)?;
                f.write_str(", ")?;
            }
            match shape.rest {
                Others::Unsaid => f.write_str("…")?,
                Others::Closed => {}
                Others::Open(id) => self.write(f, id, depth + 1)?,
            }
            f.write_str("}")?;
        }
        Ok(())
    }
}

/// A table while it is filled.
struct Table {
    shapes: Vec<Shape>,
    known: HashMap<Vec<usize>, ShapeId>,
}

impl Table {
    fn add(&mut self, view: &SchemaView<'_>, depth: usize) -> ShapeId {
        let identity = view.identity();
        if let Some(known) = self.known.get(&identity) {
            return *known;
        }
        if self.shapes.len() >= MOST || depth > DEEPEST {
            return ShapeId::UNSAID;
        }
        if view.types().is_none() && depth > 0 {
            return ShapeId::UNSAID;
        }
        // Schemas that exclude each other admit nothing; whoever checks the value will say so.
        let types = view.types().filter(|types| types.any(ANYTHING.or(Types::SCALARS))).unwrap_or(ANYTHING);
        let id = ShapeId(self.shapes.len() + 1);
        self.known.insert(identity, id);
        self.shapes.push(Shape::of(types));
        let items = match types.has(Types::ARRAY) {
            true => view.items().map_or(ShapeId::UNSAID, |items| self.add(&items, depth + 1)),
            false => ShapeId::UNSAID,
        };
        let (members, rest) = match types.has(Types::OBJECT) {
            true => self.members(view, depth + 1),
            false => (Vec::new(), Others::Unsaid),
        };
        let index = members.iter().cloned().collect();
        if let Some(shape) = self.shapes.get_mut(id.0 - 1) {
            *shape = Shape { types, items, members, rest, index };
        }
        id
    }

    fn members(&mut self, view: &SchemaView<'_>, depth: usize) -> (Vec<(Arc<str>, ShapeId)>, Others) {
        let members = view.members();
        let members = members.iter().map(|(name, view)| (Arc::from(*name), self.add(view, depth))).collect();
        let rest = match view.rest() {
            Rest::Unsaid => Others::Unsaid,
            Rest::Closed => Others::Closed,
            Rest::Open(None) => Others::Open(ShapeId::UNSAID),
            Rest::Open(Some(view)) => Others::Open(self.add(&view, depth)),
        };
        (members, rest)
    }
}

#[cfg(test)]
mod tests {
    use crate::contract::Contract;
    use crate::diagnostic::Diagnostics;

    #[test]
    fn schemas_that_hold_themselves_are_few_shapes() {
        let text = "
openapi: 3.1.0
paths:
  /x:
    get:
      parameters:
        - { name: tree, in: query, schema: { $ref: '#/components/schemas/Tree' } }
        - { name: circle, in: query, schema: { $ref: '#/components/schemas/Circle' } }
        - { name: wide, in: query, schema: { $ref: '#/components/schemas/Wide' } }
components:
  schemas:
    Tree: { type: object, properties: { n: { type: integer }, all: { type: array, items: { $ref: '#/components/schemas/Tree' } } } }
    Circle: { oneOf: [{ properties: { a: { $ref: '#/components/schemas/Circle' } } }, { properties: { a: { $ref: '#/components/schemas/Other' } } }] }
    Other: { anyOf: [{ $ref: '#/components/schemas/Circle' }, { properties: { a: { $ref: '#/components/schemas/Other' }, n: { type: integer } } }] }
    Wide: { anyOf: [{ $ref: '#/components/schemas/Wide' }, { $ref: '#/components/schemas/Wide' }, { type: object, additionalProperties: { $ref: '#/components/schemas/Wide' } }] }
";
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("contract.yaml");
        std::fs::write(&path, text).unwrap();
        let contract = Contract::load(&path, "/", &mut Diagnostics::default()).unwrap();
        for parameter in &contract.operations()[0].parameters {
            let count = parameter.shapes.0.described.len();
            assert!(count < 12, "{}: {count} shapes: {}", parameter.name, parameter.shapes);
        }
    }

    #[test]
    fn schemas_that_lead_everywhere_cost_no_more_than_a_moment() {
        for (branches, members) in [(1, 9), (2, 4), (3, 3), (6, 6)] {
            let refer = |index: usize| format!("{{ $ref: '#/components/schemas/S{}' }}", index % 40);
            let mut text = "openapi: 3.1.0\npaths: { /x: { get: { parameters: [{ name: s, in: query, schema: { $ref: '#/components/schemas/S0' } }] } } }\ncomponents:\n  schemas:\n".to_owned();
            for index in 0..40 {
                let any: Vec<String> = (0..branches).map(|k| refer(index * 7 + k + 1)).collect();
                let members: String =
                    (0..members).map(|k| format!("p{k}: {}, ", refer(index * 3 + k + 1))).collect();
                text.push_str(&format!(
                    "    S{index}: {{ anyOf: [{}], properties: {{ {members} }} }}\n",
                    any.join(", ")
                ));
            }
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("contract.yaml");
            std::fs::write(&path, text).unwrap();
            let start = std::time::Instant::now();
            let contract = Contract::load(&path, "/", &mut Diagnostics::default()).unwrap();
            let took = start.elapsed();
            assert!(took < std::time::Duration::from_secs(5), "{branches} {members}: {took:?}");
            assert!(contract.operations()[0].parameters[0].shapes.0.described.len() <= super::MOST);
        }
    }
}
