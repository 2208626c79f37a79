//! Several contracts, and old ones, in one document.

use serde_json::{Value, json};

use super::published_of;

const OPERATION: &str = "operations:\n  GET /own/{a}: { request: { subject: \"a.${path.a}\" } }\n";

fn contract(version: &str, paths: &str, components: &str) -> String {
    format!(
        "openapi: {version}\ninfo: {{ title: T, version: '1' }}\npaths:\n{paths}\ncomponents:\n{components}"
    )
}

/// The schema of a contract of 3.0 as it is published.
fn lifted(schema: &str) -> Value {
    let paths = "  /a: { get: { responses: { '200': { description: ok, content: { application/json: { schema: { $ref: '#/components/schemas/S' } } } } } } }";
    let text =
        contract("3.0.3", paths, &format!("  schemas:\n    S: {schema}\n    Other: {{ type: string }}\n"));
    let document =
        published_of(&format!("contracts: [{{ file: c.yaml }}]\n{OPERATION}"), &[("c.yaml", &text)]);
    document["components"]["schemas"]["S"].clone()
}

#[test]
fn schemas_of_3_0_are_written_as_those_of_3_1() {
    for (old, new) in [
        ("{ type: string, nullable: true }", json!({ "type": ["string", "null"] })),
        (
            "{ type: integer, minimum: 1, exclusiveMinimum: true }",
            json!({ "type": "integer", "exclusiveMinimum": 1 }),
        ),
        (
            "{ type: integer, maximum: 9, exclusiveMaximum: false }",
            json!({ "type": "integer", "maximum": 9 }),
        ),
        (
            "{ type: string, enum: [a], nullable: true }",
            json!({ "type": ["string", "null"], "enum": ["a", null] }),
        ),
        ("{ type: string, example: x }", json!({ "type": "string", "examples": ["x"] })),
        (
            "{ type: string, format: byte }",
            json!({ "type": "string", "format": "byte", "contentEncoding": "base64" }),
        ),
        (
            "{ type: string, format: binary }",
            json!({ "type": "string", "format": "binary", "contentMediaType": "application/octet-stream" }),
        ),
        (
            "{ $ref: '#/components/schemas/Other', nullable: true }",
            json!({ "$ref": "#/components/schemas/Other" }),
        ),
        (
            "{ nullable: true, allOf: [{ $ref: '#/components/schemas/Other' }] }",
            json!({ "anyOf": [{ "type": "null" }, { "allOf": [{ "$ref": "#/components/schemas/Other" }] }] }),
        ),
        (
            "{ type: object, properties: { x-y: { type: string, x-internal: 1 } }, x-secret: 1, x-enum-varnames: [A] }",
            json!({ "type": "object", "properties": { "x-y": { "type": "string" } }, "x-enum-varnames": ["A"] }),
        ),
        (
            "{ type: object, default: { $ref: '#/nowhere', x-a: 1 } }",
            json!({ "type": "object", "default": { "$ref": "#/nowhere", "x-a": 1 } }),
        ),
    ] {
        assert_eq!(lifted(old), new, "{old}");
    }
}

#[test]
fn no_keyword_of_3_1_is_lost() {
    let schema = "{ type: [object, null], patternProperties: { '^a': { const: 1 } }, unevaluatedProperties: false, \
                  if: { required: [a] }, then: { minProperties: 2 }, else: false, dependentRequired: { a: [b] }, \
                  dependentSchemas: { a: true }, propertyNames: { maxLength: 3 }, $defs: { D: { $ref: '#/components/schemas/S' } }, \
                  $comment: c, contains: { type: 'null' }, minContains: 2, prefixItems: [{ not: {} }], examples: [1], \
                  contentEncoding: base64, contentMediaType: text/plain, deprecated: true, readOnly: true, title: t }";
    let paths = "  /a: { get: { responses: { '200': { description: ok, content: { application/json: { schema: { $ref: '#/components/schemas/S' } } } } } } }";
    let text = contract("3.1.0", paths, &format!("  schemas:\n    S: {schema}\n"));
    let document =
        published_of(&format!("contracts: [{{ file: c.yaml }}]\n{OPERATION}"), &[("c.yaml", &text)]);
    let expected = json!({
        "type": ["object", "null"], "patternProperties": { "^a": { "const": 1 } }, "unevaluatedProperties": false,
        "if": { "required": ["a"] }, "then": { "minProperties": 2 }, "else": false, "dependentRequired": { "a": ["b"] },
        "dependentSchemas": { "a": true }, "propertyNames": { "maxLength": 3 }, "$defs": { "D": { "$ref": "#/components/schemas/S" } },
        "$comment": "c", "contains": { "type": "null" }, "minContains": 2, "prefixItems": [{ "not": {} }], "examples": [1],
        "contentEncoding": "base64", "contentMediaType": "text/plain", "deprecated": true, "readOnly": true, "title": "t",
    });
    assert_eq!(document["components"]["schemas"]["S"], expected);
}

