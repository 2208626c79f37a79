//! The client's address: what a trusted proxy says of it, and nobody else.

use crate::support::gateway::Gateway;
use crate::support::nats_server::NatsServer;
use crate::support::process::Process;
use crate::support::service::Service;

const WHO: &str =
    "operations:\n  GET /who: { request: { subject: who, payload: { ip: '${request.ip}' } } }\n";

type Lines = &'static [(&'static str, &'static str)];

/// What a client may write, and who it then is behind a trusted proxy.
const TOLD: [(Lines, &str); 18] = [
    (&[], "127.0.0.1"),
    (&[("X-Forwarded-For", "203.0.113.9")], "203.0.113.9"),
    (&[("X-Forwarded-For", "6.6.6.6, 203.0.113.9")], "203.0.113.9"),
    (&[("X-Forwarded-For", "6.6.6.6, 203.0.113.9, 127.0.0.2")], "203.0.113.9"),
    (&[("X-Forwarded-For", "6.6.6.6"), ("x-forwarded-for", "203.0.113.9")], "203.0.113.9"),
    (&[("X-Forwarded-For", "::ffff:203.0.113.9")], "203.0.113.9"),
    (&[("X-Forwarded-For", "2001:db8::1")], "2001:db8::1"),
    (&[("X-Forwarded-For", "[2001:db8::1]:443")], "2001:db8::1"),
    (&[("X-Forwarded-For", "203.0.113.9, garbage")], "127.0.0.1"),
    (&[("X-Forwarded-For", "203.0.113.9, unknown, 127.0.0.2")], "127.0.0.2"),
    (&[("X-Forwarded-For", "127.0.0.3")], "127.0.0.3"),
    (&[("Forwarded", "for=6.6.6.6, for=\"203.0.113.9:4711\";proto=https;by=_us")], "203.0.113.9"),
    (&[("Forwarded", "for=203.0.113.9, For=\"[::ffff:127.0.0.2]:1\"")], "203.0.113.9"),
    (&[("Forwarded", "for=\"6.6.6.6, for=203.0.113.9")], "203.0.113.9"),
    (&[("Forwarded", "for=_hidden")], "127.0.0.1"),
    (&[("Forwarded", "for=6.6.6.6"), ("X-Forwarded-For", "203.0.113.9")], "0.0.0.0"),
    (&[("Forwarded", "nonsense"), ("X-Forwarded-For", "203.0.113.9")], "0.0.0.0"),
    (&[("Forwarded", "for=203.0.113.9"), ("X-Forwarded-For", "6.6.6.6, 203.0.113.9")], "203.0.113.9"),
];

#[tokio::test]
async fn a_trusted_proxy_names_the_client() {
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "who").await;
    let gateway = Gateway::start(&nats.url(), &format!("{}{WHO}", super::BEHIND_PROXY)).await;
    for (lines, expected) in TOLD {
        let answer = gateway.send("GET", "/who", lines, b"").await;
        assert_eq!(answer.json()["ip"], expected, "{lines:?}");
    }
}

#[tokio::test]
async fn a_client_cannot_take_the_address_of_its_proxy() {
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "who").await;
    let yaml = "operations:
  GET /inside: { authorize: '${request.ip.startsWith(\"127.\")}', request: { subject: who, payload: {} } }
";
    let gateway = Gateway::start(&nats.url(), &format!("{}{yaml}", super::BEHIND_PROXY)).await;
    let status = async |lines: &[(&str, &str)]| gateway.send("GET", "/inside", lines, b"").await.status;
    assert_eq!(status(&[]).await, 200);
    // What the proxy appends, and what clients add to it.
    let appended = ("X-Forwarded-For", "203.0.113.9");
    assert_eq!(status(&[appended]).await, 403);
    for made_up in ["for=6.6.6.6", "for=127.0.0.1", "for=_hidden", "nonsense", ""] {
        assert_eq!(status(&[("Forwarded", made_up), appended]).await, 403, "{made_up}");
    }
    let quoted = ("Forwarded", "for=203.0.113.9");
    for made_up in ["6.6.6.6", "127.0.0.1", "nonsense", ""] {
        assert_eq!(status(&[("X-Forwarded-For", made_up), quoted]).await, 403, "{made_up}");
    }
}

#[tokio::test]
async fn nobody_else_is_believed() {
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "who").await;
    // None is trusted, or another one is.
    for server in ["", "server: { trusted_proxies: [10.0.0.0/8, '::1'] }\n"] {
        let gateway = Gateway::start(&nats.url(), &format!("{server}{WHO}")).await;
        for (lines, _) in TOLD {
            let answer = gateway.send("GET", "/who", lines, b"").await;
            assert_eq!(answer.json()["ip"], "127.0.0.1", "{lines:?}");
        }
    }
}

#[tokio::test]
async fn a_list_of_thousands_costs_nothing_and_changes_nothing() {
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "who").await;
    let gateway = Gateway::start(&nats.url(), &format!("{}{WHO}", super::BEHIND_PROXY)).await;
    let long = format!("{}203.0.113.9", "6.6.6.6,".repeat(5_000));
    let answer = gateway.send("GET", "/who", &[("X-Forwarded-For", &long)], b"").await;
    assert_eq!(answer.json()["ip"], "203.0.113.9");
    let quotes = format!("{}for=203.0.113.9", "for=\"a\\\"b\",".repeat(3_000));
    let answer = gateway.send("GET", "/who", &[("Forwarded", &quotes)], b"").await;
    assert_eq!(answer.json()["ip"], "203.0.113.9");
}

#[tokio::test]
async fn the_log_has_the_client_and_not_the_proxy() {
    let nats = NatsServer::start().await;
    let yaml = "server: { trusted_proxies: ['::ffff:127.0.0.1'] }\noperations:\n  GET /x: { request: { subject: x } }\n";
    let process = Process::serve(&nats.url(), yaml).await;
    process.send("GET", "/nowhere", &[("X-Forwarded-For", "6.6.6.6, 203.0.113.9")]).await;
    assert_eq!(process.access_lines("/nowhere", 1).await[0]["ip"], "203.0.113.9");
}
