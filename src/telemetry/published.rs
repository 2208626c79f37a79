//! What came of the messages for one stream.

use std::sync::Arc;

use super::counts::{Counts, OTHER};
use crate::problem::Code;

/// A result for each code, and those that are none.
const RESULTS: usize = 48;

/// What came of the messages that were published to one stream.
#[derive(Debug)]
pub struct Published {
    stream: Arc<str>,
    results: Counts<Publication>,
}

/// What came of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Publication {
    /// The stream has stored it.
    Stored,
    /// The stream had stored it before.
    Duplicate,
    /// Nobody waited for the acknowledgement.
    Abandoned,
    /// It was not acknowledged, for this reason.
    Failed(Code),
}

impl Publication {
    /// As a label has it.
    pub fn name(self) -> &'static str {
        match self {
            Publication::Stored => "stored",
            Publication::Duplicate => "duplicate",
            Publication::Abandoned => "abandoned",
            Publication::Failed(code) => code.name(),
        }
    }
}

impl Published {
    /// Those of a stream.
    pub(super) fn to(stream: Arc<str>) -> Published {
        Published { stream, results: Counts::new(RESULTS) }
    }

    /// The stream's name.
    pub fn stream(&self) -> &str {
        &self.stream
    }

    /// Counts one.
    pub fn add(&self, publication: Publication) {
        self.results.add(publication);
    }

    /// Every result, with how many there were.
    pub fn results(&self) -> Vec<(&'static str, u64)> {
        let result = |(publication, count): (Option<Publication>, u64)| {
            (publication.map_or(OTHER, Publication::name), count)
        };
        self.results.read().into_iter().map(result).collect()
    }
}
