//! `limits.rate`: whose requests it counts together, compiled.

use std::num::NonZeroU32;
use std::sync::Arc;

use crate::admit::{Limiter, Per, RateLimit};
use crate::config::Limits;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::expression::{Known, Position};
use crate::template::Template;
use crate::yaml::Located;

/// Requests that may come at once at most, unless the operator says how many.
const MOST_AT_ONCE: u32 = 1000;
/// What has not been decoded when a request is counted.
const UNREAD: [&str; 3] = ["query", "cookie", "body"];

/// The rate of an operation, if it has one. `None` if something is wrong with it.
pub(super) fn rate(
    operation: &str,
    limits: &Limits,
    known: &Known<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Option<RateLimit>> {
    let Some(rate) = &limits.rate else { return Some(None) };
    let per = match &limits.per {
        None => Per::Caller,
        Some(per) => match per.as_str() {
            // By the text of an IPv6 address, whoever has a network of them would never be held back.
            "ip" | "${request.ip}" => Per::Ip,
            "caller" => Per::Caller,
            _ => Per::Value(value(per, known, diagnostics)?),
        },
    };
    // One that is 0 has been told when the file was loaded.
    let burst = match &limits.burst {
        Some(burst) => NonZeroU32::new(burst.value)?,
        None => NonZeroU32::new(MOST_AT_ONCE)?.min(rate.count),
    };
    let limiter = Limiter::new(rate.count, rate.per, burst);
    Some(Some(RateLimit::new(operation, Arc::new(limiter), per)))
}

fn value(per: &Located<String>, known: &Known<'_>, diagnostics: &mut Diagnostics) -> Option<Template> {
    let template = match Template::compile(per, Position::Request, known) {
        Ok(template) => template,
        Err(errors) => {
            for error in errors {
                let place = diagnostics.inside(per.place, per, error.offset);
                diagnostics.push(Diagnostic::error(place, error.message).help(error.help));
            }
            return None;
        }
    };
    if template.is_constant().is_some() {
        diagnostics.push(
            Diagnostic::error(per.place, "`per` is the same for every request")
                .reason("all callers together would share one quota")
                .help("name what tells callers apart: ${claims.org}; to bound all of them together, use `in_flight`"),
        );
        return None;
    }
    let unread = UNREAD.iter().find(|variable| template.reads(variable));
    if let Some(variable) = unread {
        diagnostics.push(
            Diagnostic::error(per.place, format!("`per` cannot read `{variable}`"))
                .reason("a request is counted before its parameters and its body are read")
                .help("count by `claims`, `caller`, `header`, `path` or `request`"),
        );
        return None;
    }
    Some(template)
}
