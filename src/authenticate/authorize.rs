//! `authorize`: the condition that an operation sets on its caller. Whoever cannot be judged is refused.

use crate::expression::{Expression, Scope};
use crate::problem::{Code, Problem};

/// A condition on the caller.
#[derive(Debug)]
pub struct Authorize {
    condition: Expression,
}

impl Authorize {
    /// A condition that was compiled.
    pub fn new(condition: Expression) -> Authorize {
        Authorize { condition }
    }

    /// As it was written.
    pub fn source(&self) -> &str {
        self.condition.source()
    }

    /// Whether it reads a variable. One that does not read `body` is decided before the body is.
    pub fn reads(&self, variable: &str) -> bool {
        self.condition.reads(variable)
    }

    /// Decides.
    ///
    /// # Errors
    /// `forbidden`, also if the condition has no value for this request.
    pub fn check(&self, scope: &Scope<'_>) -> Result<(), Problem> {
        match self.condition.bool(scope) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Problem::new(Code::Forbidden, "this caller may not do this")),
            Err(error) => {
                let detail = "whether this caller may do this cannot be decided for this request";
                let cause = format!("${{{}}}: {error}", error.expression);
                Err(Problem::new(Code::Forbidden, detail).because(cause))
            }
        }
    }
}
