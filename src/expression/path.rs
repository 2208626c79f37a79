//! Plain paths: `body.?note`, `header.x-request-id`, `body.items[0]["a b"]`. They are resolved without CEL and insert
//! what they find as it came. Hyphens are part of a name here.

use super::Position;
use std::fmt::Write;

/// The variables that an expression can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Root {
    Path,
    Query,
    Header,
    Cookie,
    Body,
    Claims,
    Caller,
    Request,
    Reply,
    Status,
    Ack,
    ReplyHeader,
    Problem,
}

impl Root {
    pub(super) const ALL: [Self; 13] = [
        Self::Path,
        Self::Query,
        Self::Header,
        Self::Cookie,
        Self::Body,
        Self::Claims,
        Self::Caller,
        Self::Request,
        Self::Reply,
        Self::Status,
        Self::Ack,
        Self::ReplyHeader,
        Self::Problem,
    ];

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|root| root.name() == name)
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Query => "query",
            Self::Header => "header",
            Self::Cookie => "cookie",
            Self::Body => "body",
            Self::Claims => "claims",
            Self::Caller => "caller",
            Self::Request => "request",
            Self::Reply => "reply",
            Self::Status => "status",
            Self::Ack => "ack",
            Self::ReplyHeader => "reply_header",
            Self::Problem => "problem",
        }
    }

    pub(super) const fn available(self, position: Position) -> bool {
        match self {
            Self::Reply | Self::ReplyHeader => matches!(position, Position::Reply),
            Self::Ack => matches!(position, Position::Stored),
            Self::Status => matches!(position, Position::Reply | Position::Stored),
            Self::Problem => matches!(position, Position::Problem),
            _ => true,
        }
    }

    /// The members of a variable whose members are always the same; they have no members of their own.
    pub(super) const fn fixed_members(self) -> Option<&'static [&'static str]> {
        match self {
            Self::Caller => Some(&["name", "verifier", "scopes"]),
            Self::Request => Some(&["id", "method", "path", "time", "ip"]),
            Self::Ack => Some(&["stream", "sequence", "duplicate"]),
            Self::Problem => {
                Some(&["code", "status", "title", "detail", "outcome", "retryable", "request_id"])
            }
            _ => None,
        }
    }

    /// Whether the variable is a value by itself, and not only a holder of members.
    pub(super) const fn is_value(self) -> bool {
        matches!(self, Self::Body | Self::Claims | Self::Reply | Self::Status)
    }
}

/// One step from a value to a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) key: Key,
    /// Written `.?x` or `[?x]`: absence from here on is not an error.
    pub(super) optional: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Name(String),
    Index(usize),
}

/// A variable and the way into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    pub(super) root: Root,
    pub(super) steps: Vec<Step>,
}

impl Path {
    /// Reads a plain path; `None` if the text is anything else, and then it is CEL's to read.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
        let (name, mut rest) = text.split_at_checked(end)?;
        let root = Root::named(name)?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, after) =
                if let Some(inner) = rest.strip_prefix('.') { named(inner) } else { indexed(rest) }?;
            steps.push(step);
            rest = after;
        }
        (root.is_value() || !steps.is_empty()).then_some(Self { root, steps })
    }

    /// The name in `root.name`.
    pub(super) fn only_name(&self, root: Root) -> Option<&str> {
        match self.steps.as_slice() {
            [Step { key: Key::Name(name), .. }] if self.root == root => Some(name),
            _ => None,
        }
    }

    /// JSON Pointer to what the first `count` steps lead to.
    pub(super) fn pointer(&self, count: usize) -> String {
        let mut pointer = String::new();
        for step in self.steps.iter().take(count) {
            // Writing into a String cannot fail.
            let _ = match &step.key {
                Key::Name(name) => write!(pointer, "/{}", name.replace('~', "~0").replace('/', "~1")),
                Key::Index(index) => write!(pointer, "/{index}"),
            };
        }
        pointer
    }

    /// The path as one writes it, up to `count` steps; `optional` tells whether the last one gets its `?`.
    pub(super) fn written(&self, count: usize, optional: bool) -> String {
        let mut text = self.root.name().to_owned();
        for (step, position) in self.steps.iter().take(count).zip(1..) {
            let mark = if step.optional || (optional && position == count) { "?" } else { "" };
            let _ = match &step.key {
                Key::Name(name) if is_name(name) => write!(text, ".{mark}{name}"),
                Key::Name(name) => write!(text, "[{mark}{name:?}]"),
                Key::Index(index) => write!(text, "[{mark}{index}]"),
            };
        }
        text
    }

    /// Whether the absence of what step `index` asks for is foreseen.
    pub(super) fn may_lack(&self, index: usize) -> bool {
        self.steps.iter().take(index + 1).any(|step| step.optional)
    }
}

fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

fn named(rest: &str) -> Option<(Step, &str)> {
    let (optional, rest) = question(rest);
    let end = rest.find(['.', '[']).unwrap_or(rest.len());
    let (name, after) = rest.split_at_checked(end)?;
    is_name(name).then(|| (Step { key: Key::Name(name.to_owned()), optional }, after))
}

fn indexed(rest: &str) -> Option<(Step, &str)> {
    let (optional, rest) = question(rest.strip_prefix('[')?);
    if let Some(quote @ ('"' | '\'')) = rest.chars().next() {
        // A name with escapes is left to CEL, which knows them.
        let (name, after) = rest.get(1..)?.split_once(quote)?;
        let after = after.strip_prefix(']')?;
        let plain = !name.contains(['\\', '\n', '\r']);
        return plain.then(|| (Step { key: Key::Name(name.to_owned()), optional }, after));
    }
    let (digits, after) = rest.split_once(']')?;
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let index = digits.parse().ok().filter(|_| plain)?;
    Some((Step { key: Key::Index(index), optional }, after))
}

fn question(rest: &str) -> (bool, &str) {
    rest.strip_prefix('?').map_or((false, rest), |rest| (true, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_paths_are_read_and_written() {
        for text in [
            "body",
            "status",
            "path.id",
            "body.?note",
            "header.x-request-id",
            "body.items[0].x",
            "body[\"a b\"]",
            "body[?\"a b\"].c",
            "body.items[?3]",
            "body.straße.?x.y",
            "query[\"\"]",
        ] {
            let path = Path::parse(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(path.written(9, false), text);
        }
        assert_eq!(Path::parse("body['a']"), Path::parse("body.a"));
        assert_eq!(Path::parse("body.a[0][\"b/~c\"]").unwrap().pointer(3), "/a/0/b~1~0c");
    }

    #[test]
    fn anything_else_is_left_to_cel() {
        for text in [
            "",
            "path",
            "query",
            "header",
            "foo.bar",
            "body.",
            "body..a",
            "body.a + 1",
            "body.a - body.b",
            "body[-1]",
            "body[+1]",
            "body[x]",
            "body[0",
            "body['a\\n']",
            "body.1a",
            "size(body)",
            "bodyx",
            "\"body\"",
            "body .a",
            "body[99999999999999999999]",
            "body.?note.orValue(1)",
        ] {
            assert_eq!(Path::parse(text), None, "{text}");
        }
    }

    #[test]
    fn absence_is_foreseen_from_the_question_mark_on() {
        let path = Path::parse("body.a.?b.c").unwrap();
        assert_eq!([0, 1, 2].map(|index| path.may_lack(index)), [false, true, true]);
    }
}
