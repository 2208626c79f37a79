//! Calls from web pages of other origins (the CORS protocol of the Fetch standard): preflights are answered, and every
//! answer says which page may read it. Nothing is kept from anybody but pages in a browser.

use std::collections::HashSet;

use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, ORIGIN, VARY,
};
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};

use crate::body::Body;
use crate::config;
use crate::translate::HttpResponse;
use crate::yaml::Located;

/// What the gateway and services by default tell in headers that browsers keep from pages.
const EXPOSED: &str = "ETag, Idempotent-Replayed, Link, Location, Natsgate-Code, Natsgate-Idempotency, \
    Natsgate-Outcome, Natsgate-Request-Id, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-Id";
/// Longest list of headers that a page asks for.
const LONGEST: usize = 4096;
const TRUE: HeaderValue = HeaderValue::from_static("true");
const EVERYBODY: HeaderValue = HeaderValue::from_static("*");
const BY_ORIGIN: HeaderValue = HeaderValue::from_static("Origin");
const BY_PREFLIGHT: HeaderValue =
    HeaderValue::from_static("Access-Control-Request-Method, Access-Control-Request-Headers");

/// Who may call, and how.
#[derive(Debug, Clone)]
pub struct Cors {
    /// `None`: every page.
    origins: Option<HashSet<HeaderValue>>,
    credentials: bool,
    /// `None`: what a page asks for.
    headers: Option<HeaderValue>,
    exposed: HeaderValue,
    max_age: HeaderValue,
}

impl Cors {
    /// What a configuration that has been checked says.
    pub fn new(cors: &config::Cors) -> Cors {
        let everybody = cors.origins.iter().any(|origin| *origin.value == *"*");
        let origins = cors.origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
        Cors {
            origins: (!everybody).then(|| origins.collect()),
            credentials: cors.credentials,
            headers: cors.headers.as_deref().and_then(listed),
            exposed: cors.expose.as_deref().and_then(listed).unwrap_or(HeaderValue::from_static(EXPOSED)),
            max_age: HeaderValue::from(cors.max_age.0.as_secs()),
        }
    }

    /// Says on an answer whether the page that asked may read it.
    pub fn mark(&self, request: &HeaderMap, answer: &mut HeaderMap) {
        if self.origins.is_some() {
            // Also where it is not allowed, or none is named: a cache must not hand it to another origin.
            answer.append(VARY, BY_ORIGIN);
        }
        // It is for the gateway to say, whatever a service thinks of it.
        answer.remove(ACCESS_CONTROL_ALLOW_CREDENTIALS);
        match self.allowed(request) {
            None => drop(answer.remove(ACCESS_CONTROL_ALLOW_ORIGIN)),
            Some(origin) => {
                answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
                answer.insert(ACCESS_CONTROL_EXPOSE_HEADERS, self.exposed.clone());
                if self.credentials {
                    answer.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
                }
            }
        }
    }

    /// Whether a request asks for leave to send another one, for a page that may have it.
    pub fn is_preflight(&self, method: &Method, request: &HeaderMap) -> bool {
        *method == Method::OPTIONS
            && request.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
            && self.allowed(request).is_some()
    }

    /// The answer to a preflight for a path that has these methods. It must be marked as every answer.
    pub fn preflight(&self, request: &HeaderMap, methods: &str) -> HttpResponse {
        let mut response = Response::new(Body::default());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let answer = response.headers_mut();
        if let Ok(methods) = HeaderValue::from_str(methods) {
            answer.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
        }
        if let Some(headers) = self.headers.clone().or_else(|| asked_for(request)) {
            answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, headers);
        }
        answer.insert(ACCESS_CONTROL_MAX_AGE, self.max_age.clone());
        answer.append(VARY, BY_PREFLIGHT);
        response
    }

    /// What `Access-Control-Allow-Origin` says.
    fn allowed(&self, request: &HeaderMap) -> Option<HeaderValue> {
        let mut origins = request.get_all(ORIGIN).iter();
        let (Some(origin), None) = (origins.next(), origins.next()) else { return None };
        match &self.origins {
            None => Some(EVERYBODY),
            Some(allowed) => allowed.get(origin).cloned(),
        }
    }
}

/// The headers that a page asks for, if they are names.
fn asked_for(request: &HeaderMap) -> Option<HeaderValue> {
    let asked = request.get(ACCESS_CONTROL_REQUEST_HEADERS).filter(|asked| asked.len() <= LONGEST)?;
    let is_name = |name: &str| HeaderName::from_bytes(name.trim().as_bytes()).is_ok();
    asked.to_str().ok()?.split(',').all(is_name).then(|| asked.clone())
}

fn listed(names: &[Located<String>]) -> Option<HeaderValue> {
    let names: Vec<&str> = names.iter().map(|name| name.value.as_str()).collect();
    HeaderValue::from_str(&names.join(", ")).ok()
}
