//! A request within a request: whatever a proxy in front takes for the body of one, the gateway never serves as a
//! second one unless it is one for everybody.

use super::YAML;
use crate::support::gateway::Gateway;
use crate::support::http::Client;
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

/// What is hidden.
const HIDDEN: &str = "GET /x HTTP/1.1\r\nHost: test\r\n\r\n";

#[tokio::test]
async fn what_is_hidden_in_a_body_is_never_executed() {
    let nats = NatsServer::start().await;
    let hidden = Service::saying(&nats.url(), "x", "smuggled").await;
    let _echo = Service::echo(&nats.url(), "echo").await;
    let gateway = Gateway::start(&nats.url(), YAML).await;
    let length = HIDDEN.len();
    let chunk = format!("{length:x}\r\n{HIDDEN}\r\n0\r\n\r\n");
    let after = format!("0\r\n\r\n{HIDDEN}");
    for (name, headers, body) in [
        // A length and chunks: one of the two is not looked at by somebody.
        (
            "chunks end before the length",
            format!("Content-Length: {}\r\nTransfer-Encoding: chunked", after.len()),
            &after,
        ),
        (
            "the other way around",
            format!("Transfer-Encoding: chunked\r\nContent-Length: {}", after.len()),
            &after,
        ),
        ("a length in between", "Content-Length: 4\r\nTransfer-Encoding: chunked".to_owned(), &chunk),
        ("obscured by a space", "Content-Length: 5\r\nTransfer-Encoding : chunked".to_owned(), &after),
        ("obscured by a tab", "Content-Length: 5\r\nTransfer-Encoding:\tchunked".to_owned(), &after),
        (
            "obscured by a vertical tab",
            "Content-Length: 5\r\nTransfer-Encoding: \x0bchunked".to_owned(),
            &after,
        ),
        ("obscured by a name", "Content-Length: 5\r\nTransfer-Encoding: xchunked".to_owned(), &after),
        (
            "obscured by an underscore",
            format!("Transfer_Encoding: chunked\r\nContent-Length: {}", after.len()),
            &after,
        ),
        (
            "two codings",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\nContent-Length: 5".to_owned(),
            &after,
        ),
        ("folded", "Content-Length: 5\r\nX: y\r\n Transfer-Encoding: chunked".to_owned(), &after),
        (
            "a bare carriage return",
            "Content-Length: 5\r\nX: y\rTransfer-Encoding: chunked".to_owned(),
            &after,
        ),
        ("two lengths", format!("Content-Length: 5\r\nContent-Length: {}", after.len()), &after),
        ("a list of lengths", format!("Content-Length: 5, {}", after.len()), &after),
        ("a signed length", "Content-Length: +5".to_owned(), &after),
        (
            "a chunk that is shorter",
            "Transfer-Encoding: chunked".to_owned(),
            &format!("1\r\n{HIDDEN}\r\n0\r\n\r\n"),
        ),
        (
            "an extension with a line end",
            "Transfer-Encoding: chunked".to_owned(),
            &format!("3;\n{HIDDEN}\r\n0\r\n\r\n"),
        ),
        ("in a trailer", "Transfer-Encoding: chunked".to_owned(), &format!("0\r\nX: y\r\n{HIDDEN}")),
        ("an honest body", format!("Content-Length: {length}"), &HIDDEN.to_owned()),
        ("an honest chunk", "Transfer-Encoding: chunked".to_owned(), &chunk),
    ] {
        // In front of an operation, of none, and where the answer does not wait for the body.
        for line in ["POST /echo", "POST /nowhere", "GET /nowhere", "OPTIONS *"] {
            let mut client = Client::connect(&gateway.url).await;
            let request = format!("{line} HTTP/1.1\r\nHost: test\r\n{headers}\r\n\r\n{body}");
            client.write(request.as_bytes()).await;
            // A request of the same client, which ends the connection if nothing else has.
            client.write(b"BREW /x HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").await;
            let said = client.rest().await;
            assert!(!said.contains("smuggled"), "{name}, {line}: {said}");
            assert!(hidden.seen().is_empty(), "{name}, {line}");
        }
    }
}

#[tokio::test]
async fn what_follows_a_body_is_a_request_of_its_own() {
    let nats = NatsServer::start().await;
    let second = Service::saying(&nats.url(), "x", "second").await;
    let _echo = Service::echo(&nats.url(), "echo").await;
    let gateway = Gateway::start(&nats.url(), YAML).await;
    let mut client = Client::connect(&gateway.url).await;
    let first = "POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nfirst";
    client.write(format!("{first}{HIDDEN}").as_bytes()).await;
    assert_eq!(client.answer("POST", std::time::Instant::now()).await.text(), "first");
    assert_eq!(client.answer("GET", std::time::Instant::now()).await.text(), "second");
    // One byte too many: nobody's method.
    client.write(format!("{first}X{HIDDEN}").as_bytes()).await;
    assert_eq!(client.answer("POST", std::time::Instant::now()).await.text(), "first");
    assert_eq!(client.answer("GET", std::time::Instant::now()).await.status, 405);
    assert_eq!(second.seen().len(), 1);
}
