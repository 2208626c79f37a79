//! What a stream says to a message, and what can be asked of streams.

use std::time::Duration;

use async_nats::HeaderMap;
use natsgate::nats::{
    ApiFailure, Failure, Nats, Options, Outgoing, PubAck, PublishFailure, Select, publication, publish_once,
    stored, stream_info, streams_capturing,
};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{PATIENCE, connected, message, options, within};
use crate::support::cluster::Cluster;
use crate::support::nats_server::NatsServer;

/// A server with one stream ORDERS on `orders.>`, configured by `more`.
async fn orders(more: Value) -> (NatsServer, Nats) {
    let server = NatsServer::start().await;
    let nats = connected(options(server.url())).await;
    let mut config = json!({ "name": "ORDERS", "subjects": ["orders.>"], "storage": "memory" });
    let more = more.as_object().expect("object").clone();
    config.as_object_mut().expect("object").extend(more);
    nats.api("STREAM.CREATE.ORDERS", &config, within(PATIENCE)).await.expect("stream");
    (server, nats)
}

fn order(id: &str) -> Outgoing {
    publication(message("orders.new", "{}"), id, "ORDERS").expect("legal headers")
}

async fn publish(nats: &Nats, message: Outgoing) -> Result<PubAck, PublishFailure> {
    publish_once(nats, message, within(PATIENCE)).await
}

#[tokio::test]
async fn the_same_id_is_stored_once_and_the_original_can_be_read() {
    let (_server, nats) = orders(json!({})).await;
    let mut first = order("assign:1");
    first.headers.insert("Natsgate-Fingerprint", "abc");
    let ack = publish(&nats, first).await.expect("stored");
    assert_eq!((ack.stream.as_str(), ack.sequence, ack.duplicate), ("ORDERS", 1, false));
    let again = publish(&nats, order("assign:1")).await.expect("known");
    assert_eq!((again.sequence, again.duplicate), (1, true));
    assert_eq!(publish(&nats, order("assign:2")).await.expect("stored").sequence, 2);

    let original =
        stored(&nats, "ORDERS", Select::Sequence(1), within(PATIENCE)).await.expect("answer").expect("there");
    assert_eq!((original.subject.as_str(), original.sequence), ("orders.new", 1));
    assert_eq!(original.header("natsgate-fingerprint"), Some("abc"));
    assert_eq!(original.header("Nats-Msg-Id"), Some("assign:1"));
    let last = stored(&nats, "ORDERS", Select::LastOf("orders.new"), within(PATIENCE)).await.expect("answer");
    assert_eq!(last.expect("there").sequence, 2);
    assert_eq!(stored(&nats, "ORDERS", Select::Sequence(9), within(PATIENCE)).await, Ok(None));
    let missing = stored(&nats, "NONE", Select::Sequence(1), within(PATIENCE)).await.unwrap_err();
    assert!(matches!(&missing, ApiFailure::Refused(error) if error.err_code == 10_059), "{missing:?}");
}

#[tokio::test]
async fn a_subject_without_a_stream_stores_nothing() {
    let server = NatsServer::start().await;
    let nats = connected(options(server.url())).await;
    let failure = publish(&nats, order("1")).await.unwrap_err();
    assert!(matches!(failure, PublishFailure::StreamUnavailable(_)), "{failure:?}");
    assert!(failure.not_executed());
}

#[tokio::test]
async fn another_stream_than_the_expected_one_refuses() {
    let (_server, nats) = orders(json!({})).await;
    let elsewhere = publication(message("orders.new", "{}"), "1", "OTHERS").expect("legal headers");
    let failure = publish(&nats, elsewhere).await.unwrap_err();
    assert!(
        matches!(&failure, PublishFailure::Misconfigured(error) if error.err_code == 10_060),
        "{failure:?}"
    );
    assert!(failure.not_executed());
}

#[tokio::test]
async fn a_full_stream_says_so() {
    for limit in [json!({ "discard": "new", "max_msgs": 1 }), json!({ "discard": "new", "max_bytes": 200 })] {
        let (_server, nats) = orders(limit.clone()).await;
        let mut large = order("1");
        large.payload = vec![b'x'; 80].into();
        publish(&nats, large).await.expect("there is room for one");
        let mut second = order("2");
        second.payload = vec![b'x'; 80].into();
        let failure = publish(&nats, second).await.unwrap_err();
        assert!(matches!(failure, PublishFailure::StreamFull(_)), "{limit}: {failure:?}");
    }
}

#[tokio::test]
async fn a_full_subject_says_so() {
    let limits = json!({ "discard": "new", "discard_new_per_subject": true, "max_msgs_per_subject": 1 });
    let (_server, nats) = orders(limits).await;
    publish(&nats, order("1")).await.expect("there is room for one");
    let failure = publish(&nats, order("2")).await.unwrap_err();
    assert!(matches!(failure, PublishFailure::SubjectFull(_)), "{failure:?}");
}

#[tokio::test]
async fn a_message_above_the_streams_limit_says_so() {
    let (_server, nats) = orders(json!({ "max_msg_size": 100 })).await;
    let mut large = order("1");
    large.payload = vec![b'x'; 101].into();
    let failure = publish(&nats, large).await.unwrap_err();
    assert!(matches!(failure, PublishFailure::MessageTooLarge(_)), "{failure:?}");
}

