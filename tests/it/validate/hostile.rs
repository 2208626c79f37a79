//! Bodies that are meant to keep the gateway busy: each is answered right, in bounded time, and the next client is served.

use std::time::Duration;

use crate::support::gateway::Gateway;
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

/// Each operation has the schema of its name. Bodies may have 16 MiB, since a megabyte is soon read.
const COMPONENTS: &str = r"components:
  schemas:
    any: {}
    tree: { type: object, properties: { a: { $ref: '#/components/schemas/tree' } }, additionalProperties: false }
    members: { type: object, additionalProperties: { type: integer }, propertyNames: { maxLength: 8 } }
    closed: { type: object, properties: { a: {} }, additionalProperties: false }
    money: { type: number, multipleOf: 0.01, maximum: 1000000 }
    whole: { type: integer, format: int64 }
    linear: { type: string, pattern: '^(a+)+$' }
    tried: { type: string, pattern: '^(a|a)*\1(?<!c)$' }
    trieds: { type: array, items: { type: string, pattern: '^(a|a)*\1(?<!c)$' } }
    names: { type: object, patternProperties: { '^(a|a)*\1(?<!c)$': { type: integer } } }
    unique: { type: array, uniqueItems: true }
    integers: { type: array, items: { type: integer } }
    text: { type: string, format: email, minLength: 1, maxLength: 2000000 }
    either:
      oneOf:
        - { type: object, required: [and], properties: { and: { $ref: '#/components/schemas/either' }, x: { const: 1 } } }
        - { type: object, required: [and], properties: { and: { $ref: '#/components/schemas/either' }, x: { const: 2 } } }
        - { type: string, maxLength: 1 }
    both:
      allOf:
        - { properties: { a: { $ref: '#/components/schemas/both' } } }
        - { properties: { a: { $ref: '#/components/schemas/both' } } }
        - { type: object }
    open: { type: object, properties: { a: { $ref: '#/components/schemas/open' } }, unevaluatedProperties: false, anyOf: [{ properties: { b: { $ref: '#/components/schemas/open' } } }, { properties: { c: {} } }] }
    stacked: { allOf: [{ anyOf: [{ oneOf: [{ if: true, then: { allOf: [{ dependentSchemas: { a: { anyOf: [{ not: { not: { properties: { a: { $ref: '#/components/schemas/stacked2' } } } } }, { type: string }] } } }] } }] }] }] }
    stacked2: { $ref: '#/components/schemas/stacked3' }
    stacked3: { allOf: [{ $ref: '#/components/schemas/stacked' }, { type: object }], unevaluatedProperties: { type: object } }
    wide: { type: array, items: { anyOf: [{ type: integer }, { type: array, contains: { type: integer } }, { type: object, required: [a, b, c] }] } }
";

const SCHEMAS: [&str; 18] = [
    "any", "tree", "members", "closed", "money", "whole", "linear", "tried", "trieds", "names", "unique",
    "integers", "text", "either", "both", "open", "stacked", "wide",
];

/// In an unoptimised build on a busy machine, and half of it more for each megabyte. Optimised, each case takes some
/// tens of milliseconds.
const LONGEST: Duration = Duration::from_secs(1);

fn nested(open: &str, middle: &str, close: &str, depth: usize) -> String {
    format!("{}{middle}{}", open.repeat(depth), close.repeat(depth))
}

fn list(count: usize, item: impl Fn(usize) -> String) -> String {
    format!("[{}]", (0..count).map(item).collect::<Vec<_>>().join(","))
}

fn object(count: usize, member: impl Fn(usize) -> String) -> String {
    format!("{{{}}}", (0..count).map(member).collect::<Vec<_>>().join(","))
}

