//! JSON documents with placeholders: the payload of a message, the body of a mapped answer.
//! A value that is one whole placeholder keeps its type; an optional one that is absent leaves its key or its place in
//! an array out. What holds no placeholder is rendered once, when it is compiled.

use super::Template;
use crate::expression::{EvalError, Expression, ExpressionError, Known, Position, Presence, Reason, Scope};
use crate::json::write_string;
use bytes::Bytes;
use serde_json::{Map, Value, json};
use std::collections::HashSet;

/// A payload as written. `P` is the place of a scalar or a key in its file; it comes back with the errors about it.
#[derive(Clone, Debug)]
pub enum PayloadSource<P> {
    /// JSON's `null`, which is written; only an absent optional value leaves its key out.
    Null,
    /// Written as it is.
    Bool(bool),
    /// The number's text, which has to be one of JSON's.
    Number(String, P),
    /// May hold placeholders; one that is all of it gives its own type.
    String(String, P),
    /// Elements in the order of the file.
    Array(Vec<PayloadSource<P>>),
    /// Members in the order of the file, each with its key's place. Keys hold no placeholders.
    Object(Vec<(String, P, PayloadSource<P>)>),
}

/// Something that is wrong with a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayloadError<P> {
    /// The scalar or key that is to be corrected.
    pub place: P,
    /// Its offset counts from the start of the scalar or key at `place`.
    pub error: ExpressionError,
}

/// A compiled payload.
#[derive(Debug)]
pub struct PayloadTemplate {
    root: Node,
}

#[derive(Debug)]
enum Node {
    Constant(Bytes),
    Value(Expression),
    Text(Template),
    Array(Vec<Node>),
    /// Names are kept as JSON, with quotes and colon.
    Object(Vec<(Vec<u8>, Node)>),
}

impl Node {
    fn reads(&self, variable: &str) -> bool {
        match self {
            Self::Constant(_) => false,
            Self::Value(expression) => expression.reads(variable),
            Self::Text(template) => template.reads(variable),
            Self::Array(items) => items.iter().any(|item| item.reads(variable)),
            Self::Object(members) => members.iter().any(|(_, member)| member.reads(variable)),
        }
    }
}

impl Node {
    fn schema(&self) -> Value {
        match self {
            Self::Constant(bytes) => {
                serde_json::from_slice(bytes).map_or_else(|_| json!({}), |value| of_constant(&value))
            }
            Self::Value(_) => json!({}),
            Self::Text(_) => json!({ "type": "string" }),
            Self::Array(_) => json!({ "type": "array", "items": {} }),
            Self::Object(members) => {
                let name = |name: &[u8]| serde_json::from_slice(name.strip_suffix(b":").unwrap_or(name)).ok();
                let named = || members.iter().filter_map(|(text, member)| Some((name(text)?, member)));
                let required = named().filter(|(_, member)| !member.may_be_absent());
                let required: Vec<String> = required.map(|(name, _)| name).collect();
                let properties: Map<String, Value> =
                    named().map(|(name, member)| (name, member.schema())).collect();
                json!({ "type": "object", "required": required, "properties": properties })
            }
        }
    }

    fn may_be_absent(&self) -> bool {
        match self {
            Self::Value(expression) => expression.may_be_absent() || expression.is_computed(),
            Self::Text(template) => template.may_be_absent(),
            Self::Constant(_) | Self::Array(_) | Self::Object(_) => false,
        }
    }
}

/// What looks like a value: the same type, and of an object the same members.
fn of_constant(value: &Value) -> Value {
    match value {
        Value::Null => json!({ "type": "null" }),
        Value::Bool(_) => json!({ "type": "boolean", "const": value }),
        Value::Number(_) => json!({ "type": "number", "const": value }),
        Value::String(_) => json!({ "type": "string", "const": value }),
        Value::Array(_) => json!({ "type": "array", "items": {} }),
        Value::Object(members) => {
            let properties: Map<String, Value> =
                members.iter().map(|(name, member)| (name.clone(), of_constant(member))).collect();
            let required: Vec<&String> = members.keys().collect();
            json!({ "type": "object", "required": required, "properties": properties })
        }
    }
}