#[tokio::test]
async fn headers_above_the_limit_are_not_sent() {
    let (_server, nats) = orders(json!({})).await;
    let mut headers = HeaderMap::new();
    headers.insert("X-Large", "x".repeat(65_535));
    let large = Outgoing { headers, ..message("orders.new", "") };
    let failure =
        publish(&nats, publication(large, "1", "ORDERS").expect("legal headers")).await.unwrap_err();
    assert!(matches!(failure, PublishFailure::HeadersTooLarge { limit: 65_535, .. }), "{failure:?}");
}

#[tokio::test]
async fn a_sealed_stream_refuses() {
    let (_server, nats) = orders(json!({})).await;
    let sealed = json!({ "name": "ORDERS", "subjects": ["orders.>"], "storage": "memory", "sealed": true });
    nats.api("STREAM.UPDATE.ORDERS", &sealed, within(PATIENCE)).await.expect("sealed");
    let failure = publish(&nats, order("1")).await.unwrap_err();
    assert!(
        matches!(&failure, PublishFailure::Misconfigured(error) if error.err_code == 10_109),
        "{failure:?}"
    );
}

#[tokio::test]
async fn a_wrong_expectation_is_a_failed_precondition() {
    let (_server, nats) = orders(json!({})).await;
    for header in
        ["Nats-Expected-Last-Sequence", "Nats-Expected-Last-Subject-Sequence", "Nats-Expected-Last-Msg-Id"]
    {
        let mut expecting = order("1");
        expecting.headers.insert(header, "7");
        let failure = publish(&nats, expecting).await.unwrap_err();
        assert!(matches!(failure, PublishFailure::PreconditionFailed(_)), "{header}: {failure:?}");
    }
}

#[tokio::test]
async fn a_reply_of_somebody_else_is_no_acknowledgement() {
    let server = NatsServer::start().await;
    let nats = connected(options(server.url())).await;
    let _tap = super::echo(&server.client().await, "orders.new").await;
    let failure = publish(&nats, order("1")).await.unwrap_err();
    assert!(matches!(failure, PublishFailure::BadAck(_)), "{failure:?}");
    assert!(!failure.not_executed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_lost_its_majority_acknowledges_nothing_until_it_is_back() {
    use PublishFailure::{Send, StreamUnavailable};
    let mut cluster = Cluster::start(3).await;
    let config = json!({ "name": "ORDERS", "subjects": ["orders.>"], "num_replicas": 3 });
    let nats = connected(Options { servers: cluster.urls(), ..Options::default() }).await;
    nats.api("STREAM.CREATE.ORDERS", &config, within(PATIENCE)).await.expect("stream");
    publish(&nats, order("1")).await.expect("stored");
    let leader = cluster.leader_of("ORDERS").await;
    let lost = [leader, (leader + 1) % 3];
    for node in lost {
        cluster.kill(node);
    }
    assert!(nats.connected(within(PATIENCE)).await);
    let failure = publish_once(&nats, order("2"), within(Duration::from_secs(1))).await.unwrap_err();
    let honest = matches!(
        failure,
        StreamUnavailable(_) | Send(Failure::Timeout | Failure::ConnectionLost | Failure::NotConnected)
    );
    assert!(honest, "{failure:?}");
    for node in lost {
        cluster.restart(node).await;
    }
    cluster.leader_of("ORDERS").await;
    let end = within(PATIENCE);
    let ack = loop {
        match publish_once(&nats, order("2"), within(Duration::from_secs(2))).await {
            Ok(ack) => break ack,
            Err(failure) => assert!(Instant::now() < end, "{failure:?}"),
        }
    };
    assert_eq!(ack.sequence, 2, "stored once, whichever try it was");
}

#[tokio::test]
async fn streams_can_be_asked_for() {
    let (_server, nats) = orders(json!({})).await;
    let info = stream_info(&nats, "ORDERS", within(PATIENCE)).await.expect("answer").expect("there");
    assert_eq!(info["config"]["subjects"], json!(["orders.>"]));
    assert_eq!(stream_info(&nats, "NONE", within(PATIENCE)).await, Ok(None));
    let capturing = |subject: &'static str| streams_capturing(&nats, subject, within(PATIENCE));
    assert_eq!(capturing("orders.new").await, Ok(vec!["ORDERS".to_owned()]));
    assert_eq!(capturing("users.get").await, Ok(Vec::new()));
}

#[tokio::test]
async fn an_account_without_jetstream_is_told_apart_from_a_refusal() {
    let accounts =
        "accounts { APP { users [{ user: app, password: app }] }, SYS { users [{ user: s, password: s }] } }
        system_account: SYS";
    let server = NatsServer::with(accounts).await;
    let nats = connected(options(format!("nats://app:app@127.0.0.1:{}", server.port()))).await;
    let failure = stream_info(&nats, "ORDERS", within(PATIENCE)).await.unwrap_err();
    let no_api = matches!(&failure, ApiFailure::Send(Failure::NoResponders))
        || matches!(&failure, ApiFailure::Refused(error) if error.code == 503);
    assert!(no_api, "{failure:?}");
}
