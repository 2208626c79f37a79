//! HTML forms as bodies: `body` in expressions, the bytes untouched where nothing maps them.

use crate::support::gateway::Gateway;
use crate::support::http::Answer;
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

const FORM: &str = "application/x-www-form-urlencoded";

async fn send(gateway: &Gateway, path: &str, body: &str) -> Answer {
    gateway.send("POST", path, &[("Content-Type", FORM)], body.as_bytes()).await
}

const CONTRACT: &str = "openapi: 3.0.3
info: { title: t, version: '1' }
paths:
  /pay:
    post:
      operationId: pay
      requestBody:
        content:
          application/x-www-form-urlencoded:
            schema: { $ref: '#/components/schemas/Payment' }
            encoding:
              labels: { style: form, explode: false }
              codes: { style: pipeDelimited, explode: false }
              card: { style: deepObject, explode: true }
              meta: { contentType: application/json }
              size: { style: form, explode: true }
              note: { contentType: text/plain }
          application/json:
            schema: { $ref: '#/components/schemas/Payment' }
      responses: { '200': { description: done } }
  /raw:
    post:
      operationId: raw
      requestBody: { content: { application/x-www-form-urlencoded: { schema: { type: object, properties: { n: { type: integer } } } } } }
      responses: { '200': { description: done } }
  /mapped:
    post:
      operationId: mapped
      requestBody: { content: { application/x-www-form-urlencoded: { schema: { type: object, properties: { n: { type: integer } } } } } }
      responses: { '200': { description: done } }
components:
  schemas:
    Payment:
      type: object
      properties:
        amount: { type: integer }
        price: { type: number }
        live: { type: boolean }
        note: { type: string, nullable: true }
        items: { type: array, items: { type: string } }
        labels: { type: array, items: { type: string } }
        codes: { type: array, items: { type: integer } }
        card: { type: object, properties: { number: { type: string }, year: { type: integer } } }
        address: { type: object, properties: { city: { type: string } } }
        meta: { type: object }
        size: { type: object, properties: { width: { type: integer }, height: { type: integer } }, additionalProperties: true }
        'tags[]': { type: array, items: { type: string } }
";

const OPERATIONS: &str = "contracts: [{ file: api.yaml }]
operations:
  pay: { request: { subject: x, payload: '${body}' } }
  raw: { request: { subject: x } }
  mapped: { request: { subject: x, payload: '${body}' } }
";

async fn start(nats: &NatsServer, operations: &str) -> Gateway {
    let gateway = Gateway::start_unconnected(&nats.url(), operations, &[("api.yaml", CONTRACT)]).await;
    gateway.connected().await;
    gateway
}

