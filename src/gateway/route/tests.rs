//! The grammar of paths as a table, and properties that hold for any path.

use proptest::prelude::*;

use super::*;

fn table(templates: &[(&str, &'static str)]) -> RouteTable<&'static str> {
    let mut table = RouteTable::default();
    for (key, value) in templates {
        let (method, template) = key.split_once(' ').unwrap();
        let template = PathTemplate::parse(template).unwrap();
        table.insert(method.parse().unwrap(), &template, *value).unwrap();
    }
    table
}

/// The answer in one line.
fn find(table: &RouteTable<&'static str>, request: &str) -> String {
    let (method, path) = request.split_once(' ').unwrap();
    match table.find(&method.parse().unwrap(), path) {
        Match::Found { value, params } => {
            let params = params.iter().map(|param| format!(" {}={}", param.name, param.value));
            params.fold(value.to_string(), |line, param| line + &param)
        }
        Match::MethodNotAllowed { allow } => format!("405 {allow}"),
        Match::NotFound => "404".into(),
        Match::BadPath { parameter, reason, .. } => format!("400 {parameter} {reason}"),
    }
}

#[test]
fn requests_reach_the_most_literal_operation() {
    let table = table(&[
        ("GET /", "root"),
        ("GET /users", "list"),
        ("GET /users/me", "me"),
        ("GET /users/{id}", "get"),
        ("DELETE /users/{userId}", "delete"),
        ("POST /users/{id}:verb", "verb"),
        ("GET /users/{Sid}.json", "json"),
        ("GET /users/v{n}", "version"),
        ("GET /users/{id}/roles/", "roles"),
        ("GET /compare/{base}...{head}", "compare"),
        ("GET /a/{x}:start/c", "start"),
        ("GET /{any}/foo/c", "any"),
    ]);
    for (request, answer) in [
        ("GET /", "root"),
        ("GET /users", "list"),
        ("GET /users/me", "me"),
        ("GET /users/meg", "get id=meg"),
        ("HEAD /users/me", "me"),
        ("DELETE /users/me", "delete userId=me"),
        ("GET /users/a.json", "json Sid=a"),
        ("GET /users/v1.json", "json Sid=v1"),
        ("GET /users/v1", "version n=1"),
        ("POST /users/a:verb", "verb id=a"),
        ("GET /users/a:verb", "get id=a:verb"),
        ("GET /users/v", "get id=v"),
        ("GET /users/a/roles/", "roles id=a"),
        ("GET /users/a/roles", "404"),
        ("GET /compare/v1...v2", "compare base=v1 head=v2"),
        ("GET /a/b:start/c", "start x=b"),
        ("GET /a/foo/c", "any any=a"),
        ("GET /users/a%2Fb", "get id=a/b"),
        ("GET /users/a%252Fb", "get id=a%2Fb"),
        ("GET /users/%6de", "get id=me"),
        ("GET /%75sers", "404"),
        ("GET /USERS", "404"),
        ("GET /nowhere", "404"),
        ("GET *", "404"),
    ] {
        assert_eq!(find(&table, request), answer, "{request}");
    }
}

#[test]
fn what_is_no_text_is_the_clients_mistake() {
    let table = table(&[("GET /users/{id}/roles/{role}.json", "role"), ("GET /users/{id}", "get")]);
    for (request, answer) in [
        ("GET /users/%00", "400 id holds a NUL character"),
        ("GET /users/a%ff", "400 id is not valid UTF-8"),
        ("GET /users/100%", "400 id holds a `%` that is not followed by two hexadecimal digits"),
        ("GET /users//roles/a.json", "400 id is empty"),
        ("GET /users/a/roles/.json", "400 role is empty"),
        ("GET /users/", "400 id is empty"),
        ("GET /users/%0d%0a", "get id=\r\n"),
        ("GET //users/a", "404"),
    ] {
        assert_eq!(find(&table, request), answer, "{request}");
    }
}

#[test]
fn methods_of_every_path_that_matches_are_allowed() {
    let table = table(&[("GET /users/me", "me"), ("PUT /users/{id}", "put"), ("OPTIONS /own", "own")]);
    assert_eq!(find(&table, "POST /users/me"), "405 GET, HEAD, OPTIONS, PUT");
    assert_eq!(find(&table, "POST /users/a"), "405 OPTIONS, PUT");
    assert_eq!(find(&table, "OPTIONS /users/a"), "405 OPTIONS, PUT");
    assert_eq!(find(&table, "OPTIONS /own"), "own");
}

#[test]
fn one_shape_and_method_stands_once() {
    let mut table = table(&[("GET /a/{x}/c", "first"), ("GET /a/{x}.json", "suffix")]);
    for (template, earlier) in [("/a/{other}/c", Some("first")), ("/a/{y}.json", Some("suffix"))] {
        let template = PathTemplate::parse(template).unwrap();
        let conflict = table.insert(Method::GET, &template, "second").err();
        assert_eq!(conflict.map(|conflict| *conflict.earlier), earlier);
        assert_eq!(table.insert(Method::POST, &template, "another method"), Ok(()));
    }
    for template in ["/a/{x}/c/", "/a/{x}", "/a/b/c", "/a/{x}.xml", "/A/{x}/c"] {
        assert_eq!(table.insert(Method::GET, &PathTemplate::parse(template).unwrap(), "x"), Ok(()));
    }
}

#[test]
fn a_literal_path_allocates_nothing() {
    let table = table(&[("GET /users/me", "me")]);
    let Match::Found { params, .. } = table.find(&Method::GET, "/users/me") else { panic!() };
    assert_eq!(params.capacity(), 0);
}

/// What a path may hold, as a client sends it.
fn segment() -> impl Strategy<Value = String> {
    "([a-zA-Z0-9._~!$&'()*+,;=:@-]|%2[0-9A-F]|%C3%A9){0,8}"
}

proptest! {
    #[test]
    fn any_literal_path_is_found(paths in prop::collection::btree_set(prop::collection::vec(segment(), 1..5), 1..20)) {
        let mut table = RouteTable::default();
        let paths: Vec<String> = paths.iter().map(|path| format!("/{}", path.join("/"))).collect();
        for path in &paths {
            prop_assert_eq!(table.insert(Method::GET, &PathTemplate::parse(path).unwrap(), path), Ok(()));
        }
        for path in &paths {
            let expected = Match::Found { value: &path, params: Vec::new() };
            prop_assert_eq!(table.find(&Method::GET, path), expected);
        }
    }

    #[test]
    fn any_text_survives_one_encoding(before in "\\PC{1,8}", value in "[^\0]{1,8}") {
        let encode = |text| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
        let mut table = RouteTable::default();
        let literal = encode(&before);
        for template in [format!("/{literal}/{{id}}"), format!("/{literal}-{{id}}-{literal}")] {
            table.insert(Method::GET, &PathTemplate::parse(&template).unwrap(), ()).unwrap();
        }
        for path in [format!("/{literal}/{}", encode(&value)), format!("/{literal}-{}-{literal}", encode(&value))] {
            let Match::Found { params, .. } = table.find(&Method::GET, &path) else { panic!("{path}") };
            prop_assert_eq!(&*params[0].value, value.as_str());
        }
    }

    #[test]
    fn no_path_is_a_panic(path in ".*", template in "[a/{}.:%20]{0,12}") {
        let mut table = RouteTable::default();
        if let Ok(template) = PathTemplate::parse(&template) {
            let _ = table.insert(Method::GET, &template, ());
        }
        let _ = table.find(&Method::GET, &path);
    }
}
