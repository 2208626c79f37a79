//! What the server would answer by closing the connection on everyone is refused before it is sent.

use async_nats::HeaderMap;
use natsgate::nats::{Failure, Options, headers};

use super::{PATIENCE, ask, connected, echo, message, options, within};
use crate::support::nats_server::NatsServer;

const LIMIT: usize = 4096;

#[tokio::test]
async fn the_largest_message_passes_and_one_byte_more_is_refused() {
    let server = NatsServer::with("max_payload: 4096").await;
    let nats = connected(options(server.url())).await;
    let _echo = echo(&server.client().await, "big").await;
    assert_eq!(nats.max_payload(), Some(LIMIT));

    let mut headers = HeaderMap::new();
    headers.append("X-Note", "one");
    headers.append("X-Note", "two");
    headers.append("Y", "");
    let room = LIMIT - headers::wire_len(&headers);
    let mut fits = message("big", vec![b'x'; room]);
    fits.headers = headers.clone();
    // The echo has the same size, so that it passes too.
    assert_eq!(nats.request(fits, within(PATIENCE)).await.expect("reply").payload.len(), room);

    let mut above = message("big", vec![b'x'; room + 1]);
    above.headers = headers;
    let failure = nats.request(above, within(PATIENCE)).await.unwrap_err();
    assert_eq!(failure, Failure::TooLarge { size: LIMIT + 1, limit: LIMIT });
    assert!(failure.provably_not_sent());
    assert_eq!(nats.status().reconnects, 0);
}

#[tokio::test]
async fn a_subject_as_long_as_the_line_passes_and_a_longer_one_is_refused() {
    let server = NatsServer::start().await;
    let nats = connected(options(server.url())).await;
    let failure = ask(&nats, &"s".repeat(5000), PATIENCE).await.unwrap_err();
    let Failure::SubjectTooLong { length, limit } = failure else { panic!("{failure:?}") };
    assert_eq!(limit, LIMIT);
    // As long as we allow, which the server takes: nobody listens, and that it can say.
    let longest = "s".repeat(5000 - (length - limit));
    assert_eq!(ask(&nats, &longest, PATIENCE).await.unwrap_err(), Failure::NoResponders);
    assert_eq!(nats.status().reconnects, 0);
}

#[tokio::test]
async fn the_line_limit_is_the_configured_one() {
    let server = NatsServer::with("max_control_line: 8192").await;
    let nats = connected(Options { max_control_line: 8192, ..options(server.url()) }).await;
    assert_eq!(ask(&nats, &"s".repeat(5000), PATIENCE).await.unwrap_err(), Failure::NoResponders);
}

#[tokio::test]
async fn a_subject_with_white_space_is_refused() {
    let server = NatsServer::start().await;
    let nats = connected(options(server.url())).await;
    for subject in ["", "a b", "a\r\nPUB b 0", "a\tb"] {
        assert_eq!(ask(&nats, subject, PATIENCE).await.unwrap_err(), Failure::InvalidSubject, "{subject:?}");
    }
    assert_eq!(nats.waiting(), 0);
}
