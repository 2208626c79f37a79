//! What a document accepts, and that reading it in place finds what a tree would hold.

use super::*;
use proptest::prelude::*;
use serde_json::Value;

fn parse(text: &str) -> Result<Document, MalformedBody> {
    Document::parse(Bytes::copy_from_slice(text.as_bytes()))
}

#[test]
fn only_one_valid_value_is_accepted() {
    for good in
        ["{}", " [1, 2] \n", "\"x\"", "null", "true", "-0.5e10", r#"{"a":{"a":1},"b":[{"a":1},{"a":2}]}"#]
    {
        assert!(parse(good).is_ok(), "{good}");
    }
    for bad in [
        "",
        " ",
        "{",
        "[1,]",
        "{\"a\":1,}",
        "{} {}",
        "1 2",
        "01",
        "nul",
        "'a'",
        "{a:1}",
        "NaN",
        "1e999",
        "\"\u{1}\"",
        "\u{feff}{}",
        r#""\ud800""#,
        "[1]]",
    ] {
        assert!(parse(bad).is_err(), "{bad}");
    }
    assert!(Document::parse(Bytes::from_static(b"\"\xff\"")).is_err());
}

#[test]
fn depth_is_bounded() {
    assert!(parse(&format!("{}{}", "[".repeat(127), "]".repeat(127))).is_ok());
    assert!(parse(&format!("{}{}", "[".repeat(200_000), "]".repeat(200_000))).is_err());
    assert!(parse(&r#"{"a":"#.repeat(200_000)).is_err());
}

#[test]
fn a_doubled_name_is_told_with_its_place_and_without_values() {
    let many: String = (0..100).map(|n| format!("\"k{n}\":0,")).collect();
    for (text, pointer, name) in [
        (r#"{"id":"secret","id":"other"}"#.to_owned(), "", "id"),
        (r#"{"items":[{"x":1},{"x":"secret","y":1,"x":2}]}"#.to_owned(), "/items/1", "x"),
        (r#"{"a/b":{"c~d":{"k":1,"\u006b":2}}}"#.to_owned(), "/a~1b/c~0d", "k"),
        (format!("{{{many}\"k99\":1}}"), "", "k99"),
        (format!("{{{many}\"k3\":1}}"), "", "k3"),
    ] {
        let error = parse(&text).unwrap_err();
        assert_eq!(error.pointer.as_deref(), Some(pointer), "{error}");
        assert!(error.message.contains(&format!("{name:?}")), "{error}");
        assert!(!error.message.contains("secret"), "{error}");
    }
}

#[test]
fn values_keep_the_form_in_which_they_came() {
    let text = r#" { "big" : 123456789012345678901234567890, "pi":3.14159265358979323846264338327950288,
        "e": 1E+2, "s":"a\u0062\n\"", "n" : { "x" : [ 10 , -0 , {"y" : null} ] }, "\u006b\"ey": false } "#;
    let document = parse(text).unwrap();
    let root = document.root();
    for (path, raw) in [
        ("big", "123456789012345678901234567890"),
        ("pi", "3.14159265358979323846264338327950288"),
        ("e", "1E+2"),
        ("s", r#""a\u0062\n\"""#),
        ("k\"ey", "false"),
    ] {
        assert_eq!(root.member(path).map(Json::raw), Some(raw));
    }
    let items = root.member("n").and_then(|n| n.member("x")).unwrap();
    assert_eq!(items.item(0).map(Json::raw), Some("10"));
    assert_eq!(items.item(1).map(Json::raw), Some("-0"));
    assert_eq!(items.item(2).and_then(|item| item.member("y")).map(Json::kind), Some(Kind::Null));
    assert_eq!(items.item(3), None);
    assert_eq!(items.member("x"), None);
    assert_eq!(root.item(0), None);
    assert_eq!(root.member("s").and_then(Json::as_text).as_deref(), Some("ab\n\""));
    assert_eq!(root.member("big").and_then(Json::as_text), None);
    assert_eq!(document.bytes().as_ref(), text.as_bytes());
}

#[test]
fn strings_are_written_escaped() {
    let mut out = b"x=".to_vec();
    write_string(&mut out, "a\"\\\n\u{1}é");
    assert_eq!(out, "x=\"a\\\"\\\\\\n\\u0001é\"".as_bytes());
}

fn tree() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        "[ -~\\n\\t\"\\\\{}\\[\\]é\u{1f600}]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::hash_map("[a-c\"\\\\{é]{0,3}", inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// Reads a whole document in place and builds the tree that was seen.
fn rebuild(json: Json<'_>, like: &Value) -> Value {
    match like {
        Value::Array(items) => {
            assert_eq!(json.item(items.len()), None);
            items.iter().enumerate().map(|(index, item)| rebuild(json.item(index).unwrap(), item)).collect()
        }
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| (name.clone(), rebuild(json.member(name).unwrap(), value)))
            .collect(),
        Value::String(_) => Value::from(json.as_text().unwrap().into_owned()),
        _ => json.to_value(),
    }
}

proptest! {
    #[test]
    fn reading_in_place_finds_what_a_tree_holds(tree in tree(), pretty in any::<bool>()) {
        let text = if pretty { serde_json::to_string_pretty(&tree) } else { serde_json::to_string(&tree) }.unwrap();
        let document = parse(&text).unwrap();
        prop_assert_eq!(&rebuild(document.root(), &tree), &tree);
        prop_assert_eq!(document.to_value(), tree);
    }

    #[test]
    fn a_document_is_what_serde_json_accepts(text in "[\\[\\]{}:,\"\\\\a0-9eE+. tnu-]{0,12}") {
        let valid = serde_json::from_str::<Value>(&text).is_ok();
        match parse(&text) {
            Ok(_) => prop_assert!(valid),
            Err(error) => prop_assert!(!valid || error.pointer.is_some(), "{}", error),
        }
    }

    #[test]
    fn unchecked_text_neither_panics_nor_loops(text in "\\PC{0,40}|[\\[\\]{}:,\"\\\\a0 é]{0,30}") {
        let json = Json::new(&text);
        let _ = (json.member("a"), json.item(3), json.as_text(), json.kind(), json.to_value());
    }
}
