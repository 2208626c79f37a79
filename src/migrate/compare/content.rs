//! The content of an answer, its content coding undone where we know it.

use std::borrow::Cow;
use std::io::Read;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};

use super::super::Answer;
use super::Skip;
use crate::media_type::MediaType;

/// The bytes that stand behind an answer's content coding.
pub(super) fn decoded<'a>(answer: &'a Answer, body: &'a [u8], most: usize) -> Result<Cow<'a, [u8]>, Skip> {
    let mut codings = answer.headers.get_all(CONTENT_ENCODING).iter();
    let Some(coding) = codings.next().filter(|_| !body.is_empty()) else { return Ok(Cow::Borrowed(body)) };
    let coding = coding.to_str().unwrap_or_default().trim();
    let is = |name: &str| coding.eq_ignore_ascii_case(name);
    if codings.next().is_some() {
        return Err(Skip::Encoded);
    }
    match () {
        () if is("identity") => Ok(Cow::Borrowed(body)),
        () if is("gzip") || is("x-gzip") => limited(flate2::read::MultiGzDecoder::new(body), most),
        // What is called deflate is a zlib stream, and with some servers a bare one.
        () if is("deflate") => match body.first().is_some_and(|first| first & 0x0f == 8) {
            true => limited(flate2::read::ZlibDecoder::new(body), most),
            false => limited(flate2::read::DeflateDecoder::new(body), most),
        },
        () => Err(Skip::Encoded),
    }
}

fn limited<'a>(reader: impl Read, most: usize) -> Result<Cow<'a, [u8]>, Skip> {
    let mut out = Vec::new();
    reader.take(most as u64 + 1).read_to_end(&mut out).map_err(|_| Skip::Encoded)?;
    if out.len() > most { Err(Skip::BodyTooLong) } else { Ok(Cow::Owned(out)) }
}

/// The media type of an answer, without parameters and in lower case; none if it has none that is one.
pub(in super::super) fn media_type(answer: &Answer) -> Option<String> {
    let text = answer.headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let media_type = MediaType::parse(text)?;
    let essence = format!("{}/{}", media_type.kind, media_type.subtype);
    (essence.len() <= 80).then(|| essence.to_ascii_lowercase())
}

/// Whether an answer says that it is JSON.
pub(super) fn says_json(answer: &Answer) -> bool {
    let text = answer.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    text.and_then(MediaType::parse).is_some_and(|media_type| media_type.is_json())
}
