//! The methods that a path has, for the header `Allow`.

use std::fmt;

use http::Method;

/// A set of methods. Where there is GET there is HEAD; OPTIONS is always answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allow(Vec<Method>);

impl Allow {
    pub(super) fn new(mut methods: Vec<Method>) -> Allow {
        if methods.contains(&Method::GET) {
            methods.push(Method::HEAD);
        }
        methods.push(Method::OPTIONS);
        methods.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        methods.dedup();
        Allow(methods)
    }

    /// The methods, in alphabetical order.
    pub fn methods(&self) -> &[Method] {
        &self.0
    }
}

/// As the header has it: `GET, HEAD, OPTIONS`.
impl fmt::Display for Allow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, method) in self.0.iter().enumerate() {
            write!(f, "{}{method}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}
