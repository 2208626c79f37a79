//! What is refused when expressions are loaded.

use super::super::fixture::ANY;
use super::super::*;
use super::compile_at;
use proptest::prelude::*;
use serde_json::json;

#[test]
fn names_are_checked_when_they_are_loaded() {
    use Position::*;
    for (position, source, message, offset) in [
        (Request, "", "the placeholder is empty", 0),
        (Request, "path.ids", "the path has no parameter `ids`", 0),
        (Request, "  path.ids", "the path has no parameter `ids`", 2),
        (Request, "token(path.ids)", "the path has no parameter `ids`", 6),
        (Request, "path.id + path.ids", "the path has no parameter `ids`", 10),
        (Request, "\"é\" + path.ids", "the path has no parameter `ids`", 7),
        (
            Request,
            "reply.x",
            "`reply` is not available here: there is no reply yet when the message is built",
            0,
        ),
        (
            Request,
            "1 + status",
            "`status` is not available here: there is no reply yet when the message is built",
            4,
        ),
        (Problem, "reply.x", "`reply` is not available here: a problem has no reply", 0),
        (Reply, "problem.code", "`problem` is not available here: only `problem` cases have it", 0),
        (
            Stored,
            "reply.x",
            "`reply` is not available here: a stream acknowledges a publish, and no service replies to it",
            0,
        ),
        (
            Reply,
            "ack.sequence",
            "`ack` is not available here: a service replies to a request, and no stream acknowledges it",
            0,
        ),
        (Problem, "claims.sub", "the caller may come without a token here", 0),
        (Problem, "1 + claims", "the caller may come without a token here", 4),
        (Problem, "caller.name + \"!\"", "the caller may be anonymous here", 0),
        (Request, "caller.nmae", "`caller` has no member `nmae`", 0),
        (Request, "caller.name.x", "`caller.name` has no members", 0),
        (Request, "foo.bar", "unknown variable `foo`", 0),
        (Request, "bodi.x", "unknown variable `bodi`", 0),
        (Request, "foo(1)", "unknown function `foo`", 0),
        (Request, "body.x.foo()", "unknown function `foo`", 0),
        (Request, "optional.some(1)", "unknown function `optional.some`", 0),
        (Request, "header", "`header` can only be read by name", 0),
        (Request, "size(header)", "`header` can only be read by name", 5),
        (Request, "header.X-Id", "header names are in lower case here", 0),
        (Request, "request.url", "`request` has no member `url`", 0),
        (Request, "request.id.x", "`request.id` has no members", 0),
        (Reply, "status.x", "`status` is a number and has no members", 0),
        (Request, "path[0]", "`path` has names, not positions", 0),
        (Request, "body.x.matches(body.y)", "the pattern of `matches` must be written out", 0),
        (Request, "body.x.replace(\"a\", body.y)", "the arguments of `replace` must be written out", 0),
        (Request, "Foo{a: 1}", "there are no message types here", 0),
        (Request, "header.?x-id.orValue(\"d\")", "unknown variable `id`", 10),
    ] {
        let errors = compile_at(source, position, &ANY).err().unwrap_or_default();
        let found: Vec<_> = errors.iter().map(|error| (error.message.as_str(), error.offset)).collect();
        assert_eq!(found.first().map(|(message, _)| *message), Some(message), "{source}: {found:?}");
        // Calls are placed at their parenthesis by the parser, paths at their start.
        if !source.contains("foo(")
            && !source.contains(").")
            && !message.contains("must be")
            && !message.contains("some")
            && !message.contains("types")
        {
            assert_eq!(found.first().map(|(_, offset)| *offset), Some(offset), "{source}: {found:?}");
        }
        assert!(errors.iter().all(|error| !error.help.is_empty()), "{source}");
    }
    let errors = compile_at("path.a + foo + reply.x", Request, &ANY).err().unwrap();
    assert_eq!(errors.len(), 3, "{errors:?}");
}

