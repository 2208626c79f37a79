//! A serde deserialiser over the positioned tree. Its errors say where, and which node to cut.

use std::fmt;

use serde::de::value::SeqDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, Expected, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

use super::located::LOCATED;
use super::{Key, Node, Value};
use crate::diagnostic::Place;

/// Public only because `&Node` is a public deserialiser: what went wrong, where, and the way to the node from the root (indexes into entries or items).
#[derive(Debug)]
pub struct Error {
    pub(super) kind: Kind,
    pub(super) place: Option<Place>,
    /// From the innermost to the outermost.
    pub(super) path: Vec<usize>,
}

#[derive(Debug)]
pub(super) enum Kind {
    UnknownField { name: String, expected: Vec<&'static str> },
    UnknownVariant { name: String, expected: Vec<&'static str> },
    MissingField(&'static str),
    Other(String),
}

impl Error {
    fn new(kind: Kind) -> Error {
        Error { kind, place: None, path: Vec::new() }
    }

    fn at(mut self, place: Place) -> Error {
        self.place.get_or_insert(place);
        self
    }

    fn under(mut self, index: usize) -> Error {
        self.path.push(index);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.kind)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Error {
        Error::new(Kind::Other(message.to_string()))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Error {
        Error::new(Kind::UnknownField { name: field.to_owned(), expected: expected.to_vec() })
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Error {
        Error::new(Kind::UnknownVariant { name: variant.to_owned(), expected: expected.to_vec() })
    }

    fn missing_field(field: &'static str) -> Error {
        Error::new(Kind::MissingField(field))
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Error {
        Error::new(Kind::Other(format!("expected {}", in_words(expected))))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Error {
        let found = match found {
            Unexpected::Unsigned(_) | Unexpected::Signed(_) | Unexpected::Float(_) => {
                ", found another number"
            }
            _ => "",
        };
        Error::new(Kind::Other(format!("expected {}{found}", in_words(expected))))
    }
}

/// Serde speaks of Rust's types; people who write YAML do not.
fn in_words(expected: &dyn Expected) -> String {
    let expected = expected.to_string();
    match expected.as_str() {
        "a string" => "text".to_owned(),
        "a sequence" => "a list".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "u8" => format!("a whole number from 0 to {}", u8::MAX),
        "u16" => format!("a whole number from 0 to {}", u16::MAX),
        "u32" => format!("a whole number from 0 to {}", u32::MAX),
        "u64" | "usize" => "a whole number that is not negative".to_owned(),
        "i64" => "a whole number".to_owned(),
        name if name.starts_with("struct ") => "a map".to_owned(),
        _ => expected,
    }
}

/// Text that stands in for another scalar (`{env: …}`) is read as that scalar.
fn number_in(text: &str) -> Option<serde_json::Number> {
    text.trim().parse().ok()
}

impl<'de> Deserializer<'de> for &'de Node {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let result = match &self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => visit_number(number, visitor),
            Value::Text { text, .. } => visitor.visit_borrowed_str(text),
            Value::List(items) => visitor.visit_seq(Items { items, next: 0 }),
            Value::Map(entries) => visitor.visit_map(Map { entries, next: 0 }),
        };
        result.map_err(|error| self.describe(error))
    }

    /// A key under which nothing stands is not the same as no key: it would silently do nothing.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let result = match &self.value {
            Value::Text { text, .. } => visitor.visit_enum(text.as_str().into_deserializer()),
            _ => Err(Error::new(Kind::Other("expected one word".into()))),
        };
        result.map_err(|error| self.describe(error))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self).map_err(|error| self.describe(error))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        match name {
            LOCATED => {
                let marks = match self.value {
                    Value::Text { secret, quoted, .. } => u32::from(quoted) | u32::from(secret) << 1,
                    _ => 0,
                };
                visitor.visit_seq(WithPlace { place: Some(self.place), marks, inner: self })
            }
            _ => self.deserialize_any(visitor),
        }
    }

    /// Whoever wrote something else than a map learns which keys it would have.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        if matches!(self.value, Value::Map(_)) {
            return self.deserialize_any(visitor);
        }
        let keys = format!(
            "expected a map, found {}\nwrite its keys below it, or in braces: {}",
            self.kind(),
            fields.join(", ")
        );
        Err(self.describe(Error::new(Kind::Other(keys))))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.value {
            Value::Text { text, secret: true, .. } if text == "true" || text == "false" => {
                visitor.visit_bool(text == "true")
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match &self.value {
            Value::Text { text, secret: true, .. } => match number_in(text) {
                Some(number) => visit_number(&number, visitor).map_err(|error| self.describe(error)),
                None => self.deserialize_any(visitor),
            },
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_u64(visitor)
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_u64(visitor)
    }

    /// Where text is wanted, `12` and `true` are text too.
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let result = match &self.value {
            Value::Number(number) => visitor.visit_string(number.to_string()),
            Value::Bool(value) => visitor.visit_string(value.to_string()),
            _ => return self.deserialize_any(visitor),
        };
        result.map_err(|error| self.describe(error))
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_str(visitor)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u128 f32 char bytes byte_buf unit unit_struct seq tuple map identifier ignored_any
    }
}

impl Node {
    /// Puts an error at this node unless a deeper one has placed it, and says what was found instead.
    /// An error about a secret never repeats it.
    fn describe(&self, mut error: Error) -> Error {
        if matches!(self.value, Value::Text { secret: true, .. }) {
            error.kind = Kind::Other(without_the_value(&error.kind));
        }
        if error.place.is_none()
            && let Kind::Other(message) = &mut error.kind
            && message.starts_with("expected ")
            && !message.contains(", found ")
        {
            message.push_str(&format!(", found {}", self.kind()));
        }
        error.at(self.place)
    }
}

/// What is wrong with a secret: what was expected may be said, and nothing of what was found.
fn without_the_value(kind: &Kind) -> String {
    let expected = match kind {
        Kind::UnknownVariant { expected, .. } => format!(": expected one of {}", expected.join(", ")),
        Kind::Other(message) if message.starts_with("what `env`") => return message.clone(),
        Kind::Other(message) if message.starts_with("expected ") => {
            format!(": {}", message.split(", found ").next().unwrap_or_default())
        }
        _ => String::new(),
    };
    format!(
        "what `env` or `file` put in here is not a legal value{expected}\ncorrect it in the variable or the file"
    )
}

fn visit_number<'de, V: Visitor<'de>>(number: &serde_json::Number, visitor: V) -> Result<V::Value, Error> {
    match (number.as_u64(), number.as_i64(), number.as_f64()) {
        (Some(value), _, _) => visitor.visit_u64(value),
        (_, Some(value), _) => visitor.visit_i64(value),
        (_, _, value) => visitor.visit_f64(value.unwrap_or(f64::NAN)),
    }
}

struct Items<'de> {
    items: &'de [Node],
    next: usize,
}

