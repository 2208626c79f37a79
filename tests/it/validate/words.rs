//! What is wrong with a body, in words.

use serde_json::Value;

use super::contract::OneSchema;

/// Everything that is wrong, a line each.
fn words(schema: &str, body: &str) -> String {
    let mut one = OneSchema::new("3.1.0", schema, &[("more.yaml", MORE)]);
    let body: Value = serde_json::from_str(body).expect("a body");
    let violations = one.compiled().violations(&body);
    violations.iter().map(|one| format!("{} {}\n", one.pointer, one.detail)).collect()
}

const MORE: &str = "
Cat: { type: object, required: [kind, lives], properties: { kind: { const: cat }, lives: { type: integer, maximum: 9 } } }
Dog: { type: object, required: [kind, tail], properties: { kind: { const: dog }, tail: { type: boolean } } }
";

const PETS: &str = "{ oneOf: [{ $ref: 'more.yaml#/Cat' }, { $ref: 'more.yaml#/Dog' }] }";

#[test]
fn every_keyword_has_its_words() {
    for (schema, body, expected) in [
        ("{ type: object }", "[]", " must be an object\n"),
        ("{ type: [string, 'null'] }", "1", " must be null or a string\n"),
        ("{ properties: { a: { type: integer } } }", r#"{"a":1.5}"#, "/a must be an integer\n"),
        ("{ required: [a, b/c] }", "{}", "/a is required\n/b~1c is required\n"),
        (
            "{ properties: { a: {} }, additionalProperties: false }",
            r#"{"a":1,"b":2,"c~":3}"#,
            "/b is not a known property\n/c~0 is not a known property\n",
        ),
        (
            "{ properties: { a: {} }, unevaluatedProperties: false }",
            r#"{"a":1,"b":2}"#,
            "/b is not a known property\n",
        ),
        ("{ maximum: 10 }", "11", " must be at most 10\n"),
        ("{ minimum: 1.5 }", "1", " must be at least 1.5\n"),
        ("{ exclusiveMaximum: 10 }", "10", " must be less than 10\n"),
        ("{ exclusiveMinimum: 10 }", "10", " must be greater than 10\n"),
        ("{ multipleOf: 0.01 }", "0.005", " must be a multiple of 0.01\n"),
        ("{ maxLength: 1 }", r#""ab""#, " must have at most 1 character\n"),
        ("{ minLength: 3 }", r#""ab""#, " must have at least 3 characters\n"),
        ("{ pattern: '^a+$' }", r#""b""#, " must match the pattern ^a+$\n"),
        ("{ pattern: '^(?!.*b)a' }", r#""ab""#, " must match the pattern ^(?!.*b)a\n"),
        ("{ format: date-time }", r#""x""#, " must be a valid date-time\n"),
        ("{ type: integer, format: int32 }", "2147483648", " must be at most 2147483647\n"),
        ("{ maxItems: 0 }", "[1]", " must have at most 0 items\n"),
        ("{ minItems: 1 }", "[]", " must have at least 1 item\n"),
        ("{ uniqueItems: true }", "[1,1.0]", " must not have the same item twice\n"),
        ("{ minProperties: 2 }", "{}", " must have at least 2 properties\n"),
        ("{ maxProperties: 1 }", r#"{"a":1,"b":2}"#, " must have at most 1 property\n"),
        ("{ prefixItems: [{}], items: false }", "[1,2]", "/1 must not be there\n"),
        ("{ prefixItems: [{}], unevaluatedItems: false }", "[1,2]", " has more items than are known\n"),
        ("{ contains: { const: 1 } }", "[2]", " does not contain the items that it must contain\n"),
        (
            "{ contains: { const: 1 }, maxContains: 1 }",
            "[1,1]",
            " does not contain the items that it must contain\n",
        ),
        ("{ const: a }", r#""secret""#, " must be \"a\"\n"),
        ("{ const: { a: 1 } }", r#""secret""#, " must be exactly what the contract says\n"),
        ("{ enum: [a, 1, null] }", r#""secret""#, " must be \"a\", 1 or null\n"),
        ("{ not: { const: 1 } }", "1", " is what the contract excludes\n"),
        (
            "{ propertyNames: { maxLength: 1 } }",
            r#"{"ab":1}"#,
            " has a property of which the name must have at most 1 character\n",
        ),
        ("{ dependentRequired: { a: [b] } }", r#"{"a":1}"#, "/b is required\n"),
        ("{ properties: { a: false } }", r#"{"a":1}"#, "/a must not be there\n"),
        ("{ if: { required: [a] }, then: { required: [b] } }", r#"{"a":1}"#, "/b is required\n"),
    ] {
        assert_eq!(words(schema, body), expected, "{schema} {body}");
    }
}

#[test]
fn alternatives_are_told_by_name() {
    for (schema, body, expected) in [
        (
            PETS,
            r#"{"kind":"cat","lives":10}"#,
            " matches none of the alternatives Cat or Dog\n/lives must be at most 9\n",
        ),
        (PETS, r#"{"kind":"cow"}"#, " must match one of the alternatives Cat or Dog\n"),
        (PETS, "1", " must be an object\n"),
        ("{ anyOf: [{ type: string }, { type: 'null' }] }", "1", " must be null or a string\n"),
        (
            "{ anyOf: [{ type: string, maxLength: 1 }, { type: 'null' }] }",
            r#""ab""#,
            " must have at most 1 character\n",
        ),
        (
            "{ anyOf: [{ $ref: 'more.yaml#/Cat' }, { type: 'null' }] }",
            r#"{"kind":"cat"}"#,
            "/lives is required\n",
        ),
        (
            "{ oneOf: [{ title: small, maximum: 5 }, { title: even, multipleOf: 2 }, { maximum: 4 }] }",
            "4",
            " must match one alternative only, and matches small and even and no. 3\n",
        ),
        (
            "{ oneOf: [{ title: Small, maximum: 5 }, { title: Even, multipleOf: 2 }] }",
            "7",
            " must match one of the alternatives Small or Even\n",
        ),
    ] {
        assert_eq!(words(schema, body), expected, "{schema} {body}");
    }
}

#[test]
fn nothing_that_was_sent_is_repeated() {
    let secret = "hunter2";
    let schemas = [
        "{ type: integer }",
        "{ maxLength: 1 }",
        "{ pattern: '^a$' }",
        "{ pattern: '^(?!.*hunter)a' }",
        "{ format: uuid }",
        "{ enum: [a] }",
        "{ const: a }",
        "{ not: {} }",
        "{ anyOf: [{ type: integer }, { maxLength: 1 }] }",
        "{ oneOf: [{}, {}] }",
        "false",
        "{ format: byte }",
    ];
    for schema in schemas {
        let said = words(schema, &format!("\"{secret}\""));
        assert!(
            !said.is_empty() && !said.contains(&secret[1..]) || schema.contains("hunter"),
            "{schema}: {said}"
        );
    }
    let items = words(
        "{ contains: { type: integer }, uniqueItems: true, unevaluatedItems: false }",
        r#"["hunter2","hunter2"]"#,
    );
    assert!(!items.is_empty() && !items.contains(secret), "{items}");
}

#[test]
fn a_list_has_an_end() {
    let body = format!("[{}]", vec!["\"x\""; 100_000].join(","));
    let said = words("{ items: { type: integer } }", &body);
    assert_eq!(said.lines().count(), 65);
    assert!(said.starts_with("/0 must be an integer\n/1 must") && said.ends_with(" and more\n"), "{said}");
    let long = "n".repeat(1_000_000);
    let said = words("{ additionalProperties: false }", &format!("{{\"{long}\":1}}"));
    assert!(said.len() < 1_000 && said.ends_with("is not a known property\n"), "{}", said.len());
}
