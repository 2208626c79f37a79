use std::io::Write;
use std::time::{Duration, Instant};

use super::*;

/// A comparison by what is said of places.
fn comparison(rules: &[(Rule, &str)]) -> Comparison {
    let mut comparison = Comparison::default();
    rules.iter().for_each(|(rule, pattern)| comparison.rule(pattern, *rule).unwrap());
    comparison
}

fn answer(status: u16, content_type: &str, body: impl Into<Bytes>) -> Answer {
    let mut headers = HeaderMap::new();
    if !content_type.is_empty() {
        headers.insert(CONTENT_TYPE, content_type.parse().unwrap());
    }
    Answer {
        status: StatusCode::from_u16(status).unwrap(),
        headers,
        body: Some(body.into()),
        code: None,
        took: Duration::ZERO,
    }
}

fn json(body: &str) -> Answer {
    answer(200, "application/json", body.to_owned())
}

fn pair(legacy: Answer, nats: Answer) -> Pair {
    Pair { served: Side::Legacy, primary: Some(legacy), candidate: Some(nats), noise: false }
}

/// The places where two JSON bodies differ.
fn places(rules: &[(Rule, &str)], legacy: &str, nats: &str) -> Vec<String> {
    pointers(comparison(rules).judge(&pair(json(legacy), json(nats))))
}

fn pointers(verdict: Verdict) -> Vec<String> {
    match verdict {
        Verdict::Match => Vec::new(),
        Verdict::Mismatch(difference) => difference.pointers,
        other => panic!("{other:?}"),
    }
}

