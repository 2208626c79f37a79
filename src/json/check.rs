//! The one pass over a body: syntax, depth, nothing after the value, no name twice in an object.
//! `serde_json` reads the syntax; what is added here is the memory of names.

use super::MalformedBody;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

/// Objects of real bodies are small: up to here a list is faster than a set.
const FEW: usize = 16;
/// Names and pointers in messages are cut here; both come from the caller.
const SHOWN: usize = 120;

pub(super) fn check(bytes: &[u8]) -> Result<(), MalformedBody> {
    let text = std::str::from_utf8(bytes)
        .map_err(|error| malformed(format!("the body is not UTF-8 from byte {} on", error.valid_up_to())))?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let mut state = State::default();
    let read = Check { state: &mut state }.deserialize(&mut reader).and_then(|()| reader.end());
    match (read, state.doubled) {
        (_, Some(doubled)) => Err(doubled),
        (Err(error), None) => Err(malformed(format!("the body is not valid JSON: {error}"))),
        (Ok(()), None) => Ok(()),
    }
}

fn malformed(message: String) -> MalformedBody {
    MalformedBody { pointer: None, message }
}

#[derive(Default)]
struct State<'de> {
    path: Vec<Step<'de>>,
    doubled: Option<MalformedBody>,
}

enum Step<'de> {
    Name(Cow<'de, str>),
    Index(usize),
}

impl State<'_> {
    fn report(&mut self, name: &str) {
        let mut pointer = String::new();
        for step in &self.path {
            pointer.push('/');
            match step {
                Step::Name(name) => pointer.push_str(&name.replace('~', "~0").replace('/', "~1")),
                Step::Index(index) => pointer.push_str(&index.to_string()),
            }
        }
        let pointer: String = pointer.chars().take(SHOWN).collect();
        let shown: String = name.chars().take(SHOWN).collect();
        let message = if pointer.is_empty() {
            format!("the member {shown:?} stands twice in the body's object")
        } else {
            format!("the member {shown:?} stands twice in the object at {pointer:?}")
        };
        self.doubled = Some(MalformedBody { pointer: Some(pointer), message });
    }
}

struct Check<'s, 'de> {
    state: &'s mut State<'de>,
}

impl<'de> DeserializeSeed<'de> for Check<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Check<'_, 'de> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let mut index = 0;
        loop {
            self.state.path.push(Step::Index(index));
            if items.next_element_seed(Check { state: &mut *self.state })?.is_none() {
                self.state.path.pop();
                return Ok(());
            }
            self.state.path.pop();
            index += 1;
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut names = Names::default();
        while let Some(name) = members.next_key_seed(Name)? {
            if !names.insert(name.clone()) {
                self.state.report(&name);
                return Err(A::Error::custom("a member name stands twice"));
            }
            self.state.path.push(Step::Name(name));
            members.next_value_seed(Check { state: &mut *self.state })?;
            self.state.path.pop();
        }
        Ok(())
    }
}

/// A member name, borrowed from the body unless it holds escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a member name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

/// The names seen in one object.
#[derive(Default)]
struct Names<'de> {
    few: Vec<Cow<'de, str>>,
    many: HashSet<Cow<'de, str>>,
}

impl<'de> Names<'de> {
    /// False if the name was there before.
    fn insert(&mut self, name: Cow<'de, str>) -> bool {
        if self.few.contains(&name) {
            return false;
        }
        if self.few.len() < FEW {
            self.few.push(name);
            return true;
        }
        self.many.insert(name)
    }
}
