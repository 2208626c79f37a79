//! How many connections there may be, who makes room for whom, and what an idle one costs.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::YAML;
use crate::support::gateway::Gateway;
use crate::support::http::Client;
use crate::support::http2::Http2;
use crate::support::nats_server::NatsServer;
use crate::support::process::Process;
use crate::support::service::Service;

async fn gateway(nats: &NatsServer, most: usize) -> Gateway {
    Gateway::start(&nats.url(), &format!("server: {{ max_connections: {most} }}\n{YAML}")).await
}

#[tokio::test]
async fn whoever_says_nothing_makes_room_for_others() {
    let nats = NatsServer::start().await;
    let service = Service::silent(&nats.url(), "x").await;
    let gateway = gateway(&nats, 4).await;
    // The oldest of all is in a request, and stays.
    let mut busy = Client::connect(&gateway.url).await;
    busy.write(b"GET /x HTTP/1.1\r\nHost: t\r\n\r\n").await;
    super::until("the request is in flight", || service.seen().len() == 1).await;
    let mut oldest = Client::connect(&gateway.url).await;
    let mut second = Client::connect(&gateway.url).await;
    assert_eq!(second.send("GET", "/nowhere", &[], b"").await.status, 404);
    let mut third = Client::connect(&gateway.url).await;
    third.write(b"GET /nowhere HT").await;
    let began = Instant::now();
    let mut all = Vec::new();
    for longest in [&mut oldest, &mut second, &mut third] {
        let mut newest = Client::connect(&gateway.url).await;
        assert_eq!(newest.send("GET", "/nowhere", &[], b"").await.status, 404);
        longest.ends().await;
        all.push(newest);
    }
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    service.answer(&service.seen()[0], "fine").await;
    assert_eq!(busy.answer("GET", Instant::now()).await.text(), "fine");
}

#[tokio::test]
async fn whoever_has_just_come_is_heard_first() {
    let nats = NatsServer::start().await;
    let service = Service::silent(&nats.url(), "x").await;
    let gateway = gateway(&nats, 2).await;
    let mut busy = Client::connect(&gateway.url).await;
    busy.write(b"GET /x HTTP/1.1\r\nHost: t\r\n\r\n").await;
    super::until("the request is in flight", || service.seen().len() == 1).await;
    let mut first = Client::connect(&gateway.url).await;
    let mut second = Client::connect(&gateway.url).await;
    // A line that is slow brings the request later than the connection.
    let (one, two) = tokio::join!(
        async {
            tokio::time::sleep(Duration::from_millis(120)).await;
            first.send("GET", "/nowhere", &[], b"").await.status
        },
        async { second.send("GET", "/nowhere", &[], b"").await.status }
    );
    assert_eq!((one, two), (404, 404));
    service.answer(&service.seen()[0], "fine").await;
    assert_eq!(busy.answer("GET", Instant::now()).await.text(), "fine");
}

#[tokio::test]
async fn an_idle_connection_of_http_2_says_goodbye_before_it_makes_room() {
    let nats = NatsServer::start().await;
    let gateway = gateway(&nats, 1).await;
    let mut idle = Http2::connect(&gateway.url).await;
    idle.get(1, "/nowhere").await;
    assert!(idle.first(crate::support::http2::DATA).await.is_some());
    let (answer, goodbye) = tokio::join!(gateway.get("/nowhere"), idle.goodbye());
    assert_eq!((answer.status, goodbye), (404, Some(0)));
    assert!(answer.took < Duration::from_secs(3), "{:?}", answer.took);
}

#[tokio::test]
async fn while_all_are_in_a_request_the_next_waits_for_the_first_that_ends() {
    let nats = NatsServer::start().await;
    let service = Service::silent(&nats.url(), "x").await;
    let gateway = gateway(&nats, 3).await;
    let asked = join_all((0..3).map(|_| gateway.get("/x")));
    let (answers, waited) = tokio::join!(asked, async {
        super::until("all are in flight", || service.seen().len() == 3).await;
        let mut next = Client::connect(&gateway.url).await;
        let began = Instant::now();
        let (answer, ()) = tokio::join!(next.send("GET", "/nowhere", &[], b""), async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            service.answer(&service.seen()[0], "fine").await;
        });
        assert_eq!(answer.status, 404);
        for message in &service.seen()[1..] {
            service.answer(message, "fine").await;
        }
        began.elapsed()
    });
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert!(waited > Duration::from_millis(280) && waited < Duration::from_secs(3), "{waited:?}");
}

