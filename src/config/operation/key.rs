//! The names of operations: an `operationId`, or a method and a path.

use http::Method;

/// The longest name: it stands in metrics, logs and message ids.
const LONGEST: usize = 255;

const METHODS: [Method; 7] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];

/// What the key of an operation says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OperationKey<'a> {
    /// The `operationId` of a contract.
    Id(&'a str),
    /// A method and a path, where there is no contract yet.
    Route {
        /// The method.
        method: Method,
        /// The path, from its first slash, with its `{parameters}`.
        path: &'a str,
    },
}

impl OperationKey<'_> {
    /// Reads a key. The error is a line on what is wrong, and a line on what to do.
    pub fn parse(key: &str) -> Result<OperationKey<'_>, String> {
        let (first, rest) = key.split_once(char::is_whitespace).unwrap_or((key, ""));
        match METHODS.into_iter().find(|method| method.as_str().eq_ignore_ascii_case(first)) {
            Some(method) if method.as_str() == first && !rest.is_empty() => route(key, method, rest),
            Some(method) if !rest.is_empty() => Err(format!(
                "`{key}` does not name an operation\nwrite the method in capitals: {method} {}",
                rest.trim()
            )),
            _ => id(key),
        }
    }
}

fn route<'a>(key: &str, method: Method, path: &'a str) -> Result<OperationKey<'a>, String> {
    let wrong = |help: &str| Err(format!("`{key}` is not a method and a path\n{help}"));
    if !path.starts_with('/') {
        return wrong("write one space, and the path from its first slash: GET /users/{id}");
    }
    if path.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '?' | '#')) {
        return wrong("a path has no spaces, no `?` and no `#`; query parameters need no declaration");
    }
    match braces_are_pairs(path) {
        true => Ok(OperationKey::Route { method, path }),
        false => wrong("write each parameter as {name}, inside one segment"),
    }
}

/// Every `{` is closed in its segment, with a name in between.
fn braces_are_pairs(path: &str) -> bool {
    path.split('/').all(|segment| {
        let mut open = None;
        for (at, c) in segment.char_indices() {
            match (c, open) {
                ('{', None) => open = Some(at),
                ('}', Some(start)) if at > start + 1 => open = None,
                ('{' | '}', _) => return false,
                _ => {}
            }
        }
        open.is_none()
    })
}

fn id(key: &str) -> Result<OperationKey<'_>, String> {
    let wrong = |help: &str| Err(format!("`{key}` does not name an operation\n{help}"));
    if key.starts_with('/') {
        return wrong(&format!("write the method before the path: GET {key}"));
    }
    if key.is_empty() || key.len() > LONGEST {
        return wrong("an operationId has 1 to 255 characters");
    }
    if key.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return wrong(
            "write an operationId without spaces, or a method and a path: GET /users/{id} (GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS)",
        );
    }
    Ok(OperationKey::Id(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_routes_are_told_apart() {
        for id in ["assignUserRole", "users/list-for-org", "GET", "größe", "Users.Get_1"] {
            assert_eq!(OperationKey::parse(id), Ok(OperationKey::Id(id)));
        }
        let route = OperationKey::Route { method: Method::DELETE, path: "/infra/{a}/{b}.json" };
        assert_eq!(OperationKey::parse("DELETE /infra/{a}/{b}.json"), Ok(route));
    }

    #[test]
    fn what_is_neither_says_what_to_write() {
        for (key, help) in [
            ("get /a", "in capitals: GET /a"),
            ("/a", "GET /a"),
            ("GET a", "first slash"),
            ("GET  /a", "one space"),
            ("GET /a?b", "no `?`"),
            ("GET /{a", "{name}"),
            ("GET /{}", "{name}"),
            ("GET /{a/b}", "{name}"),
            ("GRAB /a", "PATCH"),
            ("a b", "without spaces"),
            ("", "1 to 255"),
        ] {
            let error = OperationKey::parse(key).unwrap_err();
            assert!(error.contains(help), "{key}: {error}");
        }
    }
}
