//! Values that are spread over several pairs: repeated names, the members of a map as pairs of their own, and
//! brackets (`filter[tags][]=a`), as `deepObject` and the libraries of most clients write them.

use std::borrow::Cow;
use std::collections::HashSet;

use super::pairs::{Pair, Pairs};
use super::writer::Writer;
use crate::contract::{Shape, ShapeId, Types};

/// Brackets in a row.
const DEEPEST: usize = 8;
/// Digits of a position in brackets.
const LONGEST_POSITION: usize = 9;

/// What was sent under one name, and in brackets after it.
#[derive(Debug, Default)]
struct Node<'p> {
    /// When its first part came.
    at: usize,
    values: Vec<(usize, &'p str)>,
    members: Vec<(&'p str, Node<'p>)>,
}

/// Brackets are nested deeper than [`DEEPEST`].
struct TooDeep;

impl<'p> Node<'p> {
    /// Everything that belongs to a name. `None`: nothing does.
    fn of(pairs: &'p Pairs<'_>, name: &str) -> Result<Option<Node<'p>>, TooDeep> {
        let mut root = Node { at: usize::MAX, ..Node::default() };
        for pair in pairs.exact(name) {
            root.put(&[], pair);
        }
        for pair in pairs.inside(name) {
            // Brackets that do not close belong to a name that nobody has.
            let Some(keys) = pair.name.get(name.len()..).and_then(keys) else { continue };
            if keys.len() > DEEPEST {
                return Err(TooDeep);
            }
            root.put(&keys, pair);
        }
        Ok((root.at < usize::MAX).then_some(root))
    }

    /// Pairs come sorted, so what belongs to one key comes in a row.
    fn put(&mut self, keys: &[&'p str], pair: &'p Pair<'_>) {
        let mut node = self;
        node.at = node.at.min(pair.at);
        for key in keys {
            if node.members.last().is_none_or(|(known, _)| known != key) {
                node.members.push((key, Node { at: pair.at, ..Node::default() }));
            }
            let Some((_, member)) = node.members.last_mut() else { return };
            node = member;
            node.at = node.at.min(pair.at);
        }
        node.values.push((pair.at, pair.raw));
    }

    /// Whether its members have positions instead of names; `strictly`: all from the first on, each once.
    fn has_positions(&self, strictly: bool) -> bool {
        let mut positions: Vec<Option<usize>> = Vec::new();
        for (key, _) in &self.members {
            match position(key) {
                Some(position) => positions.push(Some(position)),
                None if key.is_empty() => positions.push(None),
                None => return false,
            }
        }
        let mut numbers: Vec<usize> = positions.into_iter().flatten().collect();
        numbers.sort_unstable();
        !strictly || numbers.iter().enumerate().all(|(index, number)| index == *number)
    }

    /// Its items in their order: those with a position, then the others as they came.
    fn items(&self) -> Vec<Item<'_, 'p>> {
        let mut items: Vec<((usize, usize), Item<'_, 'p>)> = Vec::new();
        let last = |at: usize| (usize::MAX, at);
        items.extend(self.values.iter().map(|(at, raw)| (last(*at), Item::Value(raw))));
        for (key, node) in &self.members {
            match position(key) {
                Some(position) => items.push(((position, node.at), Item::Node(node))),
                None if node.members.is_empty() => {
                    items.extend(node.values.iter().map(|(at, raw)| (last(*at), Item::Value(raw))));
                }
                None => items.push((last(node.at), Item::Node(node))),
            }
        }
        items.sort_by_key(|(order, _)| *order);
        items.into_iter().map(|(_, item)| item).collect()
    }
}

enum Item<'n, 'p> {
    Value(&'p str),
    Node(&'n Node<'p>),
}

fn position(key: &str) -> Option<usize> {
    let digits =
        !key.is_empty() && key.len() <= LONGEST_POSITION && key.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| key.parse().ok()).flatten()
}

/// The keys of `[a][b]`; `None` if it is anything else.
fn keys(mut text: &str) -> Option<Vec<&str>> {
    let mut keys = Vec::new();
    while !text.is_empty() {
        let (key, rest) = text.strip_prefix('[')?.split_once(']')?;
        // One more than may be is enough to know.
        if keys.len() <= DEEPEST {
            keys.push(key);
        }
        text = rest;
    }
    Some(keys)
}

/// The name before the brackets, if brackets end it.
fn base(name: &str) -> &str {
    match name.split_once('[') {
        Some((base, _)) if name.get(base.len()..).and_then(keys).is_some() => base,
        _ => name,
    }
}

