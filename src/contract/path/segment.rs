//! One segment of a path template: a literal, a whole parameter, or text and parameters mixed.

use std::sync::Arc;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::{PathError, wrong};

/// What a client has to encode in a path (RFC 3986 `pchar`, `%` left as it is: it starts an encoding already).
const ENCODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b']')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'|');

/// What stands between two slashes. Names are kept by the template, so that equal shapes are equal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Segment {
    /// Text, percent-encoded as a request carries it.
    Literal(String),
    /// One parameter that takes the whole segment.
    Parameter,
    /// Parameters with text before, between or after them.
    Mixed(Pattern),
}

/// The literals around the parameters of a mixed segment: one more than there are parameters. Only the first
/// and the last can be empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Pattern {
    literals: Vec<String>,
}

impl Segment {
    /// Takes a segment apart, and adds its parameters with their offsets.
    pub(super) fn parse(text: &str, names: &mut Vec<(Arc<str>, usize)>) -> Result<Segment, PathError> {
        let mut literals = vec![String::new()];
        let mut characters = text.chars().enumerate();
        while let Some((offset, character)) = characters.next() {
            match character {
                '{' if literals.len() > 1 && literals.last().is_some_and(String::is_empty) => {
                    let help = "put a separator between them, or take them as one parameter";
                    return Err(wrong(offset, "two parameters need text between them", help));
                }
                '{' => {
                    let name = name(offset, characters.by_ref())?;
                    names.push((name.into(), offset));
                    literals.push(String::new());
                }
                '}' => return Err(wrong(offset, "this `}` closes nothing", "remove it, or add the `{`")),
                _ => literals.last_mut().into_iter().for_each(|literal| literal.push(character)),
            }
        }
        escapes(text)?;
        let mut literals: Vec<String> =
            literals.iter().map(|literal| utf8_percent_encode(literal, ENCODED).to_string()).collect();
        Ok(match literals.as_slice() {
            [_] => Segment::Literal(literals.remove(0)),
            [before, after] if before.is_empty() && after.is_empty() => Segment::Parameter,
            _ => Segment::Mixed(Pattern { literals }),
        })
    }
}

/// The name after a `{`, up to its `}`.
fn name(start: usize, characters: impl Iterator<Item = (usize, char)>) -> Result<String, PathError> {
    let mut name = String::new();
    for (offset, character) in characters {
        match character {
            '}' if name.is_empty() => {
                return Err(wrong(start, "a parameter needs a name", "write `{name}`"));
            }
            '}' => return Ok(name),
            '{' => return Err(wrong(offset, "a name cannot hold `{`", "close the one before it")),
            '*' => {
                let message = "a parameter takes one segment: `*` is not part of a name";
                return Err(wrong(offset, message, "name each segment by itself"));
            }
            _ => name.push(character),
        }
    }
    Err(wrong(start, "this `{` is never closed", "add `}` in the same segment"))
}

fn escapes(text: &str) -> Result<(), PathError> {
    let hex = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_hexdigit);
    let bytes = text.as_bytes();
    for (index, _) in text.match_indices('%') {
        if !hex(bytes.get(index + 1)) || !hex(bytes.get(index + 2)) {
            let offset = text.get(..index).unwrap_or_default().chars().count();
            let message = "this `%` is followed by no two hexadecimal digits";
            return Err(wrong(offset, message, "write `%25` for a percent sign"));
        }
    }
    Ok(())
}

impl Pattern {
    /// Characters of literal text: of two patterns that both match, the one with more of them is meant.
    pub fn weight(&self) -> usize {
        self.literals.iter().map(String::len).sum()
    }

    /// Splits a raw segment and appends what each parameter takes: at least one byte unless `empty` says
    /// otherwise, and of several ways the one in which the leftmost parameters are shortest. Says no, and
    /// leaves `captured` in any state beyond its length, if the segment does not match.
    pub fn capture<'p>(&self, raw: &'p str, empty: bool, captured: &mut Vec<&'p str>) -> bool {
        self.split(raw, empty, captured).is_some()
    }

    fn split<'p>(&self, raw: &'p str, empty: bool, captured: &mut Vec<&'p str>) -> Option<()> {
        let (first, rest) = self.literals.split_first()?;
        let (last, between) = rest.split_last()?;
        let mut left = raw.strip_prefix(first.as_str())?.strip_suffix(last.as_str())?;
        for literal in between {
            let least = left.chars().next().filter(|_| !empty).map_or(0, char::len_utf8);
            let at = least + left.get(least..)?.find(literal.as_str())?;
            captured.push(left.get(..at)?);
            left = left.get(at + literal.len()..)?;
        }
        captured.push(left);
        (empty || !left.is_empty()).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split<'p>(template: &str, raw: &'p str) -> Option<Vec<&'p str>> {
        let Segment::Mixed(pattern) = Segment::parse(template, &mut Vec::new()).unwrap() else { panic!() };
        let mut captured = Vec::new();
        pattern.capture(raw, false, &mut captured).then_some(captured)
    }

    #[test]
    fn segments_are_split_around_their_literals() {
        assert_eq!(split("{Sid}.json", "AC1.json"), Some(vec!["AC1"]));
        assert_eq!(split("{Sid}.json", ".json"), None);
        assert_eq!(split("{Sid}.json", "AC1.jsonx"), None);
        assert_eq!(split("{base}...{head}", "v1...v2"), Some(vec!["v1", "v2"]));
        assert_eq!(split("{base}...{head}", "a...b...c"), Some(vec!["a", "b...c"]));
        assert_eq!(split("{base}...{head}", "....."), Some(vec![".", "."]));
        assert_eq!(split("{base}...{head}", "...x"), None);
        assert_eq!(split("{id}:verb", "a:b:verb"), Some(vec!["a:b"]));
        assert_eq!(split("v{major}.{minor}", "v1.2.3"), Some(vec!["1", "2.3"]));
        assert_eq!(split("@{user}", "@é"), Some(vec!["é"]));
        assert_eq!(split("ab{x}bc", "abc"), None);
    }
}
