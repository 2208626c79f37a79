//! The body: read within its limit and its deadline, its media type checked, parsed only if something reads it.
//!
//! Where a contract declares no body, one that says nothing (`{}`, `null`, blanks) is dropped, since many clients
//! send it with every request; any other is refused, because nobody has said what it means.

use std::pin::pin;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderValue};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Body;
use tokio::time::{Instant, timeout_at};
use tower::BoxError;

use super::schema::BodySchemas;
use super::{form, violates};
use crate::config::Validation;
use crate::contract::{self, RequestBody};
use crate::head::Head;
use crate::json::Document;
use crate::media_type::MediaType;
use crate::problem::{Code, Problem, Violation};

/// A body that says nothing is shorter than this.
const LONGEST_NOTHING: u64 = 64;

/// What an operation takes as its body.
#[derive(Debug)]
pub struct BodyRules {
    /// Largest body in bytes.
    pub max: usize,
    /// An expression reads it: it must be JSON or a form, and no name may stand twice.
    pub read: bool,
    /// The contract requires one.
    pub required: bool,
    /// What it may be.
    pub admitted: Admitted,
    /// What it must look like, in the order of the contract's media types.
    pub schemas: BodySchemas,
    /// What is done with one that is something else.
    pub validation: Validation,
}

/// What a body may be.
#[derive(Debug, Clone)]
pub enum Admitted {
    /// Nobody says.
    Anything,
    /// The contract declares none.
    Nothing,
    /// What the contract lists; at least one.
    Types(RequestBody),
}

/// A body as it came, and parsed where that is needed.
#[derive(Debug, Default)]
pub struct Received {
    /// The bytes, untouched.
    pub bytes: Bytes,
    /// What the client says it is.
    pub content_type: Option<HeaderValue>,
    /// Which of the media types that the contract lists it has, by its number.
    pub media_type: Option<usize>,
    /// The same as JSON, if an expression or a check reads it.
    pub document: Option<Document>,
}

/// How bytes are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Form,
    Bytes,
}

impl Format {
    /// By what a client says.
    fn of(sent: Option<&MediaType<'_>>) -> Format {
        match sent {
            Some(sent) if sent.is_json() => Format::Json,
            Some(sent) if sent.is_form() => Format::Form,
            _ => Format::Bytes,
        }
    }
}

