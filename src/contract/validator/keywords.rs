//! Keywords that are judged here instead of by the library: bounds of numbers, exact to the last digit, and patterns
//! that can only be matched by trying, within a bound.

use std::cell::Cell;
use std::cmp::Ordering;

use fancy_regex::{Regex, RegexBuilder};
use jsonschema::json::Node as _;
use jsonschema::paths::Location;
use jsonschema::{Keyword, ValidationError};
use serde_json::{Map, Value};

use super::instance::{Instance, Seen};
use crate::json::Decimal;

/// Where the schema's `pattern` stands if it can only be matched by trying.
pub(super) const TRIED_PATTERN: &str = "x-natsgate-tried-pattern";

/// Steps that a pattern may try on one text before it is tried once more at length.
const FEW_STEPS: usize = 2_000;
/// Steps that it may try at length.
const MANY_STEPS: usize = 200_000;
/// Texts that may be tried at length, of one body.
const AT_LENGTH: u32 = 8;

type Made<'a> = Result<Box<dyn for<'i> Keyword<'i, Instance>>, ValidationError<'a>>;

/// `minimum`, `maximum` and their exclusive forms.
struct Bound {
    limit: String,
    /// How a number may stand to the limit.
    allowed: &'static [Ordering],
    text: String,
}

impl Bound {
    fn new(limit: &Value, allowed: &'static [Ordering], what: &str) -> Bound {
        let limit = limit.to_string();
        Bound { text: format!("must be {what} {limit}"), limit, allowed }
    }
}

impl<'i> Keyword<'i, Instance> for Bound {
    fn validate(&self, instance: Seen<'i>) -> Result<(), ValidationError<'i>> {
        if self.is_valid(instance) { Ok(()) } else { Err(ValidationError::custom(self.text.clone())) }
    }

    fn is_valid(&self, instance: Seen<'i>) -> bool {
        instance.decimal().is_none_or(|number| self.allowed.contains(&number.cmp(&Decimal::new(&self.limit))))
    }
}

/// `multipleOf`
struct Multiple {
    of: String,
}

impl<'i> Keyword<'i, Instance> for Multiple {
    fn validate(&self, instance: Seen<'i>) -> Result<(), ValidationError<'i>> {
        match self.is_valid(instance) {
            true => Ok(()),
            false => Err(ValidationError::custom(format!("must be a multiple of {}", self.of))),
        }
    }

    fn is_valid(&self, instance: Seen<'i>) -> bool {
        instance.decimal().is_none_or(|number| number.is_multiple_of(&Decimal::new(&self.of)))
    }
}

/// Nothing to check: a flag that changes what another keyword means.
struct Flag;

impl<'i> Keyword<'i, Instance> for Flag {
    fn validate(&self, _: Seen<'i>) -> Result<(), ValidationError<'i>> {
        Ok(())
    }

    fn is_valid(&self, _: Seen<'i>) -> bool {
        true
    }
}

/// Makes the keyword of a name. Draft 4 writes exclusive bounds as flags.
pub(super) fn number<'a>(name: &str, parent: &'a Map<String, Value>, value: &'a Value) -> Made<'a> {
    let exclusive = |flag: &str| parent.get(flag) == Some(&Value::Bool(true));
    let at_least: &[Ordering] = &[Ordering::Greater, Ordering::Equal];
    let at_most: &[Ordering] = &[Ordering::Less, Ordering::Equal];
    let (above, below): (&[Ordering], &[Ordering]) = (&[Ordering::Greater], &[Ordering::Less]);
    if value.is_boolean() {
        return Ok(Box::new(Flag));
    }
    if !value.is_number() {
        return Err(ValidationError::schema(format!("`{name}` is not a number")));
    }
    Ok(Box::new(match name {
        "minimum" if exclusive("exclusiveMinimum") => Bound::new(value, above, "greater than"),
        "minimum" => Bound::new(value, at_least, "at least"),
        "exclusiveMinimum" => Bound::new(value, above, "greater than"),
        "maximum" if exclusive("exclusiveMaximum") => Bound::new(value, below, "less than"),
        "maximum" => Bound::new(value, at_most, "at most"),
        "exclusiveMaximum" => Bound::new(value, below, "less than"),
        _ => return Ok(Box::new(Multiple { of: value.to_string() })),
    }))
}

/// A `pattern` with look-around or back-references. The steps that it may try are counted; a text that takes more is
/// refused, since a client must not be able to keep the gateway busy.
struct TriedPattern {
    source: String,
    few: Regex,
    many: Regex,
}

thread_local! {
    /// Texts that may still be tried at length. One body is judged on one thread, from begin to end.
    static LEFT: Cell<u32> = const { Cell::new(0) };
}

/// Begins a new body.
pub(super) fn begin() {
    LEFT.set(AT_LENGTH);
}

impl TriedPattern {
    fn matches(&self, text: &str) -> Option<bool> {
        if let Ok(matches) = self.few.is_match(text) {
            return Some(matches);
        }
        let left = LEFT.get().checked_sub(1)?;
        LEFT.set(left);
        self.many.is_match(text).ok()
    }
}

impl<'i> Keyword<'i, Instance> for TriedPattern {
    fn validate(&self, instance: Seen<'i>) -> Result<(), ValidationError<'i>> {
        let Some(text) = instance.as_string() else { return Ok(()) };
        let detail = match self.matches(&text) {
            Some(true) => return Ok(()),
            Some(false) => super::sentence::pattern(&self.source),
            None => format!("takes too long to be matched against the pattern {}", self.source),
        };
        Err(ValidationError::custom(detail))
    }

    fn is_valid(&self, instance: Seen<'i>) -> bool {
        instance.as_string().is_none_or(|text| self.matches(&text) == Some(true))
    }
}

/// Makes the keyword [`TRIED_PATTERN`].
pub(super) fn tried_pattern<'a>(_: &'a Map<String, Value>, value: &'a Value, _: Location) -> Made<'a> {
    let invalid = || ValidationError::schema("this pattern cannot be compiled");
    let source = value.as_str().ok_or_else(invalid)?;
    let compile = |limit| regex(source, limit).ok_or_else(invalid);
    Ok(Box::new(TriedPattern {
        source: source.to_owned(),
        few: compile(FEW_STEPS)?,
        many: compile(MANY_STEPS)?,
    }))
}

/// Whether a pattern can be matched by trying.
pub(super) fn can_be_tried(pattern: &str) -> bool {
    regex(pattern, MANY_STEPS).is_some()
}

fn regex(pattern: &str, steps: usize) -> Option<Regex> {
    let translated = jsonschema_regex::to_rust_regex(pattern).ok()?;
    RegexBuilder::new(&translated).backtrack_limit(steps).build().ok()
}