impl<'de> de::SeqAccess<'de> for Items<'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        let Some(item) = self.items.get(self.next) else { return Ok(None) };
        let index = self.next;
        self.next += 1;
        seed.deserialize(item).map(Some).map_err(|error| item.describe(error).under(index))
    }
}

struct Map<'de> {
    entries: &'de [(Key, Node)],
    next: usize,
}

impl<'de> de::MapAccess<'de> for Map<'de> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        let Some((key, _)) = self.entries.get(self.next) else { return Ok(None) };
        seed.deserialize(key).map(Some).map_err(|error| error.at(key.place).under(self.next))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let Some((_, node)) = self.entries.get(self.next) else {
            return Err(Error::new(Kind::Other("a value without a key".into())));
        };
        let index = self.next;
        self.next += 1;
        seed.deserialize(node).map_err(|error| node.describe(error).under(index))
    }
}

impl<'de> Deserializer<'de> for &'de Key {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_str(&self.name).map_err(|error: Error| error.at(self.place))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_seq(WithPlace { place: Some(self.place), marks: 0, inner: self })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple map struct enum identifier ignored_any
    }
}

/// The two parts of a [`super::Located`]: first the place, then the value.
struct WithPlace<D> {
    place: Option<Place>,
    /// Of a text: 1 for quoted, 2 for secret.
    marks: u32,
    inner: D,
}

impl<'de, D: Deserializer<'de, Error = Error> + Copy> de::SeqAccess<'de> for WithPlace<D> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        match self.place.take() {
            Some(Place { file, line, column, length }) => {
                let numbers = [file, line, column, length, self.marks];
                seed.deserialize(SeqDeserializer::new(numbers.into_iter())).map(Some)
            }
            None => seed.deserialize(self.inner).map(Some),
        }
    }
}
