//! Regular expressions of a contract: which can be matched in one pass, which only by trying, and which not at all.
//! Each is compiled once for all schemas of the contract.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jsonschema::{PatternCache, PatternOptions};
use serde_json::json;

use super::keywords;
use crate::diagnostic::{Diagnostic, Place};
use crate::yaml::{Key, Node};

/// How a pattern is matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// In time that grows with the text.
    Linear,
    /// By trying, within a bound.
    Tried,
}

/// The patterns that have been seen.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    ways: Mutex<HashMap<String, Option<Way>>>,
    compiled: PatternCache,
}

impl Patterns {
    /// Compiled patterns, for the library.
    pub(super) fn compiled(&self) -> PatternCache {
        self.compiled.clone()
    }

    /// How the value of `pattern` is matched.
    pub(super) fn way(&self, pattern: &Node) -> Result<Way, Diagnostic> {
        // What is no text is told with everything else that is wrong with the schema.
        let Some(text) = pattern.as_str() else { return Ok(Way::Linear) };
        self.look_up(text).ok_or_else(|| invalid(pattern.place))
    }

    /// How a name of `patternProperties` is matched.
    pub(super) fn way_of_name(&self, name: &Key) -> Result<Way, Diagnostic> {
        self.look_up(&name.name).ok_or_else(|| invalid(name.place))
    }

    fn look_up(&self, pattern: &str) -> Option<Way> {
        let known =
            |this: &Patterns| this.ways.lock().unwrap_or_else(PoisonError::into_inner).get(pattern).copied();
        known(self).unwrap_or_else(|| {
            let way = self.find(pattern);
            self.ways.lock().unwrap_or_else(PoisonError::into_inner).insert(pattern.to_owned(), way);
            way
        })
    }

    fn find(&self, pattern: &str) -> Option<Way> {
        // Both keywords, since the library makes more of leading look-aheads in one of them.
        let schema = json!({ "pattern": pattern, "patternProperties": { pattern: true } });
        let options = jsonschema::options()
            .offline()
            .with_pattern_options(PatternOptions::regex())
            .with_pattern_cache(self.compiled());
        match options.build(&schema) {
            Ok(_) => Some(Way::Linear),
            Err(_) => keywords::can_be_tried(pattern).then_some(Way::Tried),
        }
    }
}

fn invalid(place: Place) -> Diagnostic {
    Diagnostic::error(place, "this pattern cannot be compiled")
        .reason("patterns are regular expressions as ECMA-262 has them, without slashes around, and of a bounded size")
        .help("correct it, or turn `validate` (for answers `validate_replies`) off where it is used")
}
