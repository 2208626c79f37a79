//! What the configuration says of places in a body: JSON Pointers with `*` for any member or item and `/**` for
//! everything below, as one tree that is walked beside the body.

use std::collections::HashMap;

/// It may differ.
pub(super) const IGNORED: u8 = 1;
/// A list whose order does not matter.
pub(super) const UNORDERED: u8 = 2;
/// `null` is the same as missing.
pub(super) const NULLABLE: u8 = 4;
/// An example may show it.
pub(super) const SHOWN: u8 = 8;

/// The places, and what is said of each.
#[derive(Debug, Default)]
pub(super) struct Rules {
    root: Node,
}

#[derive(Debug, Default)]
struct Node {
    /// Of this place.
    here: u8,
    /// Of everything below it.
    below: u8,
    names: HashMap<String, Node>,
    any: Option<Box<Node>>,
}

/// Why a text is no pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PatternError {
    /// What is wrong.
    pub message: &'static str,
    /// What to do about it.
    pub help: &'static str,
}

impl Rules {
    /// Says something of the places that a pattern stands for.
    pub(super) fn add(&mut self, pattern: &str, says: u8) -> Result<(), PatternError> {
        let mut node = &mut self.root;
        let mut steps = steps(pattern)?.into_iter().peekable();
        while let Some(step) = steps.next() {
            node = match &*step {
                "**" if steps.peek().is_none() => {
                    node.below |= says;
                    return Ok(());
                }
                "**" => {
                    return Err(PatternError {
                        message: "`**` stands for everything below, and comes last",
                        help: "write `*` for one member or item: /items/*/etag",
                    });
                }
                "*" => node.any.get_or_insert_default(),
                _ => node.names.entry(step).or_default(),
            };
        }
        node.here |= says;
        Ok(())
    }

    /// The place of the whole body.
    pub(super) fn root(&self) -> At<'_> {
        At { nodes: vec![&self.root], inherited: 0 }
    }
}

/// The names between the slashes, without their escapes.
fn steps(pattern: &str) -> Result<Vec<String>, PatternError> {
    if pattern.is_empty() {
        return Ok(Vec::new());
    }
    let Some(rest) = pattern.strip_prefix('/') else {
        return Err(PatternError {
            message: "it is not a JSON Pointer",
            help: "begin with a slash: /items/*/etag; `\"\"` is the whole body",
        });
    };
    rest.split('/').map(unescaped).collect()
}

fn unescaped(step: &str) -> Result<String, PatternError> {
    let escapes_hold = step.split('~').skip(1).all(|after| after.starts_with(['0', '1']));
    escapes_hold.then(|| step.replace("~1", "/").replace("~0", "~")).ok_or(PatternError {
        message: "it has a `~` that escapes nothing",
        help: "write ~0 for a tilde and ~1 for a slash",
    })
}

/// A place in a body, as the rules see it.
#[derive(Debug, Clone)]
pub(super) struct At<'r> {
    /// More than one, where a name and a `*` both fit.
    nodes: Vec<&'r Node>,
    inherited: u8,
}

impl<'r> At<'r> {
    /// What is said of this place.
    pub(super) fn says(&self, what: u8) -> bool {
        self.nodes.iter().fold(self.inherited, |says, node| says | node.here) & what != 0
    }

    /// The place of a member.
    pub(super) fn member(&self, name: &str) -> At<'r> {
        self.step(|node| node.names.get(name))
    }

    /// The place of an item. Without an index: of any.
    pub(super) fn item(&self, index: Option<usize>) -> At<'r> {
        self.step(|node| match index {
            Some(index) if !node.names.is_empty() => node.names.get(&index.to_string()),
            _ => None,
        })
    }

    fn step(&self, find: impl Fn(&'r Node) -> Option<&'r Node>) -> At<'r> {
        let inherited = self.nodes.iter().fold(self.inherited, |says, node| says | node.below);
        let next = |node: &&'r Node| [find(node), node.any.as_deref()].into_iter().flatten();
        At { nodes: self.nodes.iter().flat_map(next).collect(), inherited }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_a_pointer_with_stars() {
        let mut rules = Rules::default();
        for pattern in ["/updatedAt", "/items/*/etag", "/a~1b/~0c", "/meta/**", "/list/0"] {
            rules.add(pattern, IGNORED).unwrap();
        }
        let root = rules.root();
        let says = |at: At<'_>| at.says(IGNORED);
        assert!(says(root.member("updatedAt")) && !says(root.member("other")) && !says(root.clone()));
        assert!(says(root.member("items").item(Some(7)).member("etag")));
        assert!(says(root.member("items").member("x").member("etag")));
        assert!(!says(root.member("items").item(None)));
        assert!(says(root.member("a/b").member("~c")));
        let meta = root.member("meta");
        assert!(!says(meta.clone()) && says(meta.member("x")) && says(meta.item(None).member("deep")));
        assert!(says(root.member("list").item(Some(0))) && !says(root.member("list").item(Some(1))));
    }

    #[test]
    fn a_name_and_a_star_both_hold() {
        let mut rules = Rules::default();
        rules.add("/*/at", IGNORED).unwrap();
        rules.add("/a/list", UNORDERED).unwrap();
        let a = rules.root().member("a");
        assert!(a.member("at").says(IGNORED) && a.member("list").says(UNORDERED));
    }

    #[test]
    fn what_is_no_pointer_is_told() {
        let mut rules = Rules::default();
        for (pattern, wrong) in [("a", "Pointer"), ("/**/a", "last"), ("/a~2", "escapes"), ("/~", "escapes")]
        {
            let error = rules.add(pattern, IGNORED).unwrap_err();
            assert!(error.message.contains(wrong), "{pattern}: {}", error.message);
        }
        assert_eq!(rules.add("", IGNORED), Ok(()));
        assert!(rules.root().says(IGNORED));
    }
}
