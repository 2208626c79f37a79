//! A JSON body as it came: checked once, read in place, never rebuilt.
//! Numbers keep their digits because no value is parsed before somebody asks for it.
//! Stops at JSON: what a body must look like is decided elsewhere.

mod check;
mod decimal;
mod scan;
mod tree;

use bytes::Bytes;
use std::borrow::Cow;

pub use decimal::Decimal;
pub use tree::{Members, Tree};

/// The bytes of a body that are known to be one valid JSON value without doubled member names.
#[derive(Clone, Debug)]
pub struct Document {
    bytes: Bytes,
}

impl Document {
    /// Checks the bytes in one pass, without copying them or building a tree.
    ///
    /// Refused are: anything but exactly one JSON value in UTF-8, nesting deeper than 127 levels, numbers that no
    /// double can hold, and an object in which one name stands twice, since two readers may choose different values.
    pub fn parse(bytes: Bytes) -> Result<Self, MalformedBody> {
        check::check(&bytes)?;
        Ok(Self { bytes })
    }

    /// The body, unchanged.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The value that the whole body is.
    #[must_use]
    pub fn root(&self) -> Json<'_> {
        Json { text: self.bytes.trim_ascii() }
    }

    /// Everything in the body, borrowed from it.
    #[must_use]
    pub fn tree(&self) -> Tree<'_> {
        Tree::read(&self.bytes)
    }

    /// The body as a tree, for those who need one. Integers beyond 64 bits become doubles here.
    #[must_use]
    pub fn to_value(&self) -> serde_json::Value {
        self.root().to_value()
    }
}

/// Why a body is not accepted. Names members, and never repeats a value of the body.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct MalformedBody {
    /// JSON Pointer to the object concerned, where there is one.
    pub pointer: Option<String>,
    /// What is wrong, in lower case and without a full stop.
    pub message: String,
}

/// One value inside a checked JSON text, still in the form in which it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Json<'a> {
    text: &'a [u8],
}

/// What a value is, told by its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`; also the answer for an empty text, which is no JSON.
    Null,
    /// `true` or `false`.
    Bool,
    /// Kept as text, so that no digit is lost.
    Number,
    /// In quotes, its escapes not yet undone.
    String,
    /// Elements are found by walking over it, since nothing is indexed.
    Array,
    /// Members are found by walking over it, since nothing is indexed.
    Object,
}

impl<'a> Json<'a> {
    /// Takes a text that is already known to be one valid JSON value; on any other text the answers are arbitrary,
    /// but nothing panics.
    #[must_use]
    pub fn new(text: &'a str) -> Self {
        Self { text: text.as_bytes().trim_ascii() }
    }

    /// The value's text, without surrounding white space.
    #[must_use]
    pub fn raw(self) -> &'a str {
        // `parse` has seen that the whole is UTF-8, and values end at ASCII characters.
        std::str::from_utf8(self.text).unwrap_or("null")
    }

    /// Costs one look at the first byte, whatever the size of the value.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self.text.first() {
            Some(b'{') => Kind::Object,
            Some(b'[') => Kind::Array,
            Some(b'"') => Kind::String,
            Some(b't' | b'f') => Kind::Bool,
            Some(b'n') | None => Kind::Null,
            Some(_) => Kind::Number,
        }
    }

    /// The member called `name`, if this is an object that has one.
    #[must_use]
    pub fn member(self, name: &str) -> Option<Self> {
        scan::members(self.text)
            .find(|(key, _)| scan::key_is(key, name))
            .map(|(_, value)| Self { text: value })
    }

    /// The element at `index`, if this is an array that long.
    #[must_use]
    pub fn item(self, index: usize) -> Option<Self> {
        scan::items(self.text).nth(index).map(|text| Self { text })
    }

    /// The elements, if this is an array.
    pub fn items(self) -> impl Iterator<Item = Self> {
        scan::items(self.text).map(|text| Self { text })
    }

    /// Everything in it, borrowed from it.
    #[must_use]
    pub fn tree(self) -> Tree<'a> {
        Tree::read(self.text)
    }

    /// The unescaped text, if this is a string.
    #[must_use]
    pub fn as_text(self) -> Option<Cow<'a, str>> {
        (self.kind() == Kind::String).then(|| scan::unescape(self.text))
    }

    /// A tree of its own. Integers beyond 64 bits become doubles.
    #[must_use]
    pub fn to_value(self) -> serde_json::Value {
        // The text was checked when the document was made.
        serde_json::from_slice(self.text).unwrap_or_default()
    }
}

/// Appends `text` as a JSON string, quoted and escaped.
pub fn write_string(out: &mut Vec<u8>, text: &str) {
    // Writing into a Vec cannot fail.
    let _ = serde_json::to_writer(out, text);
}

#[cfg(test)]
mod tests;
