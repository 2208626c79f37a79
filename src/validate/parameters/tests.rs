//! What is sent → what expressions see, as tables.

use http::HeaderValue;

use super::*;
use crate::contract::Contract;
use crate::diagnostic::Diagnostic;
use crate::expression::ParameterValue;

const CONTRACT: &str = "
openapi: 3.0.3
info: { title: t, version: '1' }
paths:
  /a/{id}/{list}/{free}:
    get:
      parameters:
        - { name: id, in: path, required: true, schema: { type: integer } }
        - { name: list, in: path, required: true, schema: { type: array, items: { type: string } } }
        - { name: q, in: query, required: true, schema: { type: string } }
        - { name: limit, in: query, schema: { type: integer, default: 20 } }
        - { name: price, in: query, schema: { type: number } }
        - { name: on, in: query, schema: { type: boolean } }
        - { name: ids, in: query, schema: { type: array, items: { type: integer } } }
        - { name: tags, in: query, explode: false, schema: { type: array, items: { type: string } } }
        - { name: words, in: query, style: spaceDelimited, schema: { type: array, items: { type: string } } }
        - { name: pipes, in: query, style: pipeDelimited, schema: { type: array, items: { type: string } } }
        - { name: filter, in: query, style: deepObject, schema: { type: object } }
        - { name: X-Count, in: header, required: true, schema: { type: integer } }
        - { name: X-List, in: header, schema: { type: array, items: { type: string } } }
        - { name: Authorization, in: header, required: true, schema: { type: string } }
        - { name: Session, in: cookie, schema: { type: string } }
";

fn decoder() -> ParameterDecoder {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("contract.yaml");
    std::fs::write(&path, CONTRACT).unwrap();
    let contract = Contract::load(&path, "/", &mut Diagnostics::default()).unwrap();
    let operation = &contract.operations()[0];
    let (template, mut diagnostics) = (operation.template.as_ref().unwrap(), Diagnostics::default());
    let decoder =
        ParameterDecoder::compile(&contract, operation, template, Validation::Enforce, &mut diagnostics);
    assert_eq!(diagnostics.sorted(), Vec::<&Diagnostic>::new());
    decoder
}

/// What can be read; everything that is wrong, if anything is.
fn all_or_nothing(decoded: Decoded) -> Result<Parameters, Vec<Violation>> {
    if decoded.violations.is_empty() { Ok(decoded.parameters) } else { Err(decoded.violations) }
}

fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
    let lines = lines
        .iter()
        .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_bytes(value.as_bytes()).unwrap()));
    let mut headers = HeaderMap::new();
    lines.for_each(|(name, value): (http::HeaderName, _)| {
        headers.append(name, value);
    });
    headers
}

fn path(raw: [&str; 3]) -> [PathParam<'_>; 3] {
    let names = ["id", "list", "free"];
    std::array::from_fn(|index| PathParam {
        name: names[index].into(),
        raw: raw[index],
        value: BadValue::decode(raw[index]).unwrap(),
    })
}

