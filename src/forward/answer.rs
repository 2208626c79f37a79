//! What a client gets of the legacy service's answer: all of it, but for the fields of that connection.

use http::header::{CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderName, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderValue, Response, StatusCode};

use super::Forward;
use crate::body::Body;
use crate::head::Head;
use crate::problem::{Code, Problem};
use crate::socket::Turn;
use crate::translate::HttpResponse;
use crate::upstream::fields::{Named, stays};
use crate::upstream::{Answer, Tunnel};

impl Forward {
    /// An answer as the client gets it.
    pub(super) fn answer(&self, head: &Head, response: Response<Answer>) -> Result<HttpResponse, Problem> {
        let (mut parts, answer) = response.into_parts();
        let body = match answer {
            Answer::Whole(bytes) => Body::whole(bytes),
            Answer::Stream(mut download) => {
                download.is_of(self.upstream.name(), head.id.as_str());
                Body::Stream(Box::into_pin(download))
            }
            Answer::Tunnel(tunnel) => {
                self.switch(head, tunnel)?;
                Body::default()
            }
        };
        clean(&mut parts.headers, parts.status == StatusCode::SWITCHING_PROTOCOLS);
        Ok(Response::from_parts(parts, body))
    }

    /// Gives the client's connection its other half.
    fn switch(&self, head: &Head, tunnel: Tunnel) -> Result<(), Problem> {
        let turn = head.parts.extensions.get::<Turn>().ok_or_else(|| {
            Problem::new(
                Code::UpstreamReset,
                "the legacy service switched the protocol, which cannot be done here",
            )
            .because(self.upstream.name().to_owned())
        })?;
        turn.hand_over(Box::new(tunnel));
        Ok(())
    }
}

/// Takes out what stays between us and the legacy service. Mostly there is nothing.
fn clean(headers: &mut HeaderMap, switched: bool) {
    let named = Named::of(headers);
    let is_out = |name: &HeaderName| stays(name) || named.has(name);
    if !headers.keys().any(is_out) {
        return;
    }
    // Where both are said, the chunks are what counts (RFC 9112, section 6.3).
    let is_chunked = headers.contains_key(TRANSFER_ENCODING);
    let mut kept = HeaderMap::with_capacity(headers.len());
    for (name, value) in &*headers {
        if is_chunked && *name == CONTENT_LENGTH {
            continue;
        }
        if !is_out(name) || (switched && *name == UPGRADE) {
            kept.append(name.clone(), value.clone());
        }
    }
    if switched {
        kept.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    }
    *headers = kept;
}
