//! A request and a reply for the unit tests of expressions and templates.

use super::*;
use crate::json::Document;
use bytes::Bytes;
use http::HeaderMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, SystemTime};

pub(crate) struct Fixture {
    pub(crate) path: Vec<Parameter>,
    pub(crate) query: Vec<Parameter>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Document>,
    pub(crate) claims: Option<Document>,
    pub(crate) reply: Option<Document>,
    pub(crate) reply_headers: async_nats::HeaderMap,
}

/// Nothing is declared but the path's parameters.
pub(crate) const ANY: Known<'static> = Known {
    path: &["id", "email"],
    query: Names::Any,
    header: Names::Any,
    cookie: Names::Any,
    body: KnownBody::Any,
    caller: Occurrence::Always,
    claims: Occurrence::Always,
};

pub(crate) fn text(name: &str, value: &str) -> Parameter {
    Parameter { name: name.into(), value: ParameterValue::Text(value.to_owned()) }
}

pub(crate) fn document(text: &str) -> Document {
    Document::parse(Bytes::copy_from_slice(text.as_bytes())).unwrap()
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let mut headers = HeaderMap::new();
        headers.insert("x-request-id", "r-1".parse().unwrap());
        headers.append("accept", "text/html".parse().unwrap());
        headers.append("accept", "text/plain".parse().unwrap());
        headers.insert("x-binary", http::HeaderValue::from_bytes(b"\xff").unwrap());
        let mut reply_headers = async_nats::HeaderMap::new();
        reply_headers.insert("X-Kind", "fast");
        Self {
            path: vec![text("id", "u-7"), text("email", "a.b@c d")],
            query: vec![
                text("q", "x"),
                Parameter { name: "limit".into(), value: ParameterValue::Json("10".to_owned()) },
                Parameter {
                    name: "filter".into(),
                    value: ParameterValue::Json(r#"{"age":[1,2]}"#.to_owned()),
                },
            ],
            headers,
            body: Some(document(
                r#"{"name":"Ann \"A\"","n":3,"big":123456789012345678901234567890,"pi":3.14159265358979323846264338,
                   "flag":true,"nil":null,"a b":"spaced","items":[{"id":"i1","tags":["x"]},{"id":"i2","tags":[]}],
                   "deep":{"a":{"b":1}},"secret":"hunter2"}"#,
            )),
            claims: Some(document(r#"{"iss":"https://id","sub":"ann","org":"acme","roles":["a","b"]}"#)),
            reply: Some(document(r#"{"success":true,"message":"done","id":9}"#)),
            reply_headers,
        }
    }

    pub(crate) fn scope(&self) -> Scope<'_> {
        Scope {
            path: &self.path,
            query: &self.query,
            cookies: &[],
            header_parameters: &[],
            headers: &self.headers,
            body: self.body.as_ref(),
            caller: Some(CallerInfo {
                name: "ann",
                verifier: "people",
                scopes: r#"["read","write"]"#,
                claims: self.claims.as_ref(),
            }),
            request: RequestInfo {
                id: "req-1",
                method: "POST",
                path: "/users/u-7",
                time: SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123),
                ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            },
            reply: Some(ReplyInfo {
                document: self.reply.as_ref(),
                status: 200,
                ack: Some(AckInfo { stream: "STACKS", sequence: 42, duplicate: false }),
                headers: Some(&self.reply_headers),
            }),
            problem: Some(ProblemInfo {
                code: "timeout",
                status: 504,
                title: "Timeout",
                detail: "no reply by the deadline",
                outcome: "unknown",
                retryable: false,
                request_id: "req-1",
            }),
        }
    }
}
