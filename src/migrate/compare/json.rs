//! Two JSON bodies by value: numbers with all their digits, members in any order, lists in theirs unless it does not matter.
//! What it costs is counted, so that no body keeps a thread busy.

use std::collections::BTreeMap;

use super::rules::{At, IGNORED, NULLABLE, UNORDERED};
use super::shown::{Places, pointer, value};
use crate::json::{Decimal, Tree};

/// Values that are looked at for one pair.
const WORK: u32 = 1_000_000;
/// Items of an unordered list without an equal, up to which it is looked for the most similar ones.
const FEW: usize = 8;

/// It would take too long.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooMuch;

/// Notes where two values differ.
pub(super) fn differ<'t>(
    legacy: &'t Tree<'t>,
    nats: &'t Tree<'t>,
    at: &At<'_>,
    places: &mut Places,
) -> Result<(), TooMuch> {
    let mut walk = Walk { left: WORK, path: Vec::new() };
    walk.values(legacy, nats, at, places)
}

struct Walk<'t> {
    left: u32,
    /// The names on the way; none: an item.
    path: Vec<Option<&'t str>>,
}

impl<'t> Walk<'t> {
    fn spend(&mut self) -> Result<(), TooMuch> {
        self.left = self.left.checked_sub(1).ok_or(TooMuch)?;
        Ok(())
    }

    fn values(
        &mut self,
        legacy: &'t Tree<'t>,
        nats: &'t Tree<'t>,
        at: &At<'_>,
        places: &mut Places,
    ) -> Result<(), TooMuch> {
        self.spend()?;
        if at.says(IGNORED) {
            return Ok(());
        }
        let same = match (legacy, nats) {
            (Tree::Map(_), Tree::Map(_)) => return self.members(legacy, nats, at, places),
            (Tree::List(one), Tree::List(other)) if one.len() == other.len() => {
                return match at.says(UNORDERED) {
                    true => self.unordered(one, other, at, places),
                    false => self.items(one, other, at, places),
                };
            }
            (Tree::Number(one), Tree::Number(other)) => {
                one == other || Decimal::new(one) == Decimal::new(other)
            }
            (Tree::List(_), Tree::List(_)) => false,
            (one, other) => one == other,
        };
        if !same {
            self.note(Some(legacy), Some(nats), at, places);
        }
        Ok(())
    }

    fn note(&self, legacy: Option<&Tree<'_>>, nats: Option<&Tree<'_>>, at: &At<'_>, places: &mut Places) {
        places.note(pointer(&self.path), || value(legacy, at), || value(nats, at));
    }

    fn members(
        &mut self,
        legacy: &'t Tree<'t>,
        nats: &'t Tree<'t>,
        at: &At<'_>,
        places: &mut Places,
    ) -> Result<(), TooMuch> {
        let (Tree::Map(one), Tree::Map(other)) = (legacy, nats) else { return Ok(()) };
        for (name, legacy) in one.entries() {
            let below = at.member(name);
            self.path.push(Some(name));
            match other.get(name) {
                Some(nats) => self.values(legacy, nats, &below, places)?,
                None => self.alone(legacy, true, &below, places)?,
            }
            self.path.pop();
        }
        for (name, nats) in other.entries().iter().filter(|(name, _)| one.get(name).is_none()) {
            self.path.push(Some(name));
            self.alone(nats, false, &at.member(name), places)?;
            self.path.pop();
        }
        Ok(())
    }

    /// A member that one side alone has.
    fn alone(
        &mut self,
        tree: &Tree<'_>,
        is_legacy: bool,
        at: &At<'_>,
        places: &mut Places,
    ) -> Result<(), TooMuch> {
        self.spend()?;
        match (leaves_out(tree, at), is_legacy) {
            (true, _) => {}
            (false, true) => self.note(Some(tree), None, at, places),
            (false, false) => self.note(None, Some(tree), at, places),
        }
        Ok(())
    }

