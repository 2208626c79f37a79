//! A checked JSON text as a tree that borrows from it: made in one pass, for those who look at every value.
//! Numbers stay text, so that none is rounded; members are found by name without walking over all of them.

use std::borrow::Cow;

use super::scan;

/// Objects of real bodies are small: up to here a walk is faster than a search.
const FEW: usize = 16;

/// A value with everything inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tree<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number as it is written.
    Number(Cow<'a, str>),
    /// A string without its escapes.
    Text(Cow<'a, str>),
    /// An array.
    List(Vec<Tree<'a>>),
    /// An object.
    Map(Members<'a>),
}

/// The members of an object, in the order in which they came.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Members<'a> {
    entries: Vec<(Cow<'a, str>, Tree<'a>)>,
    /// Where each stands, in the order of the names; only where there are many.
    sorted: Vec<u32>,
}

impl<'a> Members<'a> {
    fn new(entries: Vec<(Cow<'a, str>, Tree<'a>)>) -> Members<'a> {
        let mut sorted = Vec::new();
        if entries.len() > FEW {
            sorted.extend(0..u32::try_from(entries.len()).unwrap_or(u32::MAX));
            sorted.sort_unstable_by(|a, b| name(&entries, *a).cmp(name(&entries, *b)));
        }
        Members { entries, sorted }
    }

    /// All of them.
    pub fn entries(&self) -> &[(Cow<'a, str>, Tree<'a>)] {
        &self.entries
    }

    /// All of them, to be kept.
    pub fn into_entries(self) -> Vec<(Cow<'a, str>, Tree<'a>)> {
        self.entries
    }

    /// The member of a name.
    pub fn get(&self, wanted: &str) -> Option<&Tree<'a>> {
        if self.sorted.is_empty() {
            return self.entries.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
        }
        let found = self.sorted.binary_search_by(|at| name(&self.entries, *at).cmp(wanted)).ok()?;
        self.entries.get(*self.sorted.get(found)? as usize).map(|(_, value)| value)
    }
}

fn name<'e>(entries: &'e [(Cow<'_, str>, Tree<'_>)], at: u32) -> &'e str {
    entries.get(at as usize).map_or("", |(name, _)| name)
}

impl<'a> Tree<'a> {
    /// The tree of a text that is known to be one valid JSON value. On any other text it ends early.
    pub(super) fn read(text: &'a [u8]) -> Tree<'a> {
        Reader { rest: text }.value()
    }

    /// A tree of its own. Numbers become those of 64 bits.
    #[must_use]
    pub fn to_value(&self) -> serde_json::Value {
        match self {
            Tree::Null => serde_json::Value::Null,
            Tree::Bool(value) => (*value).into(),
            Tree::Number(text) => {
                text.parse::<serde_json::Number>().map_or(serde_json::Value::Null, Into::into)
            }
            Tree::Text(text) => text.as_ref().into(),
            Tree::List(items) => items.iter().map(Tree::to_value).collect(),
            Tree::Map(members) => {
                let entries = members.entries().iter();
                entries.map(|(name, value)| (name.to_string(), value.to_value())).collect()
            }
        }
    }
}

impl<'a> From<&'a serde_json::Value> for Tree<'a> {
    fn from(value: &'a serde_json::Value) -> Tree<'a> {
        use serde_json::Value;
        match value {
            Value::Null => Tree::Null,
            Value::Bool(value) => Tree::Bool(*value),
            Value::Number(number) => Tree::Number(Cow::Owned(number.to_string())),
            Value::String(text) => Tree::Text(Cow::Borrowed(text)),
            Value::Array(items) => Tree::List(items.iter().map(Tree::from).collect()),
            Value::Object(members) => {
                let member = |(name, value): (&'a String, &'a Value)| {
                    (Cow::Borrowed(name.as_str()), Tree::from(value))
                };
                Tree::Map(Members::new(members.iter().map(member).collect()))
            }
        }
    }
}

/// Reads forward only, so that a text costs one pass however deep it is nested.
struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn value(&mut self) -> Tree<'a> {
        self.rest = self.rest.trim_ascii_start();
        match self.rest.first() {
            Some(b'{') => {
                let mut entries = Vec::new();
                while self.enter(b'}') {
                    let name = scan::unescape(scan::value(&mut self.rest).unwrap_or_default());
                    self.skip(b':');
                    entries.push((name, self.value()));
                }
                Tree::Map(Members::new(entries))
            }
            Some(b'[') => {
                let mut items = Vec::new();
                while self.enter(b']') {
                    items.push(self.value());
                }
                Tree::List(items)
            }
            Some(b'"') => Tree::Text(scan::unescape(scan::value(&mut self.rest).unwrap_or_default())),
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Tree<'a> {
        let word = scan::value(&mut self.rest).unwrap_or_default();
        match word.first() {
            Some(b't') => Tree::Bool(true),
            Some(b'f') => Tree::Bool(false),
            Some(b'-' | b'0'..=b'9') => {
                Tree::Number(Cow::Borrowed(std::str::from_utf8(word).unwrap_or_default()))
            }
            _ => Tree::Null,
        }
    }