#[test]
fn json_is_compared_by_value() {
    for (one, other) in [
        (r#"{"a":1,"b":[true,null]}"#, r#" { "b" : [ true , null ], "a": 1.0 } "#),
        (r"[100, 0.5, -0]", r"[1e2, 5E-1, 0.0]"),
        (r#""\u00e9\n""#, "\"é\\u000a\""),
        ("123456789012345678901234567890", "1.2345678901234567890123456789e29"),
    ] {
        assert_eq!(places(&[], one, other), Vec::<String>::new(), "{one} {other}");
    }
    for (one, other, expected) in [
        ("9007199254740992", "9007199254740993", &["body"][..]),
        ("0.1", "0.10000000000000000001", &["body"]),
        (r#"{"a":1}"#, r#"{"a":"1"}"#, &["/a"]),
        (r#"{"a":null}"#, r"{}", &["/a"]),
        (r#"{"a":{"b":1},"c":2}"#, r#"{"a":{"b":2},"d":2}"#, &["/a/b", "/c", "/d"]),
        (r#"{"l":[1,2]}"#, r#"{"l":[1,2,3]}"#, &["/l"]),
        (r#"{"l":[1,2,3]}"#, r#"{"l":[1,3,2]}"#, &["/l/*"]),
        (r#"[{"id":1,"x":1},{"id":2,"x":1}]"#, r#"[{"id":1,"x":2},{"id":2,"x":3}]"#, &["/*/x"]),
        ("{}", "[]", &["body"]),
    ] {
        assert_eq!(places(&[], one, other), expected, "{one} {other}");
    }
}

#[test]
fn what_may_differ_is_not_looked_at() {
    let one = r#"{"updatedAt":1,"items":[{"etag":"a","n":1},{"etag":"b","n":2}],"meta":{"x":{"y":1}}}"#;
    let other = r#"{"items":[{"etag":"c","n":1},{"n":3}],"meta":{"x":{"y":2},"z":1}}"#;
    assert_eq!(
        places(&[], one, other),
        ["/items/*/etag", "/items/*/n", "/meta/x/y", "/meta/z", "/updatedAt"]
    );
    let ignored = ["/updatedAt", "/items/*/etag", "/meta/**"].map(|pattern| (Rule::Ignore, pattern));
    assert_eq!(places(&ignored, one, other), ["/items/*/n"]);
    assert_eq!(places(&[(Rule::Ignore, "")], one, "7"), Vec::<String>::new());
}

#[test]
fn null_is_missing_where_that_is_written() {
    let one = r#"{"a":null,"b":{"c":null},"l":[{"d":null}]}"#;
    let other = r#"{"b":{},"l":[{}]}"#;
    assert_eq!(places(&[], one, other), ["/a", "/b/c", "/l/*/d"]);
    assert_eq!(places(&[(Rule::NullIsMissing, "/b/c")], one, other), ["/a", "/l/*/d"]);
    assert_eq!(places(&[(Rule::NullIsMissing, "/**")], one, other), Vec::<String>::new());
    assert_eq!(places(&[(Rule::NullIsMissing, "/**")], other, one), Vec::<String>::new());
    assert_eq!(places(&[(Rule::NullIsMissing, "/**")], r#"{"a":null}"#, r#"{"a":0}"#), ["/a"]);
}

#[test]
fn lists_without_an_order_are_multisets() {
    let roles = [(Rule::Unordered, "/roles")];
    assert_eq!(places(&[], r#"{"roles":[1,2]}"#, r#"{"roles":[2,1]}"#), ["/roles/*"]);
    assert_eq!(places(&roles, r#"{"roles":[1,2,2.0]}"#, r#"{"roles":[2,1,2]}"#), Vec::<String>::new());
    assert_eq!(places(&roles, r#"{"roles":[1,1,2]}"#, r#"{"roles":[1,2,2]}"#), ["/roles/*"]);
    assert_eq!(places(&roles, r#"{"roles":[1,1]}"#, r#"{"roles":[1]}"#), ["/roles"]);
    let items = [(Rule::Unordered, ""), (Rule::Ignore, "/*/at"), (Rule::Unordered, "/*/tags")];
    let one = r#"[{"id":1,"at":1,"tags":["a","b"]},{"id":2,"tags":[],"x":1},{"id":3,"x":1}]"#;
    let other = r#"[{"id":3,"x":2},{"id":2,"tags":[],"x":1},{"id":1,"at":2,"tags":["b","a"]}]"#;
    assert_eq!(places(&items, one, other), ["/*/x"], "the most similar ones are held against each other");
}

#[test]
fn hostile_bodies_cost_a_bounded_time() {
    let rules = comparison(&[(Rule::Unordered, ""), (Rule::Unordered, "/**")]).with_max_body(64 << 20);
    let list = |from: usize| {
        let items: Vec<String> = (from..from + 100_000).map(|n| format!("{{\"n\":{n}}}")).collect();
        json(&format!("[{}]", items.join(",")))
    };
    let began = Instant::now();
    assert_eq!(pointers(rules.judge(&pair(list(0), list(50_000)))), ["/*"]);
    // Nothing has an equal, and everything resembles everything.
    let (one, other) = (json(&nested(9, &mut 0)), json(&nested(9, &mut 100_000)));
    assert_eq!(rules.judge(&pair(one, other)), Verdict::Skipped(Skip::TooMuchWork));
    let long = json(&format!("[{}1]", "0,".repeat(1_100_000)));
    let longer = json(&format!("[{}2]", "0,".repeat(1_100_000)));
    assert_eq!(rules.judge(&pair(long, longer)), Verdict::Skipped(Skip::TooMuchWork));
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    let wide = |value: u8| {
        let members: Vec<String> = (0..40).map(|at| format!("\"m{at}\":{value}")).collect();
        json(&format!("{{{}}}", members.join(",")))
    };
    let found = pointers(rules.judge(&pair(wide(1), wide(2))));
    assert_eq!((found.len(), found.last().map(String::as_str)), (17, Some("…")));
}

fn nested(depth: u32, leaf: &mut u32) -> String {
    if depth == 0 {
        *leaf += 1;
        return leaf.to_string();
    }
    let items: Vec<String> = (0..3).map(|_| nested(depth - 1, leaf)).collect();
    format!("[{}]", items.join(","))
}

#[test]
fn bodies_that_are_no_json_are_compared_by_their_bytes() {
    let plain = Comparison::default();
    let judged = |one: Answer, other: Answer| pointers(plain.judge(&pair(one, other)));
    let text = |body: &'static str| answer(200, "text/plain", body);
    assert_eq!(judged(text("[1]"), text("[1]")), Vec::<String>::new());
    assert_eq!(judged(text("[1]"), text("[1.0]")), ["body"]);
    assert_eq!(judged(json("{\"a\":1}"), text("hello")), ["body", "header:content-type"]);
    // Told, whatever it is.
    for malformed in ["{", "{\"a\":1,\"a\":2}", "", "nul", &"[".repeat(100_000)] {
        assert_eq!(judged(json("{}"), json(malformed)), ["body"], "{}", malformed.len());
        assert_eq!(judged(json(malformed), json(malformed)), Vec::<String>::new());
    }
    let invalid = answer(200, "application/json", &b"\"\xff\""[..]);
    assert_eq!(judged(json("\"x\""), invalid), ["body"]);
}

#[test]
fn statuses_and_headers_that_are_named_count() {
    let with = |status, headers: &[(&str, &str)]| {
        let mut answer = answer(status, "application/json; charset=utf-8", "{}");
        for (name, value) in headers {
            answer.headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        answer
    };
    let plain = Comparison::default();
    assert_eq!(pointers(plain.judge(&pair(with(200, &[("etag", "1")]), json("{}")))), Vec::<String>::new());
    assert_eq!(pointers(plain.judge(&pair(with(200, &[]), with(201, &[])))), ["status"]);
    let etags = Comparison::default().with_headers(vec!["etag".parse().unwrap()]);
    let differing = pair(with(200, &[("etag", "secret")]), with(200, &[]));
    let Verdict::Mismatch(found) = etags.judge(&differing) else { panic!("a mismatch") };
    assert_eq!(found.pointers, ["header:etag"]);
    assert_eq!(
        (&*found.example.legacy["header:etag"], &*found.example.nats["header:etag"]),
        ("string(6)", "missing")
    );
    let empty = |content_type| answer(204, content_type, "");
    assert_eq!(pointers(plain.judge(&pair(empty("text/html"), empty("")))), Vec::<String>::new());
}

#[test]
fn an_example_shows_what_it_may() {
    let rules = comparison(&[(Rule::Show, "/kind"), (Rule::Show, "/deep/**")]);
    let one = r#"{"kind":"a\u001bb","name":"Ann","deep":{"n":1},"l":[1],"o":{},"gone":true}"#;
    let other = r#"{"kind":"c","name":"Bob!","deep":{"n":2},"l":{"x":1},"o":7}"#;
    let Verdict::Mismatch(found) = rules.judge(&pair(json(one), json(other))) else { panic!("a mismatch") };
    let said = |place: &str| (&*found.example.legacy[place], &*found.example.nats[place]);
    assert_eq!(said("/kind"), ("\"a\\u001bb\"", "\"c\""));
    assert_eq!(said("/name"), ("string(3)", "string(4)"));
    assert_eq!(said("/deep/n"), ("1", "2"));
    assert_eq!(said("/l"), ("list(1)", "map(1)"));
    assert_eq!(said("/o"), ("map(0)", "number"));
    assert_eq!(said("/gone"), ("bool", "missing"));
}

#[test]
fn contents_are_decoded_within_the_limit() {
    let packed = |body: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(body).unwrap();
        let mut answer = answer(200, "application/json", encoder.finish().unwrap());
        answer.headers.insert("content-encoding", HeaderValue::from_static("gzip"));
        answer
    };
    let plain = Comparison::default();
    assert_eq!(plain.judge(&pair(packed(b"{\"a\":1}"), json("{\"a\":1.0}"))), Verdict::Match);
    let bomb = packed(&vec![b' '; 10 << 20]);
    assert_eq!(plain.judge(&pair(bomb, json("1"))), Verdict::Skipped(Skip::BodyTooLong));
    let mut unknown = json("x");
    unknown.headers.insert("content-encoding", HeaderValue::from_static("br"));
    assert_eq!(plain.judge(&pair(unknown.clone(), json("1"))), Verdict::Skipped(Skip::Encoded));
    assert_eq!(plain.judge(&pair(unknown.clone(), unknown)), Verdict::Match);
}

#[test]
fn a_copy_that_failed_is_no_answer() {
    let plain = Comparison::default();
    let with = |code, status| Answer { code: Some(code), ..answer(status, "application/json", "{}") };
    let judged = |candidate| plain.judge(&Pair { candidate, ..pair(json("{}"), json("{}")) });
    assert_eq!(judged(None), Verdict::CandidateTimeout);
    assert_eq!(judged(Some(with(Code::Timeout, 504))), Verdict::CandidateTimeout);
    // A case that makes 200 of it does not make an answer of it.
    assert_eq!(judged(Some(with(Code::NoResponders, 200))), Verdict::CandidateError(Code::NoResponders));
    // A refusal that the client would have is one.
    assert_eq!(pointers(judged(Some(with(Code::InvalidBody, 422)))), ["status"]);
    let refused = answer(422, "application/json", "{}");
    let alike = pair(refused, with(Code::InvalidBody, 422));
    assert_eq!(plain.judge(&alike), Verdict::Match);
    // Both failing alike is the same.
    assert_eq!(plain.judge(&pair(answer(500, "", "x"), answer(500, "", "x"))), Verdict::Match);
    let none = Pair { primary: None, ..pair(json("{}"), json("{}")) };
    assert_eq!(plain.judge(&none), Verdict::Skipped(Skip::NotAnswered));
    let mirrored = Pair { served: Side::Nats, candidate: None, ..pair(json("{}"), json("{}")) };
    assert_eq!(plain.judge(&mirrored), Verdict::Skipped(Skip::LegacyFailed));
    let cut = Answer { body: None, ..json("{}") };
    assert_eq!(plain.judge(&pair(cut.clone(), json("{}"))), Verdict::Skipped(Skip::BodyTooLong));
    let cut = Answer { status: StatusCode::CREATED, ..cut };
    assert_eq!(pointers(plain.judge(&pair(cut, json("{}")))), ["status"]);
}

mod any {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (0..3_i64).prop_map(Value::from),
            "[ab~/*]{0,2}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map("[abc~/]{1,2}", inner, 0..5).prop_map(|members| json!(members)),
            ]
        })
    }

    /// The same with every list and every object the other way round.
    fn reversed(value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().rev().map(reversed).collect(),
            Value::Object(members) => Value::Object(
                members.iter().rev().map(|(name, value)| (name.clone(), reversed(value))).collect(),
            ),
            value => value.clone(),
        }
    }

    /// With lists in one order.
    fn sorted(value: &Value) -> Value {
        match value {
            Value::Array(items) => {
                let mut items: Vec<Value> = items.iter().map(sorted).collect();
                items.sort_by_key(Value::to_string);
                Value::Array(items)
            }
            Value::Object(members) => {
                let mut members: Vec<_> =
                    members.iter().map(|(name, value)| (name.clone(), sorted(value))).collect();
                members.sort_by(|a, b| a.0.cmp(&b.0));
                Value::Object(members.into_iter().collect())
            }
            value => value.clone(),
        }
    }

    proptest! {
        #[test]
        fn values_that_are_equal_match_and_no_others(one in value(), other in value()) {
            let (one_text, other_text) = (one.to_string(), other.to_string());
            prop_assert_eq!(places(&[], &one_text, &other_text).is_empty(), one == other);
            prop_assert!(places(&[(Rule::Ignore, "/**"), (Rule::Ignore, "")], &one_text, &other_text).is_empty());
            let rules = [(Rule::Unordered, ""), (Rule::Unordered, "/**")];
            prop_assert!(places(&rules, &one_text, &reversed(&one).to_string()).is_empty());
            prop_assert_eq!(places(&rules, &one_text, &other_text).is_empty(), sorted(&one) == sorted(&other));
            prop_assert_eq!(places(&rules, &one_text, &other_text), places(&rules, &one_text, &other_text));
        }
    }
}
