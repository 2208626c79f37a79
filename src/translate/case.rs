//! One `reply` or `problem` case: when it applies, and the status, headers and body that it makes.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, SET_COOKIE, VARY};
use http::{HeaderName, HeaderValue, StatusCode};

use super::header_value;
use crate::expression::{EvalError, Expression, Scope};
use crate::template::Template;
use crate::template::payload::PayloadTemplate;

/// `application/json`, for every body that a template makes.
pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A compiled case.
#[derive(Debug)]
pub struct Case {
    /// Its condition; `None`: always.
    pub when: Option<Expression>,
    /// The status it answers with; `None`: what the reply would have had.
    pub status: Option<StatusCode>,
    /// Headers it sets.
    pub headers: Vec<(HeaderName, Template)>,
    /// The body it makes; `None`: what the reply or problem has.
    pub body: Option<CaseBody>,
}

/// The body of a case.
#[derive(Debug)]
pub enum CaseBody {
    /// A JSON document.
    Json(PayloadTemplate),
    /// Text of the media type that the case names.
    Text(Template),
}

impl Case {
    /// Whether it reads a variable, such as `reply`.
    pub fn reads(&self, variable: &str) -> bool {
        let body = match &self.body {
            None => false,
            Some(CaseBody::Json(template)) => template.reads(variable),
            Some(CaseBody::Text(template)) => template.reads(variable),
        };
        let headers = self.headers.iter().any(|(_, template)| template.reads(variable));
        body || headers || self.when.as_ref().is_some_and(|when| when.reads(variable))
    }

    /// Whether it applies.
    pub(super) fn holds(&self, scope: &Scope<'_>) -> Result<bool, EvalError> {
        self.when.as_ref().map_or(Ok(true), |when| when.bool(scope))
    }

    /// Its body, if it makes one, and the media type that goes with it unless a header of the case differs.
    pub(super) fn body(&self, scope: &Scope<'_>) -> Result<Option<Bytes>, EvalError> {
        match &self.body {
            None => Ok(None),
            Some(CaseBody::Json(template)) => template.render(scope).map(Some),
            Some(CaseBody::Text(template)) => {
                Ok(Some(template.render(scope)?.unwrap_or_default().into_owned().into()))
            }
        }
    }

    /// Sets its headers; a value that HTTP does not allow is left out. A service's cookies stay beside its own, and so
    /// does what else the answer varies by.
    pub(super) fn set_headers(&self, scope: &Scope<'_>, headers: &mut HeaderMap) -> Result<(), EvalError> {
        if self.body.is_some() {
            headers.insert(CONTENT_TYPE, JSON);
        }
        for (name, template) in &self.headers {
            let Some(value) = template.render(scope)? else { continue };
            let Some(value) = header_value(&value) else { continue };
            if *name == VARY || *name == SET_COOKIE {
                headers.append(name, value);
            } else {
                headers.insert(name, value);
            }
        }
        Ok(())
    }
}