impl PayloadTemplate {
    /// Compiles a payload.
    ///
    /// # Errors
    /// Everything that is wrong with its expressions, keys and numbers, each with its place.
    pub fn compile<P: Clone>(
        source: &PayloadSource<P>,
        position: Position,
        known: &Known<'_>,
    ) -> Result<Self, Vec<PayloadError<P>>> {
        let mut compiler = Compiler { position, known, errors: Vec::new() };
        let root = compiler.node(source);
        if compiler.errors.is_empty() { Ok(Self { root }) } else { Err(compiler.errors) }
    }

    /// Whether an expression in it reads a variable, such as `body`.
    #[must_use]
    pub fn reads(&self, variable: &str) -> bool {
        self.root.reads(variable)
    }

    /// What it renders, as a JSON Schema: of what a placeholder gives, nothing is known.
    #[must_use]
    pub fn schema(&self) -> Value {
        self.root.schema()
    }

    /// The payload for one request.
    pub fn render(&self, scope: &Scope<'_>) -> Result<Bytes, EvalError> {
        if let Node::Constant(bytes) = &self.root {
            return Ok(bytes.clone());
        }
        let mut out = Vec::with_capacity(256);
        match (self.root.render(scope, &mut out)?, &self.root) {
            (Presence::Absent, Node::Value(expression)) => Err(expression.reject(Reason::Missing)),
            (Presence::Absent, Node::Text(template)) => Err(template.missing()),
            (Presence::Present | Presence::Absent, _) => Ok(out.into()),
        }
    }
}

impl Node {
    fn render(&self, scope: &Scope<'_>, out: &mut Vec<u8>) -> Result<Presence, EvalError> {
        match self {
            Self::Constant(bytes) => out.extend_from_slice(bytes),
            Self::Value(expression) => return expression.json(scope, out),
            Self::Text(template) => match template.render(scope)? {
                Some(text) => write_string(out, &text),
                None => return Ok(Presence::Absent),
            },
            Self::Array(items) => write_members(items.iter().map(|item| (&[][..], item)), b"[]", scope, out)?,
            Self::Object(members) => {
                write_members(
                    members.iter().map(|(name, value)| (name.as_slice(), value)),
                    b"{}",
                    scope,
                    out,
                )?;
            }
        }
        Ok(Presence::Present)
    }
}

fn write_members<'n>(
    members: impl Iterator<Item = (&'n [u8], &'n Node)>,
    [open, close]: &[u8; 2],
    scope: &Scope<'_>,
    out: &mut Vec<u8>,
) -> Result<(), EvalError> {
    out.push(*open);
    let start = out.len();
    for (name, value) in members {
        let before = out.len();
        if before > start {
            out.push(b',');
        }
        out.extend_from_slice(name);
        if value.render(scope, out)? == Presence::Absent {
            out.truncate(before);
        }
    }
    out.push(*close);
    Ok(())
}

struct Compiler<'k, 's, P> {
    position: Position,
    known: &'k Known<'s>,
    errors: Vec<PayloadError<P>>,
}

impl<P: Clone> Compiler<'_, '_, P> {
    fn node(&mut self, source: &PayloadSource<P>) -> Node {
        match source {
            PayloadSource::Null => Node::Constant(Bytes::from_static(b"null")),
            PayloadSource::Bool(true) => Node::Constant(Bytes::from_static(b"true")),
            PayloadSource::Bool(false) => Node::Constant(Bytes::from_static(b"false")),
            PayloadSource::Number(text, place) => self.number(text, place),
            PayloadSource::String(text, place) => self.string(text, place),
            PayloadSource::Array(items) => {
                fold(Node::Array(items.iter().map(|item| self.node(item)).collect()))
            }
            PayloadSource::Object(members) => self.object(members),
        }
    }