#[tokio::test]
async fn a_form_becomes_an_object_of_the_contracts_types() {
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "x").await;
    let gateway = start(&nats, OPERATIONS).await;
    for (body, seen) in [
        ("amount=0&price=1.50&live=true&note=", r#"{"amount":0,"price":1.50,"live":true,"note":""}"#),
        ("amount=123456789012345678901234567890", r#"{"amount":123456789012345678901234567890}"#),
        (
            "items=a&items=b+c%2B&labels=a,b%2Cc&codes=1|2%7C3",
            r#"{"items":["a","b c+"],"labels":["a","b,c"],"codes":[1,2,3]}"#,
        ),
        (
            "card[number]=42&card[year]=2030&address[city]=%C3%84",
            r#"{"card":{"number":"42","year":2030},"address":{"city":"Ä"}}"#,
        ),
        (
            "address=%7B%22city%22%3A%22B%22%7D&meta=%7B%22a%22%3A1.0%7D",
            r#"{"address":{"city":"B"},"meta":{"a":1.0}}"#,
        ),
        ("width=3&height=4&other=5", r#"{"size":{"width":3,"height":4},"other":"5"}"#),
        ("size[width]=3", r#"{"size":{"width":3}}"#),
        (
            "tags[]=a&tags%5B%5D=b&other=1&other=2&x[y]=z\r\n",
            r#"{"tags[]":["a","b"],"other":["1","2"],"x[y]":"z"}"#,
        ),
        ("__proto__=1&=2&amount", r#"{"amount":"","__proto__":"1","":"2"}"#),
    ] {
        let answer = send(&gateway, "/pay", body).await;
        // A value of the wrong type is for the schema to refuse.
        if body.ends_with("&amount") && answer.status == 422 {
            assert_eq!(answer.json()["errors"][0]["pointer"], "/amount", "{}", answer.text());
            continue;
        }
        assert_eq!((answer.status, answer.text().as_str()), (200, seen), "{body}");
    }
    let json = gateway.post("/pay", r#"{"amount": 1.0}"#).await;
    assert_eq!((json.status, json.text().as_str()), (200, r#"{"amount": 1.0}"#));
    // Who does not say what it is sends JSON, where that may be.
    let unsaid = gateway.send("POST", "/pay", &[], br#"{"amount": 2}"#).await;
    assert_eq!((unsaid.status, unsaid.text().as_str()), (200, r#"{"amount": 2}"#));
    let unsaid = gateway.send("POST", "/mapped", &[], b"n=1").await;
    assert_eq!((unsaid.status, unsaid.text().as_str()), (200, r#"{"n":1}"#));
    let other = gateway.send("POST", "/pay", &[("Content-Type", "text/csv")], b"a,b").await;
    assert_eq!((other.status, other.problem().0), (415, "unsupported_media_type"));
    assert_eq!(
        other.json()["detail"],
        "send the body with Content-Type: application/x-www-form-urlencoded or application/json"
    );
}

#[tokio::test]
async fn a_form_that_has_two_meanings_or_none_is_malformed() {
    let nats = NatsServer::start().await;
    let service = Service::echo(&nats.url(), "x").await;
    let gateway = start(&nats, OPERATIONS).await;
    for (body, detail, pointer) in [
        ("amount=1&amount=2", "the form's field /amount is given more than once", "/amount"),
        ("note=a&note=b", "the form's field /note is given more than once", "/note"),
        ("card[year]=1&card[year]=2", "the form's field /card/year is given more than once", "/card/year"),
        ("card=x&card[year]=2", "the form's field /card is given both as a whole and in parts", "/card"),
        ("note=%ff", "the form's field /note is not valid UTF-8", "/note"),
        (
            "note=%0",
            "the form's field /note holds a `%` that is not followed by two hexadecimal digits",
            "/note",
        ),
        ("note=%00", "the form's field /note holds a NUL character", "/note"),
        ("meta=%7B", "the form's field /meta is not valid JSON", "/meta"),
        ("meta={\"a\":1,\"a\":2}", "the form's field /meta is not valid JSON", "/meta"),
        ("note=%ff&amount=1&amount=2", "2 fields of the form cannot be read", "/amount"),
        ("%ff=1", "the form has a field whose name cannot be decoded", ""),
        (&"a=1&".repeat(10_001), "the form has more than 10000 fields", ""),
    ] {
        let answer = send(&gateway, "/pay", body).await;
        assert_eq!(
            (answer.status, answer.problem()),
            (400, ("malformed_body", "not_executed")),
            "{body:.60}"
        );
        assert_eq!(answer.json()["detail"], detail, "{body:.60}");
        assert_eq!(answer.json()["errors"][0]["pointer"].as_str().unwrap_or(""), pointer, "{body:.60}");
        assert!(!answer.text().contains("hunter2"));
    }
    let broken = gateway.send("POST", "/pay", &[("Content-Type", FORM)], b"note=\xff").await;
    assert_eq!((broken.status, broken.problem().0), (400, "malformed_body"));
    let latin = gateway
        .send(
            "POST",
            "/pay",
            &[("Content-Type", "application/x-www-form-urlencoded; charset=iso-8859-1")],
            b"note=%E4",
        )
        .await;
    assert_eq!((latin.status, latin.problem().0), (415, "unsupported_media_type"));
    assert!(service.seen().is_empty());
}

#[tokio::test]
async fn a_form_that_nothing_maps_travels_byte_for_byte() {
    let nats = NatsServer::start().await;
    let service = Service::echo(&nats.url(), "x").await;
    let gateway = start(&nats, OPERATIONS).await;
    let body = "n=1&a=%7e+x&&b\r\n";
    let answer = send(&gateway, "/raw", body).await;
    assert_eq!((answer.status, answer.text().as_str()), (200, body));
    let seen = &service.seen()[0];
    assert_eq!(
        seen.headers.as_ref().and_then(|all| all.get("Content-Type")).map(|one| one.as_str()),
        Some(FORM)
    );
}

#[tokio::test]
async fn without_a_contract_fields_are_texts_and_lists_of_texts() {
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "x").await;
    let gateway = Gateway::start(
        &nats.url(),
        "operations:\n  POST /x: { request: { subject: x, payload: { all: '${body}', a: '${body.?a}' } } }\n",
    )
    .await;
    for (body, seen) in [
        ("a=1&b=x+y", r#"{"all":{"a":"1","b":"x y"},"a":"1"}"#),
        ("a=1&a=2&c[d]=3", r#"{"all":{"a":["1","2"],"c[d]":"3"},"a":["1","2"]}"#),
        ("b", r#"{"all":{"b":""}}"#),
    ] {
        let answer = send(&gateway, "/x", body).await;
        assert_eq!((answer.status, answer.text().as_str()), (200, seen), "{body}");
    }
}