#[test]
fn syntax_errors_have_a_place() {
    for source in [
        "body.",
        "1 +",
        "a b",
        "\"x",
        "(1",
        "body.x ==",
        "${x}",
        "body.x \u{0}",
        "\"éé\" + + 1",
        "\"éé\"\n+\n\"é\" + + 1",
        "has(1)",
        "body.map(1, 2)",
    ] {
        let errors = compile_at(source, Position::Request, &ANY).err().unwrap_or_default();
        assert_eq!(errors.len(), 1, "{source}: {errors:?}");
        assert!(errors[0].offset <= source.len(), "{source}: {errors:?}");
    }
}

#[test]
fn a_contract_closes_names_and_tells_what_is_optional() {
    let definitions = json!({"Address": {"type": "object", "properties": {"city": {}, "zip": {}}, "required": ["city"], "additionalProperties": false}});
    let schema = json!({
        "type": "object", "additionalProperties": false, "required": ["name", "address", "items", "any"],
        "properties": {
            "name": {"type": "string"}, "note": {"type": "string"}, "address": {"$ref": "#/Address"},
            "items": {"type": "array", "items": {"$ref": "#/Address"}},
            "open": {"type": "object", "properties": {}}, "any": {"oneOf": [{}, {}]}, "loop": {"$ref": "#/loop"}
        }
    });
    let resolve = |reference: &str| match reference {
        "#/Address" => definitions.get("Address"),
        "#/loop" => schema.get("properties").and_then(|all| all.get("loop")),
        _ => None,
    };
    let names = [
        KnownName { name: "limit", required: true, readable: true, schema: None },
        KnownName { name: "q", required: false, readable: true, schema: None },
    ];
    let headers = [
        KnownName { name: "X-Tenant", required: true, readable: true, schema: None },
        KnownName { name: "X-Trace", required: false, readable: true, schema: None },
    ];
    let schemas = [Schema { schema: &schema, resolve: &resolve }];
    let known = Known {
        query: Names::Declared(&names),
        header: Names::Declared(&headers),
        body: KnownBody::Declared(&schemas),
        cookie: Names::Any,
        ..ANY
    };
    for source in [
        "body.name",
        "body.?note",
        "body.address.city",
        "body.address.?zip",
        "body.items[0].city",
        "body.any.x.y",
        "body.?open.x",
        "body.?loop.x",
        "query.limit",
        "query.?q",
        "header.x-tenant",
        "header.?x-trace",
        "header.?user-agent",
        "has(body.note) ? body.note : \"d\"",
        "\"note\" in body && body.note == \"x\"",
        "body.?note.orValue(\"d\")",
        "has(query.q) ? query.q : \"\"",
        "body.items.map(i, i.city)",
        "size(body.items)",
        "has(body.address.zip) && body.address.zip != \"\"",
        "body[\"name\"]",
        "body",
    ] {
        assert!(
            compile_at(source, Position::Request, &known).is_ok(),
            "{source}: {:?}",
            compile_at(source, Position::Request, &known).err()
        );
    }
    for (source, message, help) in [
        ("body.nmae", "the contract's schema has no member `body.nmae`", "did you mean `name`?"),
        ("body.note", "`body.note` is optional in the contract", "write `body.?note`"),
        ("body.note + \"x\"", "`body.note` is optional in the contract", "write `body.?note`"),
        ("body.address.zip", "`body.address.zip` is optional in the contract", "write `body.address.?zip`"),
        (
            "body.items[0].zip",
            "`body.items[0].zip` is optional in the contract",
            "write `body.items[0].?zip`",
        ),
        (
            "body.address.?street",
            "the contract's schema has no member `body.address.?street`",
            "the names are: city, zip",
        ),
        ("has(body.nmae)", "the contract's schema has no member `body.?nmae`", "did you mean `name`?"),
        ("query.q", "the query parameter `q` is optional in the contract", "write `query.?q`"),
        ("query.?p", "the contract declares no query parameter `p`", "did you mean `q`?"),
        (
            "header.x-trace",
            "the header parameter `x-trace` is optional in the contract",
            "write `header.?x-trace`",
        ),
        (
            "header.host",
            "the contract does not declare the header `host`, so it may be absent",
            "write `header.?host`",
        ),
    ] {
        let errors = compile_at(source, Position::Request, &known).err().unwrap_or_default();
        assert_eq!(errors.first().map(|error| error.message.as_str()), Some(message), "{source}");
        assert!(errors[0].help.starts_with(help), "{source}: {}", errors[0].help);
    }
}

