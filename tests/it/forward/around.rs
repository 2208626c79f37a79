//! No operation can be got around by writing its path in another way.

use super::gateway;
use crate::support::http::Client;
use crate::support::upstream::Upstream;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

fn yaml(upstream: &Upstream) -> String {
    upstream.fallback("")
        + "operations:\n  POST /orders/{id}:\n    request: { subject: orders }\n  \
           GET /plain/{id}:\n    forward: { upstream: legacy }\n  \
           GET /files/{name}:\n    forward: { upstream: legacy }\n  \
           GET /files/secret/x:\n    request: { subject: secret }\n"
}

#[tokio::test]
async fn a_path_that_may_be_read_as_a_declared_one_is_refused() {
    let upstream = Upstream::answering(OK).await;
    let gateway = gateway(&yaml(&upstream)).await;
    for path in [
        "/orders//1",
        "//orders/1",
        "/orders/1/",
        "/x/../orders/1",
        "/x/%2e%2e/orders/1",
        "/%6frders/1",
        "/orders%2f1",
        "/orders\\1",
        "/orders;a/1",
        "/%256frders/1",
    ] {
        let answer = gateway.post(path, "{}").await;
        assert_eq!((answer.status, answer.problem()), (400, ("malformed_request", "not_executed")), "{path}");
        // Another method is another operation.
        assert_eq!(gateway.send("PUT", path, &[], b"").await.status, 200, "{path}");
    }
    // One that goes to the same service unlooked at is nothing to be got around.
    for path in ["/plain//1", "/x/../plain/1", "/%70lain/1", "/plain/%ff", "/plain/"] {
        assert_eq!(gateway.get(path).await.status, 200, "{path}");
    }
    // A forward is no way around either.
    assert_eq!(gateway.get("/files/a%20b").await.status, 200);
    for path in ["/files/secret%2fx", "/files/..%2ffiles%2Fsecret%2fx"] {
        assert_eq!(gateway.get(path).await.problem().0, "malformed_request", "{path}");
    }
    let heads = upstream.seen();
    assert!(heads.iter().all(|seen| !seen.first_line().starts_with("POST")), "{heads:?}");
}

/// As on the day on which an import has put the gateway in front of a service that checks its callers itself.
#[tokio::test]
async fn what_the_service_itself_checks_is_nothing_to_be_got_around() {
    let upstream = Upstream::answering(OK).await;
    let yaml = format!(
        "security: {{ old: {{ upstream: true }} }}\nupstreams: {{ legacy: {{ url: \"{}\" }} }}\n\
         fallback: {{ upstream: legacy, security: [{{ old: [] }}] }}\noperations:\n  \
         GET /plain/{{id}}:\n    security: [{{ old: [] }}]\n    forward: {{ upstream: legacy }}\n",
        upstream.url
    );
    let gateway = gateway(&yaml).await;
    for path in ["/plain/1", "/plain//1", "/x/../plain/1", "/%70lain/1", "/plain/%ff", "/plain/1/"] {
        assert_eq!(gateway.get(path).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn nor_by_a_header_that_names_another_method() {
    let upstream = Upstream::answering(OK).await;
    let gateway = gateway(&yaml(&upstream)).await;
    let overridden = [("X-HTTP-Method-Override", "POST")];
    for path in ["/orders/1", "/orders//1"] {
        let answer = gateway.send("PUT", path, &overridden, b"").await;
        assert_eq!(answer.problem().0, "malformed_request", "{path}");
    }
    assert_eq!(gateway.send("PUT", "/other", &overridden, b"").await.status, 200);
    assert_eq!(upstream.seen().len(), 1);
}

#[tokio::test]
async fn options_go_where_the_path_goes() {
    let upstream = Upstream::answering(OK).await;
    let with_fallback = gateway(&yaml(&upstream)).await;
    for path in ["/unknown", "/plain/1", "/orders/1"] {
        let answer = with_fallback.send("OPTIONS", path, &[("Origin", "https://a.example")], b"").await;
        assert_eq!((answer.status, answer.text().as_str()), (200, "ok"), "{path}");
    }
    let without = yaml(&upstream).replace("fallback: { upstream: legacy }\n", "");
    let without = gateway(&without).await;
    assert_eq!(without.send("OPTIONS", "/plain/1", &[], b"").await.text(), "ok");
    let answer = without.send("OPTIONS", "/orders/1", &[], b"").await;
    assert_eq!((answer.status, answer.header("allow")), (204, Some("OPTIONS, POST")));
    let with_cors = gateway(&(yaml(&upstream) + "cors: { origins: [\"https://a.example\"] }\n")).await;
    let asks = [("Origin", "https://a.example"), ("Access-Control-Request-Method", "PUT")];
    for path in ["/unknown", "/plain/1"] {
        let answer = with_cors.send("OPTIONS", path, &asks, b"").await;
        assert_eq!(answer.status, 204, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("https://a.example"));
    }
    assert_eq!(upstream.seen().len(), 4);
}

#[tokio::test]
async fn methods_that_an_operation_lacks_go_to_the_fallback() {
    let upstream = Upstream::answering(OK).await;
    let gateway = gateway(&yaml(&upstream)).await;
    assert_eq!(gateway.send("DELETE", "/orders/1", &[], b"").await.status, 200);
    let mut client = Client::connect(&gateway.url).await;
    let answer = client.send("HEAD", "/plain/1", &[], b"").await;
    assert_eq!((answer.status, answer.header("content-length")), (200, Some("2")));
    let lines: Vec<_> = upstream.seen().iter().map(|seen| seen.first_line().to_owned()).collect();
    assert_eq!(lines, ["DELETE /orders/1 HTTP/1.1", "HEAD /plain/1 HTTP/1.1"]);
}

#[tokio::test]
async fn nor_by_anything_else_that_a_service_may_take_for_its_method_or_path() {
    let upstream = Upstream::answering(OK).await;
    let gateway = gateway(&yaml(&upstream)).await;
    for (method, path, headers) in [
        ("post", "/orders/1", vec![]),
        ("Post", "/orders/1", vec![]),
        ("POST", "/Orders/1", vec![]),
        ("POST", "/orders./1", vec![]),
        ("PUT", "/orders/1?a=b&_method=post", vec![]),
        ("PUT", "/orders/1", vec![("X-HTTP-Method-Override", "FOO"), ("X-HTTP-Method-Override", "POST")]),
        ("PUT", "/orders/1", vec![("X_HTTP_Method_Override", "POST")]),
        ("POST", "/x", vec![("X-Original-URL", "/orders/1?a")]),
        ("POST", "/x", vec![("X-Rewrite-URL", "http://a/orders//1")]),
        ("PUT", "/x", vec![("X_Original_URL", "/orders/1"), ("X-HTTP-Method", "POST")]),
    ] {
        let answer = gateway.send(method, path, &headers, b"").await;
        assert_eq!(answer.status, 400, "{method} {path} {headers:?}");
        assert_eq!(answer.problem().0, "malformed_request", "{method} {path} {headers:?}");
    }
    assert!(upstream.seen().is_empty());
    assert_eq!(gateway.send("POST", "/Other", &[("X-Original-URL", "/x/y")], b"").await.status, 200);
}
