//! Requests made to hurt: endless names, deep brackets, bytes that are no text. The time is linear in what was sent.

use std::time::{Duration, Instant};

use natsgate::config::Validation;
use proptest::prelude::*;

use super::{Operation, Sent};

const EVERYTHING: &str =
    "        - { name: color, in: path, required: true, style: matrix, explode: true, schema: { type: array, items: { type: integer } } }
        - { name: shape, in: path, required: true, style: label, schema: { type: object } }
        - { name: id, in: query, schema: { type: integer } }
        - { name: ids, in: query, schema: { type: array, items: { type: integer } } }
        - { name: tags, in: query, style: pipeDelimited, explode: false, schema: { type: array, items: { type: string } } }
        - { name: pairs, in: query, explode: false, schema: { type: object } }
        - { name: filter, in: query, style: deepObject, schema: { $ref: '#/components/schemas/Tree' } }
        - { name: circle, in: query, style: deepObject, schema: { $ref: '#/components/schemas/Circle' } }
        - { name: rest, in: query, schema: { type: object, additionalProperties: { $ref: '#/components/schemas/Tree' } } }
        - { name: where, in: query, content: { application/json: {} } }
        - { name: mixed, in: query, schema: { type: [integer, array, object, 'null'] } }
        - { name: x-list, in: header, schema: { type: array, items: { type: number } } }
        - { name: x-map, in: header, explode: true, schema: { type: object } }
        - { name: session, in: cookie, schema: { type: array, items: { type: string } } }
        - { name: spread, in: cookie, schema: { type: object, properties: { a: { type: integer } } } }\n";

fn everything() -> Operation {
    Operation::new("/x/{color}/{shape}", EVERYTHING, Validation::Enforce)
}

#[test]
fn a_long_query_costs_as_much_as_it_is_long() {
    let operation = everything();
    let names: String = (0..9_000).map(|index| format!("n{index}=1&")).collect();
    let deep: String = (0..9_000).map(|index| format!("filter[children][{index}][size]=1&")).collect();
    for query in [
        names,
        deep,
        "ids=1&".repeat(9_999),
        "=&".repeat(9_999),
        "&".repeat(1_000_000),
        format!("tags={}", "a|".repeat(500_000)),
        format!("pairs={}", "a,".repeat(500_000)),
        format!("filter{}=1", "[a]".repeat(300_000)),
        format!("filter{}=1", "[".repeat(300_000)),
        format!("filter[{}]=1", "a".repeat(300_000)),
        format!("id={}", "9".repeat(1_000_000)),
        format!("id=1e{}", "9".repeat(1_000_000)),
        format!("where={}", "[".repeat(1_000_000)),
        "a=1&".repeat(100_000),
        "filter[tags][]=1&".repeat(100_000),
    ] {
        let start = Instant::now();
        let decoded =
            operation.decode(Sent { path: &[";color=1", ".a,b"], query: Some(&query), ..Sent::default() });
        let took = start.elapsed();
        assert!(took < Duration::from_secs(2), "{took:?} for {} bytes of {:.40}", query.len(), query);
        assert!(decoded.violations.len() <= 100);
        for violation in &decoded.violations {
            assert!(violation.to_string().len() < 400, "{:.400}", violation.to_string());
        }
    }
    let wrong = operation.decode(Sent {
        path: &[";color=1", ".a,b"],
        query: Some(&"ids=x&".repeat(9_999)),
        ..Sent::default()
    });
    assert_eq!(wrong.violations.len(), 20);
    let many = operation.query(&"a=1&".repeat(10_001));
    assert!(many.contains("query has more than 10000 names"), "{many:.300}");
}

#[test]
fn without_a_contract_a_long_query_is_no_danger_either() {
    let template = natsgate::contract::PathTemplate::parse("/x").expect("a path");
    let decoder = natsgate::validate::ParameterDecoder::without_contract(&template);
    let query: String = (0..9_999).map(|index| format!("n{index}=%ff&")).collect();
    let start = Instant::now();
    let decoded = decoder.decode(&[], Some(&query), &http::HeaderMap::new());
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    assert_eq!(decoded.violations.len(), 100);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever comes: no panic, valid JSON (`seen` checks it), nothing of what was sent in what is told.
    #[test]
    fn nothing_that_is_sent_breaks_the_decoder(
        color in "[^/]{0,12}",
        shape in "[.;,=a%0-9\\[\\]]{0,16}",
        query in "((id|ids|tags|pairs|filter|circle|rest|where|mixed|[a-z%\\[\\]]{0,6})(\\[(children|up|size|0|1|a|)\\]){0,5}=?[0-9a-e{}\":,|+%\\[\\]]{0,8}&){0,12}",
        header in proptest::collection::vec(prop_oneof![32..=126_u8, 128..=255_u8], 0..40),
        cookie in "((session|a|spread)=[0-9a-z%&;= ]{0,8}; ?){0,5}",
    ) {
        let operation = everything();
        for validation in [Validation::Enforce, Validation::Log] {
            let operation = if validation == Validation::Log { Operation::new("/x/{color}/{shape}", EVERYTHING, validation) } else { everything() };
            operation.seen(Sent {
                path: &[&color, &shape],
                query: Some(&query),
                headers: &[("x-list", &header), ("x-map", &header), ("cookie", cookie.as_bytes()), ("cookie", &header)],
            });
        }
        let secret = "hunter2";
        let told = operation.query(&format!("id={secret}&ids={secret}&where={secret}&filter[size]={secret}&mixed[{secret}]={secret}&mixed={secret}"));
        prop_assert!(told.starts_with("wrong: ") && !told.contains(secret), "{}", told);
    }
}