/// Schema, what it is about, body, status.
fn cases() -> Vec<(&'static str, &'static str, Vec<u8>, u16)> {
    let megabyte = 1_000_000;
    let mut cases: Vec<(&str, &str, Vec<u8>, u16)> = Vec::new();
    let mut case = |schema, what, body: String, status| cases.push((schema, what, body.into_bytes(), status));
    case("any", "100,000 levels", nested("[", "", "]", 100_000), 400);
    case("tree", "100,000 levels of a schema", nested("{\"a\":", "1", "}", 100_000), 400);
    case("tree", "as deep as may be", nested("{\"a\":", "{}", "}", 126), 200);
    case("tree", "as deep, and wrong at the bottom", nested("{\"a\":", "1", "}", 127), 422);
    case("any", "100,000 brackets that never close", "[".repeat(100_000), 400);
    case("members", "50,000 members", object(50_000, |at| format!("\"k{at}\":0")), 200);
    case("members", "50,000 wrong members", object(50_000, |at| format!("\"k{at}\":\"\"")), 422);
    case("closed", "50,000 unknown members", object(50_000, |at| format!("\"k{at}\":0")), 422);
    case(
        "members",
        "one name twice among 50,000",
        object(50_000, |at| format!("\"k{}\":0", at % 49_999)),
        400,
    );
    case("money", "a million digits", "9".repeat(megabyte), 400);
    case("money", "a million digits of a fraction", format!("0.{}1", "0".repeat(megabyte)), 422);
    case("money", "a million zeros", format!("1.{}", "0".repeat(megabyte)), 200);
    case("money", "no double holds it", "1e400".to_owned(), 400);
    case("money", "next to nothing", "1e-300".to_owned(), 422);
    case("whole", "more than 64 bits", "9223372036854775808".to_owned(), 422);
    case("whole", "a long exponent", "1e300".to_owned(), 422);
    case("integers", "not one is right", list(300_000, |_| "\"\"".to_owned()), 422);
    case("linear", "a million for a pattern", format!("\"{}!\"", "a".repeat(megabyte)), 422);
    case("tried", "a million for a pattern that tries", format!("\"{}!\"", "a".repeat(megabyte)), 422);
    case(
        "trieds",
        "5,000 for a pattern that tries",
        list(5_000, |_| format!("\"{}!\"", "a".repeat(40))),
        422,
    );
    case(
        "names",
        "500 names for a pattern that tries",
        object(500, |at| format!("\"{}{at}\":\"\"", "a".repeat(200))),
        422,
    );
    case("text", "a million for a format", format!("\"{}\"", "@".repeat(megabyte)), 422);
    case("unique", "100,000 integers", list(100_000, |at| at.to_string()), 200);
    case(
        "unique",
        "integers that look alike as doubles",
        list(50_000, |at| (18_446_744_073_709_500_000 + at as u64).to_string()),
        200,
    );
    case(
        "unique",
        "30,000 objects, the last twice",
        list(30_000, |at| format!("{{\"a\":{},\"b\":[]}}", at.min(29_998))),
        422,
    );
    case(
        "either",
        "alternatives at each level, all wrong",
        nested("{\"and\":", "\"too long\"", "}", 120),
        422,
    );
    case("either", "alternatives at each level, each right", nested("{\"and\":", "\"x\"", "}", 120), 422);
    case(
        "either",
        "alternatives at each level, told apart",
        nested("{\"x\":1,\"and\":", "\"x\"", "}", 120),
        200,
    );
    case("both", "two ways to each level", nested("{\"a\":", "{}", "}", 126), 200);
    case("both", "two ways to what is wrong", nested("{\"a\":", "1", "}", 127), 422);
    case("open", "what is left over at each level", nested("{\"a\":{\"b\":", "{\"d\":1}", "}}", 60), 422);
    case("wide", "20,000 with three alternatives", list(20_000, |_| "{\"a\":[[]]}".to_owned()), 422);
    case("stacked", "many schemas at each level", nested("{\"a\":", "{}", "}", 126), 200);
    case("stacked", "many schemas at each level, wrong at the bottom", nested("{\"a\":", "1", "}", 127), 422);
    case("any", "a million members", object(1_000_000, |at| format!("\"k{at}\":0")), 200);
    cases.push(("any", "no UTF-8", b"{\"a\":\"\xff\xfe\"}".to_vec(), 400));
    cases.push(("any", "half a character", b"\"\xe2\x82".to_vec(), 400));
    cases.push(("any", "half a pair", b"\"\\ud800\"".to_vec(), 400));
    cases
}

fn contract() -> String {
    let mut paths = String::new();
    for schema in SCHEMAS {
        paths.push_str(&format!(
            "  /{schema}:
    post:
      operationId: {schema}
      requestBody: {{ content: {{ application/json: {{ schema: {{ $ref: '#/components/schemas/{schema}' }} }} }} }}
      responses: {{ default: {{ description: any }} }}
"
        ));
    }
    format!("openapi: 3.1.0\ninfo: {{ title: t, version: '1' }}\npaths:\n{paths}{COMPONENTS}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_body_keeps_the_gateway_busy() {
    let nats = NatsServer::with("max_payload: 16MB").await;
    let _service = Service::echo(&nats.url(), "any").await;
    let operations: String = SCHEMAS
        .iter()
        .map(|schema| format!("  {schema}: {{ request: {{ subject: any, timeout: 30s }}, reply: [{{ status: 200, body: done }}] }}\n"))
        .collect();
    let yaml = format!(
        "contracts: [{{ file: api.yaml }}]\ndefaults: {{ max_body: 16MiB }}\noperations:\n{operations}"
    );
    let gateway = Gateway::start_unconnected(&nats.url(), &yaml, &[("api.yaml", &contract())]).await;
    gateway.connected().await;
    let mut slow = Vec::new();
    for (schema, what, body, status) in cases() {
        let headers = [("Content-Type", "application/json")];
        let megabytes = u32::try_from(body.len() / 1_000_000).expect("a body that fits");
        let longest = LONGEST + LONGEST * megabytes / 2;
        let mut took = Vec::new();
        // A busy machine may be slow once: what is too much is too much every time.
        while took.last().is_none_or(|last| *last > longest) && took.len() < 3 {
            // On a machine that does much else, a thread that is busy for long may cost the connection.
            gateway.connected().await;
            let answer = gateway.send("POST", &format!("/{schema}"), &headers, &body).await;
            assert_eq!(answer.status, status, "{schema}: {what}: {:.300}", answer.text());
            assert!(answer.body.len() < 50_000, "{schema}: {what}: an answer of {} bytes", answer.body.len());
            gateway.connected().await;
            let after = gateway.post("/any", "{}").await;
            assert_eq!(after.status, 200, "after {schema}: {what}");
            took.push(answer.took);
        }
        if took.last().is_some_and(|last| *last > longest) {
            slow.push(format!("{took:?} {schema}: {what}"));
        }
    }
    assert!(slow.is_empty(), "{}", slow.join("\n"));
}