    fn items(
        &mut self,
        legacy: &'t [Tree<'t>],
        nats: &'t [Tree<'t>],
        at: &At<'_>,
        places: &mut Places,
    ) -> Result<(), TooMuch> {
        self.path.push(None);
        for (index, (legacy, nats)) in legacy.iter().zip(nats).enumerate() {
            self.values(legacy, nats, &at.item(Some(index)), places)?;
        }
        self.path.pop();
        Ok(())
    }

    /// Two lists of the same length as multisets.
    fn unordered(
        &mut self,
        legacy: &'t [Tree<'t>],
        nats: &'t [Tree<'t>],
        at: &At<'_>,
        places: &mut Places,
    ) -> Result<(), TooMuch> {
        let below = at.item(None);
        let (legacy, nats) = self.without_equals(legacy, nats, &below)?;
        self.path.push(None);
        match legacy.len() {
            0..=FEW => self.most_similar(&legacy, nats, &below, places)?,
            _ => self.note(legacy.first().copied(), nats.first().copied(), &below, places),
        }
        self.path.pop();
        Ok(())
    }

    /// The items that have no equal on the other side: as many on one as on the other.
    fn without_equals(
        &mut self,
        legacy: &'t [Tree<'t>],
        nats: &'t [Tree<'t>],
        at: &At<'_>,
    ) -> Result<(Vec<&'t Tree<'t>>, Vec<&'t Tree<'t>>), TooMuch> {
        let mut known: BTreeMap<Vec<u8>, Vec<&Tree<'_>>> = BTreeMap::new();
        for item in legacy {
            known.entry(self.said(item, at)?).or_default().push(item);
        }
        let mut others = Vec::new();
        for item in nats {
            match known.get_mut(&self.said(item, at)?).and_then(Vec::pop) {
                Some(_) => {}
                None => others.push(item),
            }
        }
        Ok((known.into_values().flatten().collect(), others))
    }

    /// What differs between items that have no equal: each is held against the one that it resembles most.
    fn most_similar(
        &mut self,
        legacy: &[&'t Tree<'t>],
        mut nats: Vec<&'t Tree<'t>>,
        at: &At<'_>,
        places: &mut Places,
    ) -> Result<(), TooMuch> {
        for one in legacy {
            let mut best: Option<(usize, Places)> = None;
            for (index, other) in nats.iter().enumerate() {
                let mut found = Places::default();
                self.values(one, other, at, &mut found)?;
                if best.as_ref().is_none_or(|(_, best)| found.count() < best.count()) {
                    best = Some((index, found));
                }
            }
            if let Some((index, found)) = best {
                nats.swap_remove(index);
                places.extend(found);
            }
        }
        Ok(())
    }

    /// A value, written so that two that are the same look the same.
    fn said(&mut self, tree: &Tree<'_>, at: &At<'_>) -> Result<Vec<u8>, TooMuch> {
        let mut out = Vec::new();
        self.say(tree, at, &mut out)?;
        Ok(out)
    }

    fn say(&mut self, tree: &Tree<'_>, at: &At<'_>, out: &mut Vec<u8>) -> Result<(), TooMuch> {
        self.spend()?;
        match tree {
            _ if at.says(IGNORED) => out.push(b'_'),
            Tree::Null => out.push(b'n'),
            Tree::Bool(value) => out.push(if *value { b't' } else { b'f' }),
            Tree::Number(number) => {
                out.push(b'#');
                Decimal::new(number).write(out);
                out.push(b';');
            }
            Tree::Text(string) => {
                out.push(b'"');
                text(string.as_bytes(), out);
            }
            Tree::List(items) => {
                let mut said = Vec::with_capacity(items.len());
                let unordered = at.says(UNORDERED);
                for (index, item) in items.iter().enumerate() {
                    let index = (!unordered).then_some(index);
                    said.push(self.said(item, &at.item(index))?);
                }
                if unordered {
                    said.sort_unstable();
                }
                out.push(b'[');
                said.iter().for_each(|item| text(item, out));
                out.push(b']');
            }
            Tree::Map(members) => {
                let mut entries: Vec<_> = members.entries().iter().collect();
                entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
                out.push(b'{');
                for (name, value) in entries {
                    let below = at.member(name);
                    if !leaves_out(value, &below) {
                        text(name.as_bytes(), out);
                        self.say(value, &below, out)?;
                    }
                }
                out.push(b'}');
            }
        }
        Ok(())
    }
}

/// Whether a member is as good as missing.
fn leaves_out(tree: &Tree<'_>, at: &At<'_>) -> bool {
    at.says(IGNORED) || (*tree == Tree::Null && at.says(NULLABLE))
}

/// With its length, so that nothing inside it can look like an end.
fn text(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(bytes.len().to_string().as_bytes());
    out.push(b':');
    out.extend_from_slice(bytes);
}
