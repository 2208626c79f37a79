//! The path at the legacy service where that differs: a template, each placeholder of which stays inside its segment.

use http::uri::PathAndQuery;

use crate::problem::{Code, Problem};
use crate::template::path::PathTemplate;
use crate::translate::{Seen, unfit_request};

/// The path there.
#[derive(Debug)]
pub struct Path(pub PathTemplate);

impl Path {
    /// The target of one request: this path, and the query as it came.
    pub(super) fn render(&self, seen: Seen<'_>) -> Result<PathAndQuery, Problem> {
        let rendered = self.0.render(&seen.scope(None, None));
        let mut target = rendered.map_err(|error| unfit_request(&error, seen.head))?;
        if let Some(query) = seen.head.parts.uri.query() {
            target.push('?');
            target.push_str(query);
        }
        let unfit =
            |_| Problem::new(Code::InvalidParameter, "the path at the legacy service would not be legal");
        PathAndQuery::try_from(target).map_err(unfit)
    }
}