#[test]
fn loops_are_linear_in_the_data() {
    for source in [
        "body.items.map(i, i.tags.map(t, t))",
        "body.items.filter(i, i.ok).map(i, i.tags.filter(t, t != \"\").map(t, t))",
        "body.items.map(i, [1, 2, 3].exists(n, n == i.n))",
        "body.a.all(x, x > 0) && body.b.all(x, x > 0)",
    ] {
        assert!(compile_at(source, Position::Request, &ANY).is_ok(), "{source}");
    }
    for source in [
        "body.items.map(i, body.items.map(j, i == j))",
        "body.items.all(i, body.other.exists(j, j == i))",
        "body.a.map(x, x.b.map(y, x.c.map(z, z)))",
        "body.a.map(x, x.matches(\"^a+$\"))",
    ] {
        let errors = compile_at(source, Position::Request, &ANY).err().unwrap_or_default();
        assert_eq!(errors.len(), 1, "{source}: {errors:?}");
    }
}

proptest! {
    #[test]
    fn any_text_compiles_or_is_refused(tokens in proptest::collection::vec(prop_oneof![
        Just("body"), Just("."), Just(".?"), Just("["), Just("]"), Just("("), Just(")"), Just("x"), Just("1"), Just("-"), Just("\"a\""),
        Just("{"), Just("}"), Just(":"), Just(","), Just("?"), Just("has"), Just("map"), Just("&&"), Just("!"), Just("=="), Just(" "),
        Just("é"), Just("`"), Just("\\"), Just("'"), Just("in"), Just("optMap"), Just("token"), Just("path.id"), Just("header"),
    ], 0..12)) {
        let source = tokens.concat();
        if let Err(errors) = compile_at(&source, Position::Reply, &ANY) {
            prop_assert!(!errors.is_empty());
            prop_assert!(errors.iter().all(|error| error.offset <= source.len()), "{:?}", errors);
        }
    }
}

#[test]
fn who_may_be_anonymous_is_read_with_a_question_mark() {
    let known = |caller, claims| Known { caller, claims, ..ANY };
    let is_fine = |source, known| compile_at(source, Position::Request, &known).is_ok();
    let help_of = |source, known| {
        let errors = compile_at(source, Position::Request, &known).unwrap_err();
        (errors[0].message.clone(), errors[0].help.clone())
    };
    use Occurrence::{Always, Never, Sometimes};
    for source in
        ["claims", "claims.org", "claims.?org", "claims[\"https://x/y\"]", "caller.name", "caller.?name"]
    {
        assert!(is_fine(source, known(Always, Always)), "{source}");
        assert!(!is_fine(source, known(Never, Never)), "{source}");
    }
    for source in [
        "claims.?org",
        "claims.?org.id",
        "has(claims.org) && claims.org == path.id",
        "\"a\" in claims.?roles.orValue([])",
        "caller.?name",
        "\"write\" in caller.?scopes.orValue([])",
    ] {
        assert!(is_fine(source, known(Sometimes, Sometimes)), "{source}");
    }
    for (source, message, help) in [
        ("claims.org", "the caller may come without a token here", "write `claims.?org`"),
        ("claims", "the caller may come without a token here", "read one member: `claims.?sub`"),
        ("caller.name", "the caller may be anonymous here", "write `caller.?name`"),
    ] {
        let (found, next) = help_of(source, known(Sometimes, Sometimes));
        assert_eq!(found, message, "{source}");
        assert!(next.starts_with(help), "{next}");
    }
    let (message, help) = help_of("claims.?org", known(Always, Never));
    assert_eq!(message, "`claims` is never there: nobody is asked for a token here");
    assert!(help.starts_with("let `security` demand it"), "{help}");
}
