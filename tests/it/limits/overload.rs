//! Too many at once: who is over a limit hears it at once, who is within it notices nothing.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::told;
use crate::support::gateway::Gateway;
use crate::support::http::{Answer, Client};
use crate::support::nats_server::NatsServer;
use crate::support::process::Process;
use crate::support::service::Service;

const ADMITTED: usize = 50;
const EXCESS: usize = 500;

/// Of the open loop: places, what the service takes, and requests a second: ten times what the places allow.
const PLACES: u32 = 4;
const TAKES: Duration = Duration::from_millis(50);
const RATE: u32 = 10 * PLACES * 20;
const CLIENTS: u32 = 80;
const REQUESTS: u32 = RATE * 3 / 2;

/// A gateway with this many requests in flight, none of which is answered before the test says so.
async fn full(nats: &NatsServer, yaml: &str, count: usize) -> (Gateway, Service, JoinSet<Answer>) {
    let service = Service::silent(&nats.url(), "slow").await;
    let gateway = Gateway::start(&nats.url(), yaml).await;
    let mut held = JoinSet::new();
    for _ in 0..count {
        let url = gateway.url.clone();
        held.spawn(async move { Client::connect(&url).await.send("POST", "/slow", &[], b"{}").await });
    }
    while service.seen().len() < count {
        sleep(Duration::from_millis(2)).await;
    }
    (gateway, service, held)
}

async fn release(service: &Service, held: JoinSet<Answer>) {
    for message in service.seen() {
        service.answer(&message, "done").await;
    }
    for answer in held.join_all().await {
        assert_eq!((answer.status, answer.text().as_str()), (200, "done"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_excess_is_shed_at_once_and_what_was_admitted_is_answered() {
    let nats = NatsServer::start().await;
    let yaml = "operations:
  POST /slow: { request: { subject: slow, timeout: 20s }, limits: { in_flight: 50 } }
";
    let (gateway, service, held) = full(&nats, yaml, ADMITTED).await;
    let began = Instant::now();
    let mut excess = JoinSet::new();
    for _ in 0..10 {
        let url = gateway.url.clone();
        excess.spawn(async move {
            let mut client = Client::connect(&url).await;
            for _ in 0..EXCESS / 10 {
                let answer = client.send("POST", "/slow", &[], b"{}").await;
                assert_eq!((told(&answer), answer.problem().1), ((503, "overloaded"), "not_executed"));
                assert_eq!(answer.header("retry-after"), Some("1"));
            }
        });
    }
    excess.join_all().await;
    let took = began.elapsed();
    assert!(took.as_millis() < 1_000, "{EXCESS} were shed in {took:?}");
    assert_eq!((service.seen().len(), gateway.inner.in_flight()), (ADMITTED, ADMITTED));
    release(&service, held).await;
    assert_eq!((gateway.inner.in_flight(), gateway.waiting()), (0, 0));
}

#[tokio::test]
async fn a_refusal_neither_reads_nor_parses_and_keeps_the_connection() {
    let nats = NatsServer::start().await;
    let yaml = "server: { in_flight: 1 }
operations:
  POST /slow: { request: { subject: slow, timeout: 20s } }
  POST /x/{id}: { request: { subject: 'x.${path.id}', payload: { a: '${body.a}' } }, limits: { max_body: 10 } }
";
    let (gateway, service, held) = full(&nats, yaml, 1).await;
    let mut client = Client::connect(&gateway.url).await;
    // What would be refused for what it is is not even looked at.
    for (path, body) in [("/x/1", &b"no json"[..]), ("/x/a.b", b"{}"), ("/x/1", &[b'x'; 100])] {
        assert_eq!(told(&client.send("POST", path, &[], body).await), (503, "overloaded"));
    }
    // A path that leads nowhere takes no place, and costs no more to answer.
    assert_eq!(told(&client.send("GET", "/nowhere", &[], b"").await), (404, "not_found"));
    client.write(b"POST /x/1 HTTP/1.1\r\nHost: t\r\nContent-Length: 1000000\r\n\r\n").await;
    assert_eq!(told(&client.answer("POST", Instant::now()).await), (503, "overloaded"));
    release(&service, held).await;
}

/// A service that takes a while, for as many messages at once as there are.
async fn slow_service(nats: &str) -> JoinSet<()> {
    let client = async_nats::connect(nats).await.expect("connection of the service");
    let mut messages = client.subscribe("slow").await.expect("its subscription");
    // A round trip: the server has the subscription before anybody sends.
    let _ = client.request("$SYS.REQ.USER.INFO", Bytes::new()).await;
    let mut running = JoinSet::new();
    running.spawn(async move {
        while let Some(message) = messages.next().await {
            let client = client.clone();
            tokio::spawn(async move {
                sleep(TAKES).await;
                let _ = client.publish(message.reply.expect("a request"), "done".into()).await;
            });
        }
    });
    running
}

/// Requests by a fixed schedule, spread over the clients: each comes at its time, as long as its client is not still
/// waiting. Every answer, with how long after its time it came.
async fn open_loop(url: &str) -> Vec<(Answer, Duration)> {
    let mut clients = Vec::new();
    for _ in 0..CLIENTS {
        clients.push(Client::connect(url).await);
    }
    let start = tokio::time::Instant::now();
    let send = |(first, mut client): (u32, Client)| async move {
        let mut answers = Vec::new();
        for number in (first..REQUESTS).step_by(CLIENTS as usize) {
            let at = start + Duration::from_secs(1) * number / RATE;
            tokio::time::sleep_until(at).await;
            answers.push((client.send("POST", "/slow", &[], b"{}").await, at.elapsed()));
        }
        answers
    };
    let running: JoinSet<_> = (0..).zip(clients).map(send).collect();
    running.join_all().await.into_iter().flatten().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_times_what_can_be_done_costs_neither_time_nor_memory() {
    let nats = NatsServer::start().await;
    let yaml = "operations:
  POST /slow: { request: { subject: slow, timeout: 20s }, limits: { in_flight: 4 } }
";
    let _service = slow_service(&nats.url()).await;
    let process = Process::serve(&nats.url(), yaml).await;
    process.connected().await;
    let (before, began) = (process.resident(), Instant::now());
    let answers = open_loop(&process.url).await;
    let (took, grown) = (began.elapsed(), process.resident().saturating_sub(before));

    let (admitted, shed): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|(answer, _)| answer.status == 200);
    assert_eq!(admitted.len() + shed.len(), REQUESTS as usize);
    // No more than the places allow, and they do not stand empty.
    let most = PLACES as usize * (took.as_millis() / TAKES.as_millis() + 1) as usize;
    assert!((most / 4..=most).contains(&admitted.len()), "{} of {most} in {took:?}", admitted.len());
    assert!(admitted.iter().all(|(answer, _)| answer.text() == "done"));
    for (answer, _) in &shed {
        assert_eq!((told(answer), answer.problem().1), ((503, "overloaded"), "not_executed"));
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    // Refused at once, not after waiting for a place.
    let mut times: Vec<Duration> = shed.into_iter().map(|(_, time)| time).collect();
    times.sort_unstable();
    assert!(times[times.len() / 2] < TAKES / 2, "half of the refusals take {:?}", times[times.len() / 2]);
    assert!(grown < 16 << 20, "{grown} bytes were not given back");
    assert_eq!(process.send("POST", "/slow", &[]).await.text(), "done");
}
