//! The dialect of OpenAPI 3.0, which is not quite JSON Schema.

use serde_json::Value;

use super::contract::OneSchema;

const COMPONENTS: &str = "
components:
  schemas:
    Name: { type: string, maxLength: 3 }
    Maybe: { type: string, nullable: true }
    Tree: { type: object, properties: { child: { $ref: '#/components/schemas/Tree' }, depth: { type: integer } } }
";

#[test]
fn what_its_keywords_mean() {
    for (schema, valid, invalid) in [
        // `nullable`: null is valid, whatever else stands there.
        ("{ type: string, nullable: true }", r#"["a",null]"#, "[1]"),
        ("{ type: string, nullable: false }", r#"["a"]"#, "[null]"),
        ("{ type: string, enum: [a], nullable: true }", r#"["a",null]"#, r#"["b",1]"#),
        ("{ type: string, enum: [a, null], nullable: true }", r#"["a",null]"#, r#"["b"]"#),
        (
            "{ allOf: [{ $ref: '#/components/schemas/Name' }], nullable: true }",
            r#"["abc",null]"#,
            r#"["abcd",1]"#,
        ),
        ("{ oneOf: [{ type: string }, { type: integer }], nullable: true }", r#"["a",1,null]"#, "[true]"),
        ("{ nullable: true, not: { type: string } }", "[null,1]", r#"["a"]"#),
        ("{ nullable: true }", r#"[null,1,"a"]"#, "[]"),
        ("{ type: array, items: { type: integer, nullable: true } }", "[[1,null]]", r#"[["a"],null]"#),
        ("{ $ref: '#/components/schemas/Maybe' }", r#"[null,"a"]"#, "[1]"),
        // What stands beside a `$ref` is ignored.
        (
            "{ $ref: '#/components/schemas/Name', maxLength: 1, nullable: true }",
            r#"["abc"]"#,
            r#"["abcd",null]"#,
        ),
        // Exclusive bounds are flags.
        ("{ minimum: 1, exclusiveMinimum: true }", "[1.5]", "[1,0]"),
        ("{ minimum: 1, exclusiveMinimum: false }", "[1]", "[0]"),
        ("{ maximum: 9, exclusiveMaximum: true }", "[8.9]", "[9]"),
        ("{ exclusiveMaximum: true }", "[9]", "[]"),
        ("{ maximum: 1.5e3 }", "[1500,\"a\"]", "[1500.0001]"),
        // Whatever describes, and what JSON Schema says and OpenAPI 3.0 does not know.
        (
            "{ type: string, example: 1, xml: { name: a }, deprecated: true, externalDocs: { url: x } }",
            r#"["a"]"#,
            "[1]",
        ),
        ("{ type: object, discriminator: { propertyName: kind } }", r#"[{}]"#, "[1]"),
        ("{ type: file }", r#"["a",1]"#, "[]"),
        ("{ const: 1 }", "[1]", "[2]"),
        ("{ patternProperties: { '^x': { type: integer } } }", r#"[{"x":1,"y":"a"}]"#, r#"[{"x":"a"}]"#),
        // Formats.
        ("{ type: integer, format: int32 }", "[2147483647,-2147483648,1.0]", "[2147483648,-2147483649,1.5]"),
        (
            "{ type: integer, format: int64 }",
            "[9223372036854775807]",
            "[9223372036854775808,-9223372036854775809,1e30]",
        ),
        (
            "{ type: integer, format: int32, minimum: 0, maximum: 4294967295 }",
            "[0,2147483647]",
            "[-1,2147483648]",
        ),
        ("{ type: number, format: double }", "[1.5,1e300]", r#"["1"]"#),
        ("{ type: string, format: byte }", r#"["aGk=",""]"#, r#"["aGk","a b="]"#),
        ("{ type: string, format: binary }", r#"["anything"]"#, "[1]"),
        ("{ type: string, format: date }", r#"["2026-02-28"]"#, r#"["2026-02-30","today"]"#),
        (
            "{ type: string, format: date-time }",
            r#"["2026-02-28T10:00:00Z","2026-02-28T10:00:00.5+01:00"]"#,
            r#"["2026-02-28 10:00"]"#,
        ),
        ("{ type: string, format: uuid }", r#"["2EB8AA08-AA98-11EA-B4AA-73B441D16380"]"#, r#"["2eb8aa08"]"#),
        ("{ type: string, format: email }", r#"["a@example.com"]"#, r#"["a"]"#),
        ("{ type: string, format: uri }", r#"["https://example.com/a?b"]"#, r#"["a b"]"#),
        ("{ type: string, format: ipv4 }", r#"["10.0.0.1"]"#, r#"["10.0.0.256"]"#),
        ("{ type: string, format: password }", r#"["anything"]"#, "[1]"),
        ("{ type: string, format: made-up }", r#"["anything"]"#, "[1]"),
        // References, also circular ones.
        (
            "{ $ref: '#/components/schemas/Tree' }",
            r#"[{"child":{"child":{"depth":1}}}]"#,
            r#"[{"child":{"child":{"depth":"a"}}}]"#,
        ),
        ("{ $ref: '#/components/schemas/Tree/properties/depth' }", "[1]", r#"["a"]"#),
        ("{ $ref: 'beside.yaml#/definitions/A%20B' }", "[1]", r#"["a"]"#),
    ] {
        let beside = "definitions: { 'A B': { $ref: 'deeper/one.json' } }";
        let files = [
            ("beside.yaml", beside),
            ("deeper/one.json", r##"{"allOf":[{"$ref":"../beside2.yaml#/C"}]}"##),
            ("beside2.yaml", "C: { type: integer }"),
        ];
        let mut one = OneSchema::with("3.0.3", schema, COMPONENTS, &files);
        let validator = one.compiled();
        for (values, expected) in [(valid, true), (invalid, false)] {
            for value in serde_json::from_str::<Vec<Value>>(values).expect("values") {
                assert_eq!(validator.is_valid(&value), expected, "{schema} {value}");
                assert_eq!(validator.violations(&value).is_empty(), expected, "{schema} {value}");
            }
        }
    }
}