#[test]
fn extensions_stay_behind_wherever_they_stand() {
    let paths = "  /a:
    parameters: [{ name: q, in: query, x-secret: 1, schema: { type: string } }]
    get:
      externalDocs: { url: 'https://example.com', x-secret: 1 }
      security: [{ login: [x-scope] }]
      responses:
        '200':
          description: ok
          x-secret: 1
          headers: { X-Kept: { x-secret: 1, schema: { type: string, xml: { name: n, x-secret: 1 }, externalDocs: { url: 'https://example.com', x-secret: 1 } } } }
          links: { self: { operationId: a, x-secret: 1 } }
        x-secret: 1
";
    let schemes = "  securitySchemes:
    login:
      type: oauth2
      x-secret: 1
      flows:
        x-secret: 1
        clientCredentials: { tokenUrl: 'https://example.com/token', scopes: { x-scope: kept }, x-secret: 1 }
";
    let text = contract("3.0.3", paths, schemes);
    let yaml = format!(
        "contracts: [{{ file: c.yaml, security: {{ login: keys }} }}]\nsecurity: {{ keys: {{ api_key: {{ keys: keys.yaml }} }} }}\n{}",
        OPERATION.replace("{ request", "{ security: [], request")
    );
    let document = published_of(&yaml, &[("c.yaml", &text), ("keys.yaml", "{}")]);
    assert!(!document.to_string().contains("x-secret"), "{document:#}");
    let scheme = &document["components"]["securitySchemes"]["login"];
    assert_eq!(scheme["flows"]["clientCredentials"]["scopes"], json!({ "x-scope": "kept" }));
}

#[test]
fn a_header_is_one_in_whatever_case_it_is_written() {
    let paths = "  /a:
    parameters: [{ name: X-TENANT, in: header, schema: { type: string } }]
    get:
      parameters: [{ name: x-tenant, in: header, required: true, schema: { type: string } }]
      responses: { '200': { description: ok } }
";
    let text = contract("3.1.0", paths, "  schemas: {}\n");
    let document =
        published_of(&format!("contracts: [{{ file: c.yaml }}]\n{OPERATION}"), &[("c.yaml", &text)]);
    assert_eq!(
        document["paths"]["/a"]["get"]["parameters"],
        json!([{ "name": "x-tenant", "in": "header", "required": true, "schema": { "type": "string" } }])
    );
}

