//! Rates: whose requests are counted together, what one too many is told, and that waiting as long as told helps.

use std::time::Duration;

use super::{BEHIND_PROXY, told};
use crate::support::gateway::Gateway;
use crate::support::http::{Answer, Client};
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;

/// A gateway behind a trusted proxy, with an operation `POST /x` of these limits in front of an echo.
async fn limited(nats: &NatsServer, limits: &str) -> Gateway {
    let yaml = format!(
        "{BEHIND_PROXY}operations:
  POST /x: {{ request: {{ subject: x }}, limits: {limits} }}
  POST /tenants/{{tenant}}: {{ request: {{ subject: x }}, limits: {{ rate: 1/h, per: '${{path.tenant}}' }} }}
  POST /free: {{ request: {{ subject: x }} }}
"
    );
    Gateway::start(&nats.url(), &yaml).await
}

/// A request of a client with this address.
async fn from(gateway: &Gateway, address: &str, more: &[(&str, &str)]) -> Answer {
    let headers = [&[("X-Forwarded-For", address)], more].concat();
    gateway.send("POST", "/x", &headers, b"{}").await
}

#[tokio::test]
async fn an_address_has_its_burst_and_others_have_theirs() {
    let nats = NatsServer::start().await;
    let service = Service::echo(&nats.url(), "x").await;
    let gateway = limited(&nats, "{ rate: 10/h, burst: 2, per: ip }").await;
    for remaining in [1, 0] {
        let answer = from(&gateway, "203.0.113.1", &[]).await;
        let reset = 360 * (2 - remaining);
        let expected = format!("\"POST /x\";r={remaining};t={reset}");
        assert_eq!((answer.status, answer.header("ratelimit")), (200, Some(expected.as_str())));
        assert_eq!(answer.header("ratelimit-policy"), Some("\"POST /x\";q=2;w=720"));
        assert_eq!(answer.header("retry-after"), None);
    }
    let refused = from(&gateway, "203.0.113.1", &[]).await;
    assert_eq!((told(&refused), refused.problem().1), ((429, "rate_limited"), "not_executed"));
    assert_eq!(refused.header("retry-after"), Some("360"));
    assert_eq!(refused.header("ratelimit"), Some("\"POST /x\";r=0;t=720"));
    assert_eq!(refused.header("ratelimit-policy"), Some("\"POST /x\";q=2;w=720"));
    assert_eq!(refused.json()["retryable"], true);
    assert_eq!(from(&gateway, "203.0.113.2", &[]).await.status, 200);
    // Whoever has an IPv6 address has all of its /64.
    for (address, status) in
        [("2001:db8::1", 200), ("2001:db8::2", 200), ("2001:db8::3:1:2:3", 429), ("2001:db8:0:1::1", 200)]
    {
        assert_eq!(from(&gateway, address, &[]).await.status, status, "{address}");
    }
    assert_eq!(service.seen().len(), 6, "what is refused reaches nobody");
    assert_eq!(gateway.inner.in_flight(), 0);
}

#[tokio::test]
async fn an_address_cannot_be_chosen_by_its_client() {
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "x").await;
    let yaml = "operations:\n  POST /x: { request: { subject: x }, limits: { rate: 1/h, per: ip } }\n";
    let gateway = Gateway::start(&nats.url(), yaml).await;
    assert_eq!(from(&gateway, "203.0.113.1", &[]).await.status, 200);
    for spoofed in ["203.0.113.2", "203.0.113.3, 127.0.0.1", "::1"] {
        assert_eq!(
            from(&gateway, spoofed, &[("Forwarded", "for=203.0.113.4")]).await.status,
            429,
            "{spoofed}"
        );
    }
}

#[tokio::test]
async fn a_network_is_one_caller_however_it_is_asked_for() {
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "x").await;
    for per in ["ip", "\"${request.ip}\""] {
        let gateway = limited(&nats, &format!("{{ rate: 1/h, per: {per} }}")).await;
        let mut statuses = Vec::new();
        for address in ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"] {
            statuses.push(from(&gateway, address, &[]).await.status);
        }
        assert_eq!(statuses, [200, 429, 200], "per: {per}");
    }
}

#[tokio::test]
async fn waiting_as_long_as_told_lets_one_through() {
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "x").await;
    // One in 1.2 s: rounded down, the wait would be too short.
    let gateway = limited(&nats, "{ rate: 50/m, burst: 1 }").await;
    assert_eq!(from(&gateway, "203.0.113.1", &[]).await.status, 200);
    let refused = from(&gateway, "203.0.113.1", &[]).await;
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("2")));
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(from(&gateway, "203.0.113.1", &[]).await.status, 200);
    assert_eq!(from(&gateway, "203.0.113.1", &[]).await.status, 429);
}