impl Writer<'_> {
    /// Whether values of a shape can be told apart only by brackets. What nobody describes has none: its name is
    /// taken as it stands.
    pub(super) fn in_brackets(&self, id: ShapeId) -> bool {
        let shape = self.shapes.get(id);
        id != ShapeId::UNSAID && (shape.types.has(Types::OBJECT) || !self.shapes.is_flat(shape))
    }

    /// Whether values of a shape are maps.
    pub(super) fn is_map(&self, id: ShapeId) -> bool {
        id != ShapeId::UNSAID && self.shapes.get(id).types.has(Types::OBJECT)
    }

    /// Reads what stands under a name, repeated or in brackets. False: nothing does.
    pub(in crate::validate) fn named(&mut self, id: ShapeId, pairs: &Pairs<'_>, name: &str) -> bool {
        if self.in_brackets(id) {
            return self.deep(id, pairs, name);
        }
        let raws: Vec<&str> = pairs.exact(name).iter().map(|pair| pair.raw).collect();
        if !raws.is_empty() {
            self.values(id, &raws);
        }
        !raws.is_empty()
    }

    /// Reads what stands under a name and in brackets after it. False: nothing does.
    pub(super) fn deep(&mut self, id: ShapeId, pairs: &Pairs<'_>, name: &str) -> bool {
        match Node::of(pairs, name) {
            Ok(None) => return false,
            Ok(Some(node)) => self.node(id, &node),
            Err(TooDeep) => self.lose(format!("has brackets nested deeper than {DEEPEST} levels")),
        }
        true
    }

    fn node(&mut self, id: ShapeId, node: &Node<'_>) {
        let shape = self.shapes.get(id);
        let (array, object) = (shape.types.has(Types::ARRAY), shape.types.has(Types::OBJECT));
        if node.members.is_empty() {
            let raws: Vec<&str> = node.values.iter().map(|(_, raw)| *raw).collect();
            return self.values(id, &raws);
        }
        if array && node.has_positions(object) {
            let items = shape.items;
            return self.list(node.items(), |writer, item| match item {
                Item::Value(raw) => writer.values(items, &[raw]),
                Item::Node(node) => writer.node(items, node),
            });
        }
        match object {
            true if node.values.is_empty() => self.members(shape, node),
            true => self.lose("is given both as a whole and in parts"),
            false => {
                let detail = super::scalar::misfit(shape.types);
                self.lose(detail);
            }
        }
    }

    fn members(&mut self, shape: &Shape, node: &Node<'_>) {
        let mut members: Vec<&(&str, Node<'_>)> = node.members.iter().collect();
        members.sort_by_key(|(_, node)| node.at);
        let members = members.into_iter().map(|(name, node)| (Cow::Borrowed(*name), node));
        self.map(members, |writer, name, node| {
            writer.node(shape.member(name), node);
            true
        });
    }

    /// Reads the values of one name; there is at least one.
    pub(super) fn values(&mut self, id: ShapeId, raws: &[&str]) {
        let shape = self.shapes.get(id);
        let (types, items) = (shape.types, shape.items);
        match raws {
            [raw] if types.any(Types::SCALARS) => self.scalar(types, raw),
            [raw] if !types.has(Types::ARRAY) => self.whole(types, raw),
            // `items=[{"a":1}]`, where the items cannot be written by themselves.
            [raw] if self.in_brackets(items) => match self.encoding.decode(raw) {
                Ok(text) if text.trim_ascii_start().starts_with('[') => self.whole(types, raw),
                _ => self.list([raw], |writer, raw| writer.values(items, &[raw])),
            },
            _ if types.has(Types::ARRAY) => self.list(raws, |writer, raw| writer.values(items, &[raw])),
            _ => self.repeated(raws),
        }
    }

    /// Several values where one may stand: which one was meant is not guessed.
    pub(super) fn repeated(&mut self, raws: &[&str]) {
        self.fault("is given more than once".to_owned());
        self.list(raws, |writer, raw| writer.scalar(Types::TEXT, raw));
    }

    /// Reads a map whose members are pairs of their own. `claimed` tells which names belong to somebody else;
    /// `field` reads one member; `everything`: members that the schema does not name are part of it in any case.
    /// False: no member is there.
    pub(in crate::validate) fn spread(
        &mut self,
        id: ShapeId,
        pairs: &Pairs<'_>,
        everything: bool,
        claimed: &dyn Fn(&str) -> bool,
        field: &dyn Fn(&mut Self, ShapeId, &Pairs<'_>, &str) -> bool,
    ) -> bool {
        let shape = self.shapes.get(id);
        let start = self.begin_map();
        let mut any = false;
        for (name, id) in &shape.members {
            any |= self.member(start, name, |writer| field(writer, *id, pairs, name));
        }
        if everything || shape.takes_others() {
            any |= self.others(start, shape, pairs, claimed);
        }
        self.end_map();
        any
    }

    /// The members of a map that its schema does not name.
    fn others(
        &mut self,
        start: usize,
        shape: &Shape,
        pairs: &Pairs<'_>,
        claimed: &dyn Fn(&str) -> bool,
    ) -> bool {
        let other = shape.other();
        let deep = self.in_brackets(other);
        let mut seen = HashSet::new();
        let mut any = false;
        for pair in pairs.as_they_came() {
            let base = base(&pair.name);
            let ours = shape.named(&pair.name).is_some()
                || shape.named(base).is_some_and(|id| self.in_brackets(id))
                || claimed(&pair.name)
                || claimed(base);
            let name = if deep { base } else { &*pair.name };
            if !ours && seen.insert(name) {
                any |= self.member(start, name, |writer| writer.named(other, pairs, name));
            }
        }
        any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_are_taken_apart_if_they_close() {
        for (text, expected) in [
            ("", Some(vec![])),
            ("[a][b]", Some(vec!["a", "b"])),
            ("[][0][a[b]", Some(vec!["", "0", "a[b"])),
            ("[a", None),
            ("[a]b", None),
            ("[a]]", None),
        ] {
            assert_eq!(keys(text), expected, "{text}");
        }
        assert_eq!(["a[b]", "a[b", "a", "[b]", "a]["].map(base), ["a", "a[b", "a", "", "a]["]);
        assert_eq!(keys(&"[]".repeat(30_000)).map(|keys| keys.len()), Some(DEEPEST + 1));
    }
}
