//! SIGTERM: what is in flight is answered, and the process ends with 0.

use std::time::{Duration, Instant};

use crate::support::http::Client;
use crate::support::nats_server::NatsServer;
use crate::support::process::Process;
use crate::support::service::Service;

#[tokio::test]
async fn what_is_in_flight_is_answered_before_the_end() {
    let nats = NatsServer::start().await;
    let service = Service::silent(&nats.url(), "x").await;
    let yaml = "operations:\n  GET /x: { request: { subject: x, timeout: 10s } }\n";
    let mut process = Process::serve(&nats.url(), yaml).await;
    process.connected().await;
    let mut idle = Client::connect(&process.url).await;
    assert_eq!(idle.send("GET", "/nowhere", &[], b"").await.status, 404);
    let asked = (0..20).map(|_| process.send("GET", "/x", &[]));
    let (answers, ()) = tokio::join!(futures_util::future::join_all(asked), async {
        super::until("all are in flight", || service.seen().len() == 20).await;
        process.terminate().await;
        process.until("draining", |ready| ready["draining"] == true).await;
        assert!(idle.is_closed().await, "an idle connection is closed at once");
        assert_eq!(process.ready().await.status, 503);
        for message in service.seen() {
            service.answer(&message, "{}").await;
        }
    });
    for answer in answers {
        assert_eq!((answer.status, answer.text().as_str()), (200, "{}"));
        assert_eq!(answer.header("connection"), Some("close"));
    }
    assert_eq!(process.exit_code().await, Some(0));
    assert_eq!(process.access_lines("/x", 20).await.len(), 20);
}

#[tokio::test]
async fn what_is_not_done_by_the_end_of_the_drain_is_answered_honestly() {
    let nats = NatsServer::start().await;
    let service = Service::silent(&nats.url(), "x").await;
    let yaml = "server: { drain: 300ms }
operations:
  GET /x: { request: { subject: x, timeout: 60s } }
  GET /held: { request: { subject: nobody, timeout: 60s, retry_for: 60s } }
  POST /body: { request: { subject: x, timeout: 60s } }
";
    let mut process = Process::serve(&nats.url(), yaml).await;
    process.connected().await;
    let mut slow = Client::connect(&process.url).await;
    slow.write(b"POST /body HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nhalf").await;
    let began = Instant::now();
    let (sent, held, body, ()) = tokio::join!(
        process.send("GET", "/x", &[]),
        process.send("GET", "/held", &[]),
        slow.answer("POST", began),
        async {
            process
                .until("all are in flight", |ready| ready["in_flight"] == 3 && service.seen().len() == 1)
                .await;
            process.terminate().await;
        }
    );
    assert_eq!((sent.status, sent.problem()), (504, ("connection_lost", "unknown")));
    // What is held reaches nobody, again and again; the end may find one of its tries on the way.
    let truths = [(503, "not_executed"), (504, "unknown")];
    assert!(truths.contains(&(held.status, held.problem().1)), "{}", held.text());
    assert_eq!((body.status, body.problem()), (503, ("draining", "not_executed")));
    assert_eq!(process.exit_code().await, Some(0));
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    assert_eq!(service.seen().len(), 1);
}

#[tokio::test]
async fn for_the_drain_delay_everything_goes_on() {
    let nats = NatsServer::start().await;
    let _service = Service::saying(&nats.url(), "x", "{}").await;
    let yaml = "server: { drain_delay: 700ms }\noperations:\n  GET /x: { request: { subject: x } }\n";
    let mut process = Process::serve(&nats.url(), yaml).await;
    process.connected().await;
    process.terminate().await;
    process.until("draining", |ready| ready["draining"] == true).await;
    let answer = process.send("GET", "/x", &[]).await;
    assert_eq!((answer.status, answer.header("connection")), (200, None), "a new connection is served");
    assert_eq!(process.exit_code().await, Some(0));
    assert!(tokio::net::TcpStream::connect(process.url.trim_start_matches("http://")).await.is_err());
}

#[tokio::test]
async fn without_nats_the_end_comes_as_well() {
    let nats = NatsServer::prepared("");
    let mut process =
        Process::serve(&nats.url(), "operations:\n  GET /x: { request: { subject: x } }\n").await;
    assert_eq!(process.send("GET", "/x", &[]).await.problem().0, "nats_unavailable");
    let began = Instant::now();
    process.terminate().await;
    assert_eq!(process.exit_code().await, Some(0));
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}