#[tokio::test]
async fn a_caller_who_is_not_known_is_its_address() {
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "x").await;
    for limits in ["{ rate: 1/h }", "{ rate: 1/h, per: caller }"] {
        let gateway = limited(&nats, limits).await;
        let statuses = [
            from(&gateway, "203.0.113.1", &[]).await.status,
            from(&gateway, "203.0.113.1", &[]).await.status,
            from(&gateway, "203.0.113.2", &[]).await.status,
        ];
        assert_eq!(statuses, [200, 429, 200], "{limits}");
    }
}

#[tokio::test]
async fn an_expression_counts_what_is_the_same_and_nobody_escapes_it() {
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "x").await;
    let gateway = limited(&nats, "{ rate: 1/h, per: 'org ${header.?x-org}' }").await;
    let of = async |address: &str, org: &str| from(&gateway, address, &[("X-Org", org)]).await.status;
    // Whatever its address; and a value of any length is one.
    let long = "b".repeat(5_000);
    assert_eq!((of("203.0.113.1", "a").await, of("203.0.113.2", "a").await), (200, 429));
    assert_eq!((of("203.0.113.1", &long).await, of("203.0.113.1", &long).await), (200, 429));
    // Without one it is the address that counts.
    assert_eq!(from(&gateway, "203.0.113.1", &[]).await.status, 200);
    assert_eq!(from(&gateway, "203.0.113.1", &[]).await.status, 429);
    for per in ["'${header.?x-org}'", "'${header.x-org}'", "'${header[\"x-org\"].substring(3)}'"] {
        let gateway = limited(&nats, &format!("{{ rate: 1/h, per: {per} }}")).await;
        for lacking in [&[][..], &[("X-Org", "")]] {
            let address = if lacking.is_empty() { "203.0.113.1" } else { "203.0.113.2" };
            let twice = (
                from(&gateway, address, lacking).await.status,
                from(&gateway, address, lacking).await.status,
            );
            assert_eq!(twice, (200, 429), "{per} {lacking:?}");
        }
    }
}

#[tokio::test]
async fn every_operation_counts_by_itself_and_those_without_a_rate_not_at_all() {
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "x").await;
    let gateway = limited(&nats, "{ rate: 1/h }").await;
    assert_eq!((gateway.post("/x", "{}").await.status, gateway.post("/x", "{}").await.status), (200, 429));
    for (path, status) in [("/tenants/a", 200), ("/tenants/%61", 429), ("/tenants/b", 200)] {
        assert_eq!(gateway.post(path, "{}").await.status, status, "{path}");
    }
    let free = gateway.post("/free", "{}").await;
    assert_eq!((free.status, free.header("ratelimit"), free.header("ratelimit-policy")), (200, None, None));
}

#[tokio::test]
async fn a_case_may_say_it_in_the_legacy_services_words() {
    let nats = NatsServer::start().await;
    let headers = [("RateLimit", "\"behind\";r=7;t=1")];
    let _service = Service::with_headers(&nats.url(), "x", &headers, "{}").await;
    let yaml = "operations:
  POST /x:
    request: { subject: x }
    limits: { rate: 1/h }
    reply_headers: [RateLimit]
    problem:
      - when: ${problem.code == 'rate_limited'}
        status: 503
        body: { error: slow down }
";
    let gateway = Gateway::start(&nats.url(), yaml).await;
    let of = |answer: &Answer| -> Vec<String> {
        answer
            .headers
            .iter()
            .filter(|(name, _)| name == "ratelimit")
            .map(|(_, value)| value.clone())
            .collect()
    };
    let first = gateway.post("/x", "{}").await;
    assert_eq!(of(&first), ["\"behind\";r=7;t=1", "\"POST /x\";r=0;t=3600"], "a service's own stays beside");
    let refused = gateway.post("/x", "{}").await;
    assert_eq!((refused.status, refused.text().as_str()), (503, "{\"error\":\"slow down\"}"));
    assert_eq!((refused.problem().0, refused.header("retry-after")), ("rate_limited", Some("3600")));
    assert_eq!(of(&refused), ["\"POST /x\";r=0;t=3600"]);
}

#[tokio::test]
async fn a_refusal_reads_no_body_and_leaves_the_connection_as_it_was() {
    let nats = NatsServer::start().await;
    let _service = Service::echo(&nats.url(), "x").await;
    let gateway = limited(&nats, "{ rate: 1/h }").await;
    let mut client = Client::connect(&gateway.url).await;
    assert_eq!(client.send("POST", "/x", &[], b"{}").await.status, 200);
    for _ in 0..3 {
        assert_eq!(client.send("POST", "/x", &[], b"{}").await.status, 429);
    }
    assert_eq!(client.send("POST", "/free", &[], b"{}").await.status, 200);
    client.write(b"POST /x HTTP/1.1\r\nHost: t\r\nContent-Length: 1000000\r\n\r\n").await;
    let answer = client.answer("POST", std::time::Instant::now()).await;
    assert_eq!(told(&answer), (429, "rate_limited"));
}
