//! The stage that says who calls. So far nobody is asked: an operation whose contract requires a security
//! scheme is refused when the configuration is compiled, so that none is open by oversight.

use crate::head::Head;
use crate::problem::Problem;

/// Who sent a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// Nobody was asked.
    Anonymous,
}

impl Caller {
    /// Separates the idempotency keys of callers, so that none can suppress another's message.
    /// Callers that are not authenticated share one space.
    pub fn key_space(&self) -> &str {
        match self {
            Caller::Anonymous => "",
        }
    }
}

/// Says who sent a request.
///
/// # Errors
/// None so far: `unauthenticated` comes with the first security scheme.
pub fn authenticate(_head: &Head) -> Result<Caller, Problem> {
    Ok(Caller::Anonymous)
}
