//! From a position in a scalar's text to the place where it stands in its file. Quotation marks, escapes, folded lines
//! and indentation make the two differ, and how they do is YAML's affair: what stands there is looked for.

use super::{Diagnostics, Place};

impl Diagnostics {
    /// The place of byte `offset` of `text`, which stands as a scalar at `place`. The whole scalar at its start, and
    /// where the place cannot be told.
    pub fn inside(&self, place: Place, text: &str, offset: usize) -> Place {
        let found = if offset == 0 { None } else { self.found(place, text, offset) };
        found.unwrap_or(place)
    }

    fn found(&self, place: Place, text: &str, offset: usize) -> Option<Place> {
        let source = self.sources.get(place.file as usize)?;
        let lines = source.text.split_inclusive('\n').skip((place.line as usize).checked_sub(1)?);
        let start = (place.column as usize).checked_sub(1)?;
        let written: String = lines.flat_map(str::chars).skip(start).take(place.length as usize).collect();
        let at = as_it_is(&written, text, offset).or_else(|| looked_for(&written, text, offset))?;
        let before = written.get(..at)?;
        Some(match before.rsplit_once('\n') {
            None => Place { column: place.column + characters(before), length: 1, ..place },
            Some((earlier, line)) => Place {
                line: place.line + 1 + characters_that_are(earlier, '\n'),
                column: 1 + characters(line),
                length: 1,
                ..place
            },
        })
    }
}

/// Where the text is written as it is, with or without a quotation mark before it.
fn as_it_is(written: &str, text: &str, offset: usize) -> Option<usize> {
    let marks = written.len() - written.trim_start_matches(['"', '\'']).len();
    let shift = if written.starts_with(text) { 0 } else { marks.min(1) };
    let same = written.get(shift..)?.starts_with(text.get(..offset)?);
    (same && text.is_char_boundary(offset) && written.len() > shift + offset).then_some(shift + offset)
}

/// Where the same word stands, counted from the start: the third in the text is the third that is written.
fn looked_for(written: &str, text: &str, offset: usize) -> Option<usize> {
    let rest = text.get(offset..)?;
    // What no style of a scalar writes in another way.
    let length = rest.find(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '\\'));
    let word = rest.get(..length.unwrap_or(rest.len())).filter(|word| !word.is_empty())?;
    let count = places(text, word).take_while(|at| *at < offset).count();
    places(written, word).nth(count)
}

fn places<'t>(text: &'t str, word: &'t str) -> impl Iterator<Item = usize> + 't {
    text.char_indices()
        .map(|(at, _)| at)
        .filter(move |at| text.get(*at..).is_some_and(|rest| rest.starts_with(word)))
}

fn characters(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX)
}

fn characters_that_are(text: &str, wanted: char) -> u32 {
    u32::try_from(text.chars().filter(|c| *c == wanted).count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// The line and column of the first `!` of the text, in a file in which the scalar stands from `place` on.
    fn find(file: &str, (line, column): (u32, u32), text: &str) -> (u32, u32) {
        let mut diagnostics = Diagnostics::default();
        let number = diagnostics.add_source(Path::new("a.yaml"), file);
        let length = u32::try_from(file.len()).unwrap();
        let place = Place { file: number, line, column, length };
        let found = diagnostics.inside(place, text, text.find('!').unwrap());
        (found.line, found.column)
    }

    #[test]
    fn every_style_of_a_scalar() {
        for (file, start, text, expected) in [
            ("a: x !y", (1, 4), "x !y", (1, 6)),
            ("a: éé !y", (1, 4), "éé !y", (1, 7)),
            ("a: \"x !y\"", (1, 4), "x !y", (1, 7)),
            ("a: '!'", (1, 4), "!", (1, 4)),
            ("a: 'it''s !y'", (1, 4), "it's !y", (1, 11)),
            ("a: \"\\u00e9\\n !y\"", (1, 4), "é\n !y", (1, 14)),
            ("a: |\n  x\n  é !y\n", (2, 3), "x\né !y\n", (3, 5)),
            ("a: >-\n  x\n  b !y !z\n", (2, 3), "x b !y !z", (3, 5)),
            ("a: x\n  and !y\nb: 1", (1, 4), "x and !y", (2, 7)),
            // Nothing to look for: the scalar as a whole.
            ("a: \"\\n! y\"", (1, 4), "\n! y", (1, 7)),
            ("a: \"\\x21 y\"", (1, 4), "! y", (1, 4)),
        ] {
            assert_eq!(find(file, start, text), expected, "{file}");
        }
    }

    #[test]
    fn the_same_word_is_counted() {
        let mut diagnostics = Diagnostics::default();
        let file = diagnostics.add_source(Path::new("a.yaml"), "a: 'x''${p.x} ${p.x} ${p.x}'");
        let place = Place { file, line: 1, column: 4, length: 26 };
        let text = "x'${p.x} ${p.x} ${p.x}";
        for (offset, column) in [(4, 10), (11, 17), (18, 24)] {
            assert_eq!(diagnostics.inside(place, text, offset).column, column);
        }
    }
}
