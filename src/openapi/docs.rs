//! The docs page and the document over HTTP, wherever they are mounted. Everything comes out of the binary, by addresses
//! relative to the page, so that it works behind any prefix, and nothing that a browser loads leaves the host.

mod asset;
mod negotiate;

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap, LOCATION,
    REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;

use super::Published;
use super::published::{digest, pack, unpack};
use asset::Asset;
use negotiate::{is_known, takes_gzip};

/// Scripts, styles and data from here alone, in nobody's frame. Swagger UI has its pictures in its style sheet.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");
const GZIP: HeaderValue = HeaderValue::from_static("gzip");

/// Where the docs are mounted.
#[derive(Debug, Clone)]
pub struct Docs {
    /// `/docs`
    at: String,
    /// Operations can be called on the same origin.
    calls: bool,
}

/// What is sent: packed, as most clients take it.
struct Content {
    media_type: &'static str,
    packed: Bytes,
    tag: String,
}

impl Docs {
    /// At a path, such as `/docs`; `calls`: the operations are on the same listener.
    pub fn new(at: &str, calls: bool) -> Docs {
        Docs { at: at.trim_end_matches('/').to_owned(), calls }
    }

    /// Every path that answers.
    pub fn paths(&self) -> impl Iterator<Item = String> {
        let beside = ["/", "/openapi.json", "/openapi.yaml"].into_iter().chain(Asset::names());
        std::iter::once(self.at.clone()).chain(beside.map(|name| format!("{}{name}", self.at)))
    }

    /// Whether a path is one of them.
    pub fn has(&self, path: &str) -> bool {
        let name = path.strip_prefix(self.at.as_str());
        name.is_some_and(|name| {
            matches!(name, "" | "/" | "/openapi.json" | "/openapi.yaml") || Asset::named(name).is_some()
        })
    }

    /// Answers a request for one of [`Self::paths`]; anything else is 404.
    pub fn answer(
        &self,
        published: &Published,
        method: &Method,
        path: &str,
        request: &HeaderMap,
    ) -> Response<Full<Bytes>> {
        let content = path.strip_prefix(self.at.as_str()).and_then(|name| self.content(published, name));
        let mut response = match content {
            _ if !matches!(*method, Method::GET | Method::HEAD) => not_allowed(),
            None if path.strip_prefix(self.at.as_str()) == Some("/") => self.without_slash(),
            None => empty(StatusCode::NOT_FOUND),
            Some(content) => content.response(request),
        };
        let headers = response.headers_mut();
        headers.insert(CONTENT_SECURITY_POLICY, POLICY);
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert(CACHE_CONTROL, NO_CACHE);
        response
    }

    fn content(&self, published: &Published, name: &str) -> Option<Content> {
        let (media_type, packed, tag) = match name {
            "" => {
                let page = pack(self.page().as_bytes());
                let tag = digest(&page);
                ("text/html; charset=utf-8", page, tag)
            }
            "/openapi.json" => ("application/json", published.packed_json(), published.tag().to_owned()),
            "/openapi.yaml" => ("application/yaml", published.packed_yaml(), published.tag().to_owned()),
            name => {
                let asset = Asset::named(name)?;
                let (packed, tag) = asset.packed();
                (asset.media_type, packed, tag.to_owned())
            }
        };
        Some(Content { media_type, packed, tag })
    }

    /// The page. It holds nothing of the document, which its script fetches.
    fn page(&self) -> String {
        let here = self.at.rsplit('/').next().unwrap_or_default();
        let calls = if self.calls { "yes" } else { "no" };
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>API documentation</title>\n\
             <link rel=\"icon\" href=\"data:,\">\n\
             <link rel=\"stylesheet\" href=\"{here}/swagger-ui.css\">\n<link rel=\"stylesheet\" href=\"{here}/docs.css\">\n\
             </head>\n<body>\n<nav aria-label=\"The document\"><a href=\"{here}/openapi.json\">openapi.json</a> \
             <a href=\"{here}/openapi.yaml\">openapi.yaml</a></nav>\n<main id=\"docs\" aria-busy=\"true\"></main>\n\
             <noscript>This page needs a script to show the document above.</noscript>\n\
             <script src=\"{here}/swagger-ui-bundle.js\"></script>\n\
             <script src=\"{here}/docs.js\" data-calls=\"{calls}\"></script>\n</body>\n</html>\n"
        )
    }

    /// With the slash, the addresses on the page would lead elsewhere.
    fn without_slash(&self) -> Response<Full<Bytes>> {
        let here = self.at.rsplit('/').next().unwrap_or_default();
        let mut response = empty(StatusCode::PERMANENT_REDIRECT);
        if let Ok(location) = HeaderValue::from_str(&format!("../{here}")) {
            response.headers_mut().insert(LOCATION, location);
        }
        response
    }
}

impl Content {
    fn response(self, request: &HeaderMap) -> Response<Full<Bytes>> {
        let gzip = takes_gzip(request);
        // Each encoding is a representation of its own.
        let tag = if gzip { format!("\"{}-gzip\"", self.tag) } else { format!("\"{}\"", self.tag) };
        let unchanged = is_known(request, &tag);
        let body = match (unchanged, gzip) {
            (true, _) => Bytes::new(),
            (false, true) => self.packed,
            (false, false) => unpack(&self.packed),
        };
        let mut response = Response::new(Full::new(body));
        if unchanged {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let headers = response.headers_mut();
        headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            headers.insert(ETAG, tag);
        }
        if !unchanged {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.media_type));
            if gzip {
                headers.insert(CONTENT_ENCODING, GZIP);
            }
        }
        response
    }
}

fn empty(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

fn not_allowed() -> Response<Full<Bytes>> {
    let mut response = empty(StatusCode::METHOD_NOT_ALLOWED);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}
