//! What expressions mean, and what their failures say.

use super::fixture::{ANY, Fixture, document};
use super::*;

mod load;

fn compile(source: &str) -> Expression {
    let position = if source.contains("ack.") { Position::Stored } else { Position::Reply };
    compile_at(source, position, &ANY).unwrap_or_else(|errors| panic!("{source}: {errors:?}"))
}

fn compile_at(
    source: &str,
    position: Position,
    known: &Known<'_>,
) -> Result<Expression, Vec<ExpressionError>> {
    Expression::compile(source, position, known)
}

fn json_of(source: &str, scope: &Scope<'_>) -> Result<Option<String>, EvalError> {
    let mut out = Vec::new();
    let presence = compile(source).json(scope, &mut out)?;
    let text = String::from_utf8(out).unwrap();
    assert_eq!(presence == Presence::Absent, text.is_empty());
    Ok((presence == Presence::Present).then_some(text))
}

#[test]
fn values_keep_their_type_and_their_digits() {
    let fixture = Fixture::new();
    let scope = fixture.scope();
    for (source, expected) in [
        ("path.id", "\"u-7\""),
        ("query.limit", "10"),
        ("query.filter.age[1]", "2"),
        ("header.x-request-id", "\"r-1\""),
        ("header.accept", "\"text/html, text/plain\""),
        ("body.name", r#""Ann \"A\"""#),
        ("body.big", "123456789012345678901234567890"),
        ("body.pi", "3.14159265358979323846264338"),
        ("body[\"a b\"]", "\"spaced\""),
        ("body.items[1].id", "\"i2\""),
        ("body.deep", r#"{"a":{"b":1}}"#),
        ("body.nil", "null"),
        ("body.?flag", "true"),
        ("request.method", "\"POST\""),
        ("request.time", "\"2023-11-14T22:13:20.123Z\""),
        ("request.ip", "\"127.0.0.1\""),
        ("reply.id", "9"),
        ("status", "200"),
        ("ack.sequence", "42"),
        ("ack.duplicate", "false"),
        ("reply_header.x-kind", "\"fast\""),
        ("claims.sub", "\"ann\""),
        ("claims.roles[1]", "\"b\""),
        ("claims", r#"{"iss":"https://id","sub":"ann","org":"acme","roles":["a","b"]}"#),
        ("caller.name", "\"ann\""),
        ("caller.scopes", r#"["read","write"]"#),
        ("caller.verifier + \"/\" + claims.org", "\"people/acme\""),
        ("\"write\" in caller.scopes", "true"),
        ("\"b\" in claims.roles && !(\"x\" in claims)", "true"),
        ("claims.roles.exists(r, r == \"a\")", "true"),
        ("token(path.email)", "\"a%2Eb@c%20d\""),
        // CEL from here on.
        ("body.n + 1", "4"),
        ("body.n + status + ack.sequence", "245"),
        ("query.limit * 2", "20"),
        ("path.id + \"-\" + request.id", "\"u-7-req-1\""),
        ("token(path.email + \"!\")", "\"a%2Eb@c%20d!\""),
        ("size(body.items) > 0", "true"),
        ("body.items.map(i, i.id)", r#"["i1","i2"]"#),
        ("body.items.filter(i, size(i.tags) > 0).map(i, i.tags.map(t, t + i.id))", r#"[["xi1"]]"#),
        ("has(body.x) ? body.x : \"d\"", "\"d\""),
        ("has(body.n) ? body.n : 0", "3"),
        ("\"n\" in body", "true"),
        ("\"x-request-id\" in header && !(\"x-none\" in header)", "true"),
        ("\"q\" in query && size(query) == 3", "true"),
        ("\"x\" in body.items[0].tags", "true"),
        ("body.?x.orValue(\"d\")", "\"d\""),
        ("header[?\"x-none\"].orValue(\"d\")", "\"d\""),
        (
            "{\"z\": 1, \"a\": [1.5, true, null], \"o\": body.?x, \"p\": body.?n}",
            r#"{"a":[1.5,true,null],"p":3,"z":1}"#,
        ),
        ("[body.?x, body.?n]", "[3]"),
        ("[1, 2].exists(x, x == body.n) || status in [200, 201]", "true"),
        ("body.?x.optMap(v, v + 1).orValue(7)", "7"),
        ("body[path.id == \"u-7\" ? \"n\" : \"flag\"]", "3"),
        ("\"a,b\".split(\",\").join(\"-\").upperAscii()", "\"A-B\""),
        ("request.path.matches(\"^/users/[a-z]-[0-9]+$\")", "true"),
        ("18446744073709551615u", "18446744073709551615"),
    ] {
        assert_eq!(json_of(source, &scope), Ok(Some(expected.to_owned())), "{source}");
    }
}

#[test]
fn absence_is_an_error_unless_it_is_foreseen() {
    let fixture = Fixture::new();
    let scope = fixture.scope();
    for source in [
        "body.?x",
        "body.?x.y",
        "body.deep.?x.y.z",
        "body.items[?9].id",
        "query.?none",
        "header.?x-none",
        "body.name.?x",
        "header.?x-binary",
    ] {
        assert_eq!(json_of(source, &scope), Ok(None), "{source}");
    }
    for (source, place) in [
        ("body.x", Place::Body { pointer: "/x".to_owned() }),
        ("body.deep.a.c", Place::Body { pointer: "/deep/a/c".to_owned() }),
        ("body.items[2]", Place::Body { pointer: "/items/2".to_owned() }),
        ("body.x.?y", Place::Body { pointer: "/x".to_owned() }),
        ("body.deep.x + \"!\"", Place::Body { pointer: "/deep/x".to_owned() }),
        ("reply.x", Place::Reply { pointer: "/x".to_owned() }),
        ("claims.x", Place::Claims { pointer: "/x".to_owned() }),
        ("claims.x == path.id", Place::Claims { pointer: "/x".to_owned() }),
        ("query.none", Place::Parameter { location: Location::Query, name: "none".to_owned() }),
        ("query.none + \"x\"", Place::Parameter { location: Location::Query, name: "none".to_owned() }),
        ("header.x-none", Place::Parameter { location: Location::Header, name: "x-none".to_owned() }),
    ] {
        let error = json_of(source, &scope).unwrap_err();
        assert_eq!((error.place, error.reason), (place, Reason::Missing), "{source}");
    }
}

#[test]
fn without_a_body_its_members_are_absent_and_without_a_reply_nothing_is() {
    let mut fixture = Fixture::new();
    (fixture.body, fixture.reply) = (None, None);
    let scope = fixture.scope();
    assert_eq!(json_of("body.?x", &scope), Ok(None));
    assert_eq!(json_of("has(body.x)", &scope).unwrap().as_deref(), Some("false"));
    for source in ["body", "body.x"] {
        assert_eq!(json_of(source, &scope).unwrap_err().reason, Reason::Missing, "{source}");
    }
    for source in ["reply.?x", "reply.?success.orValue(false) != true", "has(reply.x)"] {
        let error = json_of(source, &scope).unwrap_err();
        assert_eq!(
            (error.place, error.reason),
            (Place::Reply { pointer: String::new() }, Reason::Missing),
            "{source}"
        );
    }
    assert_eq!(json_of("status == 200 || reply.x", &scope).unwrap().as_deref(), Some("true"));
}

#[test]
fn without_a_caller_everything_of_it_is_absent() {
    let fixture = Fixture::new();
    let scope = Scope { caller: None, ..fixture.scope() };
    for source in ["claims.?org", "claims.?org.x", "caller.?name"] {
        assert_eq!(json_of(source, &scope), Ok(None), "{source}");
    }
    for source in ["has(claims.org)", "has(caller.name)", "\"org\" in claims"] {
        assert_eq!(json_of(source, &scope).unwrap().as_deref(), Some("false"), "{source}");
    }
    assert_eq!(json_of("caller.name", &scope).unwrap_err().place, Place::Caller);
    assert_eq!(json_of("claims.org == path.id", &scope).unwrap_err().reason, Reason::Missing);
}

#[test]
fn conditions_are_booleans() {
    let fixture = Fixture::new();
    let scope = fixture.scope();
    let bool_of = |source: &str| compile(source).bool(&scope);
    assert_eq!(bool_of("reply.?success.orValue(false) != true"), Ok(false));
    assert_eq!(bool_of("reply.?failed"), Ok(false));
    assert_eq!(bool_of("reply.success"), Ok(true));
    assert_eq!(bool_of("ack.duplicate"), Ok(false));
    assert_eq!(bool_of("reply.?a.?b"), Ok(false));
    assert_eq!(bool_of("reply[?\"suc\\u0063ess\"]"), Ok(true));
    for source in ["reply.message", "status", "status + 1", "token(path.id)", "reply"] {
        assert_eq!(bool_of(source).unwrap_err().reason, Reason::NotBool, "{source}");
    }
    let condition =
        compile_at("problem.code in [\"nats_unavailable\", \"timeout\"]", Position::Problem, &ANY);
    assert_eq!(condition.unwrap().bool(&scope), Ok(true));
}

#[test]
fn texts_are_strings_numbers_and_booleans() {
    let fixture = Fixture::new();
    let scope = fixture.scope();
    let text_of = |source: &str| compile(source).text(&scope);
    for (source, expected) in [
        ("body.name", "Ann \"A\""),
        ("body.n", "3"),
        ("body.flag", "true"),
        ("body.big", "123456789012345678901234567890"),
        ("ack.sequence", "42"),
        ("body.n + 1", "4"),
        ("body.n == 3", "true"),
        ("1.5 + 1.0", "2.5"),
        ("body.?n.optMap(n, n + 1)", "4"),
        ("string(timestamp(request.time).getFullYear())", "2023"),
    ] {
        assert_eq!(text_of(source).unwrap().as_deref(), Some(expected), "{source}");
    }
    for source in ["body.nil", "body.items", "body.deep", "[1]", "{\"a\": 1}", "null"] {
        assert_eq!(text_of(source).unwrap_err().reason, Reason::NotText, "{source}");
    }
    assert_eq!(text_of("body.?x"), Ok(None));
    assert_eq!(text_of("body.?x.optMap(n, n)"), Ok(None));
    assert!(matches!(text_of("timestamp(request.time)").unwrap_err().reason, Reason::NotText));
    assert!(matches!(text_of("1.0 / 0.0").unwrap_err().reason, Reason::Failed(_)));
}

#[test]
fn numbers_that_differ_are_not_the_same() {
    let mut fixture = Fixture::new();
    for (one, other, same) in [
        ("5", "5.0", true),
        ("100", "1e2", true),
        ("9007199254740993", "9007199254740993.0", true),
        ("9007199254740993", "9007199254740992", false),
        ("9007199254740993", "9007199254740992.0", false),
        ("9007199254740993", "900719925474099.2e1", false),
        ("9007199254740992", "9007199254740993.0", false),
        ("-9007199254740993", "-9007199254740992.0", false),
        ("1234567890123456789", "1234567890123456768.00", false),
        ("9223372036854775807", "9223372036854775808.0", false),
        ("18446744073709551614", "18446744073709551615.0", false),
        ("1e300", "10e299", true),
    ] {
        for (one, other) in [(one, other), (other, one)] {
            fixture.body = Some(document(&format!("{{\"v\":[{one},{{\"v\":{other}}}]}}")));
            let equal = compile("body.v[0] == body.v[1].v").bool(&fixture.scope());
            assert_eq!(equal, Ok(same), "{one} {other}");
        }
    }
}

#[test]
fn membership_reads_objects_and_lists() {
    let mut fixture = Fixture::new();
    assert_eq!(
        json_of("\"n\" in body && !(\"x\" in body)", &fixture.scope()).unwrap().as_deref(),
        Some("true")
    );
    fixture.body = Some(document(r#"["n", 1]"#));
    assert_eq!(
        json_of("\"n\" in body && !(\"x\" in body)", &fixture.scope()).unwrap().as_deref(),
        Some("true")
    );
}

#[test]
fn integers_reach_cel_as_int_where_they_fit() {
    let mut fixture = Fixture::new();
    fixture.body = Some(document(
        r#"{"zero":0,"max":9223372036854775807,"uint":18446744073709551615,"huge":18446744073709551616,"neg":-1}"#,
    ));
    let scope = fixture.scope();
    for (source, expected) in [
        ("type(body.zero) == int", "true"),
        ("type(body.max) == int", "true"),
        ("type(body.uint) == uint", "true"),
        ("type(body.huge) == double", "true"),
        ("body.zero + body.neg", "-1"),
        ("body.uint", "18446744073709551615"),
    ] {
        assert_eq!(json_of(source, &scope).unwrap().as_deref(), Some(expected), "{source}");
    }
}

#[test]
fn failures_never_repeat_values() {
    let fixture = Fixture::new();
    let scope = fixture.scope();
    for source in [
        "body.secret + 1",
        "int(body.secret)",
        "body.items[body.secret]",
        "body[body.secret]",
        "body.secret.foo + 1",
        "timestamp(body.secret)",
        "body.secret ? 1 : 2",
        "body.secret < 1",
        "{body.secret: 1, body.secret: 2}",
        "body.n / 0",
        "body.items[7 + 1]",
        "body.secret.all(x, true)",
        "bytes(body.secret)",
        "duration(body.secret)",
    ] {
        let error = json_of(source, &scope).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("hunter2"), "{source}: {shown}");
    }
    let error = json_of("body.x", &scope).unwrap_err();
    assert_eq!(error.to_string(), "the body's member \"/x\" is missing");
}

#[test]
fn what_a_loop_reads_again_for_each_element_is_bounded() {
    let mut fixture = Fixture::new();
    let items = |count: usize| vec!["{\"l\":[1]}"; count].join(",");
    fixture.body = Some(document(&format!(
        r#"{{"big":"{}","id":"x","items":[{}]}}"#,
        "a".repeat(500_000),
        items(50_000)
    )));
    let scope = fixture.scope();
    assert!(json_of("size(body.items.map(i, {\"order\": body.id, \"l\": i.l}))", &scope).is_ok());
    assert!(json_of("size(body.items.map(i, i.l.map(l, [i, l])))", &scope).is_ok());
    for source in [
        "size(body.items.map(i, body.big))",
        "body.items.all(i, i in body.items)",
        "body.items.exists(i, i == body)",
    ] {
        assert_eq!(json_of(source, &scope).unwrap_err().reason, Reason::TooCostly, "{source}");
    }
    let outer = format!(r#"{{"items":[{{"x":"{}","l":[{}]}}]}}"#, "a".repeat(500_000), items(50_000));
    fixture.body = Some(document(&outer));
    let error = json_of("body.items.map(i, i.l.map(l, i.x))", &fixture.scope()).unwrap_err();
    assert_eq!(error.reason, Reason::TooCostly);
}

#[test]
fn hostile_values_make_errors_and_no_panic() {
    let mut fixture = Fixture::new();
    for value in [
        r#""""#,
        r#""é\u0000\ud83d\ude00""#,
        "-9223372036854775808",
        "18446744073709551615",
        "1e308",
        "-1",
        "null",
        "[]",
        r#"{"":[[]]}"#,
        r#""9223372036854775807s""#,
        r#""9999-12-31T23:59:59.999999999Z""#,
        r#""0001-01-01T00:00:00Z""#,
        r#""2562047h47m16.854775807s""#,
    ] {
        fixture.body = Some(document(&format!("{{\"v\":{value}}}")));
        for source in [
            "body.v.substring(1)",
            "body.v.substring(0, 1)",
            "body.v.charAt(1)",
            "body.v.indexOf(\"\")",
            "body.v.split(\"\")",
            "body.v.trim() + body.v.lowerAscii()",
            "body.v / -1",
            "body.v % -1",
            "-body.v",
            "body.v * body.v",
            "body.v + body.v",
            "body.v - 1",
            "int(body.v)",
            "uint(body.v)",
            "double(body.v)",
            "string(body.v)",
            "bool(body.v)",
            "string(bytes(body.v))",
            "string(duration(body.v))",
            "string(timestamp(body.v))",
            "string(timestamp(body.v) + duration(\"2562047h\"))",
            "string(timestamp(body.v) - duration(\"2562047h\"))",
            "string(duration(body.v) + duration(body.v))",
            "timestamp(body.v).getFullYear(body.v)",
            "timestamp(\"2020-01-01T00:00:00Z\") - timestamp(body.v) > duration(body.v)",
            "timestamp(body.v) + duration(body.v) == null",
            "body.v[0]",
            "body.v[body.v]",
            "body.v in body.v",
            "body.v == body.v",
            "body.v < body.v",
            "size(body.v)",
            "body.v.all(x, x == body.v)",
            "[1, 2][body.v]",
            "\"abc\".substring(body.v)",
            "\"abc\".charAt(body.v)",
            "\"abc\".substring(0, body.v)",
            "\"abc\".indexOf(\"b\", body.v)",
            "\"abc\".lastIndexOf(\"b\", body.v)",
            "\"a\".split(\"a\", body.v)",
            "string(duration(body.v).getHours())",
            "{body.v: 1}",
            "token(body.v)",
            "body.v.matches(\"^a*$\")",
            "type(body.v) == int",
        ] {
            let compiled = compile(source);
            let mut out = Vec::new();
            if compiled.json(&fixture.scope(), &mut out) == Ok(Presence::Present) {
                assert!(serde_json::from_slice::<serde_json::Value>(&out).is_ok(), "{source} of {value}");
            }
        }
    }
}