    /// Goes over the opening bracket or a comma; false, and over the closing one, where nothing more comes.
    fn enter(&mut self, end: u8) -> bool {
        let rest = self.rest.trim_ascii_start();
        let rest = match rest.split_first() {
            Some((first, rest)) if *first != end => rest.trim_ascii_start(),
            _ => rest,
        };
        let more = rest.first().is_some_and(|first| *first != end);
        self.rest = if more { rest } else { rest.get(1..).unwrap_or_default() };
        more
    }

    fn skip(&mut self, byte: u8) {
        let rest = self.rest.trim_ascii_start();
        self.rest = rest.strip_prefix(&[byte]).unwrap_or(rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    #[test]
    fn a_tree_says_what_the_text_says() {
        for text in [
            "null",
            " true ",
            "[]",
            "{}",
            " [ ] ",
            " { } ",
            "[[],{},[[]]]",
            r#"{"a":{"b":[1,-2.5e3,"x\"y\\",{"c":null}]},"é\u0041":false}"#,
            r#"[ 1 , "a,]}" , { "x" : [ ] , "y" : { } } ]"#,
        ] {
            let document = Document::parse(text.to_owned().into()).expect(text);
            let tree = document.tree();
            assert_eq!(
                tree.to_value(),
                serde_json::from_str::<serde_json::Value>(text).expect(text),
                "{text}"
            );
            let value = serde_json::from_str(text).expect(text);
            assert_eq!(Tree::from(&value).to_value(), value, "{text}");
        }
    }

    #[test]
    fn numbers_keep_their_digits() {
        let text = "[123456789012345678901234567890,0.1000000000000000055511151231257827]";
        let document = Document::parse(text.into()).expect("valid");
        let Tree::List(items) = document.tree() else { panic!("a list") };
        let digits: Vec<_> =
            items.iter().map(|item| matches!(item, Tree::Number(text) if text.len() > 25)).collect();
        assert_eq!(digits, [true, true]);
    }

    #[test]
    fn members_are_found_among_few_and_among_many() {
        for count in [3, 16, 17, 1000] {
            let members: Vec<String> = (0..count).rev().map(|at| format!("\"k{at}\":{at}")).collect();
            let document = Document::parse(format!("{{{}}}", members.join(",")).into()).expect("valid");
            let Tree::Map(members) = document.tree() else { panic!("a map") };
            for at in 0..count {
                let expected = Tree::Number(at.to_string().into());
                assert_eq!(members.get(&format!("k{at}")), Some(&expected));
            }
            assert_eq!(members.get("k"), None);
        }
    }

    #[test]
    fn a_text_that_is_no_json_ends() {
        for text in ["", "{", "[", "{\"a\"", "{\"a\":", "[1", "[,", "{,}", "}", "\"", "{\"a\" 1}", "[1 2 3"] {
            let _ = Tree::read(text.as_bytes());
        }
    }
}
