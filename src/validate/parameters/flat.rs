//! Values whose parts are told apart by a separator. Separators count before decoding: an encoded comma belongs to
//! its item.

use std::borrow::Cow;
use std::collections::HashSet;

use super::scalar::Encoding;
use super::writer::Writer;
use crate::contract::{ShapeId, Style, Types};

/// How a text is taken apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout<'n> {
    pub(super) style: Style,
    pub(super) explode: bool,
    /// The parameter's name: `matrix` repeats it in the text.
    pub(super) name: &'n str,
}

impl Layout<'_> {
    /// What follows the sign that the style begins with.
    fn body(self, text: &str) -> Result<&str, &'static str> {
        match self.style {
            Style::Label => text.strip_prefix('.').ok_or("does not begin with `.`"),
            Style::Matrix => text.strip_prefix(';').ok_or("does not begin with `;`"),
            _ => Ok(text),
        }
    }

    /// The parts of a text; of nothing there are none.
    fn split(self, text: &str) -> Vec<&str> {
        match (self.style, self.explode) {
            _ if text.is_empty() => Vec::new(),
            (Style::Matrix, true) => text.split(';').collect(),
            // Until 3.0.3 and 3.1.0, OpenAPI's own examples had dots here, and commas since.
            (Style::Label, false) if text.contains(',') => text.split(',').collect(),
            (Style::Label, _) => text.split('.').collect(),
            (Style::SpaceDelimited, _) => text.split("%20").flat_map(|part| part.split('+')).collect(),
            (Style::PipeDelimited, _) => {
                let parts = text.split("%7C").flat_map(|part| part.split("%7c"));
                parts.flat_map(|part| part.split('|')).collect()
            }
            _ => text.split(',').collect(),
        }
    }

    /// What stands after `name=` of a part of a matrix.
    fn unnamed(self, part: &str) -> Option<&str> {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        Encoding::Path.decode(name).is_ok_and(|name| name == self.name).then_some(value)
    }
}

impl Writer<'_> {
    /// Reads one text by its layout.
    pub(super) fn flat(&mut self, id: ShapeId, layout: Layout<'_>, raw: &str) {
        let types = self.shapes.get(id).types;
        let composite = types.any(Types::ARRAY.or(Types::OBJECT));
        let body = match layout.body(raw) {
            Ok(body) => body,
            Err(detail) => return self.lose(detail),
        };
        // Only the parts of an exploded matrix have names of their own.
        let named = layout.style == Style::Matrix && !(composite && layout.explode);
        let Some(text) = (if named { layout.unnamed(body) } else { Some(body) }) else {
            return self.lose("does not begin with its name");
        };
        if !composite {
            return self.scalar(types, text);
        }
        let parts = layout.split(text);
        if types.any(Types::SCALARS) && parts.len() < 2 {
            let text =
                if layout.style == Style::Matrix { layout.unnamed(body).unwrap_or(text) } else { text };
            return self.scalar(types, text);
        }
        let pairs = layout.explode && parts.iter().all(|part| part.contains('='));
        match types.has(Types::OBJECT) && (pairs || !types.has(Types::ARRAY)) {
            true => self.flat_map(id, layout, &parts),
            false => self.flat_list(id, layout, parts),
        }
    }

    fn flat_list(&mut self, id: ShapeId, layout: Layout<'_>, parts: Vec<&str>) {
        let items = self.shapes.get(self.shapes.get(id).items).types;
        let named = layout.style == Style::Matrix && layout.explode;
        self.list(parts, |writer, part| match if named { layout.unnamed(part) } else { Some(part) } {
            Some(part) => {
                let part = writer.trimmed(part);
                writer.scalar(items, part);
            }
            None => writer.lose("does not begin with its name"),
        });
    }

    fn flat_map(&mut self, id: ShapeId, layout: Layout<'_>, parts: &[&str]) {
        let members: Option<Vec<(&str, &str)>> = match layout.explode {
            true => parts.iter().map(|part| part.split_once('=')).collect(),
            false => parts.chunks(2).map(pair).collect(),
        };
        let Some(members) = members else { return self.lose("has a name without a value") };
        let mut seen = HashSet::new();
        let mut decoded: Vec<(Cow<'_, str>, &str)> = Vec::new();
        for (name, value) in members {
            match self.encoding.decode(self.trimmed(name)) {
                Err(bad) => return self.lose(format!("has a name that {bad}")),
                Ok(name) if !seen.insert(name.clone()) => return self.lose("has a member more than once"),
                Ok(name) => decoded.push((name, self.trimmed(value))),
            }
        }
        self.map(decoded, |writer, name, value| {
            let shape = writer.shapes.get(writer.shapes.get(id).member(name));
            writer.scalar(shape.types, value);
            true
        });
    }

    /// Headers are written with spaces around their commas.
    fn trimmed<'t>(&self, text: &'t str) -> &'t str {
        if self.encoding == Encoding::Plain { text.trim() } else { text }
    }
}

/// A name and the value after it.
fn pair<'t>(parts: &[&'t str]) -> Option<(&'t str, &'t str)> {
    match parts {
        [name, value] => Some((name, value)),
        _ => None,
    }
}