/// The parameters as one line: text in quotation marks, JSON as it is.
fn line(parameters: &[Parameter]) -> String {
    let one = |parameter: &Parameter| match &parameter.value {
        ParameterValue::Text(text) => format!("{}={text:?}", parameter.name),
        ParameterValue::Json(text) => format!("{}={text}", parameter.name),
    };
    parameters.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn query(sent: &str) -> String {
    let decoded = decoder().decode(&path(["7", "a", "x"]), Some(sent), &headers(&[("x-count", "1")]));
    match all_or_nothing(decoded) {
        Ok(parameters) => line(&parameters.query),
        Err(violations) => violations.iter().map(Violation::to_string).collect::<Vec<_>>().join("; "),
    }
}

#[test]
fn queries_become_what_is_declared() {
    for (sent, seen) in [
        ("q=a", "q=\"a\" limit=20"),
        ("q=a+b%20c%2B&unknown=%ff", "q=\"a b c+\" limit=20"),
        ("%71=x&limit=123456789012345678901234567890", "q=\"x\" limit=123456789012345678901234567890"),
        ("q=&price=1.50&on=false", "q=\"\" limit=20 price=1.50 on=false"),
        ("q=1&ids=1&ids=-2", "q=\"1\" limit=20 ids=[1,-2]"),
        ("q=1&tags=a,b%2Cc,%22", "q=\"1\" limit=20 tags=[\"a\",\"b,c\",\"\\\"\"]"),
        ("q=1&tags=", "q=\"1\" limit=20 tags=[]"),
        (
            "q=1&words=a%20b+c&pipes=a%7Cb|c",
            "q=\"1\" limit=20 words=[\"a\",\"b\",\"c\"] pipes=[\"a\",\"b\",\"c\"]",
        ),
        ("q=1&filter={%22a%22:1}", "q=\"1\" limit=20 filter={\"a\":1}"),
        ("q=1&filter[a]=x&filter[=y&filter[b]c=z&filters[d]=z", "q=\"1\" limit=20 filter={\"a\":\"x\"}"),
    ] {
        assert_eq!(query(sent), seen, "{sent}");
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    for (sent, told) in [
        ("", "query.q is missing"),
        ("q=a&q=b", "query.q is given more than once"),
        ("q=%ff&limit=1.0", "query.q is not valid UTF-8; query.limit is not an integer"),
        (
            "q=%&price=1,5&on=True",
            "query.q holds a `%` that is not followed by two hexadecimal digits; query.price is not a number; query.on is neither `true` nor `false`",
        ),
        ("q=a&ids=1&ids=x&limit=", "query.limit is not an integer; query.ids at /1 is not an integer"),
        ("q=a%00", "query.q holds a NUL character"),
    ] {
        assert_eq!(query(sent), told, "{sent}");
    }
}

#[test]
fn paths_headers_and_cookies_are_read_too() {
    let sent = headers(&[
        ("X-COUNT", "12"),
        ("x-list", "a, b"),
        ("x-list", "c%20"),
        ("cookie", "session=lower; Session=a%20+b=; other=1"),
    ]);
    let read = decoder().decode(&path(["7", "a%2Cb,c", "%C3%A9"]), Some("q=1"), &sent);
    let read = all_or_nothing(read).unwrap();
    assert_eq!(line(&read.path), "id=7 list=[\"a,b\",\"c\"] free=\"é\"");
    assert_eq!(line(&read.headers), "x-count=12 x-list=[\"a\",\"b\",\"c%20\"]");
    assert_eq!(line(&read.cookies), "Session=\"a%20+b=\"");

    let mut sent = headers(&[("x-count", "1"), ("x-count", "2")]);
    sent.insert("x-list", HeaderValue::from_bytes(b"\xff").unwrap());
    let told = decoder().decode(&path(["x", "a", "b"]), Some("q=1"), &sent).violations;
    let told: Vec<String> = told.iter().map(Violation::to_string).collect();
    assert_eq!(
        told,
        [
            "path.id is not an integer",
            "header.x-count is given more than once",
            "header.x-list is not valid UTF-8"
        ]
    );
}

#[test]
fn expressions_learn_what_they_can_rely_on() {
    let decoder = decoder();
    let known = |location| {
        let names = decoder.known(location, &|_| None).unwrap();
        names
            .iter()
            .map(|one| format!("{}{}", one.name, if one.required { "" } else { "?" }))
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(known(Location::Path), "id list free");
    assert_eq!(known(Location::Query), "q limit price? on? ids? tags? words? pipes? filter?");
    assert_eq!(known(Location::Header), "x-count x-list?");
}

#[test]
fn without_a_contract_everything_is_text() {
    let decoder = ParameterDecoder::without_contract(&PathTemplate::parse("/a/{id}/{list}/{free}").unwrap());
    let read =
        |query| all_or_nothing(decoder.decode(&path(["7", "a,b", "x"]), Some(query), &HeaderMap::new()));
    let parameters = read("a=1&b=x+y&a=%22&c").unwrap();
    assert_eq!(line(&parameters.path), "id=\"7\" list=\"a,b\" free=\"x\"");
    assert_eq!(line(&parameters.query), "a=[\"1\",\"\\\"\"] b=\"x y\" c=\"\"");
    assert_eq!(read("a=%ff").unwrap_err()[0].to_string(), "query.a is not valid UTF-8");
    assert!(decoder.known(Location::Query, &|_| None).is_none());
    assert_eq!(decoder.known(Location::Path, &|_| None).unwrap().len(), 3);
}