/// What a body is.
#[derive(Debug, Clone, Copy)]
struct Kind {
    format: Format,
    /// Its place in the contract's list.
    media_type: Option<usize>,
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
        let uninvited = matches!(self.admitted, Admitted::Nothing);
        if uninvited && announced >= LONGEST_NOTHING && self.validation == Validation::Enforce {
            return Err(unasked());
        }
        let kind = if body.is_end_stream() { None } else { Some(self.kind(head)?) };
        let bytes = collect(body, limit, deadline).await?;
        let content_type = head.headers().get(CONTENT_TYPE).cloned();
        let Some(kind) = kind.filter(|_| !bytes.is_empty()) else {
            if self.required {
                let problem = Problem::new(Code::MalformedBody, "this operation needs a body");
                violates(self.validation, head, problem)?;
            }
            return Ok(Received { content_type, ..Received::default() });
        };
        match uninvited && says_nothing(&bytes) {
            true if self.validation == Validation::Enforce => return Ok(Received::default()),
            false if uninvited => violates(self.validation, head, unasked())?,
            _ => {}
        }
        let document = self.document(head, &bytes, kind)?;
        Ok(Received { bytes, content_type, media_type: kind.media_type, document })
    }

    /// What the head says that the body is, if that is taken.
    fn kind(&self, head: &Head) -> Result<Kind, Problem> {
        if is_encoded(head.headers()) {
            return unsupported("send the body without a Content-Encoding");
        }
        let mut lines = head.headers().get_all(CONTENT_TYPE).iter();
        let (first, None) = (lines.next(), lines.next()) else {
            return unsupported("send one Content-Type");
        };
        // A client that does not say what it sends is taken at the contract's word, as its old server did.
        let Some(given) = first else { return Ok(self.usual()) };
        let sent = given.to_str().ok().and_then(MediaType::parse);
        let media_type = self.declared(head, sent.as_ref())?;
        let format = Format::of(sent.as_ref());
        let declares = matches!(self.admitted, Admitted::Types(_));
        let matters = self.read || (declares && self.validation == Validation::Enforce);
        if matters && format != Format::Bytes && sent.is_some_and(|sent| !sent.is_utf8()) {
            return unsupported("send the body in UTF-8");
        }
        if self.read && format == Format::Bytes {
            return unsupported("send the body with Content-Type: application/json");
        }
        Ok(Kind { format, media_type })
    }

    /// Which media type of the contract's list is sent, by its number.
    fn declared(&self, head: &Head, sent: Option<&MediaType<'_>>) -> Result<Option<usize>, Problem> {
        let Admitted::Types(body) = &self.admitted else { return Ok(None) };
        let media_type = sent.and_then(|sent| body.position(sent));
        if media_type.is_none() {
            let names: Vec<&str> = body.media_types.iter().map(|one| one.name.as_str()).collect();
            let detail = format!("send the body with Content-Type: {}", names.join(" or "));
            violates(self.validation, head, Problem::new(Code::UnsupportedMediaType, detail))?;
        }
        Ok(media_type)
    }

    /// What a body is of which nothing is said: JSON where that is possible, then a form.
    fn usual(&self) -> Kind {
        let Admitted::Types(body) = &self.admitted else {
            return Kind { format: Format::Json, media_type: None };
        };
        let first = |wanted: fn(&MediaType<'_>) -> bool| {
            let mut types = body.media_types.iter();
            types.position(|one| MediaType::parse(&one.name).is_some_and(|parsed| wanted(&parsed)))
        };
        let json = first(|declared| declared.is_json() || declared.openness() == 2);
        match (json, first(|declared| declared.is_form())) {
            (Some(json), _) => Kind { format: Format::Json, media_type: Some(json) },
            (None, Some(form)) => Kind { format: Format::Form, media_type: Some(form) },
            (None, None) => Kind { format: Format::Bytes, media_type: Some(0) },
        }
    }

    /// The body as JSON, if anything reads it.
    fn document(&self, head: &Head, bytes: &Bytes, kind: Kind) -> Result<Option<Document>, Problem> {
        let checked = kind.media_type.is_some_and(|media_type| self.schemas.checks(media_type));
        if !self.read && !checked {
            return Ok(None);
        }
        let parsed = match kind.format {
            Format::Json => parse(bytes.clone()),
            Format::Form => form::read(bytes, self.form(kind)),
            Format::Bytes if self.read => {
                return unsupported("send the body with Content-Type: application/json");
            }
            Format::Bytes => return Ok(None),
        };
        match parsed {
            Ok(document) => Ok(Some(document)),
            Err(problem) if self.read => Err(problem),
            Err(problem) => violates(self.validation, head, problem).map(|()| None),
        }
    }

    fn form(&self, kind: Kind) -> Option<&contract::Form> {
        let Admitted::Types(body) = &self.admitted else { return None };
        body.media_types.get(kind.media_type?)?.form.as_ref()
    }
}

fn unsupported<T>(detail: &'static str) -> Result<T, Problem> {
    Err(Problem::new(Code::UnsupportedMediaType, detail))
}

fn unasked() -> Problem {
    Problem::new(Code::UnsupportedMediaType, "this operation takes no body")
}

/// Whether a body is encoded in any way. The header is a list, and may come in several lines.
fn is_encoded(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(CONTENT_ENCODING).iter();
    let mut codings = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    codings.any(|coding| {
        let coding = coding.trim_ascii();
        !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity")
    })
}

/// Whether a body carries no information: blanks, `{}`, `[]`, `null`, `""`.
fn says_nothing(bytes: &[u8]) -> bool {
    let said: Vec<u8> = bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).take(5).collect();
    matches!(said.as_slice(), b"" | b"{}" | b"[]" | b"null" | b"\"\"")
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
