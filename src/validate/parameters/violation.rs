//! What is wrong with one parameter, as people read it.

use std::fmt;
use std::sync::Arc;

use super::pairs::MOST;
use crate::expression::Location;
use crate::problem;

/// What is wrong with one parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Where it stands.
    pub location: Location,
    /// Its name; empty: the location as a whole.
    pub name: Arc<str>,
    /// What is wrong, to be read after the name. Never quotes what was sent.
    pub detail: String,
}

impl Violation {
    /// There are more pairs than anybody looks at.
    pub(super) fn too_many(location: Location) -> Violation {
        Violation { location, name: "".into(), detail: format!("has more than {MOST} names") }
    }
}

/// `query.limit is not an integer`
impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dot = if self.name.is_empty() { "" } else { "." };
        write!(f, "{}{dot}{} {}", self.location, self.name, self.detail)
    }
}

impl From<&Violation> for problem::Violation {
    fn from(violation: &Violation) -> problem::Violation {
        let name = if violation.name.is_empty() {
            violation.location.to_string()
        } else {
            violation.name.to_string()
        };
        problem::Violation::parameter(name, violation.to_string())
    }
}