    fn number(&mut self, text: &str, place: &P) -> Node {
        if serde_json::from_str::<serde_json::Number>(text).is_err() {
            let help = "write it in decimal digits like `12`, `-0.5` or `1e3`, or quote it to make it a text";
            self.error(place, ExpressionError::new("this number has no JSON form", help, 0));
        }
        Node::Constant(Bytes::copy_from_slice(text.as_bytes()))
    }

    fn string(&mut self, text: &str, place: &P) -> Node {
        match Template::compile(text, self.position, self.known) {
            Ok(template) => match template.into_whole() {
                Ok(expression) => Node::Value(expression),
                Err(template) => match template.is_constant() {
                    Some(text) => {
                        let mut json = Vec::new();
                        write_string(&mut json, text);
                        Node::Constant(json.into())
                    }
                    None => Node::Text(template),
                },
            },
            Err(errors) => {
                errors.into_iter().for_each(|error| self.error(place, error));
                Node::Constant(Bytes::new())
            }
        }
    }

    fn object(&mut self, members: &[(String, P, PayloadSource<P>)]) -> Node {
        let mut seen = HashSet::new();
        let mut compiled = Vec::with_capacity(members.len());
        for (name, place, value) in members {
            if name.contains("${") {
                let help = "write the key out, or build the object with CEL: `${{path.id: body.x}}`";
                self.error(place, ExpressionError::new("a key cannot hold a placeholder", help, 0));
            }
            if !seen.insert(name) {
                let help = "remove one of them";
                self.error(place, ExpressionError::new(format!("the key {name:?} stands twice"), help, 0));
            }
            let mut key = Vec::with_capacity(name.len() + 3);
            write_string(&mut key, name);
            key.push(b':');
            compiled.push((key, self.node(value)));
        }
        fold(Node::Object(compiled))
    }

    fn error(&mut self, place: &P, error: ExpressionError) {
        self.errors.push(PayloadError { place: place.clone(), error });
    }
}

