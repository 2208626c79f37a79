//! Path templates (`/users/{id}`, `/{Sid}.json`, `/compare/{base}...{head}`, `/{id}:verb`): grammar and segments.
//!
//! One template is understood here, in a contract or as the key of an operation; which of several templates
//! a request belongs to is decided by the route table.

mod segment;
mod value;

use std::collections::HashSet;
use std::sync::Arc;

pub use segment::{Pattern, Segment};
pub use value::{BadValue, PathParam};

/// A path with parameters, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathTemplate {
    text: String,
    segments: Vec<Segment>,
    names: Arc<[Arc<str>]>,
}

/// Why a text is no path template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathError {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
    /// Where, in characters from the start of the template.
    pub offset: usize,
}

impl PathTemplate {
    /// Takes a template apart.
    ///
    /// # Errors
    /// When it could never match a request's path, or not unambiguously.
    pub fn parse(template: &str) -> Result<PathTemplate, PathError> {
        if !template.starts_with('/') {
            return Err(wrong(0, "a path starts with `/`", format!("write `/{template}`")));
        }
        if let Some(offset) = template.chars().position(|c| matches!(c, '?' | '#')) {
            let help = "keep only what stands before it; a query is read with `${query.…}`";
            return Err(wrong(offset, "a path cannot hold `?` or `#`: no request's path does", help));
        }
        let (mut segments, mut names) = (Vec::new(), Vec::new());
        let mut offset = 1;
        for text in template.split('/').skip(1) {
            segments.push(Segment::parse(text, &mut names).map_err(|error| error.after(offset))?);
            offset += text.chars().count() + 1;
        }
        unique(&names, template)?;
        let names = names.into_iter().map(|(name, _)| name).collect();
        Ok(PathTemplate { text: template.to_owned(), segments, names })
    }

    /// The template as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The parameters, from left to right.
    pub fn names(&self) -> &[Arc<str>] {
        &self.names
    }

    /// The same, to be shared.
    pub fn shared_names(&self) -> Arc<[Arc<str>]> {
        Arc::clone(&self.names)
    }

    /// What stands between the slashes.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }
}

impl PathError {
    fn after(mut self, offset: usize) -> PathError {
        self.offset += offset;
        self
    }
}

fn wrong(offset: usize, message: impl Into<String>, help: impl Into<String>) -> PathError {
    PathError { message: message.into(), help: help.into(), offset }
}

fn unique(names: &[(Arc<str>, usize)], template: &str) -> Result<(), PathError> {
    let mut seen = HashSet::new();
    match names.iter().find(|(name, _)| !seen.insert(name)) {
        Some((name, _)) => {
            let offset = template.rfind(&format!("{{{name}}}")).unwrap_or(0);
            let offset = template.get(..offset).unwrap_or_default().chars().count();
            let message = format!("the parameter `{name}` stands twice in this path");
            Err(wrong(offset, message, "give each its own name"))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_listed_in_order() {
        let template = PathTemplate::parse("/a/{b}/x-{c}...{d}.json/é").unwrap();
        let names: Vec<&str> = template.names().iter().map(|name| &**name).collect();
        assert_eq!(names, ["b", "c", "d"]);
        assert_eq!(template.segments()[3], Segment::Literal("%C3%A9".into()));
    }

    #[test]
    fn what_cannot_match_is_refused_at_its_place() {
        for (template, message, offset) in [
            ("users", "a path starts with `/`", 0),
            ("/é?x", "a path cannot hold `?` or `#`: no request's path does", 2),
            ("/a#b", "a path cannot hold `?` or `#`: no request's path does", 2),
            ("/a/{}", "a parameter needs a name", 3),
            ("/a/{b", "this `{` is never closed", 3),
            ("/a/{b/c}", "this `{` is never closed", 3),
            ("/a/b}", "this `}` closes nothing", 4),
            ("/a/{b{c}}", "a name cannot hold `{`", 5),
            ("/a/{b}{c}", "two parameters need text between them", 6),
            ("/é/{b}/{b}", "the parameter `b` stands twice in this path", 7),
            ("/a/%zz", "this `%` is followed by no two hexadecimal digits", 3),
            ("/a/{*rest}", "a parameter takes one segment: `*` is not part of a name", 4),
        ] {
            let error = PathTemplate::parse(template).unwrap_err();
            assert_eq!((error.message.as_str(), error.offset), (message, offset), "{template}");
        }
    }
}
