//! JSON text → [`Node`], for files named `*.json`.
//!
//! YAML is not a superset of JSON where it matters to contracts: keys are limited to 1,024 characters and
//! numbers to what a double can hold. Grammar of RFC 8259; a name that stands twice in one object is an error.

use std::collections::HashSet;

use super::{Key, Node, Value};
use crate::diagnostic::{Diagnostic, Place};

/// Nesting after which a file is refused.
const DEPTH: usize = 256;

/// Reads one document. The error says what is wrong and where.
pub(super) fn parse(file: u32, text: &str) -> Result<Node, Diagnostic> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader { text, at: 0, file, line: 1, column: 1, counted: 0 };
    let node = reader.value(0)?;
    reader.space();
    match reader.at == text.len() {
        true => Ok(node),
        false => Err(reader.wrong("more text after the end of the document")),
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    file: u32,
    /// Line and column of the byte `counted`; they follow `at` whenever a place is asked for.
    line: u32,
    column: u32,
    counted: usize,
}

impl Reader<'_> {
    fn value(&mut self, depth: usize) -> Result<Node, Diagnostic> {
        self.space();
        let place = self.place();
        let value = match self.peek() {
            _ if depth > DEPTH => return Err(self.wrong("nested too deeply")),
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Value::Text { text: self.string()?, secret: false, quoted: true },
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't' | b'f' | b'n') => self.word()?,
            Some(_) => return Err(self.wrong("expected a value")),
            None => return Err(self.wrong("the document ends too early")),
        };
        let single = !matches!(value, Value::List(_) | Value::Map(_));
        let length = if single { self.since(place) } else { 1 };
        Ok(Node { place: Place { length, ..place }, value })
    }

    fn object(&mut self, depth: usize) -> Result<Value, Diagnostic> {
        let (mut entries, mut names) = (Vec::new(), HashSet::new());
        self.at += 1;
        loop {
            self.space();
            match self.peek() {
                Some(b'}') if entries.is_empty() => break,
                Some(b'"') => {}
                _ => return Err(self.wrong("expected a name in quotation marks")),
            }
            let place = self.place();
            let name = self.string()?;
            let key = Key { place: Place { length: self.since(place), ..place }, name };
            if !names.insert(key.name.clone()) {
                let message = format!("this is not valid JSON: the name `{}` stands twice", key.name);
                return Err(Diagnostic::error(key.place, message).help("remove one of the two"));
            }
            self.space();
            self.expect(b':')?;
            entries.push((key, self.value(depth + 1)?));
            if !self.another(b'}')? {
                return Ok(Value::Map(entries));
            }
        }
        self.at += 1;
        Ok(Value::Map(entries))
    }

    fn array(&mut self, depth: usize) -> Result<Value, Diagnostic> {
        let mut items = Vec::new();
        self.at += 1;
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if !self.another(b']')? {
                return Ok(Value::List(items));
            }
        }
    }

    /// After an item: whether a comma announces another one.
    fn another(&mut self, end: u8) -> Result<bool, Diagnostic> {
        self.space();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            Some(byte) if byte == end => {
                self.at += 1;
                Ok(false)
            }
            _ => Err(self.wrong(&format!("expected `,` or `{}`", end as char))),
        }
    }

    /// The string at the cursor. Its escapes are read by `serde_json`, which knows surrogate pairs.
    fn string(&mut self) -> Result<String, Diagnostic> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let mut escaped = false;
        let end = rest.bytes().enumerate().skip(1).find_map(|(index, byte)| match byte {
            _ if std::mem::take(&mut escaped) => None,
            b'\\' => {
                escaped = true;
                None
            }
            b'"' => Some(index),
            _ => None,
        });
        let Some(literal) = end.and_then(|end| rest.get(..=end)) else {
            return Err(self.wrong("this string does not end"));
        };
        let text = serde_json::from_str(literal)
            .map_err(|_| self.wrong("this string holds an illegal escape or a control character"))?;
        self.at += literal.len();
        Ok(text)
    }

    fn number(&mut self) -> Result<Value, Diagnostic> {
        let literal = self.take(|byte| matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9'));
        match serde_json::from_str(literal) {
            Ok(number) => Ok(Value::Number(number)),
            // Legal, and beyond what a double can hold: kept as it was written.
            Err(error) if error.to_string().contains("out of range") => {
                Ok(Value::Text { text: literal.to_owned(), secret: false, quoted: false })
            }
            Err(_) => {
                self.at -= literal.len();
                Err(self.wrong("this is not a number"))
            }
        }
    }

    fn word(&mut self) -> Result<Value, Diagnostic> {
        let word = self.take(|byte| byte.is_ascii_alphabetic());
        match word {
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            "null" => Ok(Value::Null),
            _ => {
                self.at -= word.len();
                Err(self.wrong("expected a value"))
            }
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), Diagnostic> {
        if self.peek() != Some(byte) {
            return Err(self.wrong(&format!("expected `{}`", byte as char)));
        }
        self.at += 1;
        Ok(())
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        self.take(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    }

    fn take(&mut self, wanted: impl Fn(u8) -> bool) -> &str {
        let start = self.at;
        while self.peek().is_some_and(&wanted) {
            self.at += 1;
        }
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// The place of the cursor.
    fn place(&mut self) -> Place {
        for character in self.text.get(self.counted..self.at).unwrap_or_default().chars() {
            match character {
                '\n' => (self.line, self.column) = (self.line + 1, 1),
                _ => self.column += 1,
            }
        }
        self.counted = self.at;
        Place { file: self.file, line: self.line, column: self.column, length: 1 }
    }

    fn since(&mut self, start: Place) -> u32 {
        self.place().column.saturating_sub(start.column).max(1)
    }

    fn wrong(&mut self, what: &str) -> Diagnostic {
        let place = self.place();
        Diagnostic::error(place, format!("this is not valid JSON: {what}"))
            .help("correct this place; other problems of this file are found once it can be read")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_places() {
        let root =
            parse(3, "{\n \"é\": [1, -2.5e3, true, null], \"b\": {\"c\": \"\\ud83d\\ude00\\/\"}}").unwrap();
        let (key, list) = root.entry("é").unwrap();
        assert_eq!(key.place, Place { file: 3, line: 2, column: 2, length: 3 });
        assert_eq!(list.items()[1].place, Place { file: 3, line: 2, column: 11, length: 6 });
        let text = root.pointer("/b/c").unwrap();
        assert_eq!((text.as_str(), text.place.column, text.place.length), (Some("😀/"), 43, 16));
        assert_eq!(root.to_json(), serde_json::json!({"é": [1, -2500.0, true, null], "b": {"c": "😀/"}}));
    }

    #[test]
    fn long_names_and_large_numbers_are_read() {
        let name = "k".repeat(3000);
        let root = parse(0, &format!("{{\"{name}\": 1e400}}")).unwrap();
        assert_eq!(root.get(&name).and_then(Node::as_str), Some("1e400"));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        for (text, message, column) in [
            ("{\"a\": 1,}", "expected a name in quotation marks", 9),
            ("{\"a\" 1}", "expected `:`", 6),
            ("{\"a\": 1 \"b\": 2}", "expected `,` or `}`", 9),
            ("[1, 01]", "this is not a number", 5),
            ("[tru]", "expected a value", 2),
            ("[1] 2", "more text after the end of the document", 5),
            ("{\"a\": \"x}", "this string does not end", 7),
            ("[\"a\tb\"]", "this string holds an illegal escape or a control character", 2),
            ("{\"a\": 1, \"a\": 2}", "the name `a` stands twice", 10),
            ("[", "the document ends too early", 2),
        ] {
            let error = parse(0, text).unwrap_err();
            assert_eq!(error.message, format!("this is not valid JSON: {message}"), "{text}");
            assert_eq!(error.place.unwrap().column, column, "{text}");
        }
        assert!(parse(0, &"[".repeat(100_000)).unwrap_err().message.contains("nested too deeply"));
    }
}
