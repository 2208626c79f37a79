//! The stage that hands a request to the legacy service and its answer back, as they came, but for what is of one
//! connection alone and what the service is told of the client.

mod answer;
mod forwarded;
mod path;
mod request;

use std::sync::Arc;

use bytes::Bytes;
use http::header::HeaderName;
use http::request::Parts;

use crate::body::Body;
use crate::problem::{Code, Outcome, Problem};
use crate::translate::{HttpResponse, Seen};
use crate::upstream::{Failure, Upstream};
pub use path::Path;

/// On copies of requests that somebody else answers.
pub const SHADOW: HeaderName = HeaderName::from_static("natsgate-shadow");

/// A binding to the legacy service.
#[derive(Debug)]
pub struct Forward {
    /// The service.
    pub upstream: Arc<Upstream>,
    /// The path there, if it is not the one that came.
    pub path: Option<Path>,
    /// Longest body, in bytes.
    pub longest: u64,
}

impl Forward {
    /// To a service, with nothing changed.
    pub fn to(upstream: Arc<Upstream>) -> Forward {
        Forward { upstream, path: None, longest: u64::MAX }
    }

    /// Hands a request over, and its answer back. `copy`: somebody else answers it.
    ///
    /// # Errors
    /// `upstream_unreachable`, `upstream_reset`, `upstream_timeout`, `overloaded`, `body_too_large`, `request_timeout`.
    pub async fn send(&self, seen: Seen<'_>, body: Body, copy: bool) -> Result<HttpResponse, Problem> {
        let request = self.request(seen, body, copy)?;
        let answered = self.upstream.send(request, self.longest).await;
        let response = answered.map_err(|failure| self.problem(&failure))?;
        self.answer(seen.head, response)
    }

    /// The head of what would be sent, without sending it: and the whole URL, at the service's first address.
    ///
    /// # Errors
    /// `invalid_parameter`, `body_too_large`.
    pub fn outgoing(&self, seen: Seen<'_>, body: Bytes) -> Result<(Option<String>, Parts), Problem> {
        let mut request = self.request(seen, Body::whole(body), false)?;
        let url = self.upstream.aim(&mut request);
        Ok((url, request.into_parts().0))
    }

    fn problem(&self, failure: &Failure) -> Problem {
        let (code, detail) = match failure {
            Failure::Unreachable(_) => (Code::UpstreamUnreachable, "the legacy service cannot be reached"),
            Failure::Busy => (Code::Overloaded, "every connection to the legacy service is in use"),
            Failure::Reset(_) => {
                (Code::UpstreamReset, "the legacy service broke the connection before it answered")
            }
            Failure::Timeout => (Code::UpstreamTimeout, "the legacy service did not answer in time"),
            Failure::Client(_) | Failure::Stalled => (Code::RequestTimeout, "the body did not arrive"),
            Failure::TooLarge => {
                let problem = self.too_large();
                return Problem { outcome: Some(Outcome::Unknown), ..problem };
            }
        };
        let mut problem = Problem::new(code, detail).because(format!("{}: {failure}", self.upstream.name()));
        if code == Code::RequestTimeout {
            // The legacy service has had a part of it.
            problem.outcome = Some(Outcome::Unknown);
        }
        problem
    }

    fn too_large(&self) -> Problem {
        Problem::new(Code::BodyTooLarge, format!("the body may have {} bytes", self.longest))
    }
}
