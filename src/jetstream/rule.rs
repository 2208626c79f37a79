//! Rules of manifests: each has a stable name, a severity and a reason, and all stand in one table.

mod reference;
mod table;

use crate::diagnostic::{Diagnostic, Place, Severity};

pub use reference::reference;
pub(crate) use table::*;
pub use table::{Topic, all};

/// One rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// In kebab case; what `--allow` takes. Never changes its meaning.
    pub name: &'static str,
    /// What it is about.
    pub topic: Topic,
    /// An error will not work, a warning works and probably not as meant.
    pub severity: Severity,
    /// What the server answers, as its `err_code`; none where it accepts what the rule forbids.
    pub refused: Option<u16>,
    /// Why it matters, in one line.
    pub why: &'static str,
}

impl Rule {
    /// A finding at a place, with the rule's severity and reason.
    pub(crate) fn at(&self, place: Place, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(self.severity, place, message).rule(self.name).reason(self.why)
    }
}

/// The rule of this name.
pub fn named(name: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.name == name)
}