#[test]
fn parts_of_one_name_are_one_if_they_are_equal() {
    let tree = "    Tree: { type: object, properties: { all: { type: array, items: { $ref: '#/components/schemas/Tree' } }, leaf: { $ref: '#/components/schemas/Leaf' } } }\n";
    let paths = |name: &str| {
        format!(
            "  /{name}: {{ get: {{ operationId: get, responses: {{ '200': {{ description: ok, content: {{ application/json: {{ schema: {{ $ref: '#/components/schemas/Tree' }} }} }} }} }} }} }}"
        )
    };
    let with = |name: &str, leaf: &str| {
        contract("3.1.0", &paths(name), &format!("  schemas:\n{tree}    Leaf: {leaf}\n    Unused: {{}}\n"))
    };
    let same = with("b", "{ type: integer }");
    let other = with("c", "{ type: string }");
    let document = published_of(
        &format!(
            "contracts: [{{ file: a.yaml }}, {{ file: b.yaml }}, {{ file: c.yaml, base_path: /v2 }}]\n{OPERATION}"
        ),
        &[("a.yaml", &with("a", "{ type: integer }")), ("b.yaml", &same), ("c.yaml", &other)],
    );
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    let names: Vec<&str> = schemas.keys().map(String::as_str).filter(|name| *name != "Problem").collect();
    assert_eq!(names, ["Leaf", "Leaf_2", "Tree", "Tree_2"]);
    assert_eq!(schemas["Tree"]["properties"]["leaf"]["$ref"], "#/components/schemas/Leaf");
    assert_eq!(schemas["Tree_2"]["properties"]["leaf"]["$ref"], "#/components/schemas/Leaf_2");
    assert_eq!(schemas["Tree_2"]["properties"]["all"]["items"]["$ref"], "#/components/schemas/Tree_2");
    let schema = |path: &str| {
        document["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
            .clone()
    };
    assert_eq!(
        [schema("/a"), schema("/b"), schema("/v2/c")],
        [
            json!("#/components/schemas/Tree"),
            json!("#/components/schemas/Tree"),
            json!("#/components/schemas/Tree_2")
        ]
    );
    let ids: Vec<&Value> =
        ["/a", "/b", "/v2/c"].iter().map(|path| &document["paths"][path]["get"]["operationId"]).collect();
    assert_eq!(ids, ["get", "get_2", "get_3"]);
}

#[test]
fn what_stands_in_other_files_comes_along() {
    let paths = "  /a: { get: { parameters: [{ $ref: 'parts/parameters.yaml#/page' }], responses: { '200': { $ref: 'parts/answers.yaml#/ok' }, default: { description: '' } } } }";
    let text = contract("3.1.0", paths, "  schemas: {}\n");
    let document = published_of(
        &format!("contracts: [{{ file: c.yaml }}]\n{OPERATION}"),
        &[
            ("c.yaml", &text),
            ("parts/parameters.yaml", "page: { name: page, in: query, schema: { $ref: '../user.yaml' } }\n"),
            (
                "parts/answers.yaml",
                "ok: { description: ok, content: { application/json: { schema: { $ref: '../user.yaml#/properties/home' } } } }\n",
            ),
            (
                "user.yaml",
                "type: object\nproperties: { home: { $anchor: home, type: object, properties: { owner: { $ref: '#' } } } }\n",
            ),
        ],
    );
    assert_eq!(
        document["paths"]["/a"]["get"]["parameters"],
        json!([{ "$ref": "#/components/parameters/page" }])
    );
    assert_eq!(document["components"]["parameters"]["page"]["schema"]["$ref"], "#/components/schemas/user");
    assert_eq!(
        document["components"]["schemas"]["home"]["properties"]["owner"]["$ref"],
        "#/components/schemas/user"
    );
    assert_eq!(
        document["components"]["responses"]["ok"]["content"]["application/json"]["schema"]["$ref"],
        "#/components/schemas/home"
    );
    assert!(!document.to_string().contains("yaml"), "a reference to a file: {document}");
}

#[test]
fn a_discriminator_means_what_it_meant() {
    let paths = |name: &str| {
        format!(
            "  /{name}: {{ get: {{ responses: {{ '200': {{ description: ok, content: {{ application/json: {{ schema: {{ $ref: '#/components/schemas/Pet' }} }} }} }} }} }} }}"
        )
    };
    let with = |name: &str, kind: &str| {
        contract(
            "3.1.0",
            &paths(name),
            &format!(
                "  schemas:\n    Pet: {{ oneOf: [{{ $ref: '#/components/schemas/Cat' }}], discriminator: {{ propertyName: kind, x-a: 1 }} }}\n    Cat: {{ type: {kind} }}\n"
            ),
        )
    };
    let document = published_of(
        &format!("contracts: [{{ file: a.yaml }}, {{ file: b.yaml }}]\n{OPERATION}"),
        &[("a.yaml", &with("a", "object")), ("b.yaml", &with("b", "string"))],
    );
    let schemas = &document["components"]["schemas"];
    assert_eq!(schemas["Pet"]["discriminator"], json!({ "propertyName": "kind" }));
    assert_eq!(schemas["Pet_2"]["discriminator"]["mapping"], json!({ "Cat": "#/components/schemas/Cat_2" }));
}

#[test]
fn one_path_has_one_name_for_its_parameter() {
    let first = contract(
        "3.1.0",
        "  /users/{id}: { get: { parameters: [{ name: id, in: path, required: true, schema: { type: integer } }], responses: {} } }",
        "  schemas: {}\n",
    );
    let second = contract(
        "3.1.0",
        "  /users/{userId}: { parameters: [{ name: userId, in: path, required: true, schema: { type: string } }], put: { deprecated: true, responses: {} } }",
        "  schemas: {}\n",
    );
    let document = published_of(
        &format!(
            "contracts: [{{ file: a.yaml }}, {{ file: b.yaml }}]\n{OPERATION}  DELETE /users/{{who}}: {{ request: {{ subject: \"a.${{path.who}}\" }} }}\n"
        ),
        &[("a.yaml", &first), ("b.yaml", &second)],
    );
    assert_eq!(document["paths"].as_object().expect("paths").len(), 2);
    let item = &document["paths"]["/users/{id}"];
    for (method, kind) in [("get", "integer"), ("put", "string"), ("delete", "string")] {
        assert_eq!(item[method]["parameters"][0]["name"], "id", "{method}");
        assert_eq!(item[method]["parameters"][0]["schema"]["type"], kind, "{method}");
    }
    assert_eq!(item["put"]["deprecated"], true);
    assert!(item["put"]["responses"]["501"].is_object(), "nothing binds it");
}

#[test]
fn a_contract_keeps_the_name_problem() {
    let paths = "  /a: { get: { operationId: a, responses: { '404': { description: none, content: { application/json: { schema: { $ref: '#/components/schemas/Problem' } } } } } } }";
    let text = contract("3.1.0", paths, "  schemas: { Problem: { type: string } }\n");
    let document = published_of(
        "contracts: [{ file: c.yaml }]\noperations: { a: { request: { subject: a } } }\n",
        &[("c.yaml", &text)],
    );
    assert_eq!(document["components"]["schemas"]["Problem"], json!({ "type": "string" }));
    let response = &document["paths"]["/a"]["get"]["responses"]["404"]["content"];
    assert_eq!(response["application/json"]["schema"]["$ref"], "#/components/schemas/Problem");
    assert_eq!(response["application/problem+json"]["schema"]["$ref"], "#/components/schemas/GatewayProblem");
}