/// Renders what holds only constants.
fn fold(node: Node) -> Node {
    let (open, members, close): (u8, Vec<(&[u8], &Node)>, u8) = match &node {
        Node::Array(items) => (b'[', items.iter().map(|item| (&[][..], item)).collect(), b']'),
        Node::Object(members) => {
            (b'{', members.iter().map(|(name, value)| (name.as_slice(), value)).collect(), b'}')
        }
        _ => return node,
    };
    let mut out = vec![open];
    for (name, value) in members {
        let Node::Constant(bytes) = value else { return node };
        if out.len() > 1 {
            out.push(b',');
        }
        out.extend_from_slice(name);
        out.extend_from_slice(bytes);
    }
    out.push(close);
    Node::Constant(out.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::fixture::{ANY, Fixture};
    use crate::expression::{Place, Reason};
    use serde_json::Value;

    /// Builds a source from JSON text; the place is the text of the scalar or key.
    fn source(json: &str) -> PayloadSource<String> {
        fn of(value: &Value) -> PayloadSource<String> {
            match value {
                Value::Null => PayloadSource::Null,
                Value::Bool(value) => PayloadSource::Bool(*value),
                Value::Number(number) => PayloadSource::Number(number.to_string(), number.to_string()),
                Value::String(text) => PayloadSource::String(text.clone(), text.clone()),
                Value::Array(items) => PayloadSource::Array(items.iter().map(of).collect()),
                Value::Object(members) => PayloadSource::Object(
                    members.iter().map(|(name, value)| (name.clone(), name.clone(), of(value))).collect(),
                ),
            }
        }
        of(&serde_json::from_str(json).unwrap())
    }

    fn compile(json: &str) -> PayloadTemplate {
        PayloadTemplate::compile(&source(json), Position::Reply, &ANY)
            .unwrap_or_else(|errors| panic!("{json}: {errors:?}"))
    }

    #[test]
    fn payloads_are_rendered() {
        let fixture = Fixture::new();
        for (template, expected) in [
            (r#"{"userID":"${path.id}","roleIDs":["${body.n}"]}"#, r#"{"userID":"u-7","roleIDs":[3]}"#),
            (
                r#"{"z":1,"a":"${body.big}","p":"${body.pi}"}"#,
                r#"{"z":1,"a":123456789012345678901234567890,"p":3.14159265358979323846264338}"#,
            ),
            (r#"{"note":"${body.?x}","n":1}"#, r#"{"n":1}"#),
            (r#"{"n":1,"note":"a ${body.?x}"}"#, r#"{"n":1}"#),
            (r#"["${body.?x}",1,"${body.?y}",2,"${body.?z}"]"#, "[1,2]"),
            (r#"{"a":{"b":["${body.?x}"]}}"#, r#"{"a":{"b":[]}}"#),
            (r#""${body.items}""#, r#"[{"id":"i1","tags":["x"]},{"id":"i2","tags":[]}]"#),
            (r#"{"m":"for ${path.id}-${body.n} \"x\""}"#, r#"{"m":"for u-7-3 \"x\""}"#),
            (r#"{"s":"${body.name}","t":"<${body.name}>"}"#, r#"{"s":"Ann \"A\"","t":"<Ann \"A\">"}"#),
            (r#"{"ids":"${body.items.map(i, i.id)}"}"#, r#"{"ids":["i1","i2"]}"#),
            (
                r#"{"é\n":null,"b":[true,{"c":-1.5}],"e":"$${x}"}"#,
                r#"{"é\n":null,"b":[true,{"c":-1.5}],"e":"${x}"}"#,
            ),
        ] {
            let rendered = compile(template).render(&fixture.scope()).unwrap();
            assert_eq!(std::str::from_utf8(&rendered).unwrap(), expected, "{template}");
            assert!(serde_json::from_slice::<Value>(&rendered).is_ok());
        }
    }

    #[test]
    fn what_is_constant_is_rendered_once() {
        let fixture = Fixture::new();
        let template = compile(r#"{"a":[1,"x",{"b":null}],"c":{}}"#);
        let (first, second) =
            (template.render(&fixture.scope()).unwrap(), template.render(&fixture.scope()).unwrap());
        assert_eq!(first, r#"{"a":[1,"x",{"b":null}],"c":{}}"#);
        assert_eq!(first.as_ptr(), second.as_ptr());
    }

    #[test]
    fn failures_name_the_member() {
        let fixture = Fixture::new();
        let error = compile(r#"{"a":{"b":"${body.x}"}}"#).render(&fixture.scope()).unwrap_err();
        assert_eq!((error.place, error.reason), (Place::Body { pointer: "/x".to_owned() }, Reason::Missing));
        let error = compile(r#"{"a":"<${body.items}>"}"#).render(&fixture.scope()).unwrap_err();
        assert_eq!(
            (error.place, error.reason),
            (Place::Body { pointer: "/items".to_owned() }, Reason::NotText)
        );
        for text in [r#""${body.?x}""#, r#""a ${body.n} ${body.?x}""#] {
            let error = compile(text).render(&fixture.scope()).unwrap_err();
            assert_eq!(
                (error.place, error.reason),
                (Place::Body { pointer: "/x".to_owned() }, Reason::Missing)
            );
        }
    }

    #[test]
    fn every_error_has_its_place() {
        let text = r#"{"${path.id}":1,"a":["${path.x}","x ${foo} ${bar}"],"b":"${"}"#;
        let errors = PayloadTemplate::compile(&source(text), Position::Request, &ANY).err().unwrap();
        let places: Vec<_> = errors.iter().map(|error| (error.place.as_str(), error.error.offset)).collect();
        assert_eq!(
            places,
            [("${path.id}", 0), ("${path.x}", 2), ("x ${foo} ${bar}", 4), ("x ${foo} ${bar}", 11), ("${", 0)]
        );
        let twice = PayloadSource::Object(vec![
            ("a".to_owned(), 1, PayloadSource::Number("0x1F".to_owned(), 2)),
            ("a".to_owned(), 3, PayloadSource::Number(".inf".to_owned(), 4)),
        ]);
        let errors = PayloadTemplate::compile(&twice, Position::Request, &ANY).err().unwrap();
        assert_eq!(errors.iter().map(|error| error.place).collect::<Vec<_>>(), [2, 3, 4]);
    }
}
