//! The console: one page, whose files are in the program. Nothing in them is secret, so that they are open; the data come
//! from the API, which is not.

use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue};

use super::Admin;

/// The page may load its own style and program and ask the API of its own origin. Nothing else, and nobody may frame it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";
const HTML: &str = "text/html; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const PROGRAM: &str = "text/javascript; charset=utf-8";
const IMAGE: &str = "image/svg+xml";

macro_rules! files {
    ($($path:literal $media_type:ident $file:literal;)*) => {
        /// Where each file is served, as what.
        const FILES: &[(&str, &str, &str)] =
            &[$(($path, $media_type, include_str!(concat!("console/", $file)))),*];
    };
}

files! {
    "/" HTML "index.html";
    "/console" HTML "index.html";
    "/console/console.css" STYLE "console.css";
    "/console/icon.svg" IMAGE "icon.svg";
    "/console/main.js" PROGRAM "main.js";
    "/console/api.js" PROGRAM "api.js";
    "/console/dom.js" PROGRAM "dom.js";
    "/console/format.js" PROGRAM "format.js";
    "/console/history.js" PROGRAM "history.js";
    "/console/table.js" PROGRAM "table.js";
    "/console/overview.js" PROGRAM "overview.js";
    "/console/operations.js" PROGRAM "operations.js";
    "/console/migrations.js" PROGRAM "migrations.js";
    "/console/migration.js" PROGRAM "migration.js";
    "/console/streams.js" PROGRAM "streams.js";
    "/console/keys.js" PROGRAM "keys.js";
    "/console/problems.js" PROGRAM "problems.js";
    "/console/configuration.js" PROGRAM "configuration.js";
}

pub(super) fn router() -> Router<Admin> {
    FILES.iter().fold(Router::new(), |router, (path, media_type, text)| {
        router.route(path, get(move || async move { file(media_type, text) }))
    })
}

fn file(media_type: &'static str, text: &'static str) -> Response {
    const HEADERS: [(HeaderName, &str); 6] = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CACHE_CONTROL, "no-cache"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    let mut response = text.into_response();
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}
