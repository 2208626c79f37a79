//! The body: read within its limit and its deadline, its media type checked, parsed only if something reads it.

use std::pin::pin;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Body;
use tokio::time::{Instant, timeout_at};
use tower::BoxError;

use crate::head::Head;
use crate::json::Document;
use crate::problem::{Code, Problem, Violation};

/// What an operation takes as its body.
#[derive(Debug, Clone, Default)]
pub struct BodyRules {
    /// Largest body in bytes.
    pub max: usize,
    /// An expression reads it: it must be JSON, without a member name that stands twice.
    pub json: bool,
    /// The contract requires one.
    pub required: bool,
    /// The media types that the contract declares, lower case, without parameters; empty: any.
    pub media_types: Vec<String>,
}

/// A body as it came, and parsed where that is needed.
#[derive(Debug, Default)]
pub struct Received {
    /// The bytes, untouched.
    pub bytes: Bytes,
    /// What the client says it is.
    pub content_type: Option<HeaderValue>,
    /// The same as JSON, if an expression reads it.
    pub document: Option<Document>,
}

impl BodyRules {
    /// Reads a body. `max_payload` is the server's own limit, in bytes.
    ///
    /// # Errors
    /// `unsupported_media_type`, `body_too_large`, `request_timeout`, `malformed_body`.
    pub async fn read<B: Body<Data = Bytes, Error: Into<BoxError>>>(
        &self,
        head: &Head,
        body: B,
        max_payload: Option<usize>,
        deadline: Instant,
    ) -> Result<Received, Problem> {
        let limit = self.max.min(max_payload.unwrap_or(usize::MAX));
        let announced = body.size_hint().lower();
        if announced > limit as u64 {
            return Err(too_large(limit));
        }
        if !body.is_end_stream() {
            self.check_media_type(head.headers())?;
        }
        let bytes = collect(body, limit, deadline).await?;
        if bytes.is_empty() && self.required {
            return Err(Problem::new(Code::MalformedBody, "this operation needs a body"));
        }
        let document = if self.json && !bytes.is_empty() { Some(parse(bytes.clone())?) } else { None };
        Ok(Received { bytes, content_type: head.headers().get(CONTENT_TYPE).cloned(), document })
    }

    fn check_media_type(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let unsupported = |detail: String| Err(Problem::new(Code::UnsupportedMediaType, detail));
        let encoded = headers
            .get_all(CONTENT_ENCODING)
            .iter()
            .any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"));
        if encoded {
            return unsupported("send the body without a Content-Encoding".to_owned());
        }
        // A client that does not say what it sends is taken at the contract's word, as its old server did.
        let Some(given) = headers.get(CONTENT_TYPE) else { return Ok(()) };
        let given = given.to_str().unwrap_or_default();
        let essence = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if !self.media_types.is_empty() && !self.media_types.iter().any(|declared| covers(declared, &essence))
        {
            return unsupported(format!(
                "send the body with Content-Type: {}",
                self.media_types.join(" or ")
            ));
        }
        if self.json && !is_json(&essence) {
            return unsupported("send the body with Content-Type: application/json".to_owned());
        }
        Ok(())
    }
}

fn covers(declared: &str, essence: &str) -> bool {
    match declared.strip_suffix("/*") {
        Some("*") => true,
        Some(kind) => essence.split('/').next() == Some(kind),
        None => declared == essence,
    }
}

/// Whether a media type (without parameters) is JSON.
pub fn is_json(essence: &str) -> bool {
    essence == "application/json" || essence.ends_with("+json")
}

async fn collect<B: Body<Data = Bytes, Error: Into<BoxError>>>(
    body: B,
    limit: usize,
    deadline: Instant,
) -> Result<Bytes, Problem> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    match timeout_at(deadline, pin!(Limited::new(body, limit)).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large(limit)),
        Ok(Err(error)) => {
            Err(Problem::new(Code::MalformedBody, "the body broke off").because(error.to_string()))
        }
        Err(_) => Err(Problem::new(Code::RequestTimeout, "the body did not arrive before the deadline")),
    }
}

fn too_large(limit: usize) -> Problem {
    Problem::new(Code::BodyTooLarge, format!("the body may have {limit} bytes"))
}

fn parse(bytes: Bytes) -> Result<Document, Problem> {
    Document::parse(bytes).map_err(|malformed| {
        let violation =
            Violation { pointer: malformed.pointer, parameter: None, detail: malformed.message.clone() };
        Problem::new(Code::MalformedBody, malformed.message).with_errors(vec![violation])
    })
}
