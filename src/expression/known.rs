//! What is known about a request when the configuration is loaded, and the check of every read against it.

use super::Position;
use super::path::{Key, Path, Root};
use serde_json::Value;

/// The names and types that expressions of one operation can rely on.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// The parameters of the path: these and no others.
    pub path: &'a [&'a str],
    /// Names of the query string.
    pub query: Names<'a>,
    /// Names of the request's headers, in lower case.
    pub header: Names<'a>,
    /// Names in the `Cookie` header.
    pub cookie: Names<'a>,
    /// What the request's body holds.
    pub body: KnownBody<'a>,
    /// Whether a caller is known.
    pub caller: Occurrence,
    /// Whether it has come with a token.
    pub claims: Occurrence,
}

/// Whether something that does not depend on the request's own parts is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Occurrence {
    /// Nobody asks for it.
    #[default]
    Never,
    /// For some requests.
    Sometimes,
    /// No request gets as far without it.
    Always,
}

/// What is known of a body.
#[derive(Clone, Copy)]
pub enum KnownBody<'a> {
    /// Nobody says: any member may be read.
    Any,
    /// What a contract says for each media type that it may have: a read must work for all of them.
    Declared(&'a [Schema<'a>]),
    /// There is never one that can be read, and this is why.
    Unreadable(&'a str),
}

/// The names that a variable has.
#[derive(Clone, Copy)]
pub enum Names<'a> {
    /// Nobody says: any name may be read.
    Any,
    /// A contract lists them.
    Declared(&'a [KnownName<'a>]),
}

/// A parameter of a contract.
#[derive(Clone, Copy)]
pub struct KnownName<'a> {
    /// As expressions write it.
    pub name: &'a str,
    /// Always there: required, or given a default.
    pub required: bool,
    /// Its value can be read: it has a style that its location has, or a media type that is decoded.
    pub readable: bool,
    /// What its values look like. `None`: any member may be read.
    pub schema: Option<Schema<'a>>,
}

/// A JSON Schema and the way to the schemas that it refers to.
#[derive(Clone, Copy)]
pub struct Schema<'a> {
    /// The schema itself, which may be a `$ref`.
    pub schema: &'a Value,
    /// From the text of a `$ref` to the schema it names.
    pub resolve: &'a dyn Fn(&str) -> Option<&'a Value>,
}

/// A read that cannot work, or not always.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) message: String,
    pub(super) help: String,
}

fn fault(message: impl Into<String>, help: impl Into<String>) -> Option<Fault> {
    Some(Fault { message: message.into(), help: help.into() })
}

impl Known<'_> {
    /// Checks one read. `guarded` tells whether the program tests for what the first so many steps lead to.
    pub(super) fn check(
        &self,
        path: &Path,
        position: Position,
        guarded: &dyn Fn(usize) -> bool,
    ) -> Option<Fault> {
        let root = path.root.name();
        if let Some(fault) = self.identified(path, position, guarded) {
            return Some(fault);
        }
        if let Some(members) = path.root.fixed_members() {
            return fixed(path, members);
        }
        match (path.root, path.steps.first().map(|step| &step.key)) {
            (Root::Status, Some(_)) => fault("`status` is a number and has no members", "write `status`"),
            (Root::Body, _) => self.body.check(path, guarded),
            (Root::Header | Root::ReplyHeader | Root::Cookie, None) => fault(
                format!("`{root}` can only be read by name"),
                format!("name one, like `{root}.x` or `{root}[\"x-y\"]`; test for one with `has({root}.x)`"),
            ),
            (_, Some(Key::Index(_))) if !matches!(path.root, Root::Reply | Root::Claims) => {
                fault(format!("`{root}` has names, not positions"), format!("write `{root}.name`"))
            }
            (Root::Header | Root::ReplyHeader, Some(Key::Name(name)))
                if name.bytes().any(|b| b.is_ascii_uppercase()) =>
            {
                let lower = name.to_ascii_lowercase();
                fault("header names are in lower case here", format!("write `{}`", lowered(path, lower)))
            }
            (Root::Path, Some(Key::Name(name))) => path_parameter(name, self.path),
            (Root::Query, Some(Key::Name(name))) => declared(path, name, self.query, guarded),
            (Root::Cookie, Some(Key::Name(name))) => declared(path, name, self.cookie, guarded),
            (Root::Header, Some(Key::Name(name))) => declared(path, name, self.header, guarded),
            _ => None,
        }
    }
}

