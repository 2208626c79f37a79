//! What real documents have: each case stands in one that is published, such as GitHub's, Twilio's or Qdrant's.

use natsgate::config::Validation;

use super::{Operation, Sent};

fn query(parameters: &str) -> Operation {
    let operation = Operation::new("/x", parameters, Validation::Enforce);
    assert!(!operation.report.contains("error:"), "{}", operation.report);
    operation
}

#[test]
fn an_id_is_a_number_or_a_name() {
    let operation = Operation::color("path", "schema: { oneOf: [{ type: integer }, { type: string }] }");
    for (sent, expected) in [("42", "color=42"), ("ci.yml", "color=\"ci.yml\""), ("007", "color=\"007\"")] {
        assert_eq!(operation.seen(Sent { path: &[sent], ..Sent::default() }), expected);
    }
}

#[test]
fn a_value_is_the_type_that_its_schema_takes() {
    // Both branches could take the digits, and only one takes these.
    let operation = query(
        "        - { name: v, in: query, schema: { oneOf: [{ type: integer, minimum: 10 }, { type: string, enum: ['1', majority] }] } }\n",
    );
    assert_eq!(operation.query("v=12"), "v=12");
    assert_eq!(operation.query("v=1"), "v=\"1\"");
    assert_eq!(operation.query("v=majority"), "v=\"majority\"");
    assert!(operation.query("v=2").starts_with("wrong: query.v "), "{}", operation.query("v=2"));
}

#[test]
fn one_or_several_under_one_name() {
    let operation = query(
        "        - { name: has, in: query, schema: { oneOf: [{ type: string }, { type: array, items: { type: string, enum: [patch, deployment] } }] } }\n",
    );
    assert_eq!(operation.query("has=patch"), "has=\"patch\"");
    assert_eq!(operation.query("has=patch&has=deployment"), "has=[\"patch\",\"deployment\"]");
}

#[test]
fn names_hold_signs_of_their_own() {
    let operation = query(
        "        - { name: 'StartTime<', in: query, schema: { type: string, format: date-time } }
        - { name: 'StartTime', in: query, schema: { type: string } }
        - { name: 'filter[name]', in: query, schema: { type: string } }
        - { name: 'a.b-c', in: query, schema: { type: integer } }
        - { name: '', in: query, schema: { type: integer } }
        - { name: X-GitHub-Api-Version, in: header, schema: { type: string, default: '2022-11-28' } }\n",
    );
    let always = "x-github-api-version=\"2022-11-28\"";
    assert_eq!(
        operation.query("StartTime%3C=2020-01-01T00:00:00Z&filter[name]=x&a.b-c=1&=7"),
        format!("StartTime<=\"2020-01-01T00:00:00Z\" filter[name]=\"x\" a.b-c=1 =7 {always}")
    );
    assert_eq!(operation.query("filter%5Bname%5D=x"), format!("filter[name]=\"x\" {always}"));
}

#[test]
fn what_contracts_write_beside_the_type() {
    let operation = query(
        "        - { name: a, in: query, schema: { type: boolean, default: 'false' } }
        - { name: b, in: query, schema: { type: array, items: { type: string }, default: x } }
        - { name: c, in: query, content: { 'application/json; charset=utf-8': { schema: { type: integer } } } }
        - { name: d, in: query, allowReserved: true, schema: { type: string } }
        - { name: e, in: query, schema: { allOf: [{ type: string }], nullable: true } }
        - { name: f, in: query, schema: { const: 5 } }
        - { name: g, in: query }\n",
    );
    assert!(operation.report.contains("the default of the query parameter `b` is not of its type"));
    assert_eq!(operation.query(""), "a=false");
    assert_eq!(
        operation.query("c=%201&d=a/b?c:@&e=&f=5&g=x"),
        "a=false c=1 d=\"a/b?c:@\" e=\"\" f=5 g=\"x\""
    );
    assert_eq!(operation.query("c=x"), "wrong: query.c is not valid JSON");
}
