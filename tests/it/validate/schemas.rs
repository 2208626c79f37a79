//! What schemas of OpenAPI 3.1 mean beyond the official suite: dialects, names, directions, numbers; and what is wrong
//! with a schema, at its place.

use natsgate::contract::Direction;
use natsgate::json::Document;

use super::contract::OneSchema;

fn admits(one: &OneSchema, direction: Direction, body: &str) -> bool {
    let document = Document::parse(body.to_owned().into()).expect("a body");
    let validator = one.validator(direction).unwrap_or_else(|problem| panic!("{}", problem.message));
    validator.violations_of(&document).is_empty()
}

#[test]
fn a_property_that_is_not_sent_is_not_required() {
    const COMPONENTS: &str = "
components:
  schemas:
    Base: { type: object, required: [id], properties: { id: { type: integer, readOnly: true } } }
    Id: { type: integer, readOnly: true }
    Secret: { type: object, required: [secret], properties: { secret: { type: string, writeOnly: true } } }
";
    for version in ["3.0.3", "3.1.0"] {
        for (schema, body, request, response) in [
            ("{ $ref: '#/components/schemas/Base' }", "{}", true, false),
            ("{ $ref: '#/components/schemas/Base' }", r#"{"id":1}"#, true, true),
            ("{ $ref: '#/components/schemas/Base' }", r#"{"id":"a"}"#, false, false),
            ("{ $ref: '#/components/schemas/Secret' }", "{}", false, true),
            (
                "{ allOf: [{ $ref: '#/components/schemas/Base' }, { required: [id, name] }] }",
                r#"{"name":1}"#,
                true,
                false,
            ),
            (
                "{ allOf: [{ $ref: '#/components/schemas/Base' }, { required: [id, name] }] }",
                "{}",
                false,
                false,
            ),
            ("{ required: [id], allOf: [{ $ref: '#/components/schemas/Base' }] }", "{}", true, false),
            (
                "{ allOf: [{ required: [a] }], properties: { a: { $ref: '#/components/schemas/Id' } } }",
                "{}",
                true,
                false,
            ),
            (
                "{ properties: { a: { allOf: [{}], readOnly: true } }, oneOf: [{ required: [a] }, { required: [b] }] }",
                r#"{"b":1}"#,
                false,
                true,
            ),
            // Inside, the same name is another property.
            (
                "{ properties: { id: { readOnly: true }, in: { required: [id] } } }",
                r#"{"in":{}}"#,
                false,
                false,
            ),
            ("{ type: array, items: { $ref: '#/components/schemas/Base' } }", "[{}]", true, false),
        ] {
            let one = OneSchema::with(version, schema, COMPONENTS, &[]);
            assert_eq!(admits(&one, Direction::Request, body), request, "{version} {schema} {body}");
            assert_eq!(admits(&one, Direction::Response, body), response, "{version} {schema} {body}");
        }
    }
}

#[test]
fn numbers_are_taken_to_the_last_digit() {
    for (schema, body, valid) in [
        ("{ type: integer }", "1.0", true),
        ("{ type: integer }", "1e2", true),
        ("{ type: integer }", "123456789012345678901234567890", true),
        ("{ type: integer }", "9007199254740993.5", false),
        ("{ type: integer }", "0.9999999999999999999999", false),
        ("{ maximum: 18446744073709551615 }", "18446744073709551615", true),
        ("{ maximum: 18446744073709551615 }", "18446744073709551616", false),
        ("{ maximum: 9007199254740992 }", "9007199254740993", false),
        ("{ exclusiveMaximum: 1 }", "0.99999999999999999999", true),
        ("{ exclusiveMinimum: 0.1 }", "0.10000000000000000001", true),
        ("{ maximum: 0.1 }", "0.10000000000000000001", false),
        ("{ multipleOf: 0.01 }", "4.35", true),
        ("{ multipleOf: 0.01 }", "1234567890123456789.01", true),
        ("{ multipleOf: 0.01 }", "1234567890123456789.015", false),
        ("{ multipleOf: 10 }", "12345678901234567890120", true),
        ("{ multipleOf: 10 }", "12345678901234567890121", false),
        ("{ const: 0.1 }", "0.10000000000000000001", false),
        ("{ enum: [1] }", "1.00", true),
        ("{ const: { a: [1] } }", r#"{"a":[1.0]}"#, true),
        ("{ uniqueItems: true }", "[100000000000000000000,100000000000000000001]", true),
        ("{ uniqueItems: true }", r#"[{"a":1,"b":[2]},{"b":[2.0],"a":1e0}]"#, false),
        ("{ uniqueItems: true }", r#"[0,1,2,3,4,5,6,7,8,9,10,11,12,{"a":1,"b":2},{"b":2.0,"a":1}]"#, false),
        ("{ uniqueItems: true }", r#"[0,1,2,3,4,5,6,7,8,9,10,11,12,"1",[1],{"1":1},true,null,"true"]"#, true),
    ] {
        let one = OneSchema::new("3.1.0", schema, &[]);
        assert_eq!(admits(&one, Direction::Request, body), valid, "{schema} {body}");
    }
}

/// In draft 07, what stands beside a `$ref` is ignored.
const OLD: &str = r##"{"$schema":"http://json-schema.org/draft-07/schema#","definitions":{"a":{"items":[{"type":"integer"}]}},
    "$ref":"#/definitions/a","maxItems":0}"##;

#[test]
fn schemas_may_follow_an_older_draft() {
    let draft = |number| format!("http://json-schema.org/draft-0{number}/schema#");
    // In 2020-12, `items` is one schema; before, a list was a tuple.
    let tuple = "items: [{ type: integer }], additionalItems: false";
    for (schema, more, files, body, valid) in [
        (format!("{{ {tuple} }}"), format!("jsonSchemaDialect: {}", draft(7)), "", "[1]", true),
        (format!("{{ {tuple} }}"), format!("jsonSchemaDialect: {}", draft(7)), "", "[1,2]", false),
        (format!("{{ $schema: '{}', {tuple} }}", draft(6)), String::new(), "", "[1,2]", false),
        (
            format!("{{ properties: {{ a: {{ $schema: '{}', {tuple} }} }} }}", draft(7)),
            String::new(),
            "",
            r#"{"a":["x"]}"#,
            false,
        ),
        (
            format!("{{ $schema: '{}', minimum: 1, exclusiveMinimum: true }}", draft(4)),
            String::new(),
            "",
            "1",
            false,
        ),
        ("{ $ref: old.json }".to_owned(), String::new(), OLD, "[1]", true),
        ("{ $ref: old.json }".to_owned(), String::new(), OLD, r#"["a"]"#, false),
        (
            "{ prefixItems: [{ type: integer }] }".to_owned(),
            "jsonSchemaDialect: https://spec.openapis.org/oas/3.1/dialect/base".to_owned(),
            "",
            r#"["a"]"#,
            false,
        ),
        (
            "{ $schema: 'https://json-schema.org/draft/2019-09/schema', prefixItems: [{ type: integer }] }"
                .to_owned(),
            String::new(),
            "",
            r#"["a"]"#,
            true,
        ),
    ] {
        let one = OneSchema::with("3.1.0", &schema, &more, &[("old.json", files)]);
        assert_eq!(admits(&one, Direction::Request, body), valid, "{schema} {more} {body}");
    }
}

#[test]
fn schemas_may_name_themselves() {
    const COMPONENTS: &str = "
components:
  schemas:
    Named: { $id: https://example.com/named, $anchor: whole, type: object, properties: { a: { $ref: '#part' } }, $defs: { part: { $anchor: part, type: integer } } }
    Anchored: { $anchor: here, type: integer }
    Tree: { $id: https://example.com/tree, $dynamicAnchor: node, type: object, properties: { children: { type: array, items: { $dynamicRef: '#node' } } } }
    Strict: { $id: https://example.com/strict, $dynamicAnchor: node, $ref: tree, unevaluatedProperties: false }
    Decorated: { $id: https://example.com/decorated, properties: { a: { $ref: '#/components/schemas/Anchored' }, b: { $ref: 'beside.json' } } }
    Data: { properties: { $id: { type: string }, $ref: { type: string } }, examples: [{ $id: https://example.com/named, type: string }] }
";
    for (reference, body, valid) in [
        ("https://example.com/named", r#"{"a":1}"#, true),
        ("https://example.com/named", r#"{"a":"x"}"#, false),
        ("https://example.com/named#part", "1", true),
        ("https://example.com/named#part", r#""x""#, false),
        ("https://example.com/named#/$defs/part", r#""x""#, false),
        ("#here", r#""x""#, false),
        ("https://example.com/tree", r#"{"children":[{"x":1}]}"#, true),
        ("https://example.com/strict", r#"{"children":[{"children":[]}]}"#, true),
        ("https://example.com/strict", r#"{"children":[{"x":1}]}"#, false),
        // The letter of the standard has these lead nowhere; what they mean is plain.
        ("https://example.com/decorated", r#"{"a":"x"}"#, false),
        ("https://example.com/decorated", r#"{"b":"x"}"#, false),
        ("#/components/schemas/Data", r#"{"$id":"x","$ref":"y"}"#, true),
        ("#/components/schemas/Data", r#"{"$id":1}"#, false),
        ("https://json-schema.org/draft/2020-12/schema", r#"{"type":1}"#, false),
        ("https://json-schema.org/draft/2020-12/schema", r#"{"type":"string"}"#, true),
    ] {
        let schema = format!("{{ $ref: '{reference}' }}");
        let one = OneSchema::with("3.1.0", &schema, COMPONENTS, &[("beside.json", r#"{"type":"integer"}"#)]);
        assert_eq!(admits(&one, Direction::Request, body), valid, "{reference} {body}");
        let operation = one.contract.operation("x").expect("the operation");
        assert_eq!(one.contract.problems(operation), [], "{reference}");
    }
}

#[test]
fn names_of_properties_may_be_matched_by_trying() {
    let schema = "{ patternProperties: { '^(?!x-)': { type: integer }, '^(a+)+\\1$': { type: string } } }";
    let mut one = OneSchema::new("3.1.0", schema, &[]);
    let validator = one.compiled();
    for (body, count) in [(r#"{"x-a":"x","b":1}"#, 0), (r#"{"x-a":"x","b":"x","c":[]}"#, 2)] {
        let violations = validator.violations_of(&Document::parse(body.into()).expect("a body"));
        assert_eq!(violations.len(), count, "{violations:?}");
    }
    // A name that takes too long is refused, however deep inside.
    let long = format!("{{\"{}!\":1}}", "a".repeat(5_000));
    let mut one = OneSchema::new("3.1.0", &format!("{{ items: {{ items: {schema} }} }}"), &[]);
    let document = Document::parse(format!("[[{long}]]").into()).expect("a body");
    let violations = one.compiled().violations_of(&document);
    assert_eq!(violations.len(), 1, "{violations:?}");
    assert_eq!(violations[0].detail, "cannot be matched against its pattern");
}

#[test]
fn what_is_wrong_with_a_schema_is_told_at_its_place() {
    for (version, schema, message, text) in [
        ("3.1.0", "{ type: strin }", "this is no valid schema: `type` ", "strin }"),
        (
            "3.1.0",
            "{ properties: { a: { minLength: x } } }",
            "this is no valid schema: `minLength` must be",
            "x }",
        ),
        (
            "3.1.0",
            "{ properties: { a: { required: true } } }",
            "this is no valid schema: `required` must be an array",
            "true }",
        ),
        (
            "3.1.0",
            "{ minimum: 1, exclusiveMinimum: true }",
            "this is no valid schema: `exclusiveMinimum` must be a number",
            "true }",
        ),
        ("3.1.0", "{ allOf: [{ items: { pattern: '(' } }] }", "this pattern cannot be compiled", "'(' }"),
        ("3.1.0", "{ pattern: '(a{900}b){900}' }", "this pattern cannot be compiled", "'(a{900}"),
        ("3.1.0", "{ patternProperties: { '^(?!.*b)(?=a).$': {} } }", "", ""),
        ("3.1.0", "{ patternProperties: { '[': {} } }", "this pattern cannot be compiled", "'['"),
        (
            "3.1.0",
            "{ $ref: 'https://example.com/other' }",
            "the reference `https://example.com/other` leads nowhere",
            "'https://example.com/other'",
        ),
        (
            "3.1.0",
            "{ $ref: '#nowhere' }",
            "the reference `#nowhere` leads nowhere: no schema has this name",
            "'#nowhere'",
        ),
        (
            "3.1.0",
            "{ $schema: 'https://example.com/mine', type: string }",
            "this dialect of JSON Schema is not known",
            "'https://example.com/mine'",
        ),
        (
            "3.1.0",
            "{ $schema: 'http://json-schema.org/draft-07/schema', items: [{ minLength: -1 }] }",
            "this is no valid schema: `items` must match",
            "[{ minLength",
        ),
        (
            "3.0.3",
            "{ allOf: [{ nullable: true, allOf: [{ maxItems: x }] }] }",
            "this is no valid schema: `maxItems` must be",
            "x }",
        ),
        (
            "3.0.3",
            "{ type: array, items: { enum: 1 } }",
            "this is no valid schema: `enum` must be an array",
            "1 }",
        ),
        ("3.0.3", "5", "this is no valid schema: it must be", "5"),
    ] {
        let mut one = OneSchema::new(version, schema, &[]);
        let problem = one.validator(Direction::Request).err();
        if text.is_empty() {
            assert_eq!(problem, None, "{schema}");
            continue;
        }
        let problem = problem.unwrap_or_else(|| panic!("{schema} compiles"));
        assert!(problem.message.starts_with(message), "{schema}: {}", problem.message);
        assert!(problem.help.is_some(), "{schema}");
        let place = problem.place.expect("a place");
        let column = 21 + schema.find(text).expect("it stands in the schema");
        assert_eq!((place.line, place.column as usize), (10, column), "{schema}: {}", {
            one.diagnostics.push(problem);
            one.diagnostics.render()
        });
    }
}