impl Known<'_> {
    /// A read of the caller, who need not be known.
    fn identified(&self, path: &Path, position: Position, guarded: &dyn Fn(usize) -> bool) -> Option<Fault> {
        let (occurrence, who) = match path.root {
            Root::Caller => (self.caller, "the caller may be anonymous"),
            Root::Claims => (self.claims, "the caller may come without a token"),
            _ => return None,
        };
        let (root, foreseen) = (path.root.name(), path.may_lack(0) || guarded(1));
        let demanded = if path.root == Root::Claims { "a token" } else { "credentials" };
        match occurrence {
            Occurrence::Never => fault(
                format!("`{root}` is never there: nobody is asked for {demanded} here"),
                "let `security` demand it for this operation, or remove this",
            ),
            _ if foreseen => None,
            // Also a request without valid credentials has its problem.
            Occurrence::Always if position != Position::Problem => None,
            _ if path.steps.is_empty() => {
                fault(format!("{who} here"), format!("read one member: `{root}.?sub`"))
            }
            _ => fault(format!("{who} here"), optional_help(path, 1)),
        }
    }
}

fn fixed(path: &Path, members: &[&'static str]) -> Option<Fault> {
    let root = path.root.name();
    match path.steps.first().map(|step| &step.key) {
        Some(Key::Name(name)) if members.contains(&name.as_str()) => (path.steps.len() > 1).then(|| Fault {
            message: format!("`{root}.{name}` has no members"),
            help: format!("write `{root}.{name}`"),
        }),
        Some(Key::Name(name)) => {
            fault(format!("`{root}` has no member `{name}`"), nearest(name, members.iter().copied()))
        }
        Some(Key::Index(_)) => fault(
            format!("`{root}` has names, not positions"),
            format!("its names are {}", members.join(", ")),
        ),
        None => None,
    }
}

fn path_parameter(name: &str, known: &[&str]) -> Option<Fault> {
    if known.contains(&name) {
        return None;
    }
    let help = match known {
        [] => format!("the path has no parameters: write `{{{name}}}` into it, or read `query` or `body`"),
        known => nearest(name, known.iter().copied()),
    };
    fault(format!("the path has no parameter `{name}`"), help)
}

fn declared(path: &Path, name: &str, names: Names<'_>, guarded: &dyn Fn(usize) -> bool) -> Option<Fault> {
    let Names::Declared(names) = names else { return None };
    let foreseen = path.may_lack(0) || guarded(1);
    let header = path.root == Root::Header;
    let same = |known: &&KnownName<'_>| {
        if header { known.name.eq_ignore_ascii_case(name) } else { known.name == name }
    };
    match names.iter().find(same) {
        Some(known) if !known.readable => fault(
            format!("the {} parameter `{name}` cannot be read", path.root.name()),
            "correct its `style`, or the media type of its `content`, in the contract",
        ),
        Some(known) if known.required || foreseen => {
            known.schema.and_then(|schema| schema.check(path, 1, guarded))
        }
        Some(_) => fault(
            format!("the {} parameter `{name}` is optional in the contract", path.root.name()),
            optional_help(path, 1),
        ),
        // Clients send many headers that no contract lists.
        None if header && foreseen => None,
        None if header => fault(
            format!("the contract does not declare the header `{name}`, so it may be absent"),
            optional_help(path, 1),
        ),
        None => fault(
            format!("the contract declares no {} parameter `{name}`", path.root.name()),
            nearest(name, names.iter().map(|known| known.name)),
        ),
    }
}

