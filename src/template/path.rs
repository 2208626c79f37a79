//! Paths of URLs with placeholders. Whatever a caller sends, what comes out has the segments that the author wrote: each
//! value is percent-encoded, and none makes a segment empty or one that leads elsewhere (`.`, `..`).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Part, Template, refuse_absent};
use crate::expression::{EvalError, ExpressionError, Known, Position, Reason, Scope};

/// What a segment may not hold as it is; the unreserved characters of RFC 3986 may stand.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The template of a path.
#[derive(Debug)]
pub struct PathTemplate(Template);

impl PathTemplate {
    /// Compiles a path.
    ///
    /// # Errors
    /// Everything that is wrong: expressions, and text that is no path.
    pub fn compile(text: &str, known: &Known<'_>) -> Result<Self, Vec<ExpressionError>> {
        let template = Template::compile(text, Position::Request, known)?;
        let mut errors: Vec<_> = refuse_absent(&template, "a path").into_iter().collect();
        if !text.starts_with('/') {
            errors.push(ExpressionError::new("a path begins with `/`", "write `/v2/users/${path.id}`", 0));
        }
        let legal = |c: char| c.is_ascii_graphic() && !"?#\"<>\\^`{|}".contains(c);
        let literals = template.parts.iter().filter_map(|part| match part {
            Part::Literal(text) => Some(text.as_str()),
            Part::Expression(_) => None,
        });
        for literal in literals {
            if let Some(illegal) = literal.chars().find(|c| !legal(*c)) {
                let message = format!("a path cannot hold `{}`", illegal.escape_default());
                errors.push(ExpressionError::new(
                    message,
                    "percent-encode it; the query goes on by itself",
                    0,
                ));
            }
        }
        if let Some(segment) = leads_elsewhere(&template) {
            let message = format!("a path cannot hold the segment `{segment}`");
            errors.push(ExpressionError::new(message, "write the path that it leads to", 0));
        }
        for variable in ["body", "query", "cookie"] {
            if template.reads(variable) {
                let message = format!("`{variable}` is not known when the path is made");
                errors.push(ExpressionError::new(message, "use path, header, claims, caller or request", 0));
            }
        }
        if errors.is_empty() { Ok(Self(template)) } else { Err(errors) }
    }

    /// The path for one request.
    ///
    /// # Errors
    /// If a value is missing, or would change which segments there are.
    pub fn render(&self, scope: &Scope<'_>) -> Result<String, EvalError> {
        let mut path = String::new();
        let mut last = None;
        for part in &self.0.parts {
            match part {
                Part::Literal(text) => path.push_str(text),
                Part::Expression(expression) => {
                    let text = expression.text(scope)?.ok_or_else(|| expression.reject(Reason::Missing))?;
                    if text.is_empty() {
                        return Err(expression.reject(Reason::NotSegment));
                    }
                    path.extend(utf8_percent_encode(&text, ENCODED));
                    last = Some(expression);
                }
            }
        }
        let leads_elsewhere = path.split('/').any(|segment| matches!(segment, "." | ".."));
        match last.filter(|_| leads_elsewhere) {
            Some(expression) => Err(expression.reject(Reason::NotSegment)),
            None => Ok(path),
        }
    }
}

/// A written segment that leads elsewhere, in whatever way: no request's path may hold one.
fn leads_elsewhere(template: &Template) -> Option<String> {
    let parts = template.parts.iter().map(|part| match part {
        Part::Literal(text) => text.as_str(),
        // Of a segment that holds a value nobody can tell yet.
        Part::Expression(_) => "*",
    });
    let path = parts.collect::<String>();
    let mut segments = path.split('/');
    let found =
        segments.find(|one| matches!(one.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | ".."));
    found.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::fixture::{ANY, Fixture};
    use crate::expression::{Parameter, ParameterValue};

    fn render(text: &str, id: &str) -> Result<String, Reason> {
        let fixture = Fixture::new();
        let path = [Parameter { name: "id".into(), value: ParameterValue::Text(id.into()) }];
        let scope = Scope { path: &path, ..fixture.scope() };
        PathTemplate::compile(text, &ANY).unwrap().render(&scope).map_err(|error| error.reason)
    }

    #[test]
    fn values_stay_in_their_segment() {
        for (id, path) in [
            ("a", "/v2/a/x"),
            ("a/b", "/v2/a%2Fb/x"),
            ("a?b#c", "/v2/a%3Fb%23c/x"),
            ("%2e%2e", "/v2/%252e%252e/x"),
            ("é;\\", "/v2/%C3%A9%3B%5C/x"),
            ("...", "/v2/.../x"),
            ("\r\n", "/v2/%0D%0A/x"),
        ] {
            assert_eq!(render("/v2/${path.id}/x", id).as_deref(), Ok(path), "{id}");
        }
        for id in ["", ".", ".."] {
            assert_eq!(render("/v2/${path.id}/x", id), Err(Reason::NotSegment), "{id}");
        }
        assert_eq!(render("/v2/.${path.id}", "."), Err(Reason::NotSegment));
        assert_eq!(render("/v2/${path.id}.json", ".").as_deref(), Ok("/v2/..json"));
    }

    #[test]
    fn what_is_no_path_is_told() {
        for text in ["/a/../${path.id}", "/./b", "/a/%2E./b", "/${path.id}/..", "/.."] {
            assert!(PathTemplate::compile(text, &ANY).is_err(), "{text}");
        }
        assert!(PathTemplate::compile("/.well-known/a..b/...", &ANY).is_ok());
        for text in ["v2/${path.id}", "/a b", "/a?b=${path.id}", "/${body.id}", "/${query.id}", "/${path.x}"]
        {
            assert!(PathTemplate::compile(text, &ANY).is_err(), "{text}");
        }
    }
}
