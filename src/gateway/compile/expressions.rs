//! The expressions of one operation: all of them compiled, so that one run tells everything that is wrong with any.

use super::{Target, rate};
use crate::admit::RateLimit;
use crate::authenticate::Authorize;
use crate::config::{Binding, Defaults, Operation as Config};
use crate::diagnostic::Diagnostics;
use crate::expression::{Known, Position};
use crate::translate::case::Case;
use crate::translate::compile::Compiler;
use crate::translate::outbound::Mapping;
use crate::translate::problem::ProblemCase;

/// What is computed for each request.
pub(super) struct Expressions {
    pub(super) mapping: Option<Mapping>,
    pub(super) cases: Vec<Case>,
    pub(super) problems: Vec<ProblemCase>,
    pub(super) authorize: Option<Authorize>,
    pub(super) rate: Option<RateLimit>,
}

impl Expressions {
    /// Compiles them; `None` if something is wrong with one.
    pub(super) fn compile(
        target: &Target<'_>,
        written: &Config,
        defaults: &Defaults,
        known: &Known<'_>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Expressions> {
        let mut compiler = Compiler { operation: &target.key, known, diagnostics };
        let (mapping, cases) = match written.binding() {
            Some(Binding::Request(request)) => (
                compiler.request(request, defaults).map(Some),
                compiler.cases(&written.reply, Position::Reply),
            ),
            Some(Binding::Publish(publish)) => (
                compiler.publish(publish, defaults).map(Some),
                compiler.cases(&written.reply, Position::Stored),
            ),
            None => (Some(None), Some(Vec::new())),
        };
        let problems = compiler.problem_cases(&written.problem);
        let authorize = compiler.authorize(written.authorize.as_ref());
        let rate = rate::rate(&target.key, &written.limits, known, compiler.diagnostics);
        Some(Expressions {
            mapping: mapping?,
            cases: cases?,
            problems: problems?,
            authorize: authorize?.map(Authorize::new),
            rate: rate?,
        })
    }

    /// Whether any that needs a whole request reads a variable.
    pub(super) fn read(&self, variable: &str) -> bool {
        let cases = self.cases.iter().chain(self.problems.iter().map(|problem| &problem.case));
        self.mapping.as_ref().is_some_and(|mapping| mapping.reads(variable))
            || self.authorize.as_ref().is_some_and(|authorize| authorize.reads(variable))
            || cases.into_iter().any(|case| case.reads(variable))
    }
}