/// More `$ref`s in a row than any contract needs; a circle of them ends here.
const REFERENCES: usize = 32;
/// Keywords by which other schemas have a say in which members there are; what they mean together is for the
/// validator to find out.
const COMPLEX: [&str; 9] = [
    "oneOf",
    "anyOf",
    "allOf",
    "if",
    "not",
    "patternProperties",
    "dependentSchemas",
    "prefixItems",
    "discriminator",
];

impl KnownBody<'_> {
    fn check(&self, path: &Path, guarded: &dyn Fn(usize) -> bool) -> Option<Fault> {
        match self {
            Self::Any => None,
            Self::Declared(schemas) => schemas.iter().find_map(|schema| schema.check(path, 0, guarded)),
            Self::Unreadable(why) => fault("there is no `body` that could be read", *why),
        }
    }
}

impl<'a> Schema<'a> {
    /// Checks the steps of a path from the one on that leaves the value of this schema.
    fn check(&self, path: &Path, from: usize, guarded: &dyn Fn(usize) -> bool) -> Option<Fault> {
        let mut at = self.schema;
        for (step, index) in path.steps.iter().zip(0..).skip(from) {
            at = self.resolved(at)?;
            match &step.key {
                Key::Index(_) => at = at.get("items")?,
                Key::Name(name) => {
                    let Some(next) = at.get("properties").and_then(|all| all.get(name)) else {
                        return unknown_property(at, path, index);
                    };
                    let required = at.get("required").and_then(Value::as_array);
                    let required = required.is_some_and(|all| all.iter().any(|one| one == name.as_str()));
                    if !required && !path.may_lack(index) && !guarded(index + 1) {
                        return fault(
                            format!("`{}` is optional in the contract", path.written(index + 1, false)),
                            optional_help(path, index + 1),
                        );
                    }
                    at = next;
                }
            }
        }
        None
    }

    /// The schema behind `$ref`s, unless it is one of those that say nothing simple about members.
    fn resolved(&self, mut schema: &'a Value) -> Option<&'a Value> {
        for _ in 0..REFERENCES {
            let Some(reference) = schema.get("$ref").and_then(Value::as_str) else {
                return COMPLEX.iter().all(|keyword| schema.get(keyword).is_none()).then_some(schema);
            };
            schema = (self.resolve)(reference)?;
        }
        None
    }
}

fn unknown_property(schema: &Value, path: &Path, index: usize) -> Option<Fault> {
    let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    if !closed {
        return None;
    }
    let Some(Key::Name(name)) = path.steps.get(index).map(|step| &step.key) else { return None };
    let names = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    fault(
        format!("the contract's schema has no member `{}`", path.written(index + 1, false)),
        nearest(name, names.map(|(name, _)| name.as_str())),
    )
}

fn optional_help(path: &Path, count: usize) -> String {
    let written = path.written(count, true);
    format!(
        "write `{written}`, which leaves its key out when absent, or give a default: `{written}.orValue(\"…\")`"
    )
}

fn lowered(path: &Path, name: String) -> String {
    let mut path = path.clone();
    if let Some(step) = path.steps.first_mut() {
        step.key = Key::Name(name);
    }
    path.written(usize::MAX, false)
}

/// Says which name was probably meant, or which there are.
pub(super) fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> String {
    let names: Vec<_> = names.collect();
    let score = |known: &str| strsim::damerau_levenshtein(&known.to_lowercase(), &name.to_lowercase());
    let best = names.iter().map(|known| (score(known), *known)).min();
    match best {
        None => "there are none; declare it, or remove this".to_owned(),
        Some((distance, known)) if distance * 3 <= name.chars().count().max(3) => {
            format!("did you mean `{known}`?")
        }
        Some(_) if names.len() <= 12 => format!("the names are: {}", names.join(", ")),
        Some(_) => format!("the names are: {}, … ({} names)", names[..12].join(", "), names.len()),
    }
}