/// So many connections, each after this.
async fn open(process: &Process, count: usize, asks: impl AsyncFn(&mut TcpStream)) -> Vec<TcpStream> {
    let address = process.url.trim_start_matches("http://");
    let mut open = Vec::with_capacity(count);
    while open.len() < count {
        let some = (0..100).map(async |_| {
            let mut stream = TcpStream::connect(address).await.expect("connection");
            asks(&mut stream).await;
            stream
        });
        open.extend(join_all(some).await);
    }
    open
}

/// Waits until the process has grown by no more than this. It gives memory back while it works.
async fn grown(process: &Process, before: u64, most: u64) -> u64 {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        assert_eq!(process.send("GET", "/nowhere", &[]).await.status, 404);
        let grown = process.resident().saturating_sub(before);
        if grown < most {
            return grown;
        }
        assert!(Instant::now() < end, "{grown} bytes");
    }
}

#[tokio::test]
async fn ten_thousand_idle_connections_cost_little_and_keep_nobody_out() {
    let nats = NatsServer::start().await;
    let _service = Service::saying(&nats.url(), "x", "fine").await;
    let process = Process::serve(&nats.url(), YAML).await;
    process.connected().await;
    let before = process.resident();
    let silent = open(&process, 5_000, async |_| {}).await;
    grown(&process, before, 50_000_000).await;
    let idle = open(&process, 5_000, async |stream| {
        stream.write_all(b"GET /x HTTP/1.1\r\nHost: t\r\n\r\n").await.expect("a request is taken");
        stream.read_exact(&mut [0; 15]).await.expect("an answer");
    })
    .await;
    grown(&process, before, 100_000_000).await;
    let began = Instant::now();
    let answer = process.send("GET", "/x", &[]).await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "fine"));
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    drop((silent, idle));
}

#[tokio::test]
async fn a_connection_that_has_rested_goes_on_as_before() {
    let nats = NatsServer::start().await;
    let _service = Service::saying(&nats.url(), "x", "fine").await;
    let _echo = Service::echo(&nats.url(), "echo").await;
    let gateway =
        Gateway::start(&nats.url(), &format!("server: {{ timeouts: {{ header: 500ms }} }}\n{YAML}")).await;
    let post = b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\n";
    // What came with a request, and is no whole one yet, is kept for the next.
    let mut half = Client::connect(&gateway.url).await;
    half.write(&[&post[..], b"firstGET /x HT"].concat()).await;
    assert_eq!(half.answer("POST", Instant::now()).await.text(), "first");
    tokio::time::sleep(Duration::from_millis(1200)).await;
    half.write(b"TP/1.1\r\nHost: t\r\n\r\n").await;
    assert_eq!(half.answer("GET", Instant::now()).await.text(), "fine");
    let mut whole = Client::connect(&gateway.url).await;
    let mut slow = Client::connect(&gateway.url).await;
    let mut upload = Client::connect(&gateway.url).await;
    for client in [&mut whole, &mut slow] {
        assert_eq!(client.send("GET", "/x", &[], b"").await.text(), "fine");
    }
    // Half a body is no rest, however long it is.
    upload.write(&[&post[..], b"fi"].concat()).await;
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_millis(1300)).await;
        let several = [&post[..], b"first", post, b"again", b"GET /x HT"].concat();
        whole.write(&several).await;
        whole.write(b"TP/1.1\r\nHost: t\r\n\r\n").await;
        for (method, text) in [("POST", "first"), ("POST", "again"), ("GET", "fine")] {
            assert_eq!(whole.answer(method, Instant::now()).await.text(), text);
        }
        for byte in b"GET /x HTTP/1.1\r\nHost: t\r\n\r\n" {
            slow.write(&[*byte]).await;
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        assert_eq!(slow.answer("GET", Instant::now()).await.text(), "fine");
    }
    upload.write(b"rst").await;
    assert_eq!(upload.answer("POST", Instant::now()).await.text(), "first");
    // From its first byte on, a head has its time again.
    tokio::time::sleep(Duration::from_millis(1300)).await;
    let began = Instant::now();
    slow.write(b"GET").await;
    assert!(slow.rest().await.starts_with("HTTP/1.1 408 "));
    assert!((450..2000).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
}
